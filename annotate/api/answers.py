"""An answer as the API speaks of it: sent by letters, as the lease showed them; stored by the ids of responses.

What may be said is decided by the forms of the judging page. Here their fields are only given other names.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from annotate.api.problems import Invalid
from annotate.forms.answers.answer_form import AnswerForm
from annotate.kinds.options import read_options, write_options
from annotate.models import Judgement, Kind, Lease, Project
from annotate.services.answers.comparison import BOTH_BAD, dimension_field
from annotate.services.answers.kinds import ANSWER_KINDS
from annotate.services.answers.ranking import rank_field
from annotate.services.answers.rating import score_field
from annotate.views.kinds import bind_form

Fields = dict[str, tuple[Any, str]]  # {field of the form: (value, field of the API)}


def comparison_fields(said: Mapping[str, Any]) -> Fields:
    fields: Fields = {}
    if said.get("both_bad"):
        fields["choice"] = BOTH_BAD, "answer.both_bad"
    elif "preference" in said:
        fields["choice"] = str(said["preference"]), "answer.preference"
    for name, value in said.get("dimensions", {}).items():
        fields[dimension_field(name)] = str(value), f"answer.dimensions.{name}"
    return fields


def ranking_fields(said: Mapping[str, Any]) -> Fields:
    tiers = said.get("ranking", [])
    letters = [letter for tier in tiers for letter in tier]
    if twice := next((letter for letter in letters if letters.count(letter) > 1), None):
        raise Invalid({"answer.ranking": f"{twice} is in the ranking twice. Name each response once."})
    places = ((letter, place) for place, tier in enumerate(tiers, 1) for letter in tier)
    return {rank_field(letter): (str(place), "answer.ranking") for letter, place in places}


def rating_fields(said: Mapping[str, Any]) -> Fields:
    return {
        score_field(letter, key): (str(value), f"answer.scores.{letter}.{key}")
        for letter, scores in said.get("scores", {}).items()
        for key, value in scores.items()
    }


def written_fields(said: Mapping[str, Any]) -> Fields:
    return {name: (said[name], f"answer.{name}") for name in ("text", "suggestion", "critique") if name in said}


def spans_fields(said: Mapping[str, Any]) -> Fields:
    return {"spans": (json.dumps(said.get("spans", [])), "answer.spans"), **written_fields(said)}


FIELDS: dict[str, Callable[[Mapping[str, Any]], Fields]] = {
    Kind.COMPARISON: comparison_fields,
    Kind.CHAT: comparison_fields,
    Kind.RANKING: ranking_fields,
    Kind.RATING: rating_fields,
    Kind.DEMONSTRATION: written_fields,
    Kind.EDIT: written_fields,
    Kind.SPANS: spans_fields,
}
PARTS: dict[str, tuple[str, ...]] = {
    Kind.COMPARISON: ("preference", "both_bad", "dimensions"),
    Kind.CHAT: ("preference", "both_bad", "dimensions"),
    Kind.RANKING: ("ranking",),
    Kind.RATING: ("scores",),
    Kind.DEMONSTRATION: ("text", "suggestion"),
    Kind.EDIT: ("text",),
    Kind.SPANS: ("spans", "critique"),
}


def read_answer(lease: Lease, project: Project, data: Mapping[str, Any], *, lenient: bool = False) -> AnswerForm:
    """The form of the lease's task, filled in and valid; `lenient` takes part of an answer: a draft.

    Raises Invalid, its fields named as the API names them.
    """
    beside: Fields = {f"flags_{letter.lower()}": (flags, f"flags.{letter}") for letter, flags in data["flags"].items()}
    if data["rationale"]:
        beside["rationale"] = data["rationale"], "rationale"
    control = {name: data[name] for name in ("submission_id", "active_seconds") if name in data}

    def make_form(values: dict[str, Any]) -> AnswerForm:
        return bind_form(lease, project, {**values, **control}, lenient=lenient)

    return read_answer_to(lease.task.kind, data["answer"], make_form, beside)


def read_answer_to(
    kind: str,
    said: Mapping[str, Any],
    make_form: Callable[[dict[str, Any]], AnswerForm],
    beside: Mapping[str, tuple[Any, str]] | None = None,
) -> AnswerForm:
    """The form that `make_form` makes of the answer and what stands beside it, valid. Raises Invalid."""
    if strange := [name for name in said if name not in PARTS[kind]]:
        raise Invalid({f"answer.{strange[0]}": f"This task is a {kind}; its answer has {', '.join(PARTS[kind])}."})
    fields = {**FIELDS[kind](said), **(beside or {})}
    form = make_form({name: value for name, (value, _) in fields.items()})
    if unknown := [path for name, (_, path) in fields.items() if name not in form.fields]:
        raise Invalid(dict.fromkeys(unknown, "This task does not ask for it. Leave it out."))
    if not form.is_valid():
        raise Invalid({path_of(name, kind, fields): list(map(str, found)) for name, found in form.errors.items()})
    return form


def path_of(name: str, kind: str, fields: Fields) -> str:
    """What the API calls a field of the form, also one that was not sent."""
    if name in fields:
        return fields[name][1]
    if name in ("rationale", "submission_id", "active_seconds"):
        return name
    return f"answer.{PARTS[kind][0]}"


def asked(kind: str, project: Project) -> dict[str, Any]:
    """What a task of this kind asks for in this project."""
    if kind in (Kind.COMPARISON, Kind.CHAT):
        return {
            "preferences": project.preference_values(),
            "tie": project.accepts_tie(),
            "both_bad": project.allow_both_bad,
            "dimensions": project.dimensions,
        }
    return write_options(read_options(kind, project.kind_options))


STORED = {
    "comparison": ("first_id", "second_id", "first_on_left", "points", "preference", "both_bad", "dimensions"),
    "ranking": ("tiers", "shown"),
    "rating": ("scores", "questions", "shown"),
    "demonstration": ("response_id", "suggestion_id", "distance"),
    "edit": ("original_id", "response_id", "distance"),
    "span_feedback": ("response_id", "spans", "critique"),
}


def stored_answer(judgement: Judgement) -> dict[str, Any] | None:
    """What was said, responses by their ids; None of a skip or an undo."""
    if judgement.outcome != Judgement.Outcome.ANSWER:
        return None
    related = ANSWER_KINDS[judgement.kind].related
    said = getattr(judgement, related)
    return {name.removesuffix("_id"): getattr(said, name) for name in STORED[related]}
