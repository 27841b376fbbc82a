"""The statements of every answer read no large table from end to end, whatever values they are given."""

import re

import pytest
from django.db import connection
from django.urls import reverse

from annotate.models import Judgement, Project, User
from annotate.services.tallies import add_up_work
from bench.growth_seed import grow, make_people

FIELDS = re.compile(r'name="(lease|submission_id)" value="([^"]+)"')
LARGE = "(?:judgement|comparison|lease|task|taskresponse|response|prompt)"
# Read from end to end, or by its numbers from one on until the right row comes along.
WHOLE = re.compile(
    rf"Seq Scan on annotate_{LARGE}\b.*|Scan Backward using annotate_{LARGE}_pkey\b.*"
    rf"|Scan using annotate_{LARGE}_pkey\b.*\n +Index Cond: \(+id [<>].*"
)


@pytest.fixture
def grown(db):
    """3,000 tasks and 13,000 judgements, of which Postgres knows."""
    people = make_people()
    grow(people, 0, 3_000)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    add_up_work()
    return Project.objects.get()


def plans_of_prepared():
    """{statement: its plan for any values}, of all that this connection has prepared."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        cursor.execute("SELECT name, statement, cardinality(parameter_types) FROM pg_prepared_statements")
        plans = {}
        for name, statement, count in cursor.fetchall():
            values = f"({', '.join(['NULL'] * count)})" if count else ""
            cursor.execute(f'EXPLAIN EXECUTE "{name}"{values}')
            plans[" ".join(statement.split())] = "\n".join(row[0] for row in cursor.fetchall())
        return plans


def test_no_prepared_statement_reads_a_large_table_from_end_to_end(grown, signed_in):
    address = reverse("judge", args=[grown.pk])
    for name in ("Ana", "Ben"):
        client = signed_in(User.objects.get(name=name))
        page = client.get(address).content.decode()
        for _ in range(2):
            answer = {**dict(FIELDS.findall(page)), "choice": "-4"}
            page = client.post(address, answer, headers={"HX-Request": "true"}).content.decode()
            assert 'id="answer"' in page
        lease = dict(FIELDS.findall(page))["lease"]
        assert client.post(reverse("judge-heartbeat", args=[grown.pk]), {"lease": lease}).json()["held"]
        assert client.get(reverse("home")).status_code == 200
    assert Judgement.objects.filter(annotator__name="Ben").count() == 2
    plans = plans_of_prepared()
    assert sum("annotate_judgement" in statement for statement in plans) >= 5
    assert {statement[:200]: found for statement, plan in plans.items() if (found := WHOLE.findall(plan))} == {}
