"""What is left of uploads is taken off the disk, and nothing that somebody may still ask for."""

import io
import os
import time
from datetime import timedelta

import pytest
from django.utils import timezone

from annotate.models import Import, JobStatus
from annotate.services.imports import create_import
from annotate.services.upload_purge import purge_uploads
from annotate.services.uploads import upload_path


@pytest.fixture(autouse=True)
def own_folder(settings, tmp_path):
    settings.UPLOADS_DIR = tmp_path


def make_job(project, user, status, age):
    job = create_import(project=project, user=user, content=io.BytesIO(b"Why?"), filename="a.txt")
    then = timezone.now() - timedelta(days=age)
    Import.objects.filter(pk=job.pk).update(status=status, created_at=then, finished_at=then)
    return job


@pytest.mark.parametrize(
    ("status", "age", "stays", "then"),
    [
        (JobStatus.DRAFT, 6, True, JobStatus.DRAFT),
        (JobStatus.DRAFT, 8, False, JobStatus.CANCELLED),
        (JobStatus.FAILED, 29, True, JobStatus.FAILED),
        (JobStatus.FAILED, 31, False, JobStatus.FAILED),
        (JobStatus.QUEUED, 90, True, JobStatus.QUEUED),
        (JobStatus.RUNNING, 90, True, JobStatus.RUNNING),
        (JobStatus.SUCCEEDED, 0, False, JobStatus.SUCCEEDED),
    ],
)
def test_a_file_stays_for_as_long_as_its_import_may_need_it(project, alice, status, age, stays, then):
    job = make_job(project, alice, status, age)
    assert purge_uploads() == (not stays)
    job.refresh_from_db()
    assert (upload_path(job).exists(), job.status) == (stays, then)


def test_a_file_without_an_import_goes_after_a_day_and_others_are_left_alone(tmp_path, db):
    new, old, foreign = tmp_path / ("a" * 32), tmp_path / ("b" * 32), tmp_path / "keep.txt"
    for path in (new, old, foreign):
        path.write_bytes(b"x")
    two_days_ago = time.time() - 2 * 86_400
    os.utime(old, (two_days_ago, two_days_ago))
    os.utime(foreign, (two_days_ago, two_days_ago))
    assert purge_uploads() == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a" * 32, "keep.txt"]
