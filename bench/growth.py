"""Whether an answer and a page cost the same with a million tasks as with a thousand: T3, T4, T23.

    .venv/bin/python -m bench.growth [--sizes 1k,10k,100k,1m]     docs/performance.md lists what it printed

One project in a database of its own grows from size to size. Of its tasks nine in ten are judged by the five people
they need. Ana has judged the tenth, which waits for others still; nobody has seen the last 500 of each size; Ben has
judged nothing. The site is called in this process, request by request. The last line is one JSON object.
"""

import argparse
import json
import os
import re
import statistics
import time
from collections.abc import Callable
from typing import Any

from bench.scratch import scratch_database

SIZES = {"1k": 1_000, "10k": 10_000, "100k": 100_000, "1m": 1_000_000}
CYCLES, TAIL, PAGE_SECONDS, PAGE_MOST = 200, 500, 6.0, 20
FIELDS = re.compile(r'name="(lease|submission_id)" value="([^"]+)"')
PAGES = {
    "overview": "/projects/{project}/",
    "quality": "/projects/{project}/quality/",
    "people": "/projects/{project}/people/",
    "prompts": "/projects/{project}/prompts/",
    "prompts, a word": "/projects/{project}/prompts/?q=salt+77",
    "prompts, a word that is nowhere": "/projects/{project}/prompts/?q=saltpetre",
    "tasks": "/projects/{project}/tasks/",
    "tasks open": "/projects/{project}/tasks/?state=open",
    "tasks held": "/projects/{project}/tasks/?state=held",
    "tasks done": "/projects/{project}/tasks/?state=done",
    "tasks closed": "/projects/{project}/tasks/?state=closed",
    "tasks of a kind": "/projects/{project}/tasks/?kind=ranking",
    "tasks gold": "/projects/{project}/tasks/?purpose=gold",
    "review": "/projects/{project}/review/",
}
OWN_PAGES = {
    "home": "/",
    "judging page": "/projects/{project}/judge/",
    "history": "/projects/{project}/history/",
    "my work": "/projects/{project}/me/",
}

# {first} and {last} number the tasks of this step; five tasks share a prompt and four responses.
GROW = [
    """INSERT INTO annotate_prompt (id, project_id, messages, system, tags, source, external_id, content_hash,
        created_at)
    SELECT n, {project}, jsonb_build_array(jsonb_build_object('role', 'user', 'content',
        'How long do I boil eggs in a pan with salt ' || n || ' and a lid?')), '', '{{}}', '', '', 'hash' || n, now()
    FROM generate_series({first} / 5 + 1, {last} / 5) AS n""",
    """INSERT INTO annotate_response (id, prompt_id, author_id, key, text, sampling, finish_reason, created_at)
    SELECT 4 * n + k, n, {author}, 'key' || k, repeat('Minutes in cold water, ' || k || ' of them. ', 12), '{{}}', '',
        now()
    FROM generate_series({first} / 5 + 1, {last} / 5) AS n, generate_series(0, 3) AS k""",
    """INSERT INTO annotate_task (id, project_id, kind, purpose, prompt_id, key, priority, required_judgements,
        remaining, explanation, created_at)
    SELECT n, {project}, 'comparison', 'work', (n - 1) / 5 + 1, 'grown' || n, 0, 5,
        CASE WHEN n % 10 = 0 THEN 4 WHEN n > {last} - {tail} THEN 5 ELSE 0 END, '', now()
    FROM generate_series({first} + 1, {last}) AS n""",
    """INSERT INTO annotate_taskresponse (task_id, response_id, position)
    SELECT n, 4 * ((n - 1) / 5 + 1) + (n + k) % 4, k
    FROM generate_series({first} + 1, {last}) AS n, generate_series(0, 1) AS k""",
    """INSERT INTO annotate_lease (task_id, annotator_id, state, "order", is_ahead, leased_at, expires_at)
    SELECT n, ({people})[1 + (n + k) % {crowd}], 'done', '{{0,1}}'::smallint[], false, now() - interval '1 day', now()
    FROM generate_series({first} + 1, {last}) AS n, generate_series(0, 4) AS k
    WHERE n % 10 <> 0 AND n <= {last} - {tail}
    UNION ALL SELECT n, {ana}, 'done', '{{0,1}}'::smallint[], false, now() - interval '1 day', now()
    FROM generate_series({first} + 1, {last}) AS n WHERE n % 10 = 0""",
    """INSERT INTO annotate_judgement (project_id, task_id, kind, annotator_id, external_annotator, outcome,
        skip_reason, rationale, flags, active_seconds, submission_id, is_current, is_adjudication, is_quick,
        is_surplus, created_at)
    SELECT {project}, task_id, 'comparison', annotator_id, '', 'answer', '', '', '{{}}', 10 + id % 50,
        gen_random_uuid(), true, false, false, false, now() - (id % 60) * interval '1 day'
    FROM annotate_lease WHERE task_id > {first} AND state = 'done' ORDER BY task_id""",
    """INSERT INTO annotate_comparison (judgement_id, first_id, second_id, first_on_left, points, preference, both_bad,
        dimensions)
    SELECT said.id, a.response_id, b.response_id, said.id % 2 = 0, 8, (ARRAY[-3, -1, 2, -4])[1 + said.id % 4],
        false, '{{}}'
    FROM annotate_judgement AS said
    JOIN annotate_taskresponse AS a ON a.task_id = said.task_id AND a.position = 0
    JOIN annotate_taskresponse AS b ON b.task_id = said.task_id AND b.position = 1
    WHERE said.task_id > {first} AND NOT EXISTS (SELECT FROM annotate_comparison WHERE judgement_id = said.id)""",
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", default="1k,10k,100k,1m", help="which of 1k, 10k, 100k, 1m, smallest first")
    names = parser.parse_args().sizes.split(",")
    with scratch_database():
        site = Site()
        results = {name: site.measure(SIZES[name]) for name in names}
    first, last = results[names[0]], results[names[-1]]
    growth = {who: round(last[who]["p95_ms"] / first[who]["p95_ms"], 2) for who in ("ana", "ben")}
    print(json.dumps({"sizes": results, "growth_of_p95": growth, "load_average": os.getloadavg()[0]}))


class Site:
    """The project and its people; `measure` lets it grow and asks for everything once more."""

    def __init__(self) -> None:
        from tests.factories import add_member, make_author, make_project, make_user

        self.olga = make_user("Olga", is_staff=True)
        self.project = make_project(self.olga, overlap=5, reading_warning=False)
        self.ana, self.ben, *self.crowd = [make_user(f"Person{n}") for n in range(42)]
        for person in (self.ana, self.ben, *self.crowd):
            add_member(self.project, person, "annotator")
        self.author, self.size = make_author(self.project), 0

    def measure(self, size: int) -> dict[str, Any]:
        began = time.perf_counter()
        self.grow(size)
        figures: dict[str, Any] = {"seeded_s": round(time.perf_counter() - began, 1)}
        figures |= {"ana": self.judge(self.ana), "ben": self.judge(self.ben)}
        figures["pages_p95_ms"] = self.ask(self.olga, PAGES) | self.ask(self.ana, OWN_PAGES)
        print(json.dumps({size: figures}), flush=True)
        return figures

    def grow(self, size: int) -> None:
        from django.db import connection

        values = {
            "project": self.project.pk,
            "author": self.author.pk,
            "ana": self.ana.pk,
            "crowd": len(self.crowd),
            "people": f"ARRAY[{', '.join(str(person.pk) for person in self.crowd)}]",
            "first": self.size,
            "last": size,
            "tail": TAIL,
        }
        with connection.cursor() as cursor:
            cursor.execute("SET session_replication_role = replica")  # foreign keys hold by construction
            for statement in GROW:
                cursor.execute(statement.format(**values))
            cursor.execute("SET session_replication_role = origin")
            for table in ("prompt", "response", "task"):
                cursor.execute(f"SELECT setval('annotate_{table}_id_seq', (SELECT max(id) FROM annotate_{table}))")
            cursor.execute("VACUUM ANALYZE")
        self.size = size

    def judge(self, person: Any) -> dict[str, Any]:
        """One person answers; each answer brings the next task in the same round trip."""
        from django.db import connection
        from django.test.utils import CaptureQueriesContext

        client, address = sign_in(person), f"/projects/{self.project.pk}/judge/"
        page, taken, spent = client.get(address, headers={"HX-Request": "true"}), [], 0.0
        for _ in range(CYCLES):
            answer = {**dict(FIELDS.findall(page.content.decode())), "choice": "-4", "active_seconds": "9"}
            began, used = time.perf_counter(), time.process_time()
            page = client.post(address, answer, headers={"HX-Request": "true"})
            taken.append(1000 * (time.perf_counter() - began))
            spent += time.process_time() - used
            assert page.status_code == 200 and b'id="answer"' in page.content, page.content[:500]
        with CaptureQueriesContext(connection) as captured:
            answer = {**dict(FIELDS.findall(page.content.decode())), "choice": "-4"}
            client.post(address, answer, headers={"HX-Request": "true"})
        statements = [row["sql"].strip() for row in captured.captured_queries if row["sql"] not in ("BEGIN", "COMMIT")]
        return {
            "p50_ms": round(statistics.median(taken), 1),
            "p95_ms": p95(taken),
            "app_cpu_ms": round(1000 * spent / CYCLES, 1),
            "statements": len(statements),
            "seq_scans": find_scans(statements),
        }

    def ask(self, person: Any, pages: dict[str, str]) -> dict[str, float]:
        client = sign_in(person)
        return {name: self.time_page(client.get, address) for name, address in pages.items()}

    def time_page(self, get: Callable[..., Any], address: str) -> float:
        taken: list[float] = []
        while len(taken) < PAGE_MOST and (not taken or sum(taken) < 1000 * PAGE_SECONDS):
            began = time.perf_counter()
            page = get(address.format(project=self.project.pk))
            taken.append(1000 * (time.perf_counter() - began))
            assert page.status_code == 200, (address, page.status_code)
        return p95(taken)


def sign_in(person: Any) -> Any:
    from django.test import Client

    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    return client


def find_scans(statements: list[str]) -> list[str]:
    """Large tables that a statement of one answer reads from end to end."""
    from django.db import connection

    found = set()
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(f"EXPLAIN {statement}")
            plan = "\n".join(row[0] for row in cursor.fetchall())
            found |= set(re.findall(r"Seq Scan on annotate_(judgement|comparison|lease|task|response|prompt)\b", plan))
    return sorted(found)


def p95(taken: list[float]) -> float:
    ordered = sorted(taken)
    return round(ordered[int(0.95 * (len(ordered) - 1))], 1)


if __name__ == "__main__":
    main()
