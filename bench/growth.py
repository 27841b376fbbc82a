"""Whether an answer and a page cost the same with a million tasks as with a thousand: T3, T4, T23.

    .venv/bin/python -m bench.growth [--sizes 1k,10k,100k,1m] [--keep FOLDER]    docs/performance.md says how it went

One project grows from size to size (`bench/growth_seed.py`), and each size is measured on a copy of its own. `--keep`
leaves the databases in a folder, where the next call finds them; `--fill` only makes them. The site is called in this
process, request by request. The last line is one JSON object.
"""

import argparse
import json
import os
import re
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from itertools import product
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from bench.growth_seed import Growth, growth_in

SIZES = {"1k": 1_000, "10k": 10_000, "100k": 100_000, "1m": 1_000_000}
CYCLES, WARMING, PAGE_SECONDS, PAGE_MOST = 200, 20, 6.0, 20
LARGE = r"(judgement|comparison|lease|task|taskresponse|response|prompt)"
FIELDS = re.compile(r'name="(lease|submission_id)" value="([^"]+)"')
PAGES = {
    "overview": "/projects/{project}/",
    "quality": "/projects/{project}/quality/",
    "people": "/projects/{project}/people/",
    "prompts": "/projects/{project}/prompts/",
    "prompts, a word": "/projects/{project}/prompts/?q=salt+77",
    "prompts, a word that is nowhere": "/projects/{project}/prompts/?q=saltpetre",
    "tasks": "/projects/{project}/tasks/",
    "review": "/projects/{project}/review/",
    "statement of time": "/projects/{project}/people/time/",
}
OWN_PAGES = {
    "home": "/",
    "judging page": "/projects/{project}/judge/",
    "history": "/projects/{project}/history/",
    "my work": "/projects/{project}/me/",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", default="1k,10k,100k,1m", help="which of 1k, 10k, 100k, 1m, smallest first")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="where the databases are, or are made and stay")
    parser.add_argument("--fill", action="store_true", help="make the databases and measure nothing")
    options = parser.parse_args()
    names = options.sizes.split(",")
    with ExitStack() as stack:
        folder = options.keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="plumbline-bench-")))
        growth = stack.enter_context(growth_in(folder.resolve()))
        growth.fill({name: SIZES[name] for name in names})
        if options.fill:
            return
        results = {name: measure_size(growth, name) for name in names}
    first, last = results[names[0]], results[names[-1]]
    ratios = {who: round(last[who]["p95_ms"] / first[who]["p95_ms"], 2) for who in ("ana", "ben")}
    print(json.dumps({"sizes": results, "growth_of_p95": ratios, "load_average": os.getloadavg()[0]}))


def measure_size(growth: Growth, name: str) -> dict[str, Any]:
    with growth.opened(SIZES[name]):
        figures = measure()
    print(json.dumps({name: figures}), flush=True)
    return figures


def measure() -> dict[str, Any]:
    """Ana and Ben answer, and everybody looks at their pages."""
    from annotate.models import Project, User

    project = Project.objects.get()
    olga, ana, ben = (User.objects.get(name=name) for name in ("Olga", "Ana", "Ben"))
    counted = time_counting(project)
    return {
        "ana": judge(ana, project),
        "ben": judge(ben, project),
        "figures_counted_s": counted,
        "pages_p95_ms": ask(olga, project, PAGES) | ask(ana, project, OWN_PAGES),
        "task_lists": time_filters(olga, project),
    }


def time_counting(project: Any) -> float:
    """What a worker does every five minutes while somebody looks at the overview."""
    from annotate.services.figures import count_figures

    began = time.perf_counter()
    count_figures(project)
    return round(time.perf_counter() - began, 1)


def judge(person: Any, project: Any) -> dict[str, Any]:
    """One person answers; each answer brings the next task in the same round trip."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client, address = sign_in(person), f"/projects/{project.pk}/judge/"
    page, taken, spent = client.get(address, headers={"HX-Request": "true"}), [], 0.0
    for number in range(WARMING + CYCLES):
        answer = {**dict(FIELDS.findall(page.content.decode())), "choice": "-4", "active_seconds": "9"}
        began, used = time.perf_counter(), time.process_time()
        page = client.post(address, answer, headers={"HX-Request": "true"})
        if number >= WARMING:
            taken.append(1000 * (time.perf_counter() - began))
            spent += time.process_time() - used
        assert page.status_code == 200 and b'id="answer"' in page.content, page.content[:500]
    scans = find_prepared_scans()
    with CaptureQueriesContext(connection) as captured:
        answer = {**dict(FIELDS.findall(page.content.decode())), "choice": "-4"}
        client.post(address, answer, headers={"HX-Request": "true"})
    statements = [row["sql"].strip() for row in captured.captured_queries if row["sql"] not in ("BEGIN", "COMMIT")]
    return {
        "p50_ms": round(statistics.median(taken), 1),
        "p95_ms": p95(taken),
        "app_cpu_ms": round(1000 * spent / CYCLES, 1),
        "statements": len(statements),
        "seq_scans": sorted(scans | find_scans(f"EXPLAIN {statement}" for statement in statements)),
    }


def ask(person: Any, project: Any, pages: dict[str, str]) -> dict[str, float]:
    client = sign_in(person)
    return {name: time_page(client.get, address.format(project=project.pk)) for name, address in pages.items()}


def time_filters(person: Any, project: Any) -> dict[str, Any]:
    """The list of tasks with every filter that it takes, each asked for once."""
    from annotate.forms.tasks import TaskFilterForm

    client, fields, taken = sign_in(person), TaskFilterForm.base_fields, {}
    names = ("state", "kind", "purpose")
    for chosen in product(*([value for value, _ in fields[name].choices] for name in names)):
        asked = urlencode({name: value for name, value in zip(names, chosen, strict=True) if value})
        began = time.perf_counter()
        assert client.get(f"/projects/{project.pk}/tasks/?{asked}").status_code == 200
        taken[asked] = 1000 * (time.perf_counter() - began)
    slowest = max(taken, key=lambda asked: taken[asked])
    figures = {"filters": len(taken), "p95_ms": p95(list(taken.values())), "slowest": slowest}
    return {**figures, "slowest_ms": round(taken[slowest], 1)}


def time_page(get: Callable[..., Any], address: str) -> float:
    taken: list[float] = []
    while len(taken) < PAGE_MOST and (not taken or sum(taken) < 1000 * PAGE_SECONDS):
        began = time.perf_counter()
        page = get(address)
        taken.append(1000 * (time.perf_counter() - began))
        assert page.status_code == 200, (address, page.status_code)
    return p95(taken)


def sign_in(person: Any) -> Any:
    from django.test import Client

    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(person)
    return client


def find_prepared_scans() -> set[str]:
    """Large tables that the plan for any values of a prepared statement of this connection reads from end to end."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SET plan_cache_mode = force_generic_plan")
        cursor.execute("SELECT name, cardinality(parameter_types) FROM pg_prepared_statements")
        prepared = [f'"{name}" ({", ".join(["NULL"] * count)})' if count else f'"{name}"' for name, count in cursor]
        found = find_scans(f"EXPLAIN EXECUTE {statement}" for statement in prepared)
        cursor.execute("RESET plan_cache_mode")
    return found


def find_scans(explained: Iterable[str]) -> set[str]:
    """Large tables that a statement reads from end to end."""
    from django.db import connection

    found = set()
    with connection.cursor() as cursor:
        for statement in explained:
            cursor.execute(statement)
            plan = "\n".join(row[0] for row in cursor.fetchall())
            found |= set(re.findall(rf"Seq Scan on annotate_{LARGE}\b", plan))
    return found


def p95(taken: list[float]) -> float:
    ordered = sorted(taken)
    return round(ordered[int(0.95 * (len(ordered) - 1))], 1)


if __name__ == "__main__":
    main()
