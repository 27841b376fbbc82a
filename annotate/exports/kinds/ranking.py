"""Rankings: tiers of responses, best first, those of a tier tied."""

from __future__ import annotations

from itertools import combinations
from typing import Any

from annotate.exports.kinds.kind_export import Group, KindExport, Pair
from annotate.exports.rows import Row
from annotate.models import Ranking


def tiers(row: Row) -> list[list[int]]:
    """The tiers by place; within one, in the task's order."""
    return [sorted(row.place(pk) for pk in tier) for tier in row.answer.tiers]


def said(row: Row) -> dict[str, Any]:
    return {"tiers": tiers(row), "shown": [row.place(pk) for pk in row.answer.shown]}


def remark(row: Row) -> str:
    return "ranking" if len(row.answer.tiers) > 1 else "level_ranking"


def group(row: Row) -> Group:
    return Group(list(range(len(row.responses))), {"kind": "ranking", "tiers": tiers(row)})


def pairs(row: Row) -> list[Pair]:
    """Every response with every one of a lower tier."""
    return [(better, worse) for upper, lower in combinations(tiers(row), 2) for better in upper for worse in lower]


RANKING = KindExport(answer=Ranking, said=said, remark=remark, group=group, pairs=pairs)
