"""What reviewers do about answers: decide a task, ask for a correction, say something. And what the people concerned
see of it and answer.

A thread is what was said to one person about one task. Only that person and the project's reviewers see it.
"""

from __future__ import annotations

import hashlib
import uuid

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from annotate.models import Comment, Guideline, Judgement, Membership, Role, Task, User
from annotate.prepared import insert
from annotate.services.answers.answer import Answer
from annotate.services.answers.kinds import ANSWER_KINDS
from annotate.services.answers.shown import LETTERS, Shown, task_responses
from annotate.services.audit import record_audit


def can_be_decided(task: Task) -> bool:
    """What people wrote has no single right answer; every other kind can be decided."""
    return ANSWER_KINDS[task.kind].agreed is not None


def shown_to_reviewer(task: Task, reviewer: User) -> list[Shown]:
    """The responses in an order that is this reviewer's own for this task, drawn as if by lot and always the same."""
    responses = list(enumerate(task_responses(task)))
    responses.sort(key=lambda place: hashlib.sha256(f"{task.pk}:{reviewer.pk}:{place[0]}".encode()).digest())
    return [Shown(letter, response, position) for letter, (position, response) in zip(LETTERS, responses, strict=False)]


@transaction.atomic
def decide_task(*, task: Task, reviewer: User, submission_id: uuid.UUID, answer: Answer, reason: str) -> Judgement:
    """The reviewer's decision, beside the answers it was made from; an earlier one is superseded.

    Idempotent by `submission_id`.
    """
    Task.objects.select_for_update(no_key=True).get(pk=task.pk)
    known = Judgement.objects.filter(project=task.project_id, submission_id=submission_id).first()
    if known:
        return known
    previous = Judgement.objects.decisions().filter(task=task).first()
    if previous:
        Judgement.objects.filter(pk=previous.pk).update(is_current=False)
    flags = {str(entry.response.pk): list(answer.flags.get(entry.letter, [])) for entry in answer.shown}
    decision = Judgement.objects.create(
        project_id=task.project_id,
        task=task,
        kind=task.kind,
        annotator=reviewer,
        guideline=Guideline.objects.filter(project=task.project_id).order_by("-version").first(),
        outcome=Judgement.Outcome.ANSWER,
        submission_id=submission_id,
        rationale=reason,
        flags={response: chosen for response, chosen in flags.items() if chosen},
        supersedes=previous,
        is_adjudication=True,
    )
    insert(ANSWER_KINDS[task.kind].row(decision, answer.shown, answer.said))
    record_audit(actor=reviewer, action="task.decided", project=task.project, target=task, data={"reason": reason})
    return decision


@transaction.atomic
def comment_on(
    *, judgement: Judgement, author: User, body: str, submission_id: uuid.UUID, asks_correction: bool = False
) -> Comment:
    """Say something about a judgement, to the person who made it or to the reviewers. Idempotent by `submission_id`.

    What its own annotator says settles the corrections that were asked for.
    """
    comment, is_new = Comment.objects.get_or_create(
        project_id=judgement.project_id,
        submission_id=submission_id,
        defaults={"judgement": judgement, "author": author, "body": body, "asks_correction": asks_correction},
    )
    if is_new and author.pk == judgement.annotator_id:
        settle_corrections(task_id=judgement.task_id, annotator_id=author.pk)
    if is_new and asks_correction:
        record_audit(actor=author, action="judgement.sent_back", project=judgement.project, target=judgement)
    return comment


def settle_corrections(*, task_id: int, annotator_id: int) -> None:
    """The person has corrected the answer, or said why not."""
    thread = Comment.objects.filter(judgement__task=task_id, judgement__annotator=annotator_id)
    thread.filter(asks_correction=True, resolved_at=None).update(resolved_at=timezone.now())


def thread_of(*, task_id: int, annotator_id: int) -> QuerySet[Comment]:
    """What was said to this person about this task, the oldest first."""
    said = Comment.objects.filter(judgement__task=task_id, judgement__annotator=annotator_id)
    return said.select_related("author", "judgement").order_by("pk")


def mark_seen(*, comments: QuerySet[Comment], reader: User) -> None:
    """`reader` has the page with these comments before them."""
    comments.filter(seen_at=None).exclude(author=reader).update(seen_at=timezone.now())


def threads_for(user: User) -> QuerySet[Comment]:
    """The newest comment of every thread this person is part of, whoever made it; the newest first."""
    newest = concerning(user).order_by("judgement__task", "judgement__annotator", "-pk")
    last = newest.distinct("judgement__task", "judgement__annotator").values("pk")
    return Comment.objects.filter(pk__in=last).order_by("-pk")


def count_unseen(user: User) -> int:
    """How many comments wait for this person: to them, or in answer to what they said as a reviewer."""
    return unseen_by(user).count()


def unseen_by(user: User) -> QuerySet[Comment]:
    return concerning(user).filter(seen_at=None).exclude(author=user)


def concerning(user: User) -> QuerySet[Comment]:
    """Comments on what this person judged, and in threads where they spoke as a reviewer; in their projects alone."""
    spoke = Comment.objects.filter(
        judgement__task=OuterRef("judgement__task"), judgement__annotator=OuterRef("judgement__annotator"), author=user
    )
    reviews = Membership.objects.filter(user=user, project=OuterRef("project"), role__in=[Role.OWNER, Role.REVIEWER])
    mine = Q(judgement__annotator=user)
    return Comment.objects.visible_to(user).filter(mine | (Q(Exists(spoke)) & Q(Exists(reviews))))
