"""A real Postgres and a real Valkey for the tests, started before Django's settings are read.

Postgres is shared by every test run on this machine under `var/test`; each run has databases of its own in it, named
after its process. Each process has its own Valkey, so that one's messages never reach another's workers.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil
import psycopg
import pytest
from psycopg import sql

from config.embedded import BASE_DIR, Postgres, valkey_command

FAST = (("fsync", "off"), ("synchronous_commit", "off"), ("full_page_writes", "off"), ("max_connections", "400"))
POSTGRES = Postgres(BASE_DIR / "var" / "test" / "postgres", FAST)
SERVICES = ExitStack()


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests() -> Iterator[None]:
    start_services()
    yield


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    SERVICES.close()


def start_services() -> None:
    """Run both services until `SERVICES` closes, and point the environment at them."""
    run = os.environ.setdefault("PLUMBLINE_TEST_RUN", str(os.getpid()))
    SERVICES.enter_context(POSTGRES.running())
    forget_dead_runs()
    directory = Path(SERVICES.enter_context(tempfile.TemporaryDirectory(prefix="plumbline-test-")))
    os.environ.update(
        PLUMBLINE_ENV="local",
        PLUMBLINE_VAR=str(directory),
        DATABASE_URL=POSTGRES.url(f"run_{run}"),
        BROKER_URL=SERVICES.enter_context(running_valkey(directory)),
        HF_HUB_OFFLINE="1",
        TOKENIZERS_PARALLELISM="false",
    )


@contextmanager
def running_valkey(directory: Path) -> Iterator[str]:
    """A Valkey in this folder; yields its URL."""
    socket = directory / "valkey.sock"
    command = valkey_command(directory / "valkey", socket)
    with (directory / "valkey.log").open("wb") as log:
        server = psutil.Popen(command, stdout=log, stderr=log, start_new_session=True)
    try:
        wait_for_socket(server, socket)
        yield f"redis+socket://{socket}"
    finally:
        server.terminate()
        server.wait(10)


def wait_for_socket(server: psutil.Popen, socket: Path) -> None:
    while not socket.exists():
        if server.poll() is not None:
            raise RuntimeError(f"Valkey ended while starting; see {socket.parent / 'valkey.log'}.")


def forget_dead_runs() -> None:
    """Drop the databases of runs that were killed before they could."""
    with psycopg.connect(POSTGRES.url("postgres"), autocommit=True) as connection:
        for (name,) in connection.execute(
            r"SELECT datname FROM pg_database WHERE datname LIKE 'test\_run\_%'"
        ).fetchall():
            if not psutil.pid_exists(int(name.split("_")[2])):
                connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
