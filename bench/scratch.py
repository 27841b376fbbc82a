"""A database of its own for a measurement, with the schema, gone afterwards or kept for the next."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from config.embedded import Postgres
from tests.services import FAST, POSTGRES, SERVICES, start_services


@contextmanager
def scratch_database() -> Iterator[None]:
    """Inside, Django is set up on an empty, migrated database, static files collected into a folder of its own."""
    start_services()
    name = f"bench_{os.getpid()}"
    with psycopg.connect(POSTGRES.url("postgres"), autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    try:
        with tempfile.TemporaryDirectory(prefix="plumbline-bench-") as static:
            os.environ |= {"DATABASE_URL": POSTGRES.url(name), "PLUMBLINE_STATIC": static, "LOG_LEVEL": "ERROR"}
            set_up()
            yield
    finally:
        with psycopg.connect(POSTGRES.url("postgres"), autocommit=True) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        SERVICES.close()


@contextmanager
def kept_database(folder: Path, *, is_durable: bool = False) -> Iterator[Postgres]:
    """The same on a Postgres in this folder, which stays: what it was filled with is there the next time. A durable one
    waits for the disk as that of `manage.py serve` does."""
    start_services()
    postgres = Postgres(folder.resolve() / "postgres", () if is_durable else FAST)
    try:
        with postgres.running(), tempfile.TemporaryDirectory(prefix="plumbline-bench-") as static:
            postgres.create_database("bench")
            os.environ |= {"DATABASE_URL": postgres.url("bench"), "PLUMBLINE_STATIC": static, "LOG_LEVEL": "ERROR"}
            set_up()
            yield postgres
    finally:
        SERVICES.close()


def set_up() -> None:
    import django

    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    call_command("collectstatic", verbosity=0, interactive=False)
