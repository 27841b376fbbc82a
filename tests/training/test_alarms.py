"""Alarms: raised once from what a run tells, told to those who asked, acknowledged by an owner."""

import json

import pytest
from django.core import mail
from django.core.exceptions import ValidationError
from django.urls import reverse

from annotate.models import AuditEvent, JobStatus, WebhookDelivery
from annotate.services.webhooks import add_webhook
from tests.training.factories import make_reward_model
from training.models import Alarm, Run
from training.services.alarms import acknowledge_alarm, open_alarms, raise_alarm, set_alarm_mail, tell_alarm
from training.services.runs import launch_run
from training.services.trainer import Follower

pytestmark = pytest.mark.django_db
SEEN = {"message": "The policy is learning to please.", "remedy": "Raise beta.", "facts": {"kl": 3.5}}


@pytest.fixture
def run(launch) -> Run:
    run = launch("rloo", function="vowels", max_tokens=8)
    assert run.take()
    return run


def write_events(run: Run, *, agreement: float, heldout: float, steps: int = 6) -> None:
    """Steps of 128 responses: the reward rises by half a deviation a step, the held-out reward by `heldout`."""
    run.directory().mkdir(parents=True, exist_ok=True)
    with (run.directory() / "events.jsonl").open("a") as file:
        for step in range(1, steps + 1):
            data = {"reward": step / 2, "reward_std": 1.0, "reward_se": 0.1, "kl": step / 10}
            data |= {"heldout/reward": heldout * step, "heldout/std": 1.0, "heldout/se": 0.1}
            data |= {"heldout/agreement": agreement, "completions/count": 128.0}
            file.write(json.dumps({"kind": "train", "step": step, "at": 1.0, "data": data}) + "\n")


def test_a_reward_that_rises_alone_stops_the_run_and_says_why(run, alice, signed_in):
    write_events(run, agreement=0.5, heldout=-0.3)
    Follower(run).copy()
    alarm = Alarm.objects.get()
    assert (alarm.kind, alarm.severity, alarm.run, alarm.project) == ("reward_hacking", "stop", run, run.project)
    assert "the held-out reward has fallen by" in alarm.message
    assert alarm.facts["heldout"]["before"] > alarm.facts["heldout"]["after"]
    run.refresh_from_db()
    assert run.cancel_requested_at is not None
    page = signed_in(alice).get(reverse("run-detail", args=[run.project_id, run.pk])).content.decode()
    assert "What to do:" in page and "Do not use the newest weights." in page
    summary = signed_in(alice).get(reverse("project-training-summary", args=[run.project_id])).content.decode()
    assert "the held-out reward has fallen by" in summary


def test_an_honest_run_raises_none_and_a_disagreement_warns_at_once(run):
    write_events(run, agreement=0.5, heldout=0.3)
    Follower(run).copy()
    assert Alarm.objects.count() == 0
    (run.directory() / "events.jsonl").unlink()
    write_events(run, agreement=-0.2, heldout=0.3, steps=2)
    Follower(run).copy()
    assert [(alarm.kind, alarm.severity) for alarm in Alarm.objects.all()] == [("reward_disagreement", "warning")]
    run.refresh_from_db()
    assert run.cancel_requested_at is None


def test_raised_again_it_is_the_same_and_a_run_retried_in_spite_of_it_goes_on(run):
    first = raise_alarm(project=run.project, run=run, kind="reward_hacking", severity="stop", **SEEN)
    run.end(JobStatus.CANCELLED)
    run.queue()
    again = raise_alarm(project=run.project, run=run, kind="reward_hacking", severity="stop", **SEEN)
    run.refresh_from_db()
    assert (again, run.status, run.cancel_requested_at) == (first, JobStatus.QUEUED, None)
    assert AuditEvent.objects.filter(action="alarm.raised").count() == 1


def test_a_warning_that_becomes_reason_to_stop_is_open_again_and_stops(run, alice):
    alarm = raise_alarm(project=run.project, run=run, kind="degenerate", **SEEN)
    acknowledge_alarm(alarm=alarm, user=alice, note="Let us see.")
    assert not open_alarms(run.project).exists()
    raise_alarm(project=run.project, run=run, kind="degenerate", severity="stop", **SEEN)
    run.refresh_from_db()
    assert run.cancel_requested_at is not None
    assert open_alarms(run.project).get().severity == "stop"


def test_owners_who_asked_and_webhooks_are_told_once(run, alice, bob):
    set_alarm_mail(membership=alice.memberships.get(project=run.project), wanted=True)
    add_webhook(project=run.project, user=alice, url="https://example.org/hook", events=["alarm.raised"])
    alarm = raise_alarm(project=run.project, run=run, kind="sameness", **SEEN)
    assert [tell_alarm(alarm), tell_alarm(alarm)] == [True, False]
    (message,) = mail.outbox
    assert message.to == [alice.email]
    assert "The policy is learning to please." in message.body and "What to do: Raise beta." in message.body
    body = json.loads(WebhookDelivery.objects.get().body)
    assert (body["event"], body["data"]["kind"], body["data"]["facts"]) == ("alarm.raised", "sameness", {"kl": 3.5})
    assert body["data"]["url"].endswith(reverse("run-detail", args=[run.project_id, run.pk]))


def test_an_owner_acknowledges_it_with_a_note_once(run, alice, bob, signed_in):
    alarm = raise_alarm(project=run.project, run=run, kind="sameness", **SEEN)
    url = reverse("alarm-acknowledge", args=[run.project_id, alarm.pk])
    assert signed_in(bob).post(url).status_code == 403
    answer = signed_in(alice).post(url, {"note": "Known: short prompts.", "next": "https://evil.example/"})
    assert (answer.status_code, answer.url) == (302, reverse("project-alarms", args=[run.project_id]))
    signed_in(alice).post(url, {"note": "Again."})
    alarm.refresh_from_db()
    assert (alarm.acknowledged_by, alarm.note) == (alice, "Known: short prompts.")
    page = signed_in(bob).get(reverse("project-alarms", args=[run.project_id])).content.decode()
    assert "No open alarms" in page and "Known: short prompts." in page


def test_an_alarm_about_nothing_is_a_mistake(project):
    with pytest.raises(ValueError, match="about neither a run nor a round"):
        raise_alarm(project=project, kind="x", message="m", remedy="r")


def test_the_best_weights_of_a_stopped_run_can_be_kept(run, alice, signed_in):
    url = reverse("run-finish", args=[run.project_id, run.pk])
    client = signed_in(alice)
    run.end(JobStatus.CANCELLED)
    client.post(url)
    assert Run.objects.get().status == JobStatus.CANCELLED
    run.directory().mkdir(parents=True, exist_ok=True)
    (run.directory() / "best.json").write_text("{}")
    page = client.get(reverse("run-detail", args=[run.project_id, run.pk])).content.decode()
    assert "Keep the best model so far" in page
    client.post(url)
    run.refresh_from_db()
    assert (run.status, run.ends_with_best) == (JobStatus.QUEUED, True)


def test_the_model_that_watches_is_another_than_those_it_watches(project, launch, alice):
    judge, watcher = make_reward_model(project, "Judge"), make_reward_model(project, "Watcher", seed=1)
    run = launch("rloo", function="vowels", max_tokens=8)
    asked = {
        "project": project,
        "user": alice,
        "algorithm": "rloo",
        "snapshot": run.snapshot,
        "base_model": run.base_model,
        "config": {"max_tokens": 8},
        "rewards": {judge: 1.0},
    }
    with pytest.raises(ValidationError, match="scores the responses already"):
        launch_run(**asked, heldout_reward=judge)
    watched = launch_run(**asked, heldout_reward=watcher)
    assert [(one.model, one.is_held_out) for one in watched.rewards.order_by("pk")] == [(judge, False), (watcher, True)]
