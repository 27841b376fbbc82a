"""What happens when a person judges. Append-only: every call adds a row or finds the one it added before.

All of it runs under the lock of the lease's row, which exists once per person and task.
"""

import uuid
from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from annotate import assignment
from annotate.models import Draft, Judgement, Lease, Project, User
from annotate.prepared import insert
from annotate.reading import is_quick
from annotate.services.answers.answer import Answer
from annotate.services.answers.kinds import ANSWER_KINDS
from annotate.services.answers.shown import Shown, responses_shown
from annotate.services.guidelines import guideline_followed
from annotate.services.reviews import settle_corrections
from annotate.statements import insert_answer


class SubmissionTaken(Exception):
    """The submission id belongs to another judgement of the project: a fault of the client, not of the person."""


@transaction.atomic
def submit_judgement(
    *, lease: Lease, submission_id: uuid.UUID, answer: Answer, active_seconds: float | None = None
) -> Judgement:
    """Record the answer of the lease's annotator and fill a place of its task.

    Idempotent by `submission_id`. An earlier judgement by the same person is superseded. An answer that comes after
    the place has gone is kept as surplus. Raises SubmissionTaken.
    """
    judgement = _new_answer(lease, submission_id, answer, active_seconds)
    if _submit_held(lease, judgement, answer):
        return judgement
    lease = assignment.lock_lease(lease)
    known, previous = _find_judgements(lease, submission_id)
    if known:
        return known
    judgement.is_surplus = assignment.fill_place(lease=lease, previous=previous)
    _record(lease, previous, judgement, answer, guideline=_guideline_of(lease))
    if previous:
        settle_corrections(task_id=lease.task_id, annotator_id=lease.annotator_id)
    return judgement


def submit_and_hand_out(
    *, lease: Lease, submission_id: uuid.UUID, answer: Answer, active_seconds: float | None = None, shown: int = 0
) -> tuple[Judgement, assignment.HandedOut]:
    """`submit_judgement`, then `assignment.hand_out_two`: in one transaction when the task is held, as nearly always.

    The turn at the queue is taken first, as by everybody. A late answer takes its place from the task before the next
    one is looked for, and nobody may wait for a task while holding another; so it has a transaction of its own.
    """
    user, project, handed = lease.annotator, lease.task.project, None
    with transaction.atomic():
        membership = assignment.take_turn(user, project)
        judgement = _new_answer(lease, submission_id, answer, active_seconds)
        if _submit_held(lease, judgement, answer):
            handed = assignment.hand_out_in_turn(membership, shown)
    if handed:
        return judgement, assignment.wait_for_place(user, project, handed)
    judgement = submit_judgement(lease=lease, submission_id=submission_id, answer=answer, active_seconds=active_seconds)
    return judgement, assignment.hand_out_two(user=user, project=project, shown=shown)


def _new_answer(lease: Lease, submission_id: uuid.UUID, answer: Answer, active_seconds: float | None) -> Judgement:
    return Judgement(
        outcome=Judgement.Outcome.ANSWER,
        submission_id=submission_id,
        active_seconds=_bounded(active_seconds, lease),
        rationale=answer.rationale,
    )


def _submit_held(lease: Lease, judgement: Judgement, answer: Answer) -> bool:
    """Record the answer to a held task of which nothing was said before; False, and nothing done, when it is not so."""
    filled, guideline = assignment.fill_held_place(lease=lease, submission_id=judgement.submission_id)
    if filled:
        _record(lease, None, judgement, answer, guideline=guideline)
    return filled


@transaction.atomic
def skip_judgement(
    *, lease: Lease, submission_id: uuid.UUID, reason: str, active_seconds: float | None = None
) -> Judgement:
    """Leave the task to somebody else, for a reason. The draft is kept. Idempotent; raises SubmissionTaken."""
    lease = assignment.lock_lease(lease)
    known, previous = _find_judgements(lease, submission_id)
    if known:
        return known
    assignment.leave_place(lease=lease, previous=previous)
    judgement = Judgement(
        outcome=Judgement.Outcome.SKIP,
        submission_id=submission_id,
        skip_reason=reason,
        active_seconds=_bounded(active_seconds, lease),
    )
    _follow(lease, previous, judgement, guideline=_guideline_of(lease))
    insert(judgement)
    return judgement


@transaction.atomic
def undo_judgement(*, judgement: Judgement) -> bool:
    """Take a judgement back: a row that supersedes it, its answer put back as the draft, its task held again.

    Undoing what is superseded or taken back already changes nothing. False when the task could not be held again,
    because somebody else has taken the place.
    """
    lease = assignment.lock_lease(Lease.objects.get(task=judgement.task_id, annotator=judgement.annotator_id))
    previous = _find_judgements(lease, submission_id=None)[1]
    if previous is None or previous.pk != judgement.pk or previous.outcome == Judgement.Outcome.UNDONE:
        return lease.state == Lease.State.HELD
    if previous.outcome == Judgement.Outcome.ANSWER:
        _keep_draft(lease, draft_of(previous, responses_shown(lease)))
    reopened = assignment.reopen_place(lease=lease, previous=previous)
    undone = Judgement(outcome=Judgement.Outcome.UNDONE, submission_id=uuid.uuid4())
    undone.matches_agreed = _shown_agreed(lease, previous)
    _follow(lease, previous, undone, guideline=_guideline_of(lease))
    insert(undone)
    return reopened


def last_judgement(*, user: User, project: Project) -> Judgement | None:
    """What `undo` takes back: this person's newest judgement that still stands."""
    standing = Judgement.objects.of_project(project).newest_of(user).filter(is_adjudication=False).current()
    return standing.exclude(outcome=Judgement.Outcome.UNDONE).first()


@transaction.atomic
def save_draft(*, lease: Lease, data: dict[str, Any]) -> bool:
    """Keep what the person has chosen and typed so far, by side as the page shows it.

    False when the task is judged: what arrives after the answer is older than the answer.
    """
    lease = assignment.lock_lease(lease)
    if lease.state == Lease.State.DONE:
        return False
    _keep_draft(lease, data)
    return True


def _keep_draft(lease: Lease, data: dict[str, Any]) -> None:
    Draft.objects.update_or_create(
        task_id=lease.task_id,
        annotator_id=lease.annotator_id,
        defaults={"data": data, "updated_at": timezone.now()},
    )


def draft_of(judgement: Judgement, shown: Sequence[Shown]) -> dict[str, Any]:
    """An answer as the draft it would be typed as: by letter, as the responses were shown."""
    flags = {f"flags_{entry.letter.lower()}": judgement.flags.get(str(entry.response.pk), []) for entry in shown}
    said = ANSWER_KINDS[judgement.kind].draft_of(judgement, shown)
    return {**said, **flags, "rationale": judgement.rationale}


def _find_judgements(lease: Lease, submission_id: uuid.UUID | None) -> tuple[Judgement | None, Judgement | None]:
    """(the judgement this submission made already, the person's current judgement of the task), in one statement."""
    current = Q(task=lease.task_id, annotator=lease.annotator_id, is_current=True, is_adjudication=False)
    same = Q(project=lease.task.project_id, submission_id=submission_id)
    rows = list(Judgement.objects.filter(current | same if submission_id else current))
    known = next((row for row in rows if row.submission_id == submission_id), None)
    if known and (known.task_id, known.annotator_id) != (lease.task_id, lease.annotator_id):
        raise SubmissionTaken(f"submission {submission_id} is that of another judgement; reload the page.")
    previous = next((row for row in rows if row.is_current and row.task_id == lease.task_id), None)
    return known, previous


def _follow(lease: Lease, previous: Judgement | None, judgement: Judgement, *, guideline: int | None) -> None:
    """Make it one of the lease's task and person that supersedes `previous`."""
    if previous:
        Judgement.objects.filter(pk=previous.pk).update(is_current=False)
    judgement.project_id, judgement.task_id, judgement.kind = lease.task.project_id, lease.task_id, lease.task.kind
    judgement.annotator_id, judgement.supersedes = lease.annotator_id, previous
    judgement.guideline_id = guideline


def _guideline_of(lease: Lease) -> int | None:
    return guideline_followed(project_id=lease.task.project_id, user_id=lease.annotator_id)


def _record(
    lease: Lease, previous: Judgement | None, judgement: Judgement, answer: Answer, *, guideline: int | None
) -> None:
    """Add the judgement and what the kind keeps of its answer, and empty the draft."""
    kind, shown = ANSWER_KINDS[lease.task.kind], answer.shown or responses_shown(lease)
    flags = {str(entry.response.pk): list(answer.flags.get(entry.letter, [])) for entry in shown}
    judgement.flags = {response: chosen for response, chosen in flags.items() if chosen}
    if previous is None:
        texts = [message["content"] for message in lease.task.prompt.messages]
        judgement.is_quick = is_quick(judgement.active_seconds, [*texts, *(entry.response.text for entry in shown)])
    _follow(lease, previous, judgement, guideline=guideline)
    said = kind.row(judgement, shown, answer.said)
    if lease.task.agreed_answer is not None and kind.agreed and kind.matches:
        matches = kind.matches(kind.agreed(judgement), lease.task.agreed_answer)
        first = _shown_agreed(lease, previous)
        judgement.matches_agreed = matches if first is None else first
    insert_answer(judgement, said)


def _shown_agreed(lease: Lease, previous: Judgement | None) -> bool | None:
    """Whether the first answer was right, once the agreed one was shown: what is said after that counts no more."""
    return previous.matches_agreed if previous and lease.task.shows_agreed_answer() else None


def _bounded(active_seconds: float | None, lease: Lease) -> float | None:
    """The page's clock, believed up to the time since the task was handed out."""
    if active_seconds is None:
        return None
    return round(min(active_seconds, (timezone.now() - lease.leased_at).total_seconds()), 1)
