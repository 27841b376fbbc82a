"""Does a round survive the death of each part of the system at each of its steps? `python -m bench.round_faults` prints
one JSON line for each part.

A site of its own with tiny models. For each part (web server, broker, workers, trainer, database, clock) one round is
started, and the part is killed with SIGKILL once at every step, as soon as its job is at work, or with `--late` once
that has got something done; the snapshot, over in milliseconds, as it is due. The line says where the kills fell, how
the round ended, and whether anything was done twice or left undone.
"""

import argparse
import json
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

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
POLICY = {"epochs": "1", "max_tokens": "12", "batch_size": "2", "responses": "2", "max_steps": "8", "eval_prompts": "2"}
LOOK = 0.02  # seconds
ROUND_SECONDS = 600
PARTS: dict[str, tuple[str, ...]] = {
    "web": ("granian",),
    "broker": ("valkey",),
    "workers": ("--queues default", "--queues inference", "--queues training"),
    "trainer": ("-m training.algorithms",),
    "database": (),  # found by its own pid file
    "clock": ("celery --quiet --app config beat",),
}
# Each step of the newest round and its status; the status of the job it waits for, and how much of it is done.
STATES = """
    SELECT step.kind, step.status,
        coalesce(run.status, generation.status, scoring.status, evaluation.status, ''),
        coalesce(run.progress, generation.progress, scoring.progress, evaluation.progress, 0)
    FROM training_roundstep step
    LEFT JOIN training_run run ON run.id = step.run_id
    LEFT JOIN training_generation generation ON generation.id = step.generation_id
    LEFT JOIN training_scoring scoring ON step.kind = 'queue' AND scoring.id = (step.facts ->> 'scoring')::bigint
    LEFT JOIN LATERAL (
        SELECT status, progress FROM training_evaluation WHERE round_id = step.round_id AND step.kind = 'evaluate'
        AND status IN ('queued', 'running') ORDER BY status DESC LIMIT 1
    ) evaluation ON true
    WHERE step.round_id = (SELECT max(id) FROM training_round) ORDER BY step.position
"""
FOLDERS = """
    SELECT model.folder FROM training_modelversion model JOIN training_roundstep step ON step.run_id = model.run_id
    WHERE step.round_id = %s
"""
# What a round would have done twice, or left undone: all of them must count 0.
WRONG = {
    "runs of no step": """
        SELECT count(*) FROM training_run run JOIN training_round round ON round.id = %s
        WHERE run.created_at > round.started_at
        AND NOT EXISTS (SELECT FROM training_roundstep step WHERE step.run_id = run.id)""",
    "runs without one model": """
        SELECT count(*) FROM training_roundstep step WHERE step.round_id = %s AND step.run_id IS NOT NULL
        AND (SELECT count(*) FROM training_modelversion model WHERE model.run_id = step.run_id) <> 1""",
    "snapshots of no step": """
        SELECT count(*) FROM annotate_snapshot snapshot JOIN training_round round ON round.id = %s
        WHERE snapshot.created_at > round.started_at AND NOT EXISTS (
            SELECT FROM training_roundstep step WHERE snapshot.id IN (step.snapshot_id, step.heldout_snapshot_id))""",
    "generations of no step": """
        SELECT count(*) FROM training_generation generation JOIN training_round round ON round.id = %s
        WHERE generation.created_at > round.started_at AND NOT EXISTS (
            SELECT FROM training_roundstep step
            WHERE generation.id IN (step.generation_id, step.rival_generation_id))""",
    "responses too many or too few": """
        SELECT coalesce(sum(abs(generation.total - (
            SELECT count(*) FROM annotate_response response WHERE response.key LIKE 'g' || generation.id || ':%%'))), 0)
        FROM training_generation generation
        JOIN training_roundstep step ON generation.id IN (step.generation_id, step.rival_generation_id)
        WHERE step.round_id = %s""",
    "prompts evaluated by half": """
        SELECT count(*) FROM training_evaluationitem item
        JOIN training_evaluation evaluation ON evaluation.id = item.evaluation_id
        WHERE evaluation.round_id = %s AND (evaluation.status <> 'succeeded' OR item.candidate_response_id IS NULL
            OR item.baseline_response_id IS NULL)""",
    "tasks too many or too few": """
        SELECT abs((step.facts ->> 'queued')::int - (
            SELECT count(*) FROM annotate_task task WHERE task.key LIKE 'round' || step.round_id || ':%%'
            OR task.key LIKE 'round' || step.round_id || 'rival:%%'))
        FROM training_roundstep step WHERE step.kind = 'queue' AND step.round_id = %s""",
    "ended more or less than once": """
        SELECT abs(count(*) - 1) FROM annotate_auditevent
        WHERE action = 'round.finished' AND target = (SELECT 'Round ' || number FROM training_round WHERE id = %s)""",
    "taken into use too often": """
        SELECT greatest(count(*) - 1, 0) FROM training_projectpolicy WHERE round_id = %s""",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=PARTS, nargs="*", default=list(PARTS))
    parser.add_argument("--late", action="store_true", help="kill once a job has got something done")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="plumbline-faults-") as folder, running_site(Path(folder)) as (site, link):
        owner = Visitor(site)
        project = prepare(owner, link)
        for part in options.only:
            line = attack(owner, project, part, Path(folder) / "var", late=options.late)
            print(json.dumps(line), flush=True)
            if line["status"] != "succeeded":
                sys.exit(f"The round did not survive: {part}.")


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
        reward={"epochs": "2", "heads": "2"},
        max_tokens="12",
        prompts="8",
        tasks="6",
        evaluation_prompts="6",
        by_uncertainty="0.5",  # so that queueing has a job of its own, scoring
    )
    return project


def attack(owner: Visitor, project: str, part: str, var: Path, *, late: bool) -> dict[str, Any]:
    """One round, with `part` killed once at each of its steps."""
    database = Postgres(var / "postgres")
    begin(owner, project)
    started, killed = time.monotonic(), dict[str, str]()
    while time.monotonic() < started + ROUND_SECONDS:
        states = read(database, STATES)
        if failed := [kind for kind, status, _, _ in states if status == "failed"]:
            print(f"{part}: {failed[0]} failed.", file=sys.stderr)
            break
        under_way = next((state for state in states if state[1] in ("pending", "running")), None)
        if under_way is None:
            break
        step, status, job, done = under_way
        is_time = (job == "running" and (done or not late)) or step == "snapshot"
        if step not in killed and is_time and strike(part, var, database):
            killed[step] = f"{job or status}, {done} done"
        time.sleep(LOOK)
    where = {kind: killed.get(kind, "not hit") for kind, *_ in states}
    seconds = round(time.monotonic() - started, 1)
    return {"part": part, "killed_at": where, "seconds": seconds, **judge_round(database, var / "artifacts")}


def begin(owner: Visitor, project: str) -> None:
    patiently(lambda: owner.open(f"{project}rounds/"))
    form = owner.form("recipe")
    newest = max((str(choice["value"]) for choice in form.select("[name=recipe]")), key=int)
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


Found = TypeVar("Found")


def read(database: Postgres, statement: str, *arguments: object) -> list[Any]:
    """The rows, as soon as the database answers."""
    return patiently(lambda: ask(database, statement, arguments))


def ask(database: Postgres, statement: str, arguments: tuple[object, ...]) -> list[Any]:
    with psycopg.connect(database.url(DATABASE_NAME), connect_timeout=2) as connection:
        return connection.execute(statement, arguments or None).fetchall()


def patiently(look: Callable[[], Found]) -> Found:
    deadline = time.monotonic() + JOB_SECONDS
    while True:
        try:
            return look()
        except (psycopg.OperationalError, requests.ConnectionError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def judge_round(database: Postgres, artifacts: Path) -> dict[str, Any]:
    """How the round ended, its models' cards, and all that was done twice or left undone."""
    until_counted = time.monotonic() + 30  # the line of the log is written with the round's own end
    while True:
        ((number, status),) = read(database, "SELECT id, status FROM training_round ORDER BY id DESC LIMIT 1")
        if status != "running" or time.monotonic() > until_counted:
            break
        time.sleep(LOOK)
    wrong = {name: int(read(database, statement, number)[0][0]) for name, statement in WRONG.items()}
    cards = [(artifacts / folder / "README.md").exists() for (folder,) in read(database, FOLDERS, number)]
    return {"status": status, "cards": sum(cards), "wrong": {name: found for name, found in wrong.items() if found}}


if __name__ == "__main__":
    main()
