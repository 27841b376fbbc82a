"""Drafts, heartbeats and the hand-back of a page that closes."""

import uuid
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from annotate.models import Draft, Lease, Task
from annotate.tasks import purge_drafts
from tests.factories import make_task


@pytest.fixture
def client(signed_in, carol, project):
    client = signed_in(carol)
    make_task(project, overlap=2)
    client.get(reverse("judge", args=[project.pk]))
    return client


@pytest.fixture
def lease(client):
    return Lease.objects.get()


@pytest.fixture
def post(client, project, lease):
    def post(name, **data):
        return client.post(reverse(name, args=[project.pk]), {"lease": lease.pk, **data})

    return post


def test_a_draft_is_kept_and_shown_again(client, project, post):
    reply = post("judge-draft", choice="2", rationale="So far", flags_b=["unsafe"], active_seconds="12.5")
    assert reply.status_code == 204
    assert Draft.objects.get().data == {
        "choice": "2",
        "rationale": "So far",
        "flags_a": [],
        "flags_b": ["unsafe"],
        "active_seconds": 12.5,
    }
    html = client.get(reverse("judge", args=[project.pk])).content.decode()
    assert 'value="2" data-key="6" required checked' in html and ">So far</textarea>" in html
    assert 'name="flags_b" value="unsafe" checked' in html
    assert 'name="active_seconds" value="12.5"' in html


def test_the_newest_draft_replaces_the_one_before(post):
    post("judge-draft", rationale="One")
    post("judge-draft", rationale="One two")
    assert Draft.objects.get().data["rationale"] == "One two"


def test_a_draft_is_kept_for_thirty_days_and_then_purged(post):
    post("judge-draft", rationale="One")
    assert purge_drafts.apply().get() == 0
    Draft.objects.update(updated_at=timezone.now() - timedelta(days=29, hours=23))
    assert purge_drafts.apply().get() == 0
    Draft.objects.update(updated_at=timezone.now() - timedelta(days=30, minutes=1))
    assert purge_drafts.apply().get() == 1


def test_an_unreadable_draft_is_422_and_leaves_the_one_before(post):
    post("judge-draft", rationale="One")
    reply = post("judge-draft", choice="17")
    assert reply.status_code == 422
    assert reply.json() == {
        "errors": {"choice": ["“17” is not on this project's scale. Choose one of the answers shown."]}
    }
    assert Draft.objects.get().data["rationale"] == "One"


def test_the_draft_goes_when_its_answer_is_in_and_none_comes_after_it(client, project, post):
    post("judge-draft", rationale="One")
    post("judge", choice="1", submission_id=uuid.uuid4())
    assert not Draft.objects.exists()
    assert post("judge-draft", rationale="Late").status_code == 204
    assert not Draft.objects.exists()


def test_a_heartbeat_extends_the_lease_and_tells_the_figures(post, lease, project, alice):
    project.guidelines.create(version=2, body="New.", created_by=alice)
    reply = post("judge-heartbeat").json()
    lease.refresh_from_db()
    assert reply == {
        "held": True,
        "held_until": lease.expires_at.isoformat(),
        "ahead_until": None,
        "guideline": 2,
        "progress": {"today": 0, "total": 0, "waiting": "0"},
    }
    assert lease.expires_at > timezone.now() + timedelta(minutes=9)


def test_a_heartbeat_for_a_judged_task_says_that_it_is_no_longer_held(post):
    post("judge", choice="1", submission_id=uuid.uuid4())
    reply = post("judge-heartbeat").json()
    assert (reply["held"], reply["progress"]["today"], reply["progress"]["total"]) == (False, 1, 1)


def test_closing_the_page_keeps_the_draft_and_hands_the_task_back(post, lease):
    reply = post("judge-return", rationale="Half", held_until=lease.expires_at.isoformat())
    assert reply.status_code == 204
    lease.refresh_from_db()
    assert (lease.state, Task.objects.get().remaining) == ("returned", 2)
    assert Draft.objects.get().data["rationale"] == "Half"


@pytest.mark.parametrize("held_until", ["2020-01-01T00:00:00+00:00", "2020-01-01T00:00:00"])
def test_a_page_that_was_replaced_by_a_reload_hands_nothing_back(post, lease, held_until):
    post("judge-return", held_until=held_until)
    lease.refresh_from_db()
    assert lease.state == "held"


@pytest.mark.parametrize("held_until", ["", "soon", "2020-13-45T00:00:00"])
def test_a_page_that_knows_no_time_hands_the_task_back(post, lease, held_until):
    post("judge-return", held_until=held_until)
    lease.refresh_from_db()
    assert lease.state == "returned"
