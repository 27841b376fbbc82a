"""Many rows at once, whose statements do not grow with their number.

`bulk_create` and `__in` write SQL text for every value, and that text is read by psycopg and by Postgres: it took more
of an import's time than all the rest. Here all rows, or all values looked for, are one value.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any, TypeVar

import orjson
from django.db import connection
from django.db.models import Model
from django.db.models.base import ModelState

from annotate.prepared import fetch, given_fields, key_of, note_stored, table_of

Row = TypeVar("Row", bound=Model)
Wanted = Mapping[str, Sequence[int] | Sequence[str]]  # {column: values}, all of one length


@contextmanager
def few_collections() -> Iterator[None]:
    """Inside, garbage is looked for as seldom as in the web server (config/wsgi.py). What is stored goes as it came,
    without a circle for a collection to find: looking for some was a third of an import."""
    before = gc.get_threshold()
    gc.set_threshold(20_000, 10, 20)
    try:
        yield
    finally:
        gc.set_threshold(*before)


def row_maker(model: type[Row]) -> Callable[[Mapping[str, Any]], Row]:
    """Makes an unsaved row of values by the names of the model's fields, as `model(**values)` does. What they do not
    name has its default, found once for all rows of this maker: name what may be changed later, such as a list.

    `Model.__init__` looks at every field of every row, which was a quarter of an import.
    """
    defaults = {name: value for name, value in vars(model()).items() if name != "_state"}
    relations = {field.name: field.attname for field in model._meta.concrete_fields if field.is_relation}

    def make(values: Mapping[str, Any]) -> Row:
        row, state = model.__new__(model), ModelState()
        read, state.fields_cache = row.__dict__, {}
        read["_state"] = state
        read.update(defaults)
        for name, value in values.items():
            if name in relations:
                state.fields_cache[name] = value
                read[relations[name]] = value.pk
            else:
                read[name] = value
        return row

    return make


def insert_many(rows: Sequence[Model]) -> None:
    """Add rows of one model, in their order, as `bulk_create` does; the number that the database gives each is set on
    it. Raises IntegrityError where a constraint forbids one of them."""
    if not rows:
        return
    names, statement = _insertion(type(rows[0]))
    read = [row.__dict__ for row in rows]
    columns = {column: [values[name] for values in read] for column, name in names.items()}
    shared = {column: values[0] for column, values in columns.items() if _is_one_value(values)}
    own = [column for column in columns if column not in shared]
    each = [dict(zip(own, values, strict=True)) for values in zip(*(columns[column] for column in own), strict=True)]
    sent = {"shared": orjson.dumps(shared).decode(), "rows": orjson.dumps(each or [{}] * len(rows)).decode()}
    for row, (pk,) in zip(rows, fetch(statement, sent), strict=True):
        note_stored(row, pk)


def _is_one_value(values: Sequence[Any]) -> bool:
    """Whether all are the same; lists and the like only when they are empty, since [1] == [True]."""
    first = values[0]
    if first != values[-1] or (first and isinstance(first, list | tuple | dict)):
        return False
    return values.count(first) == len(values) and len(set(map(type, values))) == 1


@cache
def _insertion(model: type[Model]) -> tuple[dict[str, str], str]:
    """({column: attribute}, without the number that the database gives; the statement)"""
    fields, table = given_fields(model), table_of(model)
    names = ", ".join(f'"{name}"' for name in fields)
    statement = f"""
        INSERT INTO {table} ({names}) SELECT {names}
        FROM json_populate_recordset(json_populate_record(NULL::{table}, %(shared)s::json), %(rows)s::json)
        RETURNING "{key_of(model)}"
    """
    return {name: field.attname for name, field in fields.items()}, statement


def find_any(model: type[Model], column: str, *, wanted: Wanted, where: str = "") -> list[Any]:
    """This column of the rows whose `wanted` columns have the values that stand at one place of all these lists;
    `where` is more SQL, which an index may need.

    Each place is looked up by itself (OFFSET 0 keeps it so). Of a table that is being filled Postgres knows too little:
    it would take a thousand values for all there are, and read a whole project with every batch.
    """
    types = {name: f"{_array_type(model, name)}[]" for name in wanted}
    lists = ", ".join(f"%({name})s::{kind}" for name, kind in types.items())
    names = ", ".join(f'"{name}"' for name in wanted)
    conditions = " AND ".join([*(f'found."{name}" = wanted."{name}"' for name in wanted), *filter(None, [where])])
    statement = f"""
        SELECT there."{column}" FROM unnest({lists}) AS wanted ({names}) CROSS JOIN LATERAL (
            SELECT found."{column}" FROM {table_of(model)} AS found WHERE {conditions} OFFSET 0
        ) AS there
    """
    with connection.cursor() as cursor:
        cursor.execute(statement, {name: list(values) for name, values in wanted.items()})
        return [value for (value,) in cursor.fetchall()]


def _array_type(model: type[Model], column: str) -> str:
    """What its values are sent as: text of any length, since a cast to the column's own would cut it."""
    kind = str(given_fields(model)[column].db_type(connection)) if column in given_fields(model) else "bigint"
    return "text" if kind.startswith(("varchar", "text")) else kind
