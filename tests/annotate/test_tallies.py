"""What people have sent in, added up: the figures are those of counting everything, wherever the mark stands."""

import random
import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from annotate.models import Judgement, TallyMark, Task, TaskResponse, WorkTally
from annotate.services import table_statistics, tallies
from annotate.services.own_statistics import own_statistics
from annotate.services.progress import own_progress
from annotate.services.tallies import add_up_project, add_up_work
from annotate.services.time_statements import Month, list_work_days
from tests.factories import make_task


@pytest.fixture
def task(project):
    return make_task(project)


def say(task, person, outcome="answer", *, before=None, days_ago=0.0, **fields):
    """A judgement, superseding `before`, as the services store it."""
    if before:
        Judgement.objects.filter(pk=before.pk).update(is_current=False)
    return Judgement.objects.create(
        project=task.project,
        task=task,
        kind=task.kind,
        annotator=person,
        outcome=outcome,
        supersedes=before,
        submission_id=uuid.uuid4(),
        created_at=timezone.now() - timedelta(days=days_ago),
        **{"active_seconds": 2.0, **fields},
    )


def everything(project, person):
    months = [Month(day) for day in (timezone.localdate(), timezone.localdate() - timedelta(days=25))]
    return (
        own_statistics(user=person, project=project),
        own_progress(user=person, project=project),
        [list_work_days(project=project, month=month, user=who) for month in months for who in (person, None)],
    )


def test_figures_stay_the_same_wherever_what_was_sent_is_added_up(project, carol, bob, monkeypatch):
    """Answers, skips, corrections and undos of forty days by lot, added up three at a time in between."""
    monkeypatch.setattr(tallies, "ADDED_AT_ONCE", 3)
    lots, tasks, last = random.Random(2), [make_task(project) for _ in range(8)], {}
    for number in range(60):
        person, task = lots.choice((carol, bob)), lots.choice(tasks)
        outcome = lots.choice(("answer", "answer", "skip", "undone"))
        last[person, task] = say(task, person, outcome, before=last.get((person, task)), days_ago=40 - number * 0.65)
        if number % 15 == 14:
            found = everything(project, carol), everything(project, bob)
            add_up_project(project)
            assert (everything(project, carol), everything(project, bob)) == found
    standing = [row for (person, _), row in last.items() if person == carol and row.outcome == "answer"]
    assert own_progress(user=carol, project=project).total == len(standing) > 0
    assert WorkTally.objects.count() > 20


def test_the_last_hour_is_counted_and_not_added_up(project, carol, task):
    say(task, carol, days_ago=1)
    recent = say(make_task(project), carol, days_ago=0.02)
    old = say(make_task(project), carol, days_ago=2)  # came in after one that has not settled
    assert add_up_work() == 1
    assert TallyMark.objects.get().up_to < recent.pk < old.pk
    assert own_progress(user=carol, project=project).total == 3
    assert add_up_work() == 0


def test_another_time_zone_has_other_days(project, carol, task):
    say(task, carol, days_ago=3, active_seconds=8.0)
    add_up_work()
    before = own_statistics(user=carol, project=project)
    with timezone.override("Pacific/Kiritimati"):
        assert own_statistics(user=carol, project=project).answers == 1
        say(make_task(project), carol, days_ago=2)
        add_up_work()
        assert own_statistics(user=carol, project=project).answers == 2
    assert before.days[-4].active_seconds == 8.0


def test_imported_judgements_and_decisions_are_nobody_s_answers(project, carol, bob, task):
    say(task, None, days_ago=2, external_annotator="imported")
    decision = say(task, bob, days_ago=2, is_adjudication=True)
    say(task, carol, days_ago=2, is_adjudication=True, before=decision)
    for _ in range(2):
        assert own_statistics(user=bob, project=project).answers == 0
        assert [
            day.answers for day in list_work_days(project=project, month=Month(timezone.localdate()), user=bob)
        ] in ([1], [])
        add_up_work()
    assert set(WorkTally.objects.values_list("annotator", "is_adjudication", "answers")) == {
        (bob.pk, True, 1),
        (carol.pk, True, 1),
    }


def test_what_was_added_up_is_not_read_again(project, carol, task):
    for _ in range(30):
        say(make_task(project), carol, days_ago=2)
    add_up_work()
    with CaptureQueriesContext(connection) as captured:
        own_progress(user=carol, project=project)
    statement = next(query["sql"] for query in captured.captured_queries if "worktally" in query["sql"])
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) {statement}")
        plan = [row[0] for row in cursor.fetchall()]
    read = [line for line in plan if "annotate_judgement" in line and "never executed" not in line]
    assert read and all("rows=0" in line for line in read)


def test_postgres_is_told_of_a_table_that_has_grown_and_of_no_other(project, monkeypatch):
    monkeypatch.setattr(table_statistics, "FEW_PAGES", 0)
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE annotate_task CASCADE")  # without the room that the rows of other tests have left
    prompt = make_task(project).prompt
    table_statistics.analyse_grown(Task, TaskResponse)
    Task.objects.bulk_create(
        Task(project=project, prompt=prompt, key=f"grown {n}", required_judgements=1, remaining=1) for n in range(500)
    )
    assert table_statistics.analyse_grown(Task, TaskResponse) == ["annotate_task"]
    assert table_statistics.analyse_grown(Task, TaskResponse) == []
