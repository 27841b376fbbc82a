"""What people wrote: demonstrations, and edits, which are better than what they were made from."""

from __future__ import annotations

from typing import Any

from annotate.exports.kinds.kind_export import Group, KindExport, Pair, Verdict
from annotate.exports.rows import Row
from annotate.models import Demonstration, Edit


def written(row: Row) -> int:
    return row.place(row.answer.response_id)


def original(row: Row) -> int:
    return row.place(row.answer.original_id)


def teach_written(row: Row) -> list[int]:
    return [written(row)]


def say_demonstration(row: Row) -> dict[str, Any]:
    answer = row.answer
    suggestion = None if answer.suggestion_id is None else row.place(answer.suggestion_id)
    return {"response": written(row), "suggestion": suggestion, "distance": answer.distance}


def group_demonstration(row: Row) -> Group:
    return Group([written(row)], {"kind": "demonstration"})


def approve_written(row: Row) -> list[Verdict]:
    return [(written(row), True)]


def say_edit(row: Row) -> dict[str, Any]:
    return {"original": original(row), "response": written(row), "distance": row.answer.distance}


def group_edit(row: Row) -> Group:
    label = {"kind": "pair", "chosen": 1, "rejected": 0, "strength": None}
    return Group([original(row), written(row)], label)


def pair_edit(row: Row) -> list[Pair]:
    return [(written(row), original(row))]


def judge_edit(row: Row) -> list[Verdict]:
    return [(written(row), True), (original(row), False)]


DEMONSTRATION = KindExport(
    answer=Demonstration,
    said=say_demonstration,
    remark=lambda row: "demonstration",
    added="response_id",
    group=group_demonstration,
    taught=teach_written,
    verdicts=approve_written,
)
EDIT = KindExport(
    answer=Edit,
    said=say_edit,
    remark=lambda row: "edit",
    added="response_id",
    group=group_edit,
    pairs=pair_edit,
    taught=teach_written,
    verdicts=judge_edit,
)
