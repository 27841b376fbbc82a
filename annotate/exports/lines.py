"""A snapshot as lines of JSON: streamed, the same bytes every time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from django.db.models import Avg, Count, QuerySet

from annotate.exports.forms import BOTH_BAD, FORMS, TIE, Counts, Form
from annotate.exports.rows import stream_rows
from annotate.models import Snapshot, SnapshotItem

SPLITS = tuple(SnapshotItem.Split.values)


class UnknownForm(ValueError):
    """A form or a split that does not exist; the message names those that do."""


def export_lines(snapshot: Snapshot, form: str, split: str | None = None) -> Iterator[str]:
    """The snapshot's judgements as lines of JSON, each ended by a newline, in the snapshot's own order.

    `split` is "train", "test" or None for both. In the form `groups` weights have mean 1 over the training lines.
    Memory does not grow with the snapshot. Raises UnknownForm.
    """
    shape = find_form(form)
    items = items_of(snapshot, shape, find_split(split))
    scale = weight_scale(snapshot, shape) if shape.name == "groups" else None
    for row in stream_rows(items):
        weighed = row if scale is None else replace(row, weight=row.weight * scale)
        yield encode_line(shape.line(weighed))


def items_of(snapshot: Snapshot, form: Form, split: str | None) -> QuerySet[SnapshotItem]:
    """The items the form has a line for."""
    items = SnapshotItem.objects.filter(snapshot=snapshot).exclude(form.left_out())
    return items.filter(split=split) if split else items


def weight_scale(snapshot: Snapshot, form: Form) -> float:
    """What brings the mean weight of the training lines to 1."""
    mean = items_of(snapshot, form, SnapshotItem.Split.TRAIN).aggregate(mean=Avg("weight"))["mean"]
    return 1 / mean if mean else 1.0


def count_answers(snapshot: Snapshot, split: str | None = None) -> Counts:
    """How many judgements of the snapshot (or of one split) are preferences, ties and “both bad”."""
    items = SnapshotItem.objects.filter(snapshot=snapshot)
    items = items.filter(split=split) if find_split(split) else items
    counts = items.aggregate(
        everything=Count("pk"), ties=Count("pk", filter=TIE), both_bad=Count("pk", filter=BOTH_BAD)
    )
    preferences = counts["everything"] - counts["ties"] - counts["both_bad"]
    return Counts(preferences=preferences, ties=counts["ties"], both_bad=counts["both_bad"])


def find_form(name: str) -> Form:
    if name not in FORMS:
        raise UnknownForm(f"There is no export form {name!r}. Choose one of: {', '.join(FORMS)}.")
    return FORMS[name]


def find_split(name: str | None) -> str | None:
    if name and name not in SPLITS:
        raise UnknownForm(f"There is no split {name!r}. Choose one of: {', '.join(SPLITS)}; leave it out for both.")
    return name or None


def encode_line(row: dict[str, Any]) -> str:
    """Compact JSON that no reader can split: JSON escapes \\n, and we the line ends that only Unicode knows."""
    line = json.dumps(row, ensure_ascii=False, separators=(",", ":"))
    return line.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029").replace("\x85", "\\u0085") + "\n"
