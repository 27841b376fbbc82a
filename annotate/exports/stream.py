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
from django.db.models import Count, Max, Min

from annotate.exports.kinds.table import KIND_EXPORTS
from annotate.exports.rows import OF_JUDGEMENT, Facts, Row, Text, columns_of
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
from annotate.prepared import table_of

WINDOW = 1_000  # items read by one statement: few enough that their rows are found one by one, by their ids
PAUSED_EVERY = 20  # windows
SENT_AT_ONCE = 100  # rows
FLAGS = Facts._fields.index("flags")


class ConnectionBusy(RuntimeError):
    """A statement while rows are on their way: read them first, or give `pause` what has to be done between."""


def stream_rows(
    snapshot: Snapshot, split: str | None, *, pause: Callable[[int], None] = lambda count: None
) -> Iterator[Row]:
    """The snapshot's rows. Items are numbered as the snapshot was built, so their ids are its order.

    While rows come, this thread's connection can do nothing else (ConnectionBusy); every 20,000 items and at the end
    `pause` is called with the number of rows so far, and may.
    """
    items = SnapshotItem.objects.filter(snapshot=snapshot)
    # With the count the database reads the snapshot's own index, not everybody's items in the order of their ids.
    ends = items.aggregate(first=Min("id"), last=Max("id"), count=Count("id"))
    starts = range(ends["first"], ends["last"] + 1, WINDOW) if ends["count"] else range(0)
    reader, count = RowReader(), 0
    for number, start in enumerate(starts, start=1):
        bounds = {"snapshot": snapshot.pk, "split": split or "", "start": start, "stop": start + WINDOW}
        for values in fetch(STATEMENT, bounds):
            yield reader.read(values)
            count += 1
        if number % PAUSED_EVERY == 0 or number == len(starts):
            pause(count)


def fetch(statement: str, parameters: dict[str, Any]) -> Iterator[tuple[Any, ...]]:
    """The statement's rows as they come from the database, which goes on while they are used."""
    connection.ensure_connection()
    with connection.connection.cursor() as cursor, connection.execute_wrapper(refuse_statement):
        yield from cursor.stream(statement, parameters, size=SENT_AT_ONCE)


def refuse_statement(execute: Any, sql: str, parameters: Any, many: bool, context: Any) -> Any:
    raise ConnectionBusy(f"A snapshot is being read from this connection, which cannot do this meanwhile: {sql[:200]}")


class RowReader:
    """Makes rows of what the database sends: what is of the task comes once a window, with its first judgement.

    The judgements of a prompt stand together, so no more is kept than one prompt and its tasks.
    """

    def __init__(self) -> None:
        self.prompt_hash = ""
        self.tasks: dict[int, tuple[list[Any], tuple[Text, ...]]] = {}

    def read(self, values: tuple[Any, ...]) -> Row:
        task, of_task, added, answer, *judged = values
        if of_task:
            *common, responses = orjson.loads(of_task)
            self.tasks[task] = (common, tuple(Text(*response) for response in responses or ()))
        common, texts = self.tasks[task]
        judged[FLAGS] = orjson.loads(judged[FLAGS])
        facts = Facts._make(judged + common)
        if begins_prompt := facts.prompt_hash != self.prompt_hash:
            self.prompt_hash, self.tasks = facts.prompt_hash, {task: self.tasks[task]}
        if added:
            texts = with_added(texts, Text(*orjson.loads(added)))
        return Row(facts, SimpleNamespace(**orjson.loads(answer)), texts, begins_prompt)


def with_added(texts: tuple[Text, ...], more: Text) -> tuple[Text, ...]:
    """The task's responses, and the one that the answer added if it is none of them."""
    return texts if any(text.id == more.id for text in texts) else (*texts, more)


def select_by_kind(column: str, statements: Mapping[str, str]) -> str:
    """One of these statements, by the kind of the row's judgement; each is {kind: statement}."""
    kinds = defaultdict[str, list[str]](list)
    for kind, statement in statements.items():
        kinds[statement].append(f"'{kind}'")
    cases = [f"WHEN judgement.kind IN ({', '.join(names)}) THEN ({each})" for each, names in kinds.items()]
    return f"(CASE {' '.join(cases)} END)::text AS {column}"


def write_statement() -> str:
    """The task; as JSON what is of it, with its first judgement of the window, the response that the answer added and
    what was said; then what is of the judgement alone. The rows are put in order before any text is looked up, so that
    they are sent as they are made."""
    text, facts = f"json_build_array({', '.join(columns_of(Text))})", columns_of(Facts)
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
    responses = f"""
        SELECT json_agg({text} ORDER BY place.position)
        FROM {table_of(TaskResponse)} AS place
        JOIN {table_of(Response)} AS response ON response.id = place.response_id {of_author}
        WHERE place.task_id = task.id
    """
    of_task = f"""
        SELECT json_build_array({", ".join(facts[OF_JUDGEMENT:])}, ({responses}))
        FROM {table_of(Task)} AS task JOIN {table_of(Prompt)} AS prompt ON prompt.id = task.prompt_id
        WHERE task.id = judgement.task_id
    """
    return f"""
        SELECT judgement.task_id, CASE WHEN judgement.begins_task THEN ({of_task}) END::text AS of_task,
            {select_by_kind("added", added)}, {select_by_kind("answer", answers)}, {", ".join(facts[:OF_JUDGEMENT])}
        FROM (
            SELECT judgement.*, item.id AS item_id, item.split, item.weight,
                row_number() OVER (PARTITION BY judgement.task_id ORDER BY item.id) = 1 AS begins_task
            FROM {table_of(SnapshotItem)} AS item
            JOIN {table_of(Judgement)} AS judgement ON judgement.id = item.judgement_id
            WHERE item.snapshot_id = %(snapshot)s AND item.id >= %(start)s AND item.id < %(stop)s
                AND (%(split)s = '' OR item.split = %(split)s)
            ORDER BY item.id
        ) AS judgement
        LEFT JOIN {table_of(Guideline)} AS guideline ON guideline.id = judgement.guideline_id
        ORDER BY judgement.item_id
    """


STATEMENT = write_statement()
