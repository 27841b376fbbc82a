"""Many rows at once, whose statements do not grow with their number.

`bulk_create` and `__in` write SQL text for every value, and that text is read by psycopg and by Postgres: it took more
of an import's time than all the rest. Here all rows, or all values looked for, are one value.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cache
from typing import Any

import orjson
from django.db import DEFAULT_DB_ALIAS, connection
from django.db.models import AutoField, Model

from annotate.statements import fetch


def insert_many(rows: Sequence[Model]) -> None:
    """Add rows of one model, in their order, as `bulk_create` does; the number that the database gives each is set on
    it. Raises IntegrityError where a constraint forbids one of them."""
    if not rows:
        return
    columns, statement = _insertion(type(rows[0]))
    values = [{column: getattr(row, name) for column, name in columns.items()} for row in rows]
    for row, (pk,) in zip(rows, fetch(statement, {"rows": orjson.dumps(values).decode()}), strict=True):
        row.pk = pk
        row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS


@cache
def _insertion(model: type[Model]) -> tuple[dict[str, str], str]:
    """({column: attribute}, without the number that the database gives; the statement)"""
    fields = [field for field in model._meta.concrete_fields if not isinstance(field, AutoField)]
    table, names = f'"{model._meta.db_table}"', ", ".join(f'"{field.column}"' for field in fields)
    statement = f"""
        INSERT INTO {table} ({names}) SELECT {names} FROM json_populate_recordset(NULL::{table}, %(rows)s::json)
        RETURNING "{next(field.column for field in model._meta.concrete_fields if field.primary_key)}"
    """
    return {str(field.column): field.attname for field in fields}, statement


def find_any(
    model: type[Model], column: str, *, among: Mapping[str, Collection[int | str]], where: str = ""
) -> list[Any]:
    """This column of the rows each of whose `among` columns has one of the values named for it; `where` is more SQL.

    Planned anew each time: a table that is being filled outgrows the plan of its first rows.
    """
    conditions = [*(f'"{name}" = ANY(%({name})s)' for name in among), *filter(None, [where])]
    statement = f'SELECT "{column}" FROM "{model._meta.db_table}" WHERE {" AND ".join(conditions)}'
    with connection.cursor() as cursor:
        cursor.execute(statement, {name: list(values) for name, values in among.items()})
        return [value for (value,) in cursor.fetchall()]
