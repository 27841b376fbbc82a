"""Does a round survive the death of each part of the system at each of its steps? `python -m bench.round_faults` prints
one JSON line for each part.

A site of its own with tiny models. For each part (web server, broker, workers, trainer, database) one round is started,
and the part is killed with SIGKILL once at every step of it: while the step is under way, or, where a step is over in
milliseconds, as it begins. The line says where the kills fell, how the round ended and whether anything was done twice.
"""

import argparse
import json
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import psycopg
import requests

from bench.rounds import JOB_SECONDS, import_questions
from config.embedded import DATABASE_NAME, Postgres
from config.supervision import command_line, marked_processes
from tests.round_visits import judge_by, vowel_share, write_recipe
from tests.smoke import generate, running_site, set_up
from tests.visitor import Visitor

PROMPTS = 24
POLICY = {"epochs": "1", "max_tokens": "12", "batch_size": "4", "responses": "2", "max_steps": "4", "eval_prompts": "2"}
LOOK = 0.02  # seconds
PARTS: dict[str, tuple[str, ...]] = {
    "web": ("granian",),
    "broker": ("valkey",),
    "workers": ("--queues default", "--queues inference", "--queues training"),
    "trainer": ("-m training.algorithms",),
    "database": (),  # found by its own pid file
}
# Each step of the newest round, its status, and the status of the job it waits for.
STATES = """
    SELECT step.kind, step.status, coalesce(run.status, generation.status, (
        SELECT min(status) FROM training_evaluation WHERE round_id = step.round_id AND step.kind = 'evaluate'
        AND status IN ('queued', 'running')), '')
    FROM training_roundstep step
    LEFT JOIN training_run run ON run.id = step.run_id
    LEFT JOIN training_generation generation ON generation.id = step.generation_id
    WHERE step.round_id = (SELECT max(id) FROM training_round) ORDER BY step.position
"""
DOUBLES = {
    "runs": "SELECT count(*) FROM training_run r JOIN training_roundstep s ON s.run_id = r.id WHERE s.round_id = %s",
    "models": "SELECT count(*) FROM training_modelversion m JOIN training_roundstep s ON s.run_id = m.run_id "
    "WHERE s.round_id = %s",
    "evaluations": "SELECT count(*) FROM training_evaluation WHERE round_id = %s",
    "workers_on_a_run": "SELECT max(r.attempts) FROM training_run r JOIN training_roundstep s ON s.run_id = r.id "
    "WHERE s.round_id = %s",
    "audit_finished": "SELECT count(*) FROM annotate_auditevent WHERE action = 'round.finished' AND target = "
    "(SELECT 'Round ' || number FROM training_round WHERE id = %s)",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=PARTS, nargs="*", default=list(PARTS))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="plumbline-faults-") as folder, running_site(Path(folder)) as (site, link):
        owner = Visitor(site)
        project = prepare(owner, link)
        for part in options.only:
            print(json.dumps(attack(owner, project, part, Path(folder) / "var")), flush=True)


def prepare(owner: Visitor, link: str) -> str:
    """A project with judgements and a recipe that has every usual step."""
    project = set_up(owner, link)
    import_questions(owner, project, PROMPTS)
    generate(owner, project, "responses", "tasks", tokens="12")
    judge_by(owner, project, vowel_share)
    write_recipe(
        owner,
        project,
        algorithm="raft",
        policy=POLICY,
        reward={"epochs": "2"},
        max_tokens="12",
        prompts="8",
        tasks="6",
        evaluation_prompts="6",
    )
    return project


def attack(owner: Visitor, project: str, part: str, var: Path) -> dict[str, Any]:
    """One round, with `part` killed once at each of its steps."""
    database = Postgres(var / "postgres")
    begin(owner, project)
    started, killed, deadline = time.monotonic(), dict[str, str](), time.monotonic() + JOB_SECONDS
    while time.monotonic() < deadline:
        states = read(database, STATES)
        if states and all(status in ("succeeded", "skipped") for _, status, _ in states):
            break
        if failed := [kind for kind, status, _ in states if status == "failed"]:
            print(f"{part}: {failed[0]} failed.", file=sys.stderr)
            break
        step, status, job = next(
            ((kind, status, job) for kind, status, job in states if status in ("pending", "running")), ("", "", "")
        )
        if step and step not in killed and job != "queued" and strike(part, var, database):
            killed[step] = job or status
        time.sleep(LOOK)
    return {"part": part, "killed_at": killed, "seconds": round(time.monotonic() - started, 1), **count(database)}


def begin(owner: Visitor, project: str) -> None:
    owner.open(f"{project}rounds/")
    form = owner.form("recipe")
    newest = [str(option["value"]) for option in form.select("option")][-1]
    owner.send(form, recipe=newest)


def strike(part: str, var: Path, database: Postgres) -> bool:
    """Kill the part now; False when there was nothing to kill."""
    victims = list(find(part, var, database))
    for victim in victims:
        try:
            victim.send_signal(signal.SIGKILL)
        except psutil.NoSuchProcess:
            continue
    return bool(victims)


def find(part: str, var: Path, database: Postgres) -> Iterator[psutil.Process]:
    if part == "database":
        server = database.process()
        if server is not None:
            yield server
        return
    for process in marked_processes(var):
        if any(words in command_line(process) for words in PARTS[part]):
            yield process


def read(database: Postgres, statement: str, *arguments: object) -> list[Any]:
    """The rows, as soon as the database answers."""
    return patiently(lambda: ask(database, statement, arguments))


def ask(database: Postgres, statement: str, arguments: tuple[object, ...]) -> list[Any]:
    with psycopg.connect(database.url(DATABASE_NAME), connect_timeout=2) as connection:
        return connection.execute(statement, arguments or None).fetchall()


def patiently(look: Callable[[], list[Any]]) -> list[Any]:
    deadline = time.monotonic() + JOB_SECONDS
    while True:
        try:
            return look()
        except (psycopg.OperationalError, requests.ConnectionError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def count(database: Postgres) -> dict[str, Any]:
    """How the round ended, and how many of each thing it made."""
    ((number, status),) = read(database, "SELECT id, status FROM training_round ORDER BY id DESC LIMIT 1")
    made = {name: read(database, statement, number)[0][0] for name, statement in DOUBLES.items()}
    return {"status": status, **made, "steps": {kind: state for kind, state, _ in read(database, STATES)}}


if __name__ == "__main__":
    main()
