"""What a worker does around any job: keep its heartbeat going, stop when told to, record how it ended."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from copy import copy
from datetime import timedelta
from types import TracebackType

from celery.worker import state as worker_state
from django.db import InterfaceError, OperationalError, connection
from django.utils import timezone

from annotate.models import ClaimLost, Job, JobStatus
from annotate.models.jobs import STALLED_AFTER

logger = logging.getLogger(__name__)
BEAT_EVERY = 1.0  # seconds


class JobFailed(Exception):
    """The job cannot be done; the message is shown to the owner."""


class JobCancelled(Exception):
    """Somebody asked for the job to stop."""


class WorkerStopping(Exception):
    """This worker is shutting down; another one continues the job."""


def worker_is_stopping() -> bool:
    """Whether Celery was asked to shut down. Its solo pool waits for the task, so the task has to look.

    Both hold an exit status once asked, and 0, the usual one, equals False: only identity tells them apart.
    """
    asked = (worker_state.should_stop, worker_state.should_terminate)
    return any(status is not None and status is not False for status in asked)


class Heartbeat:
    """Says that a job is alive from a thread of its own, whatever its worker is busy with."""

    def __init__(self, job: Job) -> None:
        self._job = copy(job)  # its own, because this thread writes to it
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat_until_ended, name=f"heartbeat of {job.pk}", daemon=True)
        self.cancel_requested = False
        self.claim_lost = False

    def __enter__(self) -> Heartbeat:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()

    def must_stop(self) -> bool:
        return self.claim_lost or self.cancel_requested or worker_is_stopping()

    def wait(self, seconds: float) -> None:
        """Sleep, while the heart beats on."""
        self._ended.wait(seconds)

    def check(self) -> None:
        """Raise the reason to stop, if there is one: ClaimLost, JobCancelled or WorkerStopping."""
        if self.claim_lost:
            raise ClaimLost(f"job {self._job.pk} is held by another worker")
        if self.cancel_requested:
            raise JobCancelled
        if worker_is_stopping():
            raise WorkerStopping

    def _beat_until_ended(self) -> None:
        try:
            while not self.claim_lost and not self._ended.wait(BEAT_EVERY):
                self._beat()
        finally:
            connection.close()

    def _beat(self) -> None:
        try:
            self.cancel_requested = self._job.beat()
        except ClaimLost:
            self.claim_lost = not self._ended.is_set()
        except (OperationalError, InterfaceError) as error:
            logger.warning("The database did not take a heartbeat (%s); trying again.", error)
            connection.close()


def perform(job: Job, work: Callable[[Heartbeat], None]) -> bool:
    """Claim `job`, do its `work` and record how it ended. False when another worker has it or it has ended.

    `work` ends the job itself when it succeeds. An exception nobody expected fails the job and is raised again.
    """
    if not job.take():
        return False
    try:
        with Heartbeat(job) as pulse:
            work(pulse)
    except ClaimLost as lost:
        logger.warning("%s", lost)
    except WorkerStopping:
        release(job)
    except JobCancelled:
        job.end(JobStatus.CANCELLED)
    except JobFailed as failure:
        job.end(JobStatus.FAILED, error=str(failure))
    except Exception as surprise:
        job.end(JobStatus.FAILED, error=f"{type(surprise).__name__}: {surprise}")
        raise
    return True


def release(job: Job) -> None:
    """Let go of a running job, so that the next recovery hands it to another worker at once."""
    long_ago = timezone.now() - STALLED_AFTER - timedelta(seconds=1)
    held = type(job)._default_manager.filter(pk=job.pk, status=JobStatus.RUNNING, claim=job.claim)
    held.update(heartbeat_at=long_ago)
