"""A snapshot as lines of JSON: streamed, the same bytes every time."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from typing import Any

from django.db.models import Avg, Q

from annotate.exports.counts import FormCounts, Tally, knows_form, read_counts
from annotate.exports.formats import encode_line
from annotate.exports.forms import FORMS, Form, UnknownForm
from annotate.exports.lossless import to_lossless
from annotate.exports.rows import Row
from annotate.exports.stream import stream_rows
from annotate.models import Kind, Snapshot, SnapshotItem

SPLITS = tuple(SnapshotItem.Split.values)
WITHOUT_GROUP = Q(judgement__comparison__both_bad=True) | Q(judgement__kind=Kind.SPANS)


def export_lines(snapshot: Snapshot, form: str, split: str | None = None) -> Iterator[str]:
    """The snapshot's judgements as lines of JSON, each ended by a newline, in the snapshot's own order.

    `split` is "train", "test" or None for both. In the form `groups` weights have mean 1 over the training lines.
    Memory does not grow with the snapshot. Between the lines this thread's database connection can do nothing else.
    Raises UnknownForm.
    """
    for line in export_objects(snapshot, find_form(form), find_split(split)):
        yield encode_line(line).decode()


def export_objects(
    snapshot: Snapshot, form: Form, split: str | None, *, pause: Callable[[int], None] = lambda count: None
) -> Iterator[dict[str, Any]]:
    """What the lines say, before they are written in one format or another; `pause` as in stream_rows."""
    scale = weight_scale(snapshot) if form.name == "groups" else None
    for row in stream_rows(snapshot, split, pause=pause):
        weighed = row if scale is None else weigh(row, scale)
        for part in form.parts(weighed):
            yield form.line(weighed, part)


def weight_scale(snapshot: Snapshot) -> float:
    """What brings the mean weight of the training groups to 1."""
    training = SnapshotItem.objects.filter(snapshot=snapshot, split=SnapshotItem.Split.TRAIN)
    mean = training.exclude(WITHOUT_GROUP).aggregate(mean=Avg("weight"))["mean"]
    return 1 / mean if mean else 1.0


def weigh(row: Row, scale: float) -> Row:
    return row._replace(facts=row.facts._replace(weight=row.facts.weight * scale))


def read_through(snapshot: Snapshot) -> tuple[str, dict[str, Any]]:
    """(SHA-256 over the lossless lines: what is in it, not where it is stored; how many lines each form has)."""
    digest, tally = hashlib.sha256(), Tally()
    for row in stream_rows(snapshot, None):
        digest.update(encode_line(to_lossless(row, None)))
        tally.add(row)
    return digest.hexdigest(), tally.to_json()


def count_lines(snapshot: Snapshot, form: str, split: str | None = None) -> FormCounts:
    """The lines of this form, and what is left out. A snapshot of before this form was counted is read through."""
    name, chosen = find_form(form).name, find_split(split)
    if not knows_form(snapshot.line_counts, name):
        snapshot.line_counts = read_through(snapshot)[1]
        snapshot.save(update_fields=["line_counts"])
    return read_counts(snapshot.line_counts, name, [chosen] if chosen else SPLITS)


def find_form(name: str) -> Form:
    if name not in FORMS:
        raise UnknownForm(f"There is no export form {name!r}. Choose one of: {', '.join(FORMS)}.")
    return FORMS[name]


def find_split(name: str | None) -> str | None:
    if name and name not in SPLITS:
        raise UnknownForm(f"There is no split {name!r}. Choose one of: {', '.join(SPLITS)}; leave it out for both.")
    return name or None
