"""Judging: taking a task, answering it, skipping it, taking back what was said. The same rules as on the page."""

from __future__ import annotations

from typing import Any

from annotate import assignment
from annotate.access import EVERYONE, get_own_lease
from annotate.api.answers import asked, read_answer
from annotate.api.operations import Call, operation
from annotate.api.paging import Page, PageQuery, page_of
from annotate.api.problems import Invalid, conflicting
from annotate.api.serializers.judging import (
    AheadSerializer,
    HeldSerializer,
    JudgedSerializer,
    LeaseSerializer,
    NewJudgementSerializer,
    NextQuery,
    NextTaskSerializer,
    OwnJudgementSerializer,
    ProgressSerializer,
    SkipSerializer,
    UndoneSerializer,
)
from annotate.forms.judging import SkipForm
from annotate.models import Judgement, Lease, Scope
from annotate.services import judging
from annotate.services.answers.kinds import describe_judgement
from annotate.services.answers.shown import responses_shown
from annotate.services.guidelines import unread_guideline
from annotate.services.known_answers import agreed_judgement
from annotate.services.progress import own_progress
from annotate.standing import Standing
from annotate.views.history import described, my_judgements
from annotate.views.judging import get_own_judgement


@operation("POST", scope=Scope.JUDGE, roles=EVERYONE, answer=NextTaskSerializer)
def take_next_task(call: Call) -> dict[str, Any]:
    """Take the next task, or the one in hand.

    It is held for as many minutes as the project says; a heartbeat holds it longer.
    """
    return next_task(call)


def next_task(call: Call) -> dict[str, Any]:
    if unread := unread_guideline(call.membership):
        return {"lease": None, "stage": None, "unread_guideline": unread.version}
    return describe_next(*assignment.hand_out(user=call.user, project=call.project), call)


def describe_next(lease: Lease | None, standing: Standing, call: Call) -> dict[str, Any]:
    shown = describe_lease(lease, call) if lease else None
    return {"lease": shown, "stage": standing.stage.value, "unread_guideline": None}


def describe_lease(lease: Lease, call: Call) -> dict[str, Any]:
    return {
        "id": lease.pk,
        "kind": lease.task.kind,
        "expires_at": lease.expires_at,
        "prompt": lease.task.prompt,
        "responses": [{"letter": entry.letter, "text": entry.response.text} for entry in responses_shown(lease)],
        "asks": asked(lease.task.kind, call.project),
    }


@operation("GET", scope=Scope.JUDGE, roles=EVERYONE, answer=LeaseSerializer)
def show_lease(call: Call, pk: int) -> dict[str, Any]:
    """A task that you have in hand, or had."""
    return describe_lease(get_own_lease(call.user, call.project, pk), call)


@operation("POST", scope=Scope.JUDGE, roles=EVERYONE, answer=HeldSerializer)
def hold_longer(call: Call, pk: int) -> dict[str, Any]:
    """The heartbeat: hold the task for another while."""
    lease = get_own_lease(call.user, call.project, pk)
    return {"held": assignment.extend_lease(lease=lease), "expires_at": lease.expires_at}


@operation("POST", scope=Scope.JUDGE, roles=EVERYONE, answer=AheadSerializer)
def hold_ahead(call: Call, pk: int) -> dict[str, Any]:
    """Hold the task after the one in hand too, so that it is there at once. It runs out like any other."""
    lease = get_own_lease(call.user, call.project, pk)
    following = assignment.lease_ahead(user=call.user, project=call.project, after=lease)
    return {"lease": describe_lease(following, call) if following else None}


@operation("DELETE", scope=Scope.JUDGE, roles=EVERYONE)
def hand_back(call: Call, pk: int) -> None:
    """Hand a task back for somebody else. Handing it back twice does no harm."""
    assignment.return_lease(lease=get_own_lease(call.user, call.project, pk))


@operation(
    "POST",
    scope=Scope.JUDGE,
    roles=EVERYONE,
    body=NewJudgementSerializer,
    query=NextQuery,
    answer=JudgedSerializer,
    conflicts=True,
    repeatable=False,  # known by submission_id; the next task may take another transaction
    example={
        "submission_id": "7f0c1c2e-5d0a-4c4e-9a55-0d6f6e2b8a11",
        "answer": {"preference": -3},
        "rationale": "A is exact.",
    },
)
def judge(call: Call, pk: int) -> dict[str, Any]:
    """Answer the task, or correct your answer to it.

    With `next=true` the next task comes in the same round trip.
    """
    lease = get_own_lease(call.user, call.project, pk)
    form = read_answer(lease, call.project, call.data)
    said = {
        "lease": lease,
        "submission_id": call.data["submission_id"],
        "answer": form.answer(),
        "active_seconds": call.data.get("active_seconds"),
    }
    following: dict[str, Any] | None = None
    with conflicting(judging.SubmissionTaken):
        if call.query["next"] and not unread_guideline(call.membership):
            judgement, (handed, standing, _) = judging.submit_and_hand_out(**said)
            following = describe_next(handed, standing, call)
        else:
            judgement = judging.submit_judgement(**said)
            if call.query["next"]:
                following = next_task(call)  # guidelines to be read first
    agreed = describe_agreed(lease, judgement) if lease.task.shows_agreed_answer() else None
    return {"judgement": judgement.pk, "agreed": agreed, "next": following}


def describe_agreed(lease: Lease, judgement: Judgement) -> dict[str, Any] | None:
    known = agreed_judgement(lease.task)
    names = {entry.response.pk: entry.letter for entry in responses_shown(lease)}
    if known is None:
        return None
    return {
        "was_right": judgement.matches_agreed,
        "answer": describe_judgement(known, names),
        "explanation": lease.task.explanation,
    }


@operation(
    "POST",
    scope=Scope.JUDGE,
    roles=EVERYONE,
    body=SkipSerializer,
    query=NextQuery,
    answer=JudgedSerializer,
    conflicts=True,
    repeatable=False,  # known by submission_id; the answer and the next task are two transactions
    example={"submission_id": "7f0c1c2e-5d0a-4c4e-9a55-0d6f6e2b8a11", "reason": "unclear"},
)
def skip(call: Call, pk: int) -> dict[str, Any]:
    """Leave the task to somebody else, for a reason."""
    lease = get_own_lease(call.user, call.project, pk)
    form = SkipForm({**call.data, "submission_id": str(call.data["submission_id"])}, project=call.project)
    if not form.is_valid():
        raise Invalid({name.replace("__all__", ""): list(map(str, found)) for name, found in form.errors.items()})
    with conflicting(judging.SubmissionTaken):
        judgement = judging.skip_judgement(
            lease=lease,
            submission_id=call.data["submission_id"],
            reason=form.reason_in_words(),
            active_seconds=call.data.get("active_seconds"),
        )
    following = next_task(call) if call.query["next"] else None
    return {"judgement": judgement.pk, "agreed": None, "next": following}


@operation("GET", scope=Scope.JUDGE, roles=EVERYONE, query=PageQuery, answer=OwnJudgementSerializer, paged=True)
def list_own_judgements(call: Call) -> Page:
    """What you said, as it stands."""
    page = page_of(my_judgements(call.user, call.project, ""), call.query, within="-annotator_id")
    return Page(described(page.rows), page.following)


@operation("POST", scope=Scope.JUDGE, roles=EVERYONE, answer=UndoneSerializer)
def undo(call: Call, pk: int) -> dict[str, bool]:
    """Take a judgement of yours back: its task is yours again."""
    return {"reopened": judging.undo_judgement(judgement=get_own_judgement(call.user, call.project, pk))}


@operation("GET", scope=Scope.JUDGE, roles=EVERYONE, answer=ProgressSerializer)
def show_progress(call: Call) -> dict[str, object]:
    """How far you have come."""
    return own_progress(user=call.user, project=call.project).as_dict()
