"""`manage.py serve`, step by step: check, start the services, prepare the database, start the rest, say where it is."""

import fcntl
import hashlib
import http.client
import os
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import pairwise
from pathlib import Path
from urllib.parse import urljoin

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.shortcuts import resolve_url

from annotate.services.people import ensure_setup_link
from config.embedded import (
    DATABASE_NAME,
    Postgres,
    broker_url,
    embedded_postgres,
    server_user,
    valkey_command,
    valkey_socket,
)
from config.output import Output
from config.preflight import find_problem
from config.processes import QUEUES, beat_command, web_command, worker_command
from config.supervision import SUPERVISOR_LOG, Program, Supervisor, end_left_overs, end_orphans

FIRST_PAGE_SECONDS = 90
FAILED_STARTS = 3
ORPHAN_SECONDS = 5


def serve(*, host: str, port: int) -> None:
    """Run everything until KeyboardInterrupt; end every process on the way out.

    Raises SystemExit with one sentence when something is in the way.
    """
    started = time.monotonic()
    var = settings.VAR_DIR
    address = use_address(host, port)
    with ExitStack() as stack:
        stack.enter_context(only_one_server(var))
        check(host=host, port=port, var=var)
        programs = app_programs(host, port)
        if uses_embedded_broker(var):
            programs.append(valkey_program(var))
        if postgres := chosen_postgres():
            postgres.stop_when_unused()
            stack.enter_context(postgres.in_use())
            programs += postgres_programs(postgres, var)
        supervisor = stack.enter_context(Supervisor(programs, var))
        shown = [program.name for program in programs if not program.service]  # the services' logs stay in their files
        output = Output(supervisor.logs, [*shown, SUPERVISOR_LOG])
        prepare_database(postgres)
        collect_static_files(var)
        supervisor.start_app()
        wait_for_first_page(host, port, supervisor, output)
        say_ready(address, time.monotonic() - started)
        watch(supervisor, output)
    raise SystemExit(f"The supervisor ended by itself; {var / 'log'} says why. Start again with the same command.")


def use_address(host: str, port: int) -> str:
    """The address to give to people: SITE_URL where it is set, else the one listened on."""
    shown = "127.0.0.1" if host in ("0.0.0.0", "::") else host
    settings.SITE_URL = os.environ.setdefault("SITE_URL", f"http://{shown}:{port}")
    return settings.SITE_URL


@contextmanager
def only_one_server(var: Path) -> Iterator[None]:
    """Hold `var` for this process, and end what an earlier one that was killed left running in it."""
    try:
        var.mkdir(parents=True, exist_ok=True)
        handle = (var / "serve.lock").open("a")
    except OSError as error:
        raise SystemExit(f"Cannot write to {var}: {error.strerror}. Make it writable, or set PLUMBLINE_VAR.") from error
    with handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sentence = f"Plumbline already runs with the data in {var}. Stop it with Ctrl-C, or set PLUMBLINE_VAR."
            raise SystemExit(sentence) from None
        if count := end_left_overs(var):
            print(f"Ended {count} processes that an earlier start had left behind.", flush=True)
        yield


def check(*, host: str, port: int, var: Path) -> None:
    problem = find_problem(
        host=host,
        port=port,
        var=var,
        database_url=None if chosen_postgres() else os.environ["DATABASE_URL"],
        broker_url=None if uses_embedded_broker(var) else settings.CELERY_BROKER_URL,
    )
    if problem:
        raise SystemExit(problem)


def chosen_postgres() -> Postgres | None:
    """The embedded server when DATABASE_URL names it."""
    postgres = embedded_postgres()
    return postgres if os.environ["DATABASE_URL"] == postgres.url(DATABASE_NAME) else None


def uses_embedded_broker(var: Path) -> bool:
    return bool(broker_url(var) == settings.CELERY_BROKER_URL)


def app_programs(host: str, port: int) -> list[Program]:
    """The web server, a worker for each queue and the clock, run with this Python.

    SIGQUIT is Celery's cold shutdown: the worker hands back what it holds instead of finishing it.
    """
    programs = [Program("web", python_module(web_command(host=host, port=port)))]
    programs += [Program(queue, python_module(worker_command(queue)), stop_signal="QUIT") for queue in QUEUES]
    return [*programs, Program("beat", python_module(beat_command()))]


def python_module(command: list[str]) -> list[str]:
    return [sys.executable, "-m", *command]


def valkey_program(var: Path) -> Program:
    return Program("valkey", valkey_command(var / "valkey", valkey_socket(var)), service=True)


def postgres_programs(postgres: Postgres, var: Path) -> list[Program]:
    """Postgres, unless another command of this project already runs it."""
    if postgres.process() is not None:
        return []
    postgres.initialise()
    command, user = postgres.command(), server_user()
    return [Program("postgres", command, service=True, stop_signal="INT", directory=postgres.data, user=user)]


def prepare_database(postgres: Postgres | None) -> None:
    """Wait for the embedded server, and bring the tables up to date when they are not."""
    if postgres is not None:
        postgres.wait_until_ready()
        postgres.create_database(DATABASE_NAME)
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        print("Preparing the database …", flush=True)
        call_command("migrate", interactive=False, verbosity=0)
    connection.close()


def collect_static_files(var: Path) -> None:
    """Copy the static files to where the web server serves them from, when any has changed since the last time."""
    stamp = var / "run" / "static.sha256"
    digest = hashlib.sha256()
    for finder in get_finders():
        for path, storage in finder.list([]):
            facts = Path(storage.path(path)).stat()
            digest.update(f"{path} {facts.st_size} {facts.st_mtime_ns}\n".encode())
    if settings.STATIC_ROOT.is_dir() and stamp.exists() and stamp.read_text() == digest.hexdigest():
        return
    call_command("collectstatic", interactive=False, verbosity=0, clear=True)
    stamp.write_text(digest.hexdigest())


def wait_for_first_page(host: str, port: int, supervisor: Supervisor, output: Output) -> None:
    """Return when the sign-in page has been answered.

    Raises SystemExit when the web server keeps ending, when the page fails, or when none has come in time.
    """
    deadline = time.monotonic() + FIRST_PAGE_SECONDS
    states = [""]
    while (status := first_page_status("127.0.0.1" if host == "0.0.0.0" else host, port)) is None:
        output.forward()
        states.append(supervisor.states()["web"])
        failures = sum(state == "BACKOFF" != before for before, state in pairwise(states))
        if failures >= FAILED_STARTS:
            raise SystemExit(f"The web server ended {failures} times while starting; its last lines above say why.")
        if time.monotonic() > deadline:
            raise SystemExit(f"No page was answered within {FIRST_PAGE_SECONDS} seconds; see {supervisor.logs}.")
        time.sleep(0.1)
    output.forward()
    if status >= 500:
        raise SystemExit(
            f"The first page failed with status {status}; the lines above or in {supervisor.logs} say why."
        )


def first_page_status(host: str, port: int) -> int | None:
    """The status of the sign-in page, or None when nobody answers."""
    request = http.client.HTTPConnection(host, port, timeout=30)
    try:
        request.request("GET", resolve_url(settings.LOGIN_URL))
        return request.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        request.close()


def watch(supervisor: Supervisor, output: Output) -> None:
    """Forward output and clear away orphans for as long as the supervisor lives."""
    next_look = time.monotonic()
    while supervisor.is_alive():
        output.forward()
        if time.monotonic() >= next_look:
            end_orphans(supervisor.var)
            next_look = time.monotonic() + ORPHAN_SECONDS
        time.sleep(0.2)
    output.forward()


def say_ready(address: str, seconds: float) -> None:
    link = ensure_setup_link()
    connection.close()
    print(f"\nPlumbline is ready after {seconds:.1f} s: {address}")
    if link:
        print(f"Create the first owner with this link, which works once and for a day: {urljoin(address, link)}")
    else:
        print(f"Sign in at {urljoin(address, resolve_url(settings.LOGIN_URL))}")
    print("Ctrl-C stops everything; the data stays.\n", flush=True)
