"""A project of any size, made by the database itself and kept in a folder, one database for each size.

Of its tasks nine in ten are judged by the five people they need. Ana has judged the tenth, which waits for others
still; nobody has seen the last 500 of each size; Ben has judged nothing.
"""

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psycopg

from bench.scratch import set_up
from config.embedded import Postgres
from tests.services import FAST, running_valkey

TAIL = 500
# Many rows at once: few checkpoints, one large sort for each index.
FILLING = (("max_wal_size", "8GB"), ("wal_level", "minimal"), ("max_wal_senders", "0"), ("autovacuum", "off"))
GROWING, MEASURED = "growing", "measured"

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
        gen_random_uuid(), true, false, false, false, now() - (1 + id % 60) * interval '1 day'
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


class Growth:
    """The databases of a folder. `fill` makes what is missing, `opened` gives a copy of one size to spend."""

    def __init__(self, postgres: Postgres) -> None:
        self.postgres = postgres

    def has(self, size: int) -> bool:
        return bool(self.manage("SELECT 1 FROM pg_database WHERE datname = %s", [kept(size)]))

    def fill(self, sizes: dict[str, int]) -> None:
        """Let the project grow from size to size, each kept as a database of its own; those that are there already
        are brought up to date."""
        from django.core.management import call_command

        from annotate.services.tallies import add_up_work

        if not all(self.has(size) for size in sizes.values()):
            self.make(sizes)
        for size in sizes.values():
            switch(kept(size))
            call_command("migrate", verbosity=0)
            if add_up_work():  # as the clock has it done every ten minutes
                vacuum()
        switch(None)

    def make(self, sizes: dict[str, int]) -> None:
        from django.core.management import call_command

        switch(None)
        for name in (GROWING, *map(kept, sizes.values())):  # what an interrupted filling left
            self.manage(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        self.postgres.create_database(GROWING)
        switch(GROWING)
        call_command("migrate", verbosity=0)
        people, first = make_people(), 0
        for name, size in sizes.items():
            began = time.perf_counter()
            grow(people, first, size)
            vacuum()
            switch(None)
            self.manage(f'CREATE DATABASE "{kept(size)}" TEMPLATE "{GROWING}" STRATEGY FILE_COPY')
            switch(GROWING)
            first = size
            print(f"{name} tasks filled in {time.perf_counter() - began:.0f} s", flush=True)
        switch(None)
        self.manage(f'DROP DATABASE "{GROWING}"')

    @contextmanager
    def opened(self, size: int) -> Iterator[None]:
        """Inside, Django works on a copy of this size, so that each measurement begins with the same rows."""
        from django.core.cache import cache

        switch(None)
        self.manage(f'DROP DATABASE IF EXISTS "{MEASURED}" WITH (FORCE)')
        self.manage(f'CREATE DATABASE "{MEASURED}" TEMPLATE "{kept(size)}" STRATEGY FILE_COPY')
        switch(MEASURED)
        cache.clear()
        yield
        switch(None)
        self.manage(f'DROP DATABASE "{MEASURED}" WITH (FORCE)')

    def manage(self, statement: str, values: Any = None) -> list[Any]:
        with psycopg.connect(self.postgres.url("postgres"), autocommit=True) as connection:
            cursor = connection.execute(statement, values)
            return cursor.fetchall() if cursor.description else []


@contextmanager
def growth_in(folder: Path) -> Iterator[Growth]:
    """The databases of this folder with their server running, Django set up on an empty one."""
    with ExitStack() as stack:
        postgres = Postgres(folder / "postgres", FAST + FILLING)
        stack.enter_context(postgres.running())
        postgres.create_database(GROWING)
        var = folder / "var"
        var.mkdir(parents=True, exist_ok=True)
        os.environ |= {
            "PLUMBLINE_ENV": "local",
            "PLUMBLINE_VAR": str(var),
            "PLUMBLINE_STATIC": str(folder / "static"),
            "DATABASE_URL": postgres.url(GROWING),
            "BROKER_URL": stack.enter_context(running_valkey(folder)),
            "LOG_LEVEL": "ERROR",
        }
        set_up()
        stack.callback(switch, None)
        yield Growth(postgres)


def kept(size: int) -> str:
    return f"kept_{size}"


def switch(name: str | None) -> None:
    """Have Django work on this database from now on; None closes its connection alone."""
    from django.db import connection

    connection.close()
    if name:
        connection.settings_dict["NAME"] = name


def make_people() -> dict[str, Any]:
    """Olga's project, Ana, Ben and forty others; what the statements of GROW need to know of them."""
    from tests.factories import add_member, make_author, make_project, make_user

    project = make_project(make_user("Olga", is_staff=True), overlap=5, reading_warning=False)
    ana, ben, *crowd = [make_user(name) for name in ("Ana", "Ben", *(f"Person{n}" for n in range(40)))]
    for person in (ana, ben, *crowd):
        add_member(project, person, "annotator")
    return {
        "project": project.pk,
        "author": make_author(project).pk,
        "ana": ana.pk,
        "crowd": len(crowd),
        "people": f"ARRAY[{', '.join(str(person.pk) for person in crowd)}]",
        "tail": TAIL,
    }


def grow(people: dict[str, Any], first: int, last: int) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")  # foreign keys hold by construction
        for statement in GROW:
            cursor.execute(statement.format(**people, first=first, last=last))
        cursor.execute("SET session_replication_role = origin")
        for table in ("prompt", "response", "task"):
            cursor.execute(f"SELECT setval('annotate_{table}_id_seq', (SELECT max(id) FROM annotate_{table}))")


def vacuum() -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
