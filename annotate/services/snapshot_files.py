"""Files of a snapshot, written in the background and kept for a week: a download of one can be taken up where it broke
off. The bytes are those that the page streams, so an interrupted download goes on even with a file written anew."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from annotate.exports.downloads import Download, find_download
from annotate.models import JobStatus, Snapshot, SnapshotFile, User
from annotate.services.queue import WRITE_SNAPSHOT_FILE, enqueue
from annotate.services.snapshots import BUILT_AT_ONCE, SnapshotError

KEPT = timedelta(days=7)


class Cancelled(Exception):
    """Somebody asked to stop."""


@transaction.atomic
def prepare_file(*, snapshot: Snapshot, user: User, form: str, split: str = "", format: str = "jsonl") -> SnapshotFile:
    """The file of this form, split and format: written at once when it is small, else by a worker.

    Asking again returns the one there is, or begins it again when it failed or is gone from the disk. Raises
    UnknownForm, and SnapshotError while the snapshot is not finished.
    """
    download = find_download(snapshot, form, split, format)
    if snapshot.status != JobStatus.SUCCEEDED:
        raise SnapshotError(f"Snapshot “{snapshot}” is {snapshot.get_status_display().lower()}: it has no files yet.")
    if (known := find_file(download)) and known.status == JobStatus.SUCCEEDED and not path_of(known).exists():
        known.delete()
    file, is_new = SnapshotFile.objects.select_for_update().get_or_create(
        snapshot=snapshot,
        form=download.form.name,
        split=download.split or "",
        format=download.format.name,
        defaults={"created_by": user, "total": count_judgements(download), "queued_at": timezone.now()},
    )
    if is_new or file.queue():
        if file.total <= BUILT_AT_ONCE:
            write_file(file)
        else:
            enqueue(WRITE_SNAPSHOT_FILE, job_id=file.pk)
    return file


def count_judgements(download: Download) -> int:
    snapshot = download.snapshot
    return {"train": snapshot.train_count, "test": snapshot.test_count}.get(download.split or "", snapshot.total)


def find_file(download: Download) -> SnapshotFile | None:
    named = {"form": download.form.name, "split": download.split or "", "format": download.format.name}
    return SnapshotFile.objects.filter(snapshot=download.snapshot, **named).first()


def list_files(snapshot: Snapshot) -> list[tuple[SnapshotFile, Download]]:
    """What was asked for, newest first, with what it is."""
    files = SnapshotFile.objects.filter(snapshot=snapshot).order_by("-pk")
    return [(file, find_download(snapshot, file.form, file.split, file.format)) for file in files]


def find_finished(download: Download) -> Path | None:
    """Where the finished file is, when there is one."""
    file = find_file(download)
    if file is None or file.status != JobStatus.SUCCEEDED:
        return None
    path = path_of(file)
    return path if path.exists() else None


def download_of(file: SnapshotFile) -> Download:
    return find_download(file.snapshot, file.form, file.split, file.format)


def path_of(file: SnapshotFile) -> Path:
    return Path(settings.EXPORTS_DIR) / file.file


def write_file(file: SnapshotFile) -> bool:
    """Claim the file and write it; returns whether it was free. Its row says how it ended. Raises ClaimLost.

    It appears under its name when it is whole. What a killed worker left is removed with the old files.
    """
    if not file.take():
        return False
    download = download_of(file)
    path = Path(settings.EXPORTS_DIR) / f"{file.pk}-{file.claim}"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        size = write_pieces(file, download, path)
        file.beat(file=path.name, size=size, progress=file.total)
        file.end(JobStatus.SUCCEEDED)
    except Cancelled:
        file.end(JobStatus.CANCELLED)
    except OSError as error:
        file.end(
            JobStatus.FAILED, error=f"The file could not be written: {error.strerror}. Free some space on the disk."
        )
    finally:
        if file.status != JobStatus.SUCCEEDED:
            remove(path)
    return True


def write_pieces(file: SnapshotFile, download: Download, path: Path) -> int:
    """The bytes written. Raises OSError, ClaimLost, Cancelled."""

    def say_how_far(count: int) -> None:
        if file.beat(progress=count):
            raise Cancelled

    with path.open("wb") as target:
        return sum(target.write(piece) for piece in download.pieces(pause=say_how_far))


def remove_old_files() -> int:
    """Remove what was written more than a week ago, and what nobody owns; returns how many files are gone.

    Safe to call at any time: a file that is being written is young.
    """
    oldest = timezone.now() - KEPT
    SnapshotFile.objects.filter(status__in=SnapshotFile.ENDED, finished_at__lt=oldest).delete()
    owned = set(SnapshotFile.objects.exclude(file="").values_list("file", flat=True))
    unowned = [path for path in Path(settings.EXPORTS_DIR).glob("*") if path.name not in owned]
    gone = [path for path in unowned if modified(path) < oldest.timestamp()]
    for path in gone:
        path.unlink(missing_ok=True)
    return len(gone)


def remove(path: Path) -> None:
    """Away with it, where there is a folder that can have it."""
    if path.parent.is_dir():
        path.unlink(missing_ok=True)


def modified(path: Path) -> float:
    """When it was last written to; never, when it has just gone."""
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return float("inf")
