"""The statements that are written out: rows as Django would have stored them, and connections that are kept."""

import uuid
from datetime import timedelta

import psycopg
import pytest
from django.db import DataError, IntegrityError, OperationalError, connection, models, transaction
from django.utils import timezone

from annotate.models import Comparison, Judgement, Lease, Membership, Project, Prompt, Response, Task, User
from annotate.prepared import columns, fetch, fetch_first, insert, load
from tests.factories import make_project, make_task, make_user
from tests.services import POSTGRES


@pytest.fixture
def task(db):
    return make_task(make_project(make_user("Olga")))


def make_rows(task: Task) -> list[models.Model]:
    """A row of each kind that an answer writes, not stored yet."""
    person = task.project.created_by
    judgement = Judgement(
        project=task.project,
        task=task,
        annotator=person,
        kind="comparison",
        outcome="answer",
        rationale='It\'s "shorter" — 100 %s\n\\x',
        flags={"7": ["Wrong", "O'Neill"]},
        active_seconds=12.5,
        submission_id=uuid.uuid4(),
        is_quick=False,
    )
    first, second = (place.response for place in task.places.order_by("position"))
    answer = {"first": first, "second": second, "points": 8, "preference": -4, "dimensions": {"héllo": 3}}
    until = timezone.now() + timedelta(minutes=5)
    return [
        judgement,
        Comparison(judgement=judgement, first_on_left=True, **answer),
        Lease(task=task, annotator=person, order=[1, 0], expires_at=until),
    ]


def stored(row: models.Model) -> dict[str, object]:
    return type(row).objects.filter(pk=row.pk).values().get()


def test_a_row_is_stored_as_django_stores_it(task):
    by_django = make_rows(task)
    with transaction.atomic():
        for row in by_django:
            row.save(force_insert=True)
        expected = [stored(row) for row in by_django]
        transaction.set_rollback(True)
    for row, values in zip(make_rows_again(by_django), expected, strict=True):
        insert(row)
        assert row._state.adding is False
        assert stored(row) == {**values, row._meta.pk.attname: row.pk}


def make_rows_again(rows):
    """The same rows without their numbers; the answer follows its judgement."""
    judgement, comparison, lease = rows
    judgement.pk = lease.pk = None
    yield judgement
    comparison.judgement = judgement
    yield comparison
    yield lease


def test_what_does_not_fit_is_refused_and_not_cut_short(task):
    judgement = make_rows(task)[0]
    judgement.kind = "comparison of many things"
    with pytest.raises(DataError, match=r"too long for type character varying\(16\)"), transaction.atomic():
        insert(judgement)


def test_a_constraint_holds(task):
    lease = make_rows(task)[2]
    insert(lease)
    with pytest.raises(IntegrityError, match="lease_one_per_task_and_annotator"), transaction.atomic():
        insert(make_rows(task)[2])


def end_connection() -> None:
    [(pid,)] = fetch("SELECT pg_backend_pid()", {})
    with psycopg.connect(POSTGRES.url("postgres"), autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])


def test_the_first_statement_of_a_request_opens_a_connection_in_place_of_one_that_has_gone(transactional_db):
    end_connection()
    connection.close_if_unusable_or_obsolete()  # as when a request begins
    assert fetch_first("SELECT 1", {}) == [(1,)]


def test_a_connection_that_goes_in_the_middle_of_a_request_is_an_error(transactional_db):
    fetch("SELECT 1", {})
    end_connection()
    with pytest.raises(OperationalError):
        fetch_first("SELECT 1", {})
    connection.close()


@pytest.mark.parametrize("model", [Task, Prompt, Project, Response, User, Membership])
def test_a_row_is_read_as_django_reads_it(task, model):
    expected = model.objects.earliest("pk")
    statement = f'SELECT {columns(model, "one")} FROM "{model._meta.db_table}" AS one WHERE id = %(pk)s'
    row = load(model, fetch(statement, {"pk": expected.pk})[0])
    assert row == expected and vars(row).keys() == vars(expected).keys()
    named = [field.attname for field in model._meta.concrete_fields]
    assert [getattr(row, name) for name in named] == [getattr(expected, name) for name in named]
    before = stored(expected)
    row.save()
    assert stored(row) == before
