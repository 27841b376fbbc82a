"""The site as `manage.py serve` runs it, for measurements over HTTP: durable Postgres, Valkey and the web server, in a
folder of their own that is gone afterwards.

    .venv/bin/python -m bench.site --port 8190 --tasks tasks.jsonl --people 40

keeps one running for another program: it prints a JSON line once it answers, exports what has been judged at each line
it is sent, and ends with its standard input.
"""

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from bench.scratch import set_up
from config.embedded import DATABASE_NAME, Postgres
from config.processes import beat_command, web_command, worker_command
from tests.services import running_valkey

ROOT = Path(__file__).resolve().parent.parent
READY_SECONDS = 60
PASSWORD = "correct horse battery staple"


@dataclass
class Site:
    """A running site: where it is, and the processes that it consists of."""

    address: str
    folder: Path
    web: psutil.Popen
    postgres: psutil.Process
    workers: list[psutil.Popen] = field(default_factory=list)

    def cpu_seconds(self) -> tuple[float, float]:
        """Processor time spent so far by the web server and by the database, processes that ended included."""
        return cpu_of(self.web), cpu_of(self.postgres)

    def memory_mb(self) -> dict[str, int]:
        """Proportional set size: what several processes share counts once."""
        return {"web_mb": memory_of(self.web), "database_mb": memory_of(self.postgres)}

    def web_workers(self) -> list[psutil.Process]:
        """The processes of the web server that answer requests."""
        return [child for child in self.web.children() if "resource_tracker" not in " ".join(child.cmdline())]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def cpu_of(root: psutil.Process) -> float:
    return sum(sum(times[:4]) for times in (process.cpu_times() for process in with_children(root)))


def memory_of(root: psutil.Process) -> int:
    return sum(process.memory_full_info().pss for process in with_children(root)) >> 20


def with_children(root: psutil.Process) -> list[psutil.Process]:
    return [root, *root.children(recursive=True)]


@contextmanager
def running_site(*, workers: int = 2, port: int = 0, with_jobs: bool = False) -> Iterator[Site]:
    """Inside, Django is set up in this process too, on the same database. `with_jobs` adds the default worker and the
    clock, which sweeps leases that ran out."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="plumbline-bench-")))
        postgres = Postgres(folder / "postgres")
        stack.enter_context(postgres.running())
        postgres.create_database(DATABASE_NAME)
        os.environ |= {
            "PLUMBLINE_ENV": "local",
            "PLUMBLINE_VAR": str(folder / "var"),
            "PLUMBLINE_STATIC": str(folder / "static"),
            "DATABASE_URL": postgres.url(DATABASE_NAME),
            "BROKER_URL": stack.enter_context(running_valkey(folder)),
            "LOG_LEVEL": "ERROR",
        }
        set_up()
        from django.db import connection

        stack.callback(connection.close)
        port = port or free_port()
        web = stack.enter_context(running(web_command(host="127.0.0.1", port=port, workers=workers)))
        site = Site(f"http://127.0.0.1:{port}", folder, web, postgres.process())
        if with_jobs:
            site.workers = [stack.enter_context(running(c)) for c in (worker_command("default"), beat_command())]
        wait_until_ready(site)
        yield site


@contextmanager
def running(command: Sequence[str]) -> Iterator[psutil.Popen]:
    """A program of `config.processes` with this Python; ended on the way out, its children with it."""
    program = psutil.Popen([sys.executable, "-m", *command], cwd=ROOT, stdin=subprocess.DEVNULL)
    try:
        yield program
    finally:
        family = with_children(program) if program.is_running() else []
        if program.poll() is None:
            program.terminate()
        _, alive = psutil.wait_procs(family, timeout=15)
        for process in alive:
            process.kill()
        program.wait(15)


def wait_until_ready(site: Site) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while True:
        try:
            urllib.request.urlopen(f"{site.address}/healthz", timeout=2).close()
            return
        except OSError as error:
            if time.monotonic() > deadline or site.web.poll() is not None:
                raise SystemExit(f"The web server did not answer: {error}.") from error
            time.sleep(0.1)


def make_people(project: Any, count: int, *, hashed: str = "!") -> list[Any]:
    """Annotators ann00@example.org, ann01@…, who have read the guidelines. `hashed` is their password as stored."""
    from annotate.models import Membership, Role, User

    names = [f"ann{number:02d}" for number in range(count)]
    User.objects.bulk_create(User(email=f"{name}@example.org", name=name, password=hashed) for name in names)
    people = list(User.objects.filter(name__in=names).order_by("name"))
    Membership.objects.bulk_create(
        Membership(project=project, user=user, role=Role.ANNOTATOR, guideline_read=1) for user in people
    )
    return people


def sign_in(user: Any) -> str:
    """The cookie of a session of this person's, without the form."""
    from django.test import Client

    client = Client()
    client.force_login(user)
    return client.cookies["sessionid"].value


def import_tasks(project: Any, user: Any, path: Path, *, overlap: int = 1) -> int:
    """Prompts with two responses each, out of a file as an owner imports them; a comparison for each of them."""
    from annotate.models import JobStatus, Kind
    from annotate.services.import_runs import run_import
    from annotate.services.imports import accept_import, create_import
    from annotate.services.new_tasks import Plan, plan_items
    from annotate.services.tasks import create_tasks

    with path.open("rb") as content:
        job = create_import(project=project, user=user, content=content, filename=path.name)
    accept_import(job=job, user=user)
    run_import(job)
    if job.status != JobStatus.SUCCEEDED:
        raise SystemExit(f"The import of {path} ended as {job.status}: {job.error}")
    items = plan_items(project, Plan(kind=Kind.COMPARISON, size=2))
    return create_tasks(project=project, kind=Kind.COMPARISON, items=items, overlap=overlap, key_prefix="page")


def export_pairs(project: Any, user: Any, path: Path) -> Path:
    """All judgements so far, frozen, as chosen and rejected messages."""
    from annotate.exports.lines import export_lines
    from annotate.services.snapshots import create_snapshot

    snapshot = create_snapshot(project=project, user=user, build_here=True)
    with path.open("w") as file:
        file.writelines(export_lines(snapshot, "trl-conversational"))
    return path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--tasks", type=Path, required=True, help="a file of prompts with two responses each")
    parser.add_argument("--people", type=int, default=40)
    options = parser.parse_args()
    with running_site(port=options.port) as site:
        from django.contrib.auth.hashers import make_password

        from tests.factories import make_project, make_user

        owner = make_user("Alice", is_staff=True)
        project = make_project(owner, name="Side by side", reading_warning=False)
        make_people(project, options.people, hashed=make_password(PASSWORD))
        started = time.monotonic()
        tasks = import_tasks(project, owner, options.tasks)
        facts = {"import_seconds": time.monotonic() - started, "tasks": tasks, "project": project.pk}
        facts |= {"web": site.web.pid, "postgres": site.postgres.pid, "owner": sign_in(owner)}
        print(json.dumps(facts), flush=True)
        for _ in sys.stdin:
            print(json.dumps({"path": str(export_pairs(project, owner, site.folder / "pairs.jsonl"))}), flush=True)


if __name__ == "__main__":
    main()
