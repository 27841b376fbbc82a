"""`manage.py serve` from outside: a real start of every process in a folder of its own."""

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg
import pytest
import redis
from django.conf import settings

from config import preflight
from config.embedded import DATABASE_NAME, Postgres, valkey_socket
from config.processes import QUEUES
from config.supervision import command_line, end_left_overs, marked_processes
from tests.config.conftest import free_port

OURS = {"DATABASE_URL", "BROKER_URL", "PLUMBLINE_VAR", "DJANGO_SETTINGS_MODULE"}


@contextmanager
def folder() -> Iterator[Path]:
    """A folder of its own; whatever a failed test left running in it is ended."""
    with tempfile.TemporaryDirectory(prefix="plumbline-serve-") as name:
        var = Path(name) / "var"
        yield var
        end_left_overs(var)
        Postgres(var / "postgres").stop()


@pytest.fixture
def var() -> Iterator[Path]:
    with folder() as var:
        yield var


def start(var: Path, port: int, **environment: str) -> subprocess.Popen[str]:
    inherited = {name: value for name, value in os.environ.items() if name not in OURS}
    return subprocess.Popen(
        [sys.executable, "manage.py", "serve", "--port", str(port)],
        env={**inherited, "PLUMBLINE_VAR": str(var), **environment},
        cwd=settings.BASE_DIR,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def read_until(server: subprocess.Popen[str], pattern: str) -> re.Match[str]:
    """The first line that matches; fails with the whole output when the server ends before it."""
    assert server.stdout is not None
    seen = []
    for line in server.stdout:
        seen.append(line)
        if found := re.search(pattern, line):
            return found
    pytest.fail(f"No line matched {pattern!r} in:\n{''.join(seen)}")


def stop(server: subprocess.Popen[str], var: Path, number: int) -> None:
    """Signal it and wait. No process may be left."""
    server.send_signal(number)
    server.communicate(timeout=120)
    assert server.returncode == 0
    assert marked_processes(var) == []
    assert Postgres(var / "postgres").process() is None


def processes(var: Path) -> dict[str, list[psutil.Process]]:
    """What runs, by the part of its command line that names it."""
    running = [(process, command_line(process)) for process in marked_processes(var)]
    queues = [f"--queues {queue}" for queue in QUEUES]
    parts = ("granian", *queues, " beat ", "valkey-server")
    return {part: [process for process, command in running if part in command] for part in parts}


@dataclass(frozen=True)
class Running:
    var: Path
    address: str
    link: str
    server: subprocess.Popen[str]


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    """One start that several tests look at."""
    with folder() as var:
        server = start(var, free_port())
        address = read_until(server, r"Plumbline is ready after [\d.]+ s: (\S+)")[1]
        link = read_until(server, r"Create the first owner.* (http\S+)")[1]
        yield Running(var, address, link, server)
        stop(server, var, signal.SIGTERM)


def test_serve_runs_every_process_and_the_first_owners_link_opens(running):
    assert urllib.request.urlopen(running.link).status == 200
    assert urllib.request.urlopen(f"{running.address}/healthz").read() == b'{"database": true, "broker": true}'
    assert [name for name, found in processes(running.var).items() if not found] == []


def test_only_one_serve_at_a_time_uses_a_folder(running):
    second = start(running.var, free_port())
    output, _ = second.communicate(timeout=120)
    assert (second.returncode, len(output.splitlines())) == (1, 1)
    assert output.startswith(f"Plumbline already runs with the data in {running.var}.")


@pytest.mark.parametrize("name", ["--queues training", "granian", "valkey-server"])
def test_a_process_that_is_killed_is_started_again_and_leaves_no_orphans(running, name):
    dead = processes(running.var)[name]
    dead[0].kill()
    read_until(running.server, r"supervisor +\| .*exited")
    deadline = time.monotonic() + 120
    while len(alive := processes(running.var)[name]) != len(dead) or set(alive) & set(dead):
        assert time.monotonic() < deadline, f"{name} runs as {alive}, and ran as {dead}"
    while not is_healthy(running.address):
        assert time.monotonic() < deadline, "the site does not answer again"


def is_healthy(address: str) -> bool:
    try:
        return bool(urllib.request.urlopen(f"{address}/healthz").status == 200)
    except OSError:
        return False


def test_the_data_outlives_a_kill_and_a_stop_and_no_process_does(var):
    port = free_port()
    server = start(var, port)
    read_until(server, "Plumbline is ready")
    with psycopg.connect(Postgres(var / "postgres").url(DATABASE_NAME), autocommit=True) as database:
        database.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    redis.Redis(unix_socket_path=str(valkey_socket(var))).rpush("kept", "message")
    server.kill()  # its supervisor notices and stops everything; the next start waits for that
    server.wait()

    server = start(var, port)
    read_until(server, "Plumbline is ready")
    assert_table_kept(var)
    assert redis.Redis(unix_socket_path=str(valkey_socket(var))).lrange("kept", 0, -1) == [b"message"]
    stop(server, var, signal.SIGINT)
    with Postgres(var / "postgres").running():
        assert_table_kept(var)


def assert_table_kept(var: Path) -> None:
    with psycopg.connect(Postgres(var / "postgres").url(DATABASE_NAME)) as database:
        assert database.execute("SELECT answer FROM kept").fetchone() == (42,)


def test_a_port_in_use_is_one_sentence(var):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        output, _ = (server := start(var, port)).communicate(timeout=120)
    assert server.returncode == 1
    sentence = f"Port {port} on 127.0.0.1 cannot be used: Address already in use. Choose another, for example --port "
    assert output == f"{sentence}{port + 1}.\n"


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        (
            "DATABASE_URL",
            "postgres://nobody@127.0.0.1:1/none",
            "The database that DATABASE_URL names does not answer: ",
        ),
        ("BROKER_URL", "redis://127.0.0.1:1/0", "The broker that BROKER_URL names does not answer: "),
        ("PLUMBLINE_VAR", "/dev/null/var", "Cannot write to /dev/null/var: Not a directory."),
    ],
)
def test_a_service_or_folder_that_cannot_be_used_is_one_sentence(var, name, value, message):
    server = start(var, free_port(), **{name: value})
    output, _ = server.communicate(timeout=120)
    assert (server.returncode, len(output.splitlines())) == (1, 1), output
    assert output.startswith(message)


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(preflight.ALWAYS_NEEDED, "no_such_wheel", "no-such-wheel")
    problem = preflight.packages_problem(embedded_database=True, embedded_broker=True)
    assert problem == "Missing from this Python: no-such-wheel. Run `make run`, which installs what is missing."


def test_a_full_disk_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(preflight, "LEAST_FREE_BYTES", 10**18)
    assert re.fullmatch(
        r"Only \d+ MB are free on the disk of .*; .*Free some space\.", preflight.disk_problem(tmp_path)
    )


def test_the_password_in_an_address_is_never_printed():
    problem = preflight.database_problem("postgres://someone:hunter2@127.0.0.1:1/none")
    assert "hunter2" not in problem
