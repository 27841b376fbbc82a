"""Trainers and workers that are killed, stopped or told to cancel. Every process here is real."""

import os
import signal
import threading
import uuid
from contextlib import contextmanager
from datetime import UTC, datetime

import psutil
import pytest
from django.db import connection
from django.utils import timezone

from annotate.models import JobStatus
from annotate.models.jobs import STALLED_AFTER
from tests.training.waiting import wait_until
from training.models import Run
from training.services.execution import train_run
from training.services.recovery import MAX_ATTEMPTS, recover_stalled_jobs
from training.services.runs import cancel_run, retry_run

pytestmark = pytest.mark.django_db(transaction=True)
LONG = {"epochs": 50, "batch_size": 1, "checkpoint_every": 5}  # a few seconds
ENDLESS = {**LONG, "judgements": 80}  # longer than any test waits
MTIME_LAG = 0.01  # seconds by which a file's time may be behind the clock's


def trainers(run: Run) -> list[psutil.Process]:
    """The living trainer processes of a run, whoever started them."""
    return [
        process
        for process in psutil.process_iter(["cmdline", "status"])
        if str(run.directory()) in (process.info["cmdline"] or []) and process.info["status"] != psutil.STATUS_ZOMBIE
    ]


def has_checkpoint(run: Run) -> bool:
    return any((run.directory() / "checkpoints").glob("step-*"))


@contextmanager
def in_background(run: Run):
    """Another thread does the run, as a worker would, while the test interferes."""

    def work() -> None:
        try:
            train_run(Run.objects.get(pk=run.pk))
        finally:
            connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        thread.join(timeout=90)
        assert not thread.is_alive()
    run.refresh_from_db()


def test_a_trainer_killed_in_the_middle_goes_on_from_its_checkpoint(launch):
    run = launch("reward_model", **LONG)
    with in_background(run):
        wait_until(lambda: has_checkpoint(run))
        trainers(run)[0].kill()

    assert (run.status, run.error) == (JobStatus.SUCCEEDED, "")
    restart = run.events.get(kind="restarted")
    assert restart.data["message"] == "The trainer was killed by SIGKILL"
    assert run.events.filter(kind="start").order_by("-step").first().data["resumed_from"] > 0
    assert list(run.events.filter(kind="train").order_by("step").values_list("step", flat=True)) == list(
        range(1, run.total + 1)
    )


def test_a_trainer_that_is_killed_every_time_fails_the_run_after_three_starts(launch):
    run = launch("reward_model", **LONG)
    killed: set[int] = set()

    def kill_each_trainer_once() -> bool:
        for process in trainers(run):
            if process.pid not in killed:
                killed.add(process.pid)
                process.kill()
        return len(killed) == 3

    with in_background(run):
        wait_until(kill_each_trainer_once)
    assert run.status == JobStatus.FAILED
    assert run.error.startswith("The trainer was stopped 3 times from outside (last: killed by SIGKILL).")


def test_cancel_stops_after_the_step_under_way_and_keeps_the_checkpoint_for_a_retry(launch, alice):
    run = launch("reward_model", **ENDLESS)
    with in_background(run):
        wait_until(lambda: has_checkpoint(run))
        assert cancel_run(run=Run.objects.get(pk=run.pk), user=alice)
    assert run.status == JobStatus.CANCELLED
    told = (run.directory() / "cancel").stat().st_mtime + MTIME_LAG
    assert run.events.filter(kind="train", created_at__gt=datetime.fromtimestamp(told, tz=UTC)).count() <= 1
    assert 0 < run.progress < run.total
    assert has_checkpoint(run)
    assert trainers(run) == []

    assert retry_run(run=run, user=alice)
    with in_background(run):
        wait_until(lambda: run.events.filter(kind="start", data__resumed_from__gt=0).exists())
        assert cancel_run(run=Run.objects.get(pk=run.pk), user=alice)
    assert run.status == JobStatus.CANCELLED


def test_a_worker_killed_in_the_middle_loses_its_trainer_and_another_worker_ends_the_run(launch, celery_worker):
    with celery_worker("training") as workers:
        run = launch("reward_model", **LONG)
        wait_until(lambda: has_checkpoint(run))
        os.kill(workers["training"].pid, signal.SIGKILL)
        wait_until(lambda: not trainers(run))
    run.refresh_from_db()
    assert run.status == JobStatus.RUNNING

    make_silent(run)
    assert recover_stalled_jobs() == 1
    assert train_run(Run.objects.get(pk=run.pk))
    run.refresh_from_db()
    assert (run.status, run.attempts) == (JobStatus.SUCCEEDED, 2)
    assert run.events.filter(kind="start", data__resumed_from__gt=0).exists()


def test_a_worker_asked_to_stop_leaves_the_run_to_the_next_one(launch, celery_worker):
    with celery_worker("training") as workers:
        run = launch("reward_model", **ENDLESS)
        wait_until(lambda: has_checkpoint(run))
        workers["training"].terminate()
        assert workers["training"].wait(60) == 0
    run.refresh_from_db()
    assert run.status == JobStatus.RUNNING
    assert trainers(run) == []
    assert list(Run.objects.stalled()) == [run]


def make_silent(run: Run) -> None:
    Run.objects.filter(pk=run.pk).update(heartbeat_at=timezone.now() - 2 * STALLED_AFTER)


def test_a_silent_run_that_was_to_be_cancelled_is_cancelled_and_a_worn_out_one_fails(launch):
    run = launch("reward_model")
    silent = {"status": JobStatus.RUNNING, "heartbeat_at": timezone.now() - 2 * STALLED_AFTER}
    Run.objects.filter(pk=run.pk).update(**silent, cancel_requested_at=timezone.now())
    assert recover_stalled_jobs() == 0
    run.refresh_from_db()
    assert run.status == JobStatus.CANCELLED

    Run.objects.filter(pk=run.pk).update(**silent, cancel_requested_at=None, attempts=MAX_ATTEMPTS)
    assert recover_stalled_jobs() == 0
    run.refresh_from_db()
    assert run.status == JobStatus.FAILED
    assert "10 workers have died" in run.error


def test_a_run_that_cannot_be_trained_says_why_in_the_trainers_own_words(launch):
    run = launch("reward_model")
    run.directory().mkdir(parents=True)
    (run.directory() / "data").mkdir()
    (run.directory() / "data" / "train.jsonl").write_text('{"id": "1"}\n')
    assert train_run(run)
    run.refresh_from_db()
    assert run.status == JobStatus.FAILED
    assert "train.jsonl" in run.error
    assert "line 1" in run.error


def test_a_worker_whose_run_was_taken_over_stops_its_trainer_and_writes_nothing_more(launch):
    run = launch("reward_model", **ENDLESS)
    with in_background(run):
        wait_until(lambda: has_checkpoint(run))
        other = uuid.uuid4()
        Run.objects.filter(pk=run.pk).update(claim=other, progress=7)
        wait_until(lambda: not trainers(run))
    assert (run.status, run.claim, run.progress) == (JobStatus.RUNNING, other, 7)
