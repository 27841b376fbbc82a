"""Background jobs that nobody works on any more, back into the queue."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from annotate.models import Import, JobStatus, Snapshot, SnapshotFile
from annotate.services.queue import BUILD_SNAPSHOT, RUN_IMPORT, WRITE_SNAPSHOT_FILE, enqueue

MOST_ATTEMPTS = 10
GAVE_UP = (
    "{attempts} workers have died or stopped while doing this, so it is not queued again. Look at the workers' log, "
    "mend the cause (often too little memory or disk), then try again."
)


def recover_stalled_jobs() -> int:
    """Queue every stalled import, snapshot and file of one again; returns how many. Safe to call at any time."""
    stalled = recover_kind(Import, RUN_IMPORT) + recover_kind(Snapshot, BUILD_SNAPSHOT)
    return stalled + recover_kind(SnapshotFile, WRITE_SNAPSHOT_FILE)


@transaction.atomic
def recover_kind(model: type[Import] | type[Snapshot] | type[SnapshotFile], task: str) -> int:
    """The stalled jobs of one kind. A row that a worker has locked is alive, whatever its heartbeat says."""
    return sum(recover_one(job, task) for job in model.objects.stalled().select_for_update(skip_locked=True))


def recover_one(job: Import | Snapshot | SnapshotFile, task: str) -> bool:
    """End a locked, stalled job that was to be cancelled or has worn out its attempts; queue any other again."""
    now = timezone.now()
    if job.cancel_requested_at:
        job.status, job.finished_at = JobStatus.CANCELLED, now
    elif job.attempts >= MOST_ATTEMPTS:
        job.status, job.finished_at, job.error = JobStatus.FAILED, now, GAVE_UP.format(attempts=job.attempts)
    else:
        job.status, job.queued_at, job.claim = JobStatus.QUEUED, now, None
        enqueue(task, job_id=job.pk)
    job.save(update_fields=["status", "queued_at", "finished_at", "error", "claim"])
    return job.status == JobStatus.QUEUED
