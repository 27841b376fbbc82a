"""Tasks whose answer is known: gold, practice and qualification, each a copy of a task with the answer agreed on it.

The agreed answer is kept as the adjudication of the copy, so that every kind shows and changes it as it does any other,
and beside it, as `Task.agreed_answer`, in the form that answers are compared with.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from django.db import transaction
from django.db.models import Count, Q
from django.utils import timezone

from annotate.models import Judgement, Purpose, Task, TaskResponse, User
from annotate.prepared import insert
from annotate.querysets import TaskQuerySet
from annotate.selection import copy_places
from annotate.services.answers.answer import Answer
from annotate.services.answers.kinds import ANSWER_KINDS, RELATED, describe_judgement
from annotate.services.answers.shown import LETTERS
from annotate.services.audit import record_audit

KNOWN = (Purpose.GOLD, Purpose.PRACTICE, Purpose.QUALIFICATION)
PLACES = 32_000  # a place for everybody


class NotComparable(ValueError):
    """A kind of task in which no answer is right or wrong."""


def known_tasks(tasks: TaskQuerySet) -> TaskQuerySet:
    return tasks.filter(purpose__in=KNOWN)


def with_results(tasks: TaskQuerySet) -> TaskQuerySet:
    """Each with `said`, how many people have answered it, and `right`, how many of them rightly."""
    measured = Q(judgements__is_current=True, judgements__matches_agreed__isnull=False)
    right = measured & Q(judgements__matches_agreed=True)
    return tasks.annotate(said=Count("judgements", filter=measured), right=Count("judgements", filter=right))


def can_be_known(task: Task) -> bool:
    return ANSWER_KINDS[task.kind].matches is not None if task.kind in ANSWER_KINDS else False


@transaction.atomic
def mark_known(*, actor: User, task: Task, purpose: str, answer: Answer, explanation: str) -> Task:
    """Copy a task as one whose answer is known; the same task again changes the copy. Raises NotComparable."""
    if not can_be_known(task):
        raise NotComparable(f"No answer to a {task.get_kind_display().lower()} is right or wrong.")
    known, is_new = Task.objects.get_or_create(
        project_id=task.project_id,
        key=f"{purpose}:{task.pk}",
        defaults={
            "kind": task.kind,
            "purpose": purpose,
            "prompt_id": task.prompt_id,
            "agreed_answer": {},
            "required_judgements": PLACES,
            "remaining": PLACES,
        },
    )
    if is_new:
        copy_places(task, known)
    set_agreed_answer(actor=actor, known=known, answer=answer, explanation=explanation)
    return known


@transaction.atomic
def set_agreed_answer(*, actor: User, known: Task, answer: Answer, explanation: str) -> None:
    """The answer from now on, and why. What people said before is measured by it too."""
    locked = Task.objects.select_for_update(no_key=True).get(pk=known.pk)
    previous = agreed_judgement(locked)
    if previous:
        Judgement.objects.filter(pk=previous.pk).update(is_current=False)
    judgement = Judgement.objects.create(
        project_id=locked.project_id,
        task=locked,
        kind=locked.kind,
        annotator=actor,
        outcome=Judgement.Outcome.ANSWER,
        submission_id=uuid.uuid4(),
        supersedes=previous,
        is_adjudication=True,
    )
    kind = ANSWER_KINDS[locked.kind]
    insert(kind.row(judgement, answer.shown, answer.said))
    locked.agreed_answer = kind.agreed(judgement) if kind.agreed else None
    locked.explanation = explanation
    locked.save(update_fields=["agreed_answer", "explanation"])
    measure_again(locked)
    record_audit(actor=actor, action=f"task.{locked.purpose}", project=locked.project, target=locked)


def measure_again(known: Task) -> None:
    """Whether each answer is the agreed one, now that another was agreed on."""
    kind = ANSWER_KINDS[known.kind]
    said = known.judgements.select_related(*RELATED).filter(matches_agreed__isnull=False, outcome="answer")
    for judgement in said:
        matches = bool(kind.agreed and kind.matches and kind.matches(kind.agreed(judgement), known.agreed_answer))
        if matches != judgement.matches_agreed:
            judgement.matches_agreed = matches
            judgement.save(update_fields=["matches_agreed"])


def agreed_judgement(known: Task) -> Judgement | None:
    """The agreed answer as a judgement, with what it said."""
    rows = known.judgements.select_related(*RELATED)
    return rows.filter(is_adjudication=True, is_current=True).order_by("-pk").first()


@transaction.atomic
def retire_known(*, actor: User, known: Task, retired: bool) -> bool:
    """Hand it out no more, or again. Answers that were given count on. False when it is so already."""
    rows = Task.objects.filter(pk=known.pk, closed_at__isnull=retired)
    if not rows.update(closed_at=timezone.now() if retired else None):
        return False
    action = "task.closed" if retired else "task.reopened"
    record_audit(actor=actor, action=action, project=known.project, target=known)
    return True


def agreed_in_words(tasks: Sequence[Task]) -> dict[int, str]:
    """{task id: the agreed answer}, the responses called A, B, … in the task's own order; two statements."""
    names: dict[int, dict[int, str]] = {}
    places = TaskResponse.objects.filter(task__in=tasks)
    for task, response, position in places.values_list("task", "response", "position"):
        names.setdefault(task, {})[response] = LETTERS[position]
    agreed = Judgement.objects.current().filter(task__in=tasks, is_adjudication=True).select_related(*RELATED)
    return {row.task_id: describe_judgement(row, names[row.task_id]) for row in agreed}
