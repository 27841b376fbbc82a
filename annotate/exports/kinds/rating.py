"""Ratings: scores for each response. The first question is the overall one, and the only one that trains."""

from __future__ import annotations

from itertools import combinations
from typing import Any

from annotate.exports.kinds.kind_export import Group, KindExport, Pair, Rated, Verdict
from annotate.exports.rows import Row
from annotate.models import Rating


def said(row: Row) -> dict[str, Any]:
    answer = row.answer
    return {
        "scores": [answer.scores.get(str(response.id), {}) for response in row.responses],
        "questions": answer.questions,
        "shown": [row.place(pk) for pk in answer.shown],
    }


def remark(row: Row) -> str:
    return "rating" if pairs(row) else "level_rating"


def overall(row: Row) -> list[int | None]:
    """What the first question was answered with for each response; None where it was left open."""
    answer = row.answer
    key = answer.questions[0]["key"]
    return [answer.scores.get(str(response.id), {}).get(key) for response in row.responses]


def rated(row: Row) -> list[Rated]:
    """The responses that anything was answered for."""
    answered = [(place, row.answer.scores.get(str(response.id))) for place, response in enumerate(row.responses)]
    return [Rated(place, scores) for place, scores in answered if scores]


def group(row: Row) -> Group | None:
    scores = overall(row)
    known = any(score is not None for score in scores)
    return Group(list(range(len(scores))), {"kind": "rating", "scores": scores}) if known else None


def pairs(row: Row) -> list[Pair]:
    """Every two responses with different scores, the higher one chosen; the best responses first."""
    scores = {place: score for place, score in enumerate(overall(row)) if score is not None}
    ordered = sorted(scores, key=lambda place: -scores[place])
    return [(one, other) for one, other in combinations(ordered, 2) if scores[one] > scores[other]]


def verdicts(row: Row) -> list[Verdict]:
    """Good above the middle of the question's scale, bad below it; the middle itself says nothing."""
    middle = (1 + row.answer.questions[0]["points"]) / 2
    return [
        (place, score > middle) for place, score in enumerate(overall(row)) if score is not None and score != middle
    ]


RATING = KindExport(answer=Rating, said=said, remark=remark, group=group, pairs=pairs, verdicts=verdicts, rated=rated)
