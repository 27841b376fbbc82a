"""Running the programs of `manage.py serve` under supervisord, which starts them again when they die.

Every process carries the mark `PLUMBLINE_SERVE=<var>` in its environment, and so does whatever it starts: that is how
what a crash left behind is found, even when its parent is gone.
"""

import ctypes
import os
import secrets
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xmlrpc.client import ServerProxy

import psutil
from supervisor.xmlrpc import SupervisorTransport

from config.embedded import BASE_DIR, short_directory

MARK = "PLUMBLINE_SERVE"
# Celery's advice against root is for servers that are shared; the container runs it as a user of its own.
QUIET = "ignore:You're running the worker with superuser,ignore:pkg_resources"
SUPERVISOR_LOG = "supervisor"
CLIENT = "serve"
RPC_INTERFACE = "supervisor.rpcinterface:make_main_rpcinterface"


@dataclass(frozen=True)
class Program:
    """A command that is kept running. Services start first and stop last. `user` is who runs it, when not oneself."""

    name: str
    command: Sequence[str]
    service: bool = False
    stop_signal: str = "TERM"
    stop_seconds: int = 3
    directory: Path = BASE_DIR
    user: str = ""

    def section(self, logs: Path) -> str:
        """Its part of supervisord's configuration file."""
        options = {
            "command": escape(shlex.join(self.command)),
            "directory": escape(str(self.directory)),
            "autostart": str(self.service).lower(),
            "autorestart": "true",
            "startretries": "100000",
            "stopsignal": self.stop_signal,
            "stopwaitsecs": str(self.stop_seconds),
            "killasgroup": "true",
            "redirect_stderr": "true",
            "stdout_logfile": escape(str(logs / f"{self.name}.log")),
            "stdout_logfile_maxbytes": "5MB",
            "stdout_logfile_backups": "1",
            **({"user": self.user} if self.user else {}),
        }
        return section(f"program:{self.name}", options)


def configuration(programs: Iterable[Program], *, socket: Path, password: str, logs: Path, run: Path) -> str:
    """supervisord's configuration: the services in one group, everything that uses them in another."""
    services = [program.name for program in programs if program.service]
    users = [program.name for program in programs if not program.service]
    parts = [
        section("unix_http_server", {"file": escape(str(socket)), "username": CLIENT, "password": password}),
        section(
            "rpcinterface:supervisor",
            {"supervisor.rpcinterface_factory": "supervisor.rpcinterface:make_main_rpcinterface"},
        ),
        section(
            "supervisord",
            {
                "logfile": escape(str(logs / f"{SUPERVISOR_LOG}.log")),
                "logfile_maxbytes": "1MB",
                "logfile_backups": "1",
                "loglevel": "warn",
                "pidfile": escape(str(run / "supervisord.pid")),
                "umask": "077",
                **({"user": "root"} if os.geteuid() == 0 else {}),
            },
        ),
        *(program.section(logs) for program in programs),
    ]
    if services:
        parts.append(section("group:services", {"programs": ",".join(services), "priority": "1"}))
    parts.append(section("group:app", {"programs": ",".join(users), "priority": "2"}))
    return "\n".join(parts)


def section(name: str, options: dict[str, str]) -> str:
    return "\n".join([f"[{name}]", *(f"{key}={value}" for key, value in options.items()), ""])


def escape(value: str) -> str:
    """A percent sign begins a substitution in supervisord's files."""
    return value.replace("%", "%%")


@dataclass
class Supervisor:
    """supervisord with these programs, all files under `var`. A context: leaving it stops every process there is."""

    programs: Sequence[Program]
    var: Path
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)
    password: str = field(default_factory=lambda: secrets.token_hex(16), init=False, repr=False)

    @property
    def logs(self) -> Path:
        return self.var / "log"

    @property
    def socket(self) -> Path:
        return short_directory(self.var / "run") / "supervisor.sock"

    def __enter__(self) -> "Supervisor":
        run = self.var / "run"
        for folder in (run, self.logs):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # logs may hold links that were mailed
        self.socket.unlink(missing_ok=True)
        path = run / "supervisord.conf"
        path.touch(mode=0o600)
        text = configuration(self.programs, socket=self.socket, password=self.password, logs=self.logs, run=run)
        path.write_text(text)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "supervisor.supervisord", "--nodaemon", "--silent", "-c", str(path)],
            env={**os.environ, MARK: str(self.var), "PYTHONWARNINGS": QUIET},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=end_with_parent,
        )
        return self

    def __exit__(self, *exception: object) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)  # a second Ctrl-C must not interrupt the stopping
        if self.process is not None:
            self.process.terminate()
            try:
                self.process.wait(8)
            except subprocess.TimeoutExpired:
                self.process.kill()
        end_left_overs(self.var)

    def is_alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def start_app(self) -> None:
        """Start everything that is not a service, without waiting for it."""
        self._call("startProcessGroup", "app", False)

    def states(self) -> dict[str, str]:
        """{program: supervisord's word for its state}."""
        return {info["name"]: info["statename"] for info in self._call("getAllProcessInfo")}

    def _call(self, method: str, *arguments: Any) -> Any:
        transport = SupervisorTransport(CLIENT, self.password, f"unix://{self.socket}")
        deadline = time.monotonic() + 20
        while not self.socket.exists() and self.is_alive() and time.monotonic() < deadline:
            time.sleep(0.05)
        return getattr(ServerProxy("http://127.0.0.1", transport=transport).supervisor, method)(*arguments)


def end_with_parent() -> None:
    """Linux tells supervisord to stop when `serve` is gone, however it went."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)


def marked_processes(var: Path) -> list[psutil.Process]:
    """Processes that a `serve` with this folder started, directly or not, but for Postgres, which is known by its own
    pid file and wants a stop of its own kind."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == str(var) and process.name() != "postgres":
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            continue
    return found


def command_line(process: psutil.Process) -> str:
    """What it was started with; empty when it has ended."""
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return ""


def end_orphans(var: Path) -> None:
    """End what outlived its parent: the children of a process that was killed, which has been started again.

    A web worker would go on answering with the old code, a trainer would write beside its successor.
    """
    found = marked_processes(var)
    known = {process.pid for process in found} | {os.getpid()}
    end_processes([process for process in found if parent_of(process) not in known], seconds=2)


def parent_of(process: psutil.Process) -> int:
    try:
        return process.ppid()
    except psutil.NoSuchProcess:
        return os.getpid()


def end_left_overs(var: Path) -> int:
    """End what an earlier `serve` left running: its supervisor first, which ends its programs in order, then the rest.

    Returns how many processes there were.
    """
    found = marked_processes(var)
    end_processes([process for process in found if "supervisor.supervisord" in command_line(process)], seconds=12)
    end_processes(marked_processes(var), seconds=2)
    return len(found)


def end_processes(processes: Sequence[psutil.Process], *, seconds: float) -> None:
    """Ask with SIGTERM, insist with SIGKILL."""
    for process in processes:
        send(process, signal.SIGTERM)
    _, stubborn = psutil.wait_procs(processes, timeout=seconds)
    for process in stubborn:
        send(process, signal.SIGKILL)
    psutil.wait_procs(stubborn, timeout=2)


def send(process: psutil.Process, number: int) -> None:
    try:
        process.send_signal(number)
    except psutil.NoSuchProcess:
        return
