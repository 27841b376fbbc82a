"""A snapshot as lines of JSON: streamed, the same bytes every time."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from django.db.models import Avg, Q, QuerySet

from annotate.exports.counts import FormCounts, Tally, read_counts
from annotate.exports.forms import FORMS, Form
from annotate.exports.lossless import to_lossless
from annotate.exports.rows import Row
from annotate.exports.stream import stream_rows
from annotate.models import Kind, Snapshot, SnapshotItem

SPLITS = tuple(SnapshotItem.Split.values)
WITHOUT_GROUP = Q(judgement__comparison__both_bad=True) | Q(judgement__kind=Kind.SPANS)


class UnknownForm(ValueError):
    """A form or a split that does not exist; the message names those that do."""


def export_lines(snapshot: Snapshot, form: str, split: str | None = None) -> Iterator[str]:
    """The snapshot's judgements as lines of JSON, each ended by a newline, in the snapshot's own order.

    `split` is "train", "test" or None for both. In the form `groups` weights have mean 1 over the training lines.
    Memory does not grow with the snapshot. Raises UnknownForm.
    """
    shape = find_form(form)
    items = items_of(snapshot, find_split(split))
    scale = weight_scale(snapshot) if shape.name == "groups" else None
    for row in stream_rows(items):
        for line in lines_of(shape, row if scale is None else weigh(row, scale)):
            yield encode_line(line)


def lines_of(form: Form, row: Row) -> Iterator[dict[str, Any]]:
    for part in form.parts(row):
        yield form.line(row, part)


def items_of(snapshot: Snapshot, split: str | None) -> QuerySet[SnapshotItem]:
    items = SnapshotItem.objects.filter(snapshot=snapshot)
    return items.filter(split=split) if split else items


def weight_scale(snapshot: Snapshot) -> float:
    """What brings the mean weight of the training groups to 1."""
    groups = items_of(snapshot, SnapshotItem.Split.TRAIN).exclude(WITHOUT_GROUP)
    mean = groups.aggregate(mean=Avg("weight"))["mean"]
    return 1 / mean if mean else 1.0


def weigh(row: Row, scale: float) -> Row:
    return replace(row, facts=replace(row.facts, weight=row.facts.weight * scale))


def read_through(snapshot: Snapshot) -> tuple[str, dict[str, Any]]:
    """(SHA-256 over the lossless lines: what is in it, not where it is stored; how many lines each form has)."""
    digest, tally = hashlib.sha256(), Tally()
    for row in stream_rows(items_of(snapshot, None)):
        digest.update(encode_line(to_lossless(row)).encode())
        tally.add(row)
    return digest.hexdigest(), tally.to_json()


def count_lines(snapshot: Snapshot, form: str, split: str | None = None) -> FormCounts:
    """The lines of this form, and what is left out. Snapshots of before counts were kept are read through."""
    stored = snapshot.line_counts or read_through(snapshot)[1]
    chosen = find_split(split)
    return read_counts(stored, find_form(form).name, [chosen] if chosen else SPLITS)


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
