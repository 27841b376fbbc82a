"""Drafts: what somebody has typed of an answer and not sent. The judging page shows the same draft."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from annotate.access import EVERYONE, get_own_lease
from annotate.api.answers import read_answer
from annotate.api.operations import Call, operation
from annotate.api.problems import Conflict
from annotate.api.serializers.judging import DraftSerializer, NewDraftSerializer
from annotate.forms.answers.spans import parse_entries
from annotate.models import Draft, Kind, Lease, Project, Scope
from annotate.services import judging
from annotate.services.answers.comparison import BOTH_BAD, dimension_field
from annotate.services.answers.ranking import rank_field, tiers_of_places
from annotate.services.answers.rating import score_field
from annotate.services.answers.shown import responses_shown

Read = Callable[[Mapping[str, Any], list[str], Project], dict[str, Any]]


@operation("GET", scope=Scope.JUDGE, roles=EVERYONE, answer=DraftSerializer)
def show_draft(call: Call, pk: int) -> dict[str, Any]:
    """What you have typed of this task, here or on its page."""
    lease = get_own_lease(call.user, call.project, pk)
    draft = Draft.objects.filter(task=lease.task_id, annotator=call.user).first()
    data = draft.data if draft else {}
    letters = [entry.letter for entry in responses_shown(lease)]
    flags = {letter: data[name] for letter in letters if data.get(name := f"flags_{letter.lower()}")}
    return {
        "answer": PARTS[lease.task.kind](data, letters, call.project),
        "rationale": data.get("rationale", ""),
        "flags": flags,
        "active_seconds": data.get("active_seconds"),
        "updated_at": draft.updated_at if draft else None,
    }


@operation(
    "PUT",
    scope=Scope.JUDGE,
    roles=EVERYONE,
    body=NewDraftSerializer,
    conflicts=True,
    example={"answer": {"preference": -3}, "rationale": "A is ex"},
)
def keep_draft(call: Call, pk: int) -> None:
    """Keep what is typed so far; it replaces what was kept before."""
    lease: Lease = get_own_lease(call.user, call.project, pk)
    form = read_answer(lease, call.project, {"answer": {}, **call.data}, lenient=True)
    if not judging.save_draft(lease=lease, data=form.draft()):
        raise Conflict("This task is judged; correct the answer instead.")


def comparison_of(data: Mapping[str, Any], letters: list[str], project: Project) -> dict[str, Any]:
    chosen = data.get("choice")
    overall: dict[str, Any] = {"preference": int(chosen)} if chosen not in (None, "", BOTH_BAD) else {}
    said = {name: int(data[dimension_field(name)]) for name in project.dimensions if data.get(dimension_field(name))}
    return overall | ({"both_bad": True} if chosen == BOTH_BAD else {}) | ({"dimensions": said} if said else {})


def ranking_of(data: Mapping[str, Any], letters: list[str], project: Project) -> dict[str, Any]:
    places = {letter: int(data[rank_field(letter)]) for letter in letters if data.get(rank_field(letter))}
    return {"ranking": tiers_of_places(places)} if places else {}


def rating_of(data: Mapping[str, Any], letters: list[str], project: Project) -> dict[str, Any]:
    scores: dict[str, dict[str, int]] = {}
    for letter in letters:
        before = score_field(letter, "")
        given = {name.removeprefix(before): int(data[name]) for name in data if name.startswith(before) and data[name]}
        scores |= {letter: given} if given else {}
    return {"scores": scores} if scores else {}


def written_of(data: Mapping[str, Any], letters: list[str], project: Project) -> dict[str, Any]:
    return {name: data[name] for name in ("text", "suggestion") if data.get(name)}


def spans_of(data: Mapping[str, Any], letters: list[str], project: Project) -> dict[str, Any]:
    spans, critique = parse_entries(data.get("spans", "")), data.get("critique")
    return ({"spans": spans} if spans else {}) | ({"critique": critique} if critique else {})


PARTS: dict[str, Read] = {
    Kind.COMPARISON: comparison_of,
    Kind.CHAT: comparison_of,
    Kind.RANKING: ranking_of,
    Kind.RATING: rating_of,
    Kind.DEMONSTRATION: written_of,
    Kind.EDIT: written_of,
    Kind.SPANS: spans_of,
}
