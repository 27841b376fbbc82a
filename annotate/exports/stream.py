"""A snapshot's rows, streamed in its own order: memory does not grow with their number."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from annotate.exports.kinds.table import KIND_EXPORTS
from annotate.exports.rows import Facts, Row, Text, paths_of
from annotate.models import Response, SnapshotItem, TaskResponse

CHUNK = 250  # judgements read at once, each with up to ten responses of up to 20,000 characters
FACTS, TEXTS = paths_of(Facts), paths_of(Text)


def stream_rows(items: QuerySet[SnapshotItem]) -> Iterator[Row]:
    """The items through a server-side cursor. They are numbered as the snapshot was built, so their ids are its order.

    Four statements a chunk, and one for each further kind of judgement in it.
    """
    with transaction.atomic():
        found = items.order_by("id").values_list(*FACTS).iterator(chunk_size=CHUNK)
        while chunk := [Facts(*values) for values in islice(found, CHUNK)]:
            yield from complete(chunk)


def complete(chunk: Sequence[Facts]) -> Iterator[Row]:
    """The rows of these facts, with what was said and the responses it was said about."""
    answers = answers_of(chunk)
    places = places_of(chunk)
    ids = {
        facts.judgement: [*places[facts.task], *added_by(facts, answers[facts.judgement], places[facts.task])]
        for facts in chunk
    }
    rows = Response.objects.filter(pk__in={pk for each in ids.values() for pk in each}).values_list(*TEXTS)
    texts = {values[0]: Text(*values) for values in rows}
    for facts in chunk:
        yield Row(facts, answers[facts.judgement], tuple(texts[pk] for pk in ids[facts.judgement]))


def answers_of(chunk: Sequence[Facts]) -> dict[int, Any]:
    """{judgement id: the kind's own row}."""
    by_model: dict[Any, list[int]] = defaultdict(list)
    for facts in chunk:
        by_model[KIND_EXPORTS[facts.kind].answer].append(facts.judgement)
    return {pk: row for model, pks in by_model.items() for pk, row in model.objects.in_bulk(pks).items()}


def places_of(chunk: Sequence[Facts]) -> dict[int, list[int]]:
    """{task id: the ids of its responses in its own order}."""
    found: dict[int, list[int]] = defaultdict(list)
    places = TaskResponse.objects.filter(task__in={facts.task for facts in chunk}).order_by("task", "position")
    for task, response in places.values_list("task", "response"):
        found[task].append(response)
    return found


def added_by(facts: Facts, answer: Any, known: Sequence[int]) -> list[int]:
    return [pk for pk in KIND_EXPORTS[facts.kind].added(answer) if pk not in known]
