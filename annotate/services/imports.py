"""Imports: a file comes in as a draft, is looked at, confirmed, and read by a worker."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import PurePath
from typing import BinaryIO

from django.db import transaction

from annotate.imports.rows import FileRefused, Options
from annotate.models import Import, JobStatus, Project, User
from annotate.services.audit import record_audit
from annotate.services.previews import preview_import
from annotate.services.queue import RUN_IMPORT, enqueue
from annotate.services.uploads import inspect_upload, kept_upload, remove_upload, upload_path


def create_import(*, project: Project, user: User, content: BinaryIO, filename: str = "", contents: str = "") -> Import:
    """Keep the file and make a draft of it; `contents` overrides what the first row looks like.

    Raises FileRefused with a sentence for the person when the file cannot be read at all; nothing is kept then.
    """
    filename = PurePath(filename).name[:255]
    with kept_upload(content) as name, transaction.atomic():
        found, detected = inspect_upload(name, filename)
        return Import.objects.create(
            project=project,
            created_by=user,
            status=JobStatus.DRAFT,
            filename=filename,
            file=name,
            format=found,
            contents=contents or detected,
            options=asdict(Options(source=filename[:120])),
        )


def set_options(*, job: Import, format: str, contents: str, options: Options) -> None:
    """What the owner chose in the preview; only a draft can still be changed."""
    Import.objects.filter(pk=job.pk, status=JobStatus.DRAFT).update(
        format=format, contents=contents, options=asdict(options)
    )
    job.refresh_from_db()


@transaction.atomic
def confirm_import(*, job: Import, user: User) -> bool:
    """Accept the import and send it to a worker; False when it is under way or done. Raises FileRefused."""
    is_accepted = accept_import(job=job, user=user)
    if is_accepted:
        enqueue(RUN_IMPORT, job_id=job.pk)
    return is_accepted


@transaction.atomic
def accept_import(*, job: Import, user: User) -> bool:
    """Queue a draft, or a failed or cancelled import that goes on where it stopped; False when it is under way or done.

    No worker hears of it yet: whoever accepts it may run it. Raises FileRefused when the file is gone, or is known to
    hold nothing that could be taken.
    """
    if not upload_path(job).exists():
        raise FileRefused("The uploaded file is no longer on the server. Upload it again.")
    if job.status == JobStatus.DRAFT and (problem := preview_import(job).problem):
        raise FileRefused(problem)
    if not job.queue():
        return False
    Import.objects.filter(pk=job.pk).update(total=upload_path(job).stat().st_size, attempts=0)
    record_audit(
        actor=user,
        action="import.confirmed",
        project=job.project,
        target=job,
        data={"import": job.pk, "contents": job.contents, "format": job.format, "options": job.options},
    )
    return True


@transaction.atomic
def cancel_import(*, job: Import, user: User) -> bool:
    """Stop an import; what is stored stays. A draft's file is removed. False when it has ended already."""
    was_draft = job.status == JobStatus.DRAFT
    if not job.request_cancel():
        return False
    if was_draft:
        transaction.on_commit(lambda: remove_upload(job))
    record_audit(actor=user, action="import.cancelled", project=job.project, target=job, data={"import": job.pk})
    return True
