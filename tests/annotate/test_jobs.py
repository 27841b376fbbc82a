"""The life of a background job, on the simplest job there is: an import."""

from datetime import timedelta

import pytest
from django.utils import timezone

from annotate.models import ClaimLost, Import, JobStatus
from annotate.models.jobs import REQUEUE_AFTER, STALLED_AFTER


@pytest.fixture
def job(project, alice):
    return Import.objects.create(project=project, created_by=alice, contents="prompts", format="jsonl", file="x")


def same_row(job):
    return Import.objects.get(pk=job.pk)


def age_heartbeat(job, by):
    Import.objects.filter(pk=job.pk).update(heartbeat_at=timezone.now() - by)


def test_a_queued_job_is_taken_once(job):
    first, second = same_row(job), same_row(job)
    assert first.take()
    assert not second.take()
    assert same_row(job).status == JobStatus.RUNNING
    assert same_row(job).attempts == 1


def test_a_running_job_whose_heartbeat_stopped_is_taken_over_and_the_first_worker_learns_it(job):
    first, second = same_row(job), same_row(job)
    first.take()
    age_heartbeat(job, STALLED_AFTER + timedelta(seconds=1))
    assert second.take()
    assert second.attempts == 2
    with pytest.raises(ClaimLost):
        first.beat(progress=7)
    with pytest.raises(ClaimLost):
        first.end(JobStatus.SUCCEEDED)
    assert same_row(job).progress == 0
    assert same_row(job).status == JobStatus.RUNNING


def test_a_heartbeat_stores_what_it_is_given_and_says_whether_to_stop(job):
    job.take()
    assert job.beat(progress=3, total=10) is False
    assert same_row(job).request_cancel()
    assert job.beat(progress=4) is True
    assert (same_row(job).progress, same_row(job).total) == (4, 10)


def test_cancelling_a_job_still_in_the_queue_ends_it(job):
    assert job.request_cancel()
    assert same_row(job).status == JobStatus.CANCELLED
    assert not same_row(job).take()


def test_an_ended_job_cannot_be_cancelled_or_taken(job):
    job.take()
    job.end(JobStatus.SUCCEEDED)
    assert same_row(job).has_ended
    assert not same_row(job).request_cancel()
    assert not same_row(job).take()
    assert not same_row(job).queue()


def test_a_failed_job_can_be_queued_again_and_forgets_its_error(job):
    job.take()
    job.end(JobStatus.FAILED, error="The disk is full.")
    assert same_row(job).error == "The disk is full."
    assert same_row(job).queue()
    again = same_row(job)
    assert (again.status, again.error, again.finished_at) == (JobStatus.QUEUED, "", None)


def test_stalled_are_the_silent_and_the_forgotten_only(job, project, alice):
    assert list(Import.objects.stalled()) == []
    job.take()
    assert list(Import.objects.stalled()) == []
    age_heartbeat(job, STALLED_AFTER + timedelta(seconds=1))
    assert list(Import.objects.stalled()) == [job]
    forgotten = Import.objects.create(
        project=project,
        created_by=alice,
        contents="prompts",
        format="csv",
        file="y",
        queued_at=timezone.now() - REQUEUE_AFTER - timedelta(seconds=1),
    )
    assert set(Import.objects.stalled()) == {job, forgotten}
