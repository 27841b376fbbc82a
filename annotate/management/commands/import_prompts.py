"""Import a file on the spot: the upload's checks, storage and report, without a browser or a worker."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from annotate.imports.presets.mapped import ROLES
from annotate.imports.rows import FileRefused
from annotate.models import Import, JobStatus, Project, Role, User
from annotate.models.projects import SCALE_MAXIMUM
from annotate.services.import_runs import run_import
from annotate.services.imports import accept_import, create_import, set_options
from annotate.services.uploads import job_options

REFUSED_SHOWN = 20


class Command(BaseCommand):
    help = "Import a file of prompts, responses or judgements into a project and report what became of its rows."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("project", type=int, help="the project's number, as in its address")
        parser.add_argument("file", type=Path)
        parser.add_argument("--contents", choices=Import.Contents.values, help="default: what the first row looks like")
        parser.add_argument(
            "--columns",
            type=read_columns,
            default={},
            metavar="ROLE=COLUMN,…",
            help=f"for --contents mapped: which column is what; roles: {', '.join(ROLES)}",
        )
        parser.add_argument("--points", type=int, choices=SCALE_MAXIMUM, help="the scale of a mapped preference")
        parser.add_argument("--id-prefix", default="", help="put before each id of the file")
        parser.add_argument("--user", help="e-mail of the owner who imports; default: the project's first owner")

    def handle(self, *args: Any, **options: Any) -> None:
        project = Project.objects.filter(pk=options["project"]).first()
        if project is None:
            raise CommandError(f"There is no project {options['project']}. Its number stands in its address.")
        user = find_owner(project, options["user"])
        chosen = {name: options[name] for name in ("id_prefix", "columns", "points")}
        contents = options["contents"] or ("mapped" if options["columns"] else "")
        job = import_file(project, user, options["file"], contents, chosen)
        self.stdout.write(
            f"{job.filename}: {job.rows_read:,} rows read, {job.rows_added:,} added, "
            f"{job.rows_known:,} already there, {job.rows_refused:,} refused"
        )
        refused = job.refused.order_by("row_number")
        for row in refused[:REFUSED_SHOWN]:
            self.stdout.write(f"  row {row.row_number}: {row.reason}")
        if job.rows_refused > REFUSED_SHOWN:
            self.stdout.write(f"  … and {job.rows_refused - REFUSED_SHOWN:,} more; the import's page has them all.")
        if job.status != JobStatus.SUCCEEDED:
            raise CommandError(job.error or f"The import ended as {job.get_status_display().lower()}.")


def read_columns(text: str) -> dict[str, str]:
    """“prompt=question,chosen=best” as {role: column}. Raises ArgumentTypeError for a role that there is not."""
    pairs = [part.partition("=") for part in text.split(",")]
    if strange := next((role for role, _, column in pairs if role.strip() not in ROLES or not column.strip()), None):
        raise ArgumentTypeError(
            f"“{strange}” is no role with a column; write ROLE=COLUMN with one of {', '.join(ROLES)}"
        )
    return {role.strip(): column.strip() for role, _, column in pairs}


def import_file(project: Project, user: User, path: Path, contents: str, chosen: dict[str, Any]) -> Import:
    """Import the file in this process, with these of its options. Raises CommandError when it cannot be read at all."""
    try:
        with path.open("rb") as content:
            job = create_import(project=project, user=user, content=content, filename=path.name, contents=contents)
        options = replace(job_options(job), **chosen)
        set_options(job=job, format=job.format, contents=job.contents, options=options)
        accept_import(job=job, user=user)
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}.") from error
    except FileRefused as error:
        raise CommandError(str(error)) from error
    run_import(job)
    return job


def find_owner(project: Project, email: str | None) -> User:
    """The owner with this address, or the first there is. Raises CommandError."""
    owners = User.objects.filter(memberships__project=project, memberships__role=Role.OWNER).order_by("memberships__pk")
    owner = owners.filter(email=email.lower()).first() if email else owners.first()
    if owner is None:
        raise CommandError(f"{email or 'Nobody'} owns the project “{project}”. Name one of its owners with --user.")
    return owner
