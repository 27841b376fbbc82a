"""How many judgements a second the site takes, and what one costs: people over HTTP against the production server.

    .venv/bin/python -m bench.web [--quick]       docs/performance.md lists what it printed

A durable Postgres of its own, granian as `manage.py serve` starts it, tasks imported from a file. `bench/annotators.py`
says what a cycle is. The last line is one JSON object; its figures are those of the phase with 8 people.
"""

import argparse
import json
import os
import random
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.annotators import Report, drive_apart
from bench.site import Site, import_tasks, make_people, running_site, sign_in

QUICK = {"tasks": 10_000, "people": [8], "seconds": 30.0}
FULL = {"tasks": 100_000, "people": [1, 8, 32], "seconds": 40.0}
HEADLINE = 8
SENTENCE = (
    "system answer model user text simple example because value result light river stone paper method reason question "
    "number garden window market history science nature careful quick bright small large early late often"
)
CHECKED = ("errors", "duplicates", "lost", "wrong")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="10,000 tasks, 8 people, three minutes at most")
    parser.add_argument("--tasks", type=int)
    parser.add_argument("--people", help="a phase for each number, as in 1,8,32")
    parser.add_argument("--seconds", type=float, help="of each phase")
    parser.add_argument("--api", action="store_true", help="through the API, with a token, instead of the page")
    options = parser.parse_args()
    plan = dict(QUICK if options.quick else FULL)
    plan |= {name: value for name in ("tasks", "seconds") if (value := getattr(options, name))}
    if options.people:
        plan["people"] = [int(count) for count in options.people.split(",")]
    os.environ["API_REQUESTS_PER_MINUTE"] = "1000000"  # nobody is told to wait
    with running_site() as site:
        print(json.dumps(measure(site, **plan, api=options.api)))


def measure(site: Site, *, tasks: int, people: Sequence[int], seconds: float, api: bool) -> dict[str, Any]:
    from tests.factories import make_project, make_user

    owner = make_user("Alice", is_staff=True)
    project = make_project(owner, name="Side by side", reading_warning=False)
    started = time.monotonic()
    import_tasks(project, owner, write_tasks(site.folder / "tasks.jsonl", tasks))
    facts: dict[str, Any] = {"tasks": tasks, "import_seconds": round(time.monotonic() - started, 1)}
    sessions = [make_token(user) if api else sign_in(user) for user in make_people(project, max(people))]
    drive_apart(site.address, project.pk, sessions, seconds=10, cycles=5, api=api)  # templates are compiled
    phases = [run_phase(site, project.pk, sessions[:count], seconds, api=api) for count in people]
    for phase in phases:
        print(json.dumps(phase), flush=True)
    headline = next((phase for phase in phases if phase["people"] == HEADLINE), phases[-1])
    return facts | headline | {name: sum(phase[name] for phase in phases) for name in CHECKED}


def make_token(user: Any) -> str:
    from annotate.models import Scope
    from annotate.services.tokens import create_token

    return create_token(user=user, name="bench", scopes=[Scope.JUDGE], days=1)[1]


def write_tasks(path: Path, count: int) -> Path:
    """Prompts of 60 random words with two responses of 150."""
    lots, known = random.Random(7), SENTENCE.split()
    with path.open("w") as file:
        for number in range(count):
            prompt, first, second = (" ".join(lots.choices(known, k=words)) for words in (60, 150, 150))
            file.write(json.dumps({"id": f"u{number}", "prompt": prompt, "response": first, "completion": second}))
            file.write("\n")
    return path


def run_phase(site: Site, project: int, sessions: Sequence[str], seconds: float, *, api: bool) -> dict[str, Any]:
    """So many people at once, their answers counted and compared with what the database has."""
    web, database = site.cpu_seconds()
    reports = drive_apart(site.address, project, sessions, seconds=seconds, api=api)
    web_after, database_after = site.cpu_seconds()
    cycles = sum(len(report.accepted) for report in reports)
    costs = {"web": 1000 * (web_after - web) / cycles, "database": 1000 * (database_after - database) / cycles}
    return {
        "people": len(sessions),
        **timing(reports),
        "cpu_ms_per_cycle": round(sum(costs.values()), 2),
        **{f"{name}_cpu_ms_per_cycle": round(cost, 2) for name, cost in costs.items()},
        **site.memory_mb(),
        **compare(project, reports),
        "load_average": round(os.getloadavg()[0], 1),
    }


def timing(reports: Sequence[Report]) -> dict[str, float]:
    """Cycles a second from the first answer sent to the last one taken, and how long one takes."""
    taken = [cycle for report in reports for cycle in report.accepted]
    wall = max(cycle.started + cycle.seconds for cycle in taken) - min(cycle.started for cycle in taken)
    ordered = sorted(cycle.seconds for cycle in taken)
    spread = {f"p{share}_ms": round(1000 * ordered[(len(ordered) - 1) * share // 100], 1) for share in (50, 95, 99)}
    return {"cycles": len(taken), "cycles_per_s": round(len(taken) / wall, 1), **spread}


def compare(project: int, reports: Sequence[Report]) -> dict[str, int]:
    """What the people were told against what is stored: answers lost or changed, tasks judged or held too often."""
    from annotate.models import Comparison, Judgement, Lease, Task

    told = {cycle.submission: cycle.choice for report in reports for cycle in report.accepted}
    rows = Comparison.objects.filter(judgement__project=project, judgement__submission_id__in=told)
    stored = {str(submission): row for submission, *row in rows.values_list("judgement__submission_id", *FACTS)}
    wrong = sum(str(said_by_page(*stored[one])) != choice for one, choice in told.items() if one in stored)
    pairs = Counter(Judgement.objects.filter(project=project, is_current=True).values_list("task", "annotator"))
    taken = Counter(
        Lease.objects.filter(task__project=project, state__in=["held", "done"]).values_list("task", flat=True)
    )
    required = dict(Task.objects.filter(project=project, pk__in=taken).values_list("pk", "required_judgements"))
    return {
        "errors": sum(len(report.errors) for report in reports),
        "duplicates": sum(n - 1 for n in pairs.values()) + sum(max(0, n - required[t]) for t, n in taken.items()),
        "lost": len(told.keys() - stored.keys()),
        "wrong": wrong,
    }


FACTS = ("preference", "first_on_left")


def said_by_page(preference: int, first_on_left: bool) -> int:
    """The choice as it was sent: negative for A, the response on the left."""
    return preference if first_on_left else -preference


if __name__ == "__main__":
    main()
