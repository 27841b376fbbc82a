"""T3 and the second half of T22: 50 people at work on 100,000 tasks with 300,000 judgements, and during an import.

    .venv/bin/python -m bench.web_load            prints one JSON line

A person answers every two seconds on average, which is faster than anybody reads; the last phase has no pauses. The
import of 100,000 prompts runs in a worker, as it does for an owner who uploads a file.
"""

import argparse
import json
import random
import time
from collections.abc import Sequence
from typing import Any

from bench.annotators import driving
from bench.site import Site, import_tasks, make_people, running_site, sign_in
from bench.web import compare, timing, write_tasks

TASKS, PEOPLE, BEFORE, PAUSE, SECONDS = 100_000, 50, 60, 2.0, 60.0
ANSWERED = 3  # judgements that each task has already
DONE = """
INSERT INTO annotate_lease (task_id, annotator_id, state, "order", is_ahead, leased_at, expires_at)
SELECT task, annotator, 'done', '{0,1}', false, now() - interval '1 day', now() - interval '1 day' FROM said;
INSERT INTO annotate_judgement (project_id, task_id, kind, annotator_id, external_annotator, outcome, skip_reason,
    rationale, flags, active_seconds, submission_id, is_current, is_adjudication, is_surplus, created_at)
SELECT %(project)s, task, 'comparison', annotator, '', 'answer', '', '', '{}', 20, gen_random_uuid(), true, false,
    false, now() - interval '1 day' FROM said;
INSERT INTO annotate_comparison (judgement_id, first_id, second_id, first_on_left, points, preference, both_bad,
    dimensions)
SELECT judgement.id, one.response_id, two.response_id, true, 8, 1 + judgement.id %% 4, false, '{}'
FROM annotate_judgement judgement
JOIN annotate_taskresponse one ON one.task_id = judgement.task_id AND one.position = 0
JOIN annotate_taskresponse two ON two.task_id = judgement.task_id AND two.position = 1;
UPDATE annotate_task SET remaining = remaining - %(answered)s WHERE project_id = %(project)s;
"""
SAID = """
CREATE TEMPORARY TABLE said AS SELECT task.id AS task, people.id AS annotator
FROM annotate_task task, generate_series(0, %(answered)s - 1) AS place,
LATERAL (SELECT (%(people)s::bigint[])[1 + (task.id + place) %% %(count)s] AS id) people WHERE project_id = %(project)s
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=TASKS)
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of each phase")
    options = parser.parse_args()
    with running_site(with_jobs=True) as site:
        print(json.dumps(measure(site, tasks=options.tasks, seconds=options.seconds)))


def measure(site: Site, *, tasks: int, seconds: float) -> dict[str, Any]:
    from tests.factories import make_project, make_user

    owner = make_user("Alice", is_staff=True)
    project = make_project(owner, name="Load", overlap=ANSWERED + 1, reading_warning=False)
    path = write_tasks(site.folder / "tasks.jsonl", tasks)
    started = time.monotonic()
    import_tasks(project, owner, path, overlap=ANSWERED + 1)
    filled = {"tasks": tasks, "filled_seconds": round(time.monotonic() - started, 1)}
    people = make_people(project, PEOPLE + BEFORE)
    judge_before(project, people[PEOPLE:])
    sessions = [sign_in(user) for user in people[:PEOPLE]]
    run_phase(site, project, sessions, seconds=10, pause=PAUSE)  # templates are compiled at first use
    phases = {"alone": run_phase(site, project, sessions, seconds=seconds, pause=PAUSE)}
    phases["during_import"] = import_meanwhile(site, project, owner, sessions, rows=tasks, seconds=seconds)
    phases["without_pauses"] = run_phase(site, project, sessions, seconds=seconds / 2, pause=0.0)
    return filled | phases


def judge_before(project: Any, people: Sequence[Any]) -> None:
    """Three answers to each task by people of before, with their leases."""
    from django.db import connection

    values = {"project": project.pk, "answered": ANSWERED, "people": [user.pk for user in people], "count": len(people)}
    with connection.cursor() as cursor:
        cursor.execute(SAID, values)
        cursor.execute(DONE, values)
        cursor.execute("ANALYZE")


def run_phase(
    site: Site, project: Any, sessions: Sequence[str], *, seconds: float, pause: float
) -> dict[str, int | float]:
    with driving(site.address, project.pk, sessions, seconds=seconds, pause=pause) as reports:
        done = reports.result()
    return {**timing(done), **compare(project.pk, done)}


def import_meanwhile(
    site: Site, project: Any, owner: Any, sessions: Sequence[str], *, rows: int, seconds: float
) -> dict[str, Any]:
    """People at work while the worker imports as many prompts again, and how long that import took."""
    from annotate.models import Import
    from annotate.services.imports import confirm_import, create_import

    lots, path = random.Random(8), site.folder / "more.jsonl"
    with path.open("w") as file:
        for number in range(rows):
            file.write(json.dumps({"id": f"more{number}", "prompt": f"{lots.random()} " * 20}) + "\n")
    with path.open("rb") as content:
        job = create_import(project=project, user=owner, content=content, filename=path.name)
    confirm_import(job=job, user=owner)
    with driving(site.address, project.pk, sessions, seconds=seconds, pause=PAUSE) as reports:
        done = reports.result()
    job = Import.objects.get(pk=job.pk)
    added = job.rows_added
    while job.finished_at is None:
        time.sleep(1)
        job.refresh_from_db()
    took = (job.finished_at - job.started_at).total_seconds() if job.started_at else 0.0
    return {**timing(done), **compare(project.pk, done), "rows_meanwhile": added, "import_seconds": round(took, 1)}


if __name__ == "__main__":
    main()
