"""Comparisons, on their own and as the turns of a live chat: one pair, a tie, or two bad responses."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from annotate.exports.kinds.kind_export import Group, KindExport, Pair, Verdict
from annotate.exports.rows import Row
from annotate.models import Comparison
from annotate.models.projects import SCALE_MAXIMUM


def sides(row: Row) -> tuple[int, int]:
    """The places of first and second."""
    return row.place(row.answer.first_id), row.place(row.answer.second_id)


def said(row: Row) -> dict[str, Any]:
    answer = row.answer
    return {
        "preference": answer.preference,
        "points": answer.points,
        "both_bad": answer.both_bad,
        "first_on_left": answer.first_on_left,
        "dimensions": answer.dimensions,
    }


def remark(row: Row) -> str:
    if row.answer.both_bad:
        return "both_bad"
    return "tie" if row.answer.preference == 0 else "comparison"


def strength(answer: SimpleNamespace) -> float | None:
    """|preference| over the scale's largest, in (0, 1]; None when it was imported without a scale."""
    if answer.points is None or not answer.preference:
        return None
    return abs(answer.preference) / SCALE_MAXIMUM[answer.points]


def group(row: Row) -> Group | None:
    """Both responses in the task's order, with the better one and the strength."""
    answer = row.answer
    if answer.preference is None:
        return None
    if answer.preference == 0:
        return Group(list(sides(row)), {"kind": "tie"})
    chosen = 0 if answer.preference < 0 else 1
    label = {"kind": "pair", "chosen": chosen, "rejected": 1 - chosen, "strength": strength(answer)}
    return Group(list(sides(row)), label)


def pairs(row: Row) -> list[Pair]:
    if not row.answer.preference:
        return []
    first, second = sides(row)
    return [(first, second) if row.answer.preference < 0 else (second, first)]


def verdicts(row: Row) -> list[Verdict]:
    if row.answer.both_bad:
        return [(place, False) for place in sides(row)]
    return [verdict for chosen, rejected in pairs(row) for verdict in ((chosen, True), (rejected, False))]


COMPARISON = KindExport(answer=Comparison, said=said, remark=remark, group=group, pairs=pairs, verdicts=verdicts)
