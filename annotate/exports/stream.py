"""A snapshot's rows, streamed in its own order: memory does not grow with their number.

The database makes each row whole, responses and answer as JSON, and sends one while the one before is written: this is
what keeps an export near the speed at which it can read at all (docs/performance.md).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from types import SimpleNamespace
from typing import Any

import orjson
from django.db import connection
from django.db.models import Count, Max, Min, Model

from annotate.exports.kinds.table import KIND_EXPORTS
from annotate.exports.rows import Facts, Row, Text, columns_of
from annotate.models import (
    Author,
    Guideline,
    Judgement,
    Prompt,
    Response,
    Snapshot,
    SnapshotItem,
    Task,
    TaskResponse,
)

WINDOW = 20_000  # items read by one statement
SENT_AT_ONCE = 100  # rows
JSON_PLACES = [Facts._fields.index(name) for name in ("flags", "messages")]


class ConnectionBusy(RuntimeError):
    """A statement while rows are on their way: read them first, or give `pause` what has to be done between."""


def stream_rows(
    snapshot: Snapshot, split: str | None, *, pause: Callable[[int], None] = lambda count: None
) -> Iterator[Row]:
    """The snapshot's rows. Items are numbered as the snapshot was built, so their ids are its order.

    While rows come, this thread's connection can do nothing else (ConnectionBusy); every 20,000 items `pause` is
    called with the number of rows so far, and may.
    """
    items = SnapshotItem.objects.filter(snapshot=snapshot)
    # With the count the database reads the snapshot's own index, not everybody's items in the order of their ids.
    ends = items.aggregate(first=Min("id"), last=Max("id"), count=Count("id"))
    previous, count = "", 0
    for start in range(ends["first"], ends["last"] + 1, WINDOW) if ends["count"] else ():
        bounds = {"snapshot": snapshot.pk, "split": split or "", "start": start, "stop": start + WINDOW}
        for values in fetch(STATEMENT, bounds):
            row = read_row(values, previous)
            previous, count = row.facts.prompt_hash, count + 1
            yield row
        pause(count)


def fetch(statement: str, parameters: dict[str, Any]) -> Iterator[tuple[Any, ...]]:
    """The statement's rows as they come from the database, which goes on while they are used."""
    connection.ensure_connection()
    with connection.connection.cursor() as cursor, connection.execute_wrapper(refuse_statement):
        yield from cursor.stream(statement, parameters, size=SENT_AT_ONCE)


def refuse_statement(execute: Any, sql: str, parameters: Any, many: bool, context: Any) -> Any:
    raise ConnectionBusy(f"A snapshot is being read from this connection, which cannot do this meanwhile: {sql[:200]}")


def read_row(values: tuple[Any, ...], previous_prompt: str) -> Row:
    *plain, answer, responses, added = values
    for place in JSON_PLACES:
        plain[place] = orjson.loads(plain[place])
    facts = Facts._make(plain)
    texts = [Text._make(response) for response in orjson.loads(responses)] if responses else []
    if added:
        more = Text._make(orjson.loads(added))
        texts += [] if any(text.id == more.id for text in texts) else [more]
    said = SimpleNamespace(**orjson.loads(answer))
    return Row(facts, said, tuple(texts), facts.prompt_hash != previous_prompt)


def table_of(model: type[Model]) -> str:
    return str(model._meta.db_table)


def select_by_kind(column: str, statements: Mapping[str, str]) -> str:
    """One of these statements, by the kind of the row's judgement; each is {kind: statement}."""
    kinds = defaultdict[str, list[str]](list)
    for kind, statement in statements.items():
        kinds[statement].append(f"'{kind}'")
    cases = [f"WHEN judgement.kind IN ({', '.join(names)}) THEN ({each})" for each, names in kinds.items()]
    return f"(CASE {' '.join(cases)} END)::text AS {column}"


def write_statement() -> str:
    """Facts, then as JSON what was said, the task's responses, and the response that the answer added."""
    text = f"json_build_array({', '.join(columns_of(Text))})"
    of_author = f"JOIN {table_of(Author)} AS author ON author.id = response.author_id"
    answers = {
        kind: f"SELECT to_json(said) FROM {table_of(export.answer)} AS said WHERE said.judgement_id = judgement.id"
        for kind, export in KIND_EXPORTS.items()
    }
    added = {
        kind: f"SELECT {text} FROM {table_of(export.answer)} AS said "
        f"JOIN {table_of(Response)} AS response ON response.id = said.{export.added} {of_author} "
        "WHERE said.judgement_id = judgement.id"
        for kind, export in KIND_EXPORTS.items()
        if export.added
    }
    return f"""
        SELECT {", ".join(columns_of(Facts))}, {select_by_kind("answer", answers)},
            (SELECT json_agg({text} ORDER BY place.position)
                FROM {table_of(TaskResponse)} AS place
                JOIN {table_of(Response)} AS response ON response.id = place.response_id {of_author}
                WHERE place.task_id = judgement.task_id)::text AS responses,
            {select_by_kind("added", added)}
        FROM {table_of(SnapshotItem)} AS item
        JOIN {table_of(Judgement)} AS judgement ON judgement.id = item.judgement_id
        JOIN {table_of(Task)} AS task ON task.id = judgement.task_id
        JOIN {table_of(Prompt)} AS prompt ON prompt.id = task.prompt_id
        LEFT JOIN {table_of(Guideline)} AS guideline ON guideline.id = judgement.guideline_id
        WHERE item.snapshot_id = %(snapshot)s AND item.id >= %(start)s AND item.id < %(stop)s
            AND (%(split)s = '' OR item.split = %(split)s)
        ORDER BY item.id
    """


STATEMENT = write_statement()
