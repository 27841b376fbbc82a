"""Comparisons: which of two is better and by how much, overall and by named dimensions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from annotate.models import Comparison, Judgement
from annotate.models.projects import SCALE_MAXIMUM
from annotate.services.answers.answer import AnswerKind
from annotate.services.answers.shown import Shown

BOTH_BAD = "both-bad"
STRENGTHS = {
    1: ["better"],
    2: ["slightly better", "much better"],
    3: ["slightly better", "better", "much better"],
    4: ["barely better", "slightly better", "better", "much better"],
}


@dataclass(frozen=True)
class ComparisonAnswer:
    """By side as the page showed it: `preference` < 0 prefers the left, called A. None when both are bad."""

    preference: int | None
    points: int  # of the scale it was given on
    dimensions: Mapping[str, int] = field(default_factory=dict)


def row(judgement: Judgement, shown: Sequence[Shown], said: ComparisonAnswer) -> Comparison:
    """The comparison, turning sides into the task's positions."""
    first, second = sorted(shown, key=lambda entry: entry.position)
    first_on_left = first is shown[0]
    side = 1 if first_on_left else -1
    return Comparison(
        judgement=judgement,
        first=first.response,
        second=second.response,
        first_on_left=first_on_left,
        points=said.points,
        preference=None if said.preference is None else side * said.preference,
        both_bad=said.preference is None,
        dimensions={name: side * value for name, value in said.dimensions.items()},
    )


def draft_of(judgement: Judgement, shown: Sequence[Shown]) -> dict[str, Any]:
    comparison = judgement.comparison
    side = 1 if comparison.first_id == shown[0].response.pk else -1
    choice = BOTH_BAD if comparison.preference is None else str(side * comparison.preference)
    return {"choice": choice, **{dimension_field(n): str(side * v) for n, v in comparison.dimensions.items()}}


def dimension_field(name: str) -> str:
    """The form's field for a named dimension."""
    return f"dimension-{name}"


def describe(judgement: Judgement, names: Mapping[int, str]) -> str:
    """ "A much better", "Tie", "Both bad"; then the dimensions."""
    comparison = judgement.comparison
    sides = (names[comparison.first_id], names[comparison.second_id])
    overall = "Both bad" if comparison.preference is None else say(comparison.preference, comparison.points, sides)
    dimensions = [f"{name}: {say(value, comparison.points, sides)}" for name, value in comparison.dimensions.items()]
    return "; ".join([overall, *dimensions])


def say(preference: int, points: int | None, sides: Sequence[str]) -> str:
    """The words for a value of the scale: -4 on 8 points is "A much better"; "A better" when no scale is known."""
    if preference == 0:
        return "Tie"
    strength = 1 if points is None else abs(preference)
    return f"{sides[preference > 0]} {STRENGTHS[SCALE_MAXIMUM[points or 2]][strength - 1]}"


def agreed(judgement: Judgement) -> dict[str, Any]:
    """The better response's id, or null for a tie; a strength is a matter of taste."""
    comparison = judgement.comparison
    better = {-1: comparison.first_id, 1: comparison.second_id}
    preference = comparison.preference
    sign = 0 if not preference else preference // abs(preference)
    return {"better": better.get(sign), "both_bad": comparison.both_bad}


def matches(said: Any, known: Any) -> bool:
    return bool(said == known)


COMPARISON = AnswerKind(
    related="comparison", row=row, draft_of=draft_of, describe=describe, agreed=agreed, matches=matches
)
