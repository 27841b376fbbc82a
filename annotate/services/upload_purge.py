"""Uploaded files that nobody will ask for again, off the disk."""

from __future__ import annotations

import re
import time
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from annotate.models import Import, JobStatus

DRAFTS_KEPT_FOR = timedelta(days=7)
ENDED_KEPT_FOR = timedelta(days=30)  # failed and cancelled imports may go on for as long
STRAYS_KEPT_FOR = timedelta(days=1)
UPLOAD = re.compile(r"[0-9a-f]{32}")


def purge_uploads() -> int:
    """Remove the files of drafts left alone, of imports that ended long ago, and of none; returns how many.

    A draft is thrown away with its file. An import that is queued or running keeps it. What it costs depends on the
    files that are there, not on how many imports there ever were.
    """
    return sum(_remove(path) for path in Path(settings.UPLOADS_DIR).glob("*") if UPLOAD.fullmatch(path.name))


def _remove(path: Path) -> bool:
    job = Import.objects.filter(file=path.name).first()
    if not (_is_stray(path) if job is None else _is_done_with(job)):
        return False
    path.unlink(missing_ok=True)
    return True


def _is_stray(path: Path) -> bool:
    """A file without a row, whose request died between the two."""
    return time.time() - path.stat().st_mtime > STRAYS_KEPT_FOR.total_seconds()


def _is_done_with(job: Import) -> bool:
    now = timezone.now()
    if job.status == JobStatus.DRAFT:
        return job.created_at < now - DRAFTS_KEPT_FOR and job.request_cancel()
    is_old = job.finished_at is not None and job.finished_at < now - ENDED_KEPT_FOR
    return job.status == JobStatus.SUCCEEDED or (job.has_ended and is_old)
