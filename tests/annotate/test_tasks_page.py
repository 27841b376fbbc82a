"""The tasks page: states, one task with all that was said, and what an owner may change."""

import uuid

import pytest
from django.urls import reverse
from django.utils import timezone

from annotate import assignment
from annotate.models import AuditEvent, Judgement, Task
from tests.factories import make_judgement, make_prompt, make_task


@pytest.fixture
def alices(signed_in, alice):
    return signed_in(alice)


@pytest.fixture
def task(project):
    return make_task(project, prompt=make_prompt(project, "How long do I boil an egg?"), overlap=2)


def address(name, project, *args):
    return reverse(name, args=[project.pk, *args])


def shown(client, project, **options):
    page = client.get(address("project-tasks", project), options)
    return [(row["row"].pk, row["state"]) for row in page.context["tasks"]]


# Who


def test_the_roles_of_the_list_and_of_a_task(signed_in, project, task, alice, bob, carol, mallory, stranger):
    for at in (address("project-tasks", project), address("task-detail", project, task.pk)):
        statuses = [signed_in(user).get(at).status_code for user in (alice, bob, carol, mallory, stranger)]
        assert statuses == [200, 200, 403, 404, 404]
        assert signed_in(alice).post(at).status_code == 405


@pytest.mark.parametrize("name", ["task-close", "task-reopen", "task-overlap"])
def test_only_an_owner_changes_a_task(signed_in, project, task, bob, carol, mallory, alice, name):
    at = address(name, project, task.pk)
    assert [signed_in(user).post(at, {"required": 5}).status_code for user in (bob, carol, mallory)] == [403, 403, 404]
    assert signed_in(alice).get(at).status_code == 405
    task.refresh_from_db()
    assert (task.required_judgements, task.closed_at) == (2, None)


def test_a_task_is_not_found_through_another_project(signed_in, task, mallory):
    own = mallory.memberships.get().project
    assert signed_in(mallory).get(address("task-detail", own, task.pk)).status_code == 404
    assert signed_in(mallory).post(address("task-close", own, task.pk)).status_code == 404


# The list


def test_each_state_lists_its_own_tasks_newest_first(alices, project, task, carol):
    closed, done, held = make_task(project), make_task(project), make_task(project, priority=9)
    Task.objects.filter(pk=closed.pk).update(closed_at=timezone.now())
    Task.objects.filter(pk=done.pk).update(remaining=0)
    make_judgement(done, carol)
    assert assignment.lease_next(user=carol, project=project).task == held
    assert shown(alices, project) == [(held.pk, "held"), (done.pk, "done"), (closed.pk, "closed"), (task.pk, "open")]
    assert shown(alices, project, state="open") == [(task.pk, "open")]
    assert shown(alices, project, state="held") == [(held.pk, "held")]
    assert shown(alices, project, state="done") == [(done.pk, "done")]
    assert shown(alices, project, state="closed") == [(closed.pk, "closed")]


def test_the_list_shows_how_many_have_judged(alices, project, task, carol):
    make_judgement(task, carol)
    page = alices.get(address("project-tasks", project)).content.decode()
    assert "How long do I boil an egg?" in page
    assert "1 of 2" in page


def test_the_list_goes_on_where_a_page_ends(alices, project):
    tasks = [make_task(project).pk for _ in range(53)]
    first = alices.get(address("project-tasks", project))
    assert [row["row"].pk for row in first.context["tasks"]] == tasks[:2:-1]
    older = alices.get(address("project-tasks", project) + first.context["older_url"])
    assert [row["row"].pk for row in older.context["tasks"]] == tasks[2::-1]
    assert older.context["older_url"] == ""


def test_the_list_costs_the_same_for_many(alices, project, task, django_assert_num_queries):
    for _ in range(10):
        make_task(project)
    with django_assert_num_queries(4):
        alices.get(address("project-tasks", project))


def test_empty_lists_say_why(alices, signed_in, project, bob):
    at = address("project-tasks", project)
    assert "Choose a model" in alices.get(at).content.decode()
    assert "An owner of the project makes them" in signed_in(bob).get(at).content.decode()
    assert "None of the project" in alices.get(at, {"state": "held"}).content.decode()


def test_a_state_that_does_not_exist_is_refused(alices, project):
    assert alices.get(address("project-tasks", project), {"state": "lost"}).status_code == 422
    assert alices.get(address("project-tasks", project), {"before": "x"}).status_code == 422


# One task


def test_a_task_shows_what_everybody_said_in_the_task_s_own_order(alices, project, task, carol, bob):
    first = task.places.get(position=0).response
    undone = make_judgement(task, bob, 1)
    Judgement.objects.filter(pk=undone.pk).update(is_current=False)
    Judgement.objects.create(
        project=project, task=task, kind=task.kind, annotator=bob, outcome="undone", submission_id=uuid.uuid4()
    )
    make_judgement(
        task, carol, -3, first_on_left=False, rationale="Exact.", active_seconds=9, flags={str(first.pk): ["unsafe"]}
    )
    page = alices.get(address("task-detail", project, task.pk))
    assert [entry["said"] for entry in page.context["judgements"]] == [
        "Second barely better",
        "Taken back",
        "First better",
    ]
    text = page.content.decode()
    assert page.context["judgements"][2]["left"] == "Second"
    assert "First: unsafe" in text
    assert "Exact." in text
    assert "model one" in text


@pytest.mark.parametrize(
    ("preference", "points", "said"),
    [(0, 8, "Tie"), (None, 8, "Both bad"), (-1, None, "First better"), (2, 4, "Second much better")],
)
def test_every_answer_has_its_words(alices, project, task, carol, preference, points, said):
    make_judgement(task, carol, preference, points=points)
    page = alices.get(address("task-detail", project, task.pk))
    assert page.context["judgements"][0]["said"] == said


def test_a_task_costs_the_same_for_many_judgements(alices, project, task, carol, bob, django_assert_num_queries):
    for person in (carol, bob):
        make_judgement(task, person)
    with django_assert_num_queries(7):
        alices.get(address("task-detail", project, task.pk))


# What an owner changes


def test_a_closed_task_is_handed_out_no_more_until_it_is_reopened(alices, project, task, carol):
    alices.post(address("task-close", project, task.pk))
    assert assignment.lease_next(user=carol, project=project) is None
    alices.post(address("task-close", project, task.pk))
    alices.post(address("task-reopen", project, task.pk))
    assert assignment.lease_next(user=carol, project=project).task == task
    actions = AuditEvent.objects.of_project(project).order_by("pk").values_list("action", flat=True)
    assert list(actions) == ["task.closed", "task.reopened"]


def test_more_people_make_more_places(alices, project, task, carol, bob):
    make_judgement(task, bob)
    Task.objects.filter(pk=task.pk).update(remaining=1)
    assert assignment.lease_next(user=carol, project=project).task == task
    assert alices.post(address("task-overlap", project, task.pk), {"required": 5}).status_code == 302
    task.refresh_from_db()
    assert (task.required_judgements, task.remaining) == (5, 3)
    assert AuditEvent.objects.of_project(project).get().data == {"from": 2, "to": 5}


def test_a_task_cannot_need_fewer_than_have_it(alices, project, task, carol, bob):
    make_judgement(task, bob)
    Task.objects.filter(pk=task.pk).update(remaining=1)
    assignment.lease_next(user=carol, project=project)
    answer = alices.post(address("task-overlap", project, task.pk), {"required": 1})
    assert answer.status_code == 422
    assert "1 is too few: 2 people have judged this task or hold it now." in answer.content.decode()
    assert alices.post(address("task-overlap", project, task.pk), {"required": 51}).status_code == 422
    assert alices.post(address("task-overlap", project, task.pk), {}).status_code == 422
    task.refresh_from_db()
    assert (task.required_judgements, task.remaining) == (2, 0)


def test_an_answer_beyond_what_was_needed_takes_no_place(alices, project, task, carol, bob):
    make_judgement(task, carol)
    make_judgement(task, bob, is_surplus=True)
    assignment.set_required_judgements(task=task, required=1)
    task.refresh_from_db()
    assert (task.required_judgements, task.remaining) == (1, 0)
