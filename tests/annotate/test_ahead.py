"""The task after the one in hand: held in advance, counted like any other, never lost and never shown to two."""

import uuid

import pytest
from django.urls import reverse

from annotate import assignment
from annotate.models import Lease, Project, Task
from tests.factories import make_task


def remaining():
    return list(Task.objects.order_by("pk").values_list("remaining", flat=True))


@pytest.fixture
def lease_next(project, carol):
    return lambda shown=0: assignment.lease_next(user=carol, project=project, shown=shown)


@pytest.fixture
def lease_ahead(project, carol):
    return lambda after: assignment.lease_ahead(user=carol, project=project, after=after)


def finish(lease):
    lease.refresh_from_db()
    assignment.fill_place(lease=lease, previous=None)


def test_a_task_held_ahead_takes_a_place_and_is_the_next_one(project, lease_next, lease_ahead):
    make_task(project), make_task(project), make_task(project)
    first = lease_next()
    ahead = lease_ahead(first)
    assert (ahead.is_ahead, remaining()) == (True, [0, 0, 1])
    assert lease_ahead(first).pk == ahead.pk and remaining() == [0, 0, 1]
    assert lease_next().pk == first.pk
    finish(first)
    following = lease_next(shown=ahead.pk)
    assert (following.pk, following.is_ahead, following.order) == (ahead.pk, False, ahead.order)


def test_nobody_else_is_handed_a_task_that_is_held_ahead(project, alice, lease_next, lease_ahead):
    make_task(project), make_task(project)
    lease_ahead(lease_next())
    assert assignment.lease_next(user=alice, project=project) is None


def test_a_page_that_closes_hands_both_back_and_they_come_again_in_order(project, lease_next, lease_ahead):
    make_task(project), make_task(project)
    first = lease_next()
    ahead = lease_ahead(first)
    for lease in (first, ahead):
        assert assignment.return_lease(lease=lease, held_until=lease.expires_at)
    assert remaining() == [1, 1]
    assert lease_next().pk == first.pk
    assert lease_ahead(first).pk == ahead.pk


def test_a_task_held_ahead_runs_out_like_any_other_and_may_go_to_somebody_else(project, alice, lease_next, lease_ahead):
    make_task(project), make_task(project)
    first = lease_next()
    ahead = lease_ahead(first)
    Lease.objects.filter(pk=ahead.pk).update(expires_at=first.leased_at)
    assert assignment.return_expired_leases() == 1
    assert assignment.lease_next(user=alice, project=project).task_id == ahead.task_id
    finish(first)
    assert lease_next(shown=ahead.pk) is None


def test_after_an_undo_what_was_shown_before_comes_next(project, lease_next, lease_ahead):
    make_task(project), make_task(project), make_task(project)
    first = lease_next()
    second = lease_ahead(first)
    finish(first)
    lease_next(shown=second.pk)
    third = lease_ahead(second)
    Lease.objects.filter(pk=first.pk).update(state="held", leased_at=third.leased_at)
    assert lease_next().pk == first.pk
    again = lease_ahead(first)
    assert (again.pk, again.is_ahead) == (second.pk, False)


def test_where_the_answer_decides_what_comes_next_nothing_is_held_ahead(project, lease_next, lease_ahead):
    make_task(project), make_task(project)
    first = lease_next()
    Task.objects.filter(pk=first.task_id).update(purpose="practice", agreed_answer={})
    first.task.refresh_from_db()
    assert lease_ahead(first) is None
    Task.objects.update(purpose="work")
    first.task.refresh_from_db()
    Project.objects.update(show_agreed_answers=True)
    project.refresh_from_db()
    assert lease_ahead(first) is None
    assert remaining() == [0, 1]


def test_what_a_page_shows_is_passed_over_when_it_is_somebody_elses_or_closed(project, alice, lease_next):
    make_task(project), make_task(project), make_task(project)
    theirs = assignment.lease_next(user=alice, project=project)
    mine = lease_next(shown=theirs.pk)
    Task.objects.filter(pk=mine.task_id).update(closed_at=mine.leased_at)
    last = lease_next(shown=mine.pk)
    assert len({theirs.task_id, mine.task_id, last.task_id}) == 3


def test_an_answer_to_a_page_that_shows_the_next_task_brings_the_one_after_it(
    project, carol, signed_in, lease_next, lease_ahead, django_assert_num_queries
):
    make_task(project), make_task(project), make_task(project)
    client, address = signed_in(carol), reverse("judge", args=[project.pk])
    client.get(address)
    shown = lease_next()
    ready = lease_ahead(shown)
    data = {"lease": shown.pk, "submission_id": str(uuid.uuid4()), "choice": "-4", "next": ready.pk}
    with django_assert_num_queries(8 + 2):  # a savepoint, which production does not send
        told = client.post(address, data, headers={"HX-Request": "true"}).json()
    following = Lease.objects.get(is_ahead=True)
    assert remaining() == [0, 0, 0] and f'data-lease="{following.pk}"' in told["ahead"]
    ready.refresh_from_db()
    assert (told["held_until"], ready.is_ahead) == (ready.expires_at.isoformat(), False)
