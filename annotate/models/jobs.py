"""Work done in the background whose truth is its row: imports, snapshots, generations, runs.

A job is claimed by one conditional UPDATE, says it is alive by a heartbeat, and ends through methods that check the
claim. A worker that died stops the heartbeat; a beat task then queues the job again. Delivering twice does no harm.
"""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

HEARTBEAT_SECONDS = 3
STALLED_AFTER = timedelta(seconds=20)
REQUEUE_AFTER = timedelta(seconds=120)


class JobStatus(models.TextChoices):
    DRAFT = "draft", "Preview"
    QUEUED = "queued", "Queued"
    RUNNING = "running", "Running"
    SUCCEEDED = "succeeded", "Finished"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"


class ClaimLost(Exception):
    """Another worker has taken this job over, or it has ended; stop at once and write nothing more."""


class Job(models.Model):
    status = models.CharField(max_length=9, choices=JobStatus, default=JobStatus.QUEUED, editable=False)
    claim = models.UUIDField(null=True, blank=True, editable=False)
    attempts = models.PositiveSmallIntegerField(default=0, editable=False)
    progress = models.PositiveBigIntegerField(default=0, editable=False)
    total = models.PositiveBigIntegerField(default=0, editable=False)
    error = models.TextField(blank=True, editable=False)
    cancel_requested_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    queued_at = models.DateTimeField(null=True, blank=True, editable=False)
    started_at = models.DateTimeField(null=True, blank=True, editable=False)
    heartbeat_at = models.DateTimeField(null=True, blank=True, editable=False)
    finished_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        abstract = True

    ENDED: ClassVar[tuple[str, ...]] = (JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.CANCELLED)

    @property
    def has_ended(self) -> bool:
        return self.status in self.ENDED

    @property
    def is_active(self) -> bool:
        return self.status in (JobStatus.QUEUED, JobStatus.RUNNING)

    def _rows(self) -> models.QuerySet[Any]:
        return type(self)._default_manager.filter(pk=self.pk)

    def queue(self) -> bool:
        """Draft, failed or cancelled → queued. False when it is already under way or done."""
        waiting = [JobStatus.DRAFT, JobStatus.FAILED, JobStatus.CANCELLED]
        changed = (
            self._rows()
            .filter(status__in=waiting)
            .update(
                status=JobStatus.QUEUED, queued_at=timezone.now(), cancel_requested_at=None, error="", finished_at=None
            )
        )
        self.refresh_from_db()
        return bool(changed)

    def take(self) -> bool:
        """Claim it for this worker: queued, or running under a heartbeat that has stopped."""
        now, token = timezone.now(), uuid.uuid4()
        free = models.Q(status=JobStatus.QUEUED) | models.Q(
            status=JobStatus.RUNNING, heartbeat_at__lt=now - STALLED_AFTER
        )
        changed = (
            self._rows()
            .filter(free)
            .update(
                status=JobStatus.RUNNING,
                claim=token,
                attempts=models.F("attempts") + 1,
                heartbeat_at=now,
                started_at=models.functions.Coalesce("started_at", models.Value(now)),
            )
        )
        self.refresh_from_db()
        return bool(changed) and self.claim == token

    def beat(self, **changes: object) -> bool:
        """Say it is alive and store `changes`; returns whether somebody asked to cancel. Raises ClaimLost."""
        held = self._rows().filter(status=JobStatus.RUNNING, claim=self.claim)
        if not held.update(heartbeat_at=timezone.now(), **changes):
            raise ClaimLost(f"{self._meta.verbose_name} {self.pk} is no longer held by this worker")
        for name, value in changes.items():
            setattr(self, name, value)
        return self._rows().filter(cancel_requested_at__isnull=False).exists()

    def end(self, status: JobStatus, *, error: str = "") -> None:
        """Running → succeeded, failed or cancelled. Raises ClaimLost when the claim has gone."""
        held = self._rows().filter(status=JobStatus.RUNNING, claim=self.claim)
        if not held.update(status=status, error=error, finished_at=timezone.now(), heartbeat_at=timezone.now()):
            raise ClaimLost(f"{self._meta.verbose_name} {self.pk} is no longer held by this worker")
        self.status, self.error = status, error

    def request_cancel(self) -> bool:
        """Ask the worker to stop; a job still in the queue ends here. False when it has already ended."""
        now = timezone.now()
        ended = (
            self._rows()
            .filter(status__in=[JobStatus.DRAFT, JobStatus.QUEUED])
            .update(status=JobStatus.CANCELLED, cancel_requested_at=now, finished_at=now)
        )
        asked = self._rows().filter(status=JobStatus.RUNNING).update(cancel_requested_at=now)
        self.refresh_from_db()
        return bool(ended or asked)
