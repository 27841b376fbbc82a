"""A database of its own for a measurement, with the schema, gone afterwards."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from tests.services import POSTGRES, SERVICES, start_services


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


def set_up() -> None:
    import django

    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    call_command("collectstatic", verbosity=0, interactive=False)
