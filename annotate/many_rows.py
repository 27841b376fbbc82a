"""Many rows at once, whose statements do not grow with their number.

`bulk_create` and `__in` write SQL text for every value, and that text is read by psycopg and by Postgres: it took more
of an import's time than all the rest. Here all rows, or all values looked for, are one value.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cache
from typing import Any

import orjson
from django.db import connection
from django.db.models import Model

from annotate.statements import fetch, given_fields, key_of, note_stored, table_of


def insert_many(rows: Sequence[Model]) -> None:
    """Add rows of one model, in their order, as `bulk_create` does; the number that the database gives each is set on
    it. Raises IntegrityError where a constraint forbids one of them."""
    if not rows:
        return
    columns, statement = _insertion(type(rows[0]))
    values = [{column: getattr(row, name) for column, name in columns.items()} for row in rows]
    for row, (pk,) in zip(rows, fetch(statement, {"rows": orjson.dumps(values).decode()}), strict=True):
        note_stored(row, pk)


@cache
def _insertion(model: type[Model]) -> tuple[dict[str, str], str]:
    """({column: attribute}, without the number that the database gives; the statement)"""
    fields, table = given_fields(model), table_of(model)
    names = ", ".join(f'"{name}"' for name in fields)
    statement = f"""
        INSERT INTO {table} ({names}) SELECT {names} FROM json_populate_recordset(NULL::{table}, %(rows)s::json)
        RETURNING "{key_of(model)}"
    """
    return {name: field.attname for name, field in fields.items()}, statement


def find_any(
    model: type[Model], column: str, *, among: Mapping[str, Collection[int | str]], where: str = ""
) -> list[Any]:
    """This column of the rows each of whose `among` columns has one of the values named for it; `where` is more SQL.

    Planned anew each time: a table that is being filled outgrows the plan of its first rows.
    """
    conditions = [*(f'"{name}" = ANY(%({name})s)' for name in among), *filter(None, [where])]
    statement = f'SELECT "{column}" FROM {table_of(model)} WHERE {" AND ".join(conditions)}'
    with connection.cursor() as cursor:
        cursor.execute(statement, {name: list(values) for name, values in among.items()})
        return [value for (value,) in cursor.fetchall()]
