"""`manage.py export_preferences`: a snapshot as a file, from the command line."""

import argparse
from collections.abc import Iterator
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from annotate.exports.downloads import Download, find_download
from annotate.exports.formats import FORMATS
from annotate.exports.forms import FORMS, UnknownForm
from annotate.exports.lines import SPLITS
from annotate.models import JobStatus, Project, Snapshot
from annotate.services.snapshots import SnapshotError, create_snapshot


class Command(BaseCommand):
    help = (
        "Write a snapshot's judgements. Name a project (its id or name: the newest finished snapshot is "
        "written) or a snapshot (snapshot:ID)."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("source", metavar="PROJECT_OR_SNAPSHOT", help="a project's id or name, or snapshot:ID")
        parser.add_argument("--form", choices=list(FORMS), default="trl-conversational", help="the lines' form")
        parser.add_argument("--format", choices=list(FORMATS), help="default: as --output ends, else jsonl")
        parser.add_argument("--split", choices=SPLITS, help="one side of the split; both without it")
        parser.add_argument("--output", metavar="FILE", default="-", help="where to write; - is standard output")
        parser.add_argument("--new", metavar="NAME", help="first freeze all current judgements of the project as NAME")

    def handle(
        self,
        *,
        source: str,
        form: str,
        split: str | None,
        output: str,
        new: str | None,
        format: str | None,
        **options: object,
    ) -> None:
        snapshot = find_snapshot(source, new)
        try:
            download = find_download(snapshot, form, split, format or format_of(output))
        except UnknownForm as error:
            raise CommandError(str(error)) from error
        if output == "-":
            self.print(download)
        else:
            write_file(Path(output), download.pieces())
        counts = download.counts()
        left_out = counts.explain_left_out()
        why = f"{left_out} left out: this form has no line for them" if left_out else "nothing left out"
        self.stderr.write(f"“{snapshot}” as {form}: {counts.rows} rows, {why}.")

    def print(self, download: Download) -> None:
        if not download.format.is_text:
            raise CommandError(f"{download.format.label} is no text for a terminal. Name a file with --output.")
        for piece in download.pieces():
            self.stdout.write(piece.decode(), ending="")


def format_of(output: str) -> str:
    """The format whose ending the file's name has; JSON Lines for any other."""
    fitting = [each for each in FORMATS.values() if output.endswith(each.suffix)]
    return fitting[0].name if fitting else "jsonl"


def find_snapshot(source: str, new: str | None) -> Snapshot:
    """The snapshot that `source` names, made first when `new` is given. Raises CommandError."""
    if source.startswith("snapshot:"):
        snapshot = Snapshot.objects.filter(pk=whole_number(source.removeprefix("snapshot:"))).first()
        if snapshot is None:
            raise CommandError(f"There is no {source}.")
        return finished(snapshot)
    project = find_project(source)
    if new:
        return finished(freeze(project, new))
    snapshot = Snapshot.objects.of_project(project).filter(status=JobStatus.SUCCEEDED).order_by("-id").first()
    if snapshot is None:
        raise CommandError(f"Project “{project}” has no finished snapshot. Add --new NAME to make one.")
    return snapshot


def find_project(source: str) -> Project:
    number = whole_number(source)
    found = list(Project.objects.filter(pk=number) if number else Project.objects.filter(name=source)[:2])
    if len(found) == 1:
        return found[0]
    several = f"Several projects are called {source!r}; name one by its id."
    raise CommandError(several if found else f"There is no project {source!r}.")


def freeze(project: Project, name: str) -> Snapshot:
    try:
        return create_snapshot(project=project, user=project.created_by, name=name, build_here=True)
    except SnapshotError as error:
        raise CommandError(str(error)) from error


def finished(snapshot: Snapshot) -> Snapshot:
    if snapshot.status != JobStatus.SUCCEEDED:
        why = f": {snapshot.error}" if snapshot.error else "; wait for its worker, then try again."
        raise CommandError(f"Snapshot “{snapshot}” is {snapshot.get_status_display().lower()}{why}")
    return snapshot


def whole_number(text: str) -> int:
    """The id in `text`; 0, which is nobody's, when it is none."""
    return int(text) if text.isdecimal() and len(text) < 19 else 0


def write_file(path: Path, pieces: Iterator[bytes]) -> None:
    """Write beside the file's place and move it there when whole. Raises CommandError when it cannot be written."""
    aside = path.with_name(f"{path.name}.partial")
    try:
        with aside.open("wb") as file:
            for piece in pieces:
                file.write(piece)
        aside.replace(path)
    except OSError as error:
        raise CommandError(f"{path} could not be written: {error.strerror}.") from error
