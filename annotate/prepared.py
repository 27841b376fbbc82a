"""Statements written out as text and prepared once a connection, and rows put in and taken out without the ORM.

Django puts a statement together anew each time and Postgres plans it anew, which took more of the processor than all
the rest of an answer (docs/decisions/0052). For the few that run most; tables and columns come from the models.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, TypeVar

from django.db import DEFAULT_DB_ALIAS, InterfaceError, OperationalError, connections
from django.db.models import AutoField, Field, JSONField, Model
from django.db.models.base import ModelState
from psycopg import Connection, Cursor
from psycopg.types.datetime import TimestamptzLoader
from psycopg.types.numeric import Int8

Row = TypeVar("Row", bound=Model)


def table_of(model: type[Model]) -> str:
    return f'"{model._meta.db_table}"'


def tables_of(*models: type[Model]) -> dict[str, str]:
    """{name of the model in small letters: its table}, to be filled into a statement."""
    return {model.__name__.lower(): table_of(model) for model in models}


class PreparedCursor(Cursor[tuple[Any, ...]]):
    """Sends values apart from the statement, which Postgres plans once for this connection and knows from then on.

    Times are read by psycopg's loader, in C; Django's, in Python, puts in UTC, which its connections have anyway."""

    def __init__(self, connection: Connection[Any]) -> None:
        super().__init__(connection)
        self.adapters.register_loader("timestamptz", TimestamptzLoader)

    def execute(
        self, query: Any, params: Any = None, *, prepare: bool | None = True, binary: bool | None = None
    ) -> PreparedCursor:
        super().execute(query, params, prepare=prepare, binary=binary)
        return self


def fetch(statement: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """The statement's rows. Where statements are logged it is sent in one piece, so that the log has its values."""
    database: Any = connections[DEFAULT_DB_ALIAS]
    database.close_if_health_check_failed()
    database.ensure_connection()
    return _run(database, statement, values)


def fetch_first(statement: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """`fetch` of a statement that only reads, before anything else of a request: it finds out by itself whether the
    connection kept from the request before still holds, in place of a statement of its own, and opens another."""
    kept: Any = connections[DEFAULT_DB_ALIAS]
    if kept.connection is None or kept.health_check_done or not kept.health_check_enabled or kept.in_atomic_block:
        return fetch(statement, values)
    kept.health_check_done = True
    try:
        return _run(kept, statement, values)
    except (OperationalError, InterfaceError):
        kept.close()
    return fetch(statement, values)


def _run(database: Any, statement: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    if database.queries_logged or database.execute_wrappers:
        with database.cursor() as watched:
            watched.execute(statement, values)
            return list(watched.fetchall())
    database.validate_no_broken_transaction()
    with database.wrap_database_errors:
        return _cursor_of(database.connection).execute(statement, values).fetchall()


def _cursor_of(connection: Any) -> PreparedCursor:
    """One for as long as the connection is kept."""
    if not hasattr(connection, "prepared_cursor"):
        connection.prepared_cursor = PreparedCursor(connection)
    cursor: PreparedCursor = connection.prepared_cursor
    return cursor


def insert(row: Model) -> None:
    """Add a row, as `save(force_insert=True)` does; the number that the database gives it is set on it.

    Raises IntegrityError where a constraint forbids it."""
    [(pk,)] = fetch(insertion(type(row)), given_values(row))
    note_stored(row, pk)


def given_values(row: Model) -> dict[str, Any]:
    """{column: value}. psycopg gives whole numbers a type by their size, and each type would be another statement to
    prepare, so all are of one."""
    database = connections[DEFAULT_DB_ALIAS]
    fields = given_fields(type(row)).items()
    values = ((name, field.get_db_prep_save(getattr(row, field.attname), database)) for name, field in fields)
    return {name: Int8(value) if type(value) is int else value for name, value in values}


def note_stored(row: Model, pk: Any) -> None:
    row.pk = pk
    row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS


@cache
def insertion(model: type[Model]) -> str:
    fields = given_fields(model)
    names, values = ", ".join(f'"{name}"' for name in fields), ", ".join(f"%({name})s" for name in fields)
    return f'INSERT INTO {table_of(model)} ({names}) VALUES ({values}) RETURNING "{key_of(model)}"'


@cache
def given_fields(model: type[Model]) -> dict[str, Field[Any, Any]]:
    """{column: field}, without the number that the database gives a row."""
    return {str(field.column): field for field in model._meta.concrete_fields if not isinstance(field, AutoField)}


def key_of(model: type[Model]) -> str:
    return next(str(field.column) for field in model._meta.concrete_fields if field.primary_key)


def columns(model: type[Model], alias: str) -> str:
    """Every column by name: a prepared `*` would fail the moment that a migration adds one."""
    return ", ".join(f'{alias}."{field.column}"' for field in model._meta.concrete_fields)


def named(model: type[Model], alias: str) -> dict[str, str]:
    """{"task.id": task."id", …}: every column under a name that no other table has."""
    name = model._meta.model_name
    return {f'"{name}.{field.column}"': f'{alias}."{field.column}"' for field in model._meta.concrete_fields}


def width(model: type[Model]) -> int:
    return len(model._meta.concrete_fields)


def load(model: type[Row], values: Sequence[Any]) -> Row:
    """The row whose `columns` these are; JSON comes as text.

    As `Model.from_db` makes it, but without `__init__`, which would ask of each value whether it is deferred or to be
    converted: none of these is.
    """
    names, texts = _reading(model)
    read = dict(zip(names, values, strict=True))
    for name in texts:
        if read[name] is not None:
            read[name] = json.loads(read[name])
    row = model.__new__(model)
    row._state = ModelState()
    row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS
    row.__dict__.update(read)
    return row


@cache
def _reading(model: type[Model]) -> tuple[list[str], list[str]]:
    """(the attribute of each column, those of them that are JSON)"""
    fields = model._meta.concrete_fields
    return [field.attname for field in fields], [field.attname for field in fields if isinstance(field, JSONField)]
