"""Imports: a file comes in, waits to be confirmed, and is read in the background."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from annotate.access import OWNERS, REVIEWERS, get_in_project
from annotate.api.operations import Call, operation
from annotate.api.paging import Page, PageQuery, page_of
from annotate.api.problems import Conflict, Invalid, refused
from annotate.api.serializers.imports import (
    ImportOptionsSerializer,
    ImportQuery,
    ImportSerializer,
    NewImportSerializer,
    PreviewSerializer,
    RefusedRowSerializer,
)
from annotate.api.serializers.snapshots import StartedSerializer
from annotate.imports.rows import FileRefused, Options
from annotate.models import Import, JobStatus, RefusedRow, Scope
from annotate.querysets import JobQuerySet
from annotate.services.imports import cancel_import, confirm_import, create_import, set_options
from annotate.services.previews import PreviewRow, preview_import


def imports_of(call: Call) -> JobQuerySet:
    rows: JobQuerySet = Import.objects.visible_to(call.user).select_related("created_by", "project")
    return rows


def get_import(call: Call, pk: int) -> Import:
    found: Import = get_in_project(imports_of(call), call.membership, pk)
    return found


@operation("GET", scope=Scope.READ, roles=REVIEWERS, query=ImportQuery, answer=ImportSerializer, paged=True)
def list_imports(call: Call) -> Page:
    """The project's imports."""
    rows = imports_of(call).of_project(call.project)
    return page_of(rows.filter(status=call.query["status"]) if "status" in call.query else rows, call.query)


@operation("GET", scope=Scope.READ, roles=REVIEWERS, answer=ImportSerializer)
def show_import(call: Call, pk: int) -> Import:
    """One import: how far it is, and what became of its rows."""
    return get_import(call, pk)


@operation("GET", scope=Scope.READ, roles=REVIEWERS, answer=PreviewSerializer, conflicts=True)
def preview_draft(call: Call, pk: int) -> dict[str, Any]:
    """What a draft would do, before it is confirmed. Nothing is stored."""
    job = get_import(call, pk)
    if job.status != JobStatus.DRAFT:
        raise Conflict("This import is confirmed; its refused rows say what was not taken.")
    with refused(FileRefused, field="file"):
        found = preview_import(job)
    return {
        **{name: getattr(found, name) for name in ("columns", "recognised", "problem", "is_complete")},
        "new": found.new_count,
        "known": found.known_count,
        "rows": [describe(row) for row in found.shown],
        "refused": [{"row": row.number, "reason": row.reason} for row in found.refused_shown],
    }


def describe(row: PreviewRow) -> dict[str, Any]:
    return {
        "row": row.number,
        "prompt": row.excerpt,
        "responses": [{"author": author, "text": text} for author, text in row.responses],
        "said": [{"annotator": annotator, "said": said} for annotator, said in row.said],
        "is_known": row.is_known,
    }


@operation(
    "POST",
    scope=Scope.WRITE,
    roles=OWNERS,
    body=NewImportSerializer,
    answer=ImportSerializer,
    status=201,
    example={"text": '{"prompt": "How long do I boil an egg?"}', "filename": "eggs.jsonl", "confirm": True},
)
def send_file(call: Call) -> Import:
    """Send a file, or its text.

    JSON Lines, JSON, CSV, Parquet and plain text, each also gzipped. What is in it is found out from its first row.
    """
    data = call.data
    if ("file" in data) == ("text" in data):
        raise Invalid({"file": "Send a file or text: one of the two."})
    content, filename = (data["file"], data["file"].name) if "file" in data else text_file(data)
    with refused(FileRefused, field="file" if "file" in data else "text"):
        job = create_import(
            project=call.project,
            user=call.user,
            content=content,
            filename=filename,
            contents=data.get("contents", ""),
        )
        if data["confirm"]:
            confirm_import(job=job, user=call.user)
    return get_import(call, job.pk)


def text_file(data: dict[str, str]) -> tuple[BytesIO, str]:
    return BytesIO(data["text"].encode()), data["filename"]


@operation(
    "PATCH",
    scope=Scope.WRITE,
    roles=OWNERS,
    body=ImportOptionsSerializer,
    answer=ImportSerializer,
    conflicts=True,
    guards=show_import,
    example={"contents": "mapped", "columns": {"prompt": "question", "chosen": "better", "rejected": "worse"}},
)
def change_import(call: Call, pk: int) -> Import:
    """Change how a draft is read."""
    job, data = get_import(call, pk), call.data
    if job.status != JobStatus.DRAFT:
        raise Conflict("This import is confirmed; how it is read cannot be changed any more.")
    chosen = {name: data[name] for name in data if name not in ("format", "contents")}
    set_options(
        job=job,
        format=data.get("format", job.format),
        contents=data.get("contents", job.contents),
        options=Options(**{**job.options, **chosen}),
    )
    return get_import(call, pk)


@operation("POST", scope=Scope.WRITE, roles=OWNERS, answer=StartedSerializer)
def confirm_an_import(call: Call, pk: int) -> dict[str, bool]:
    """Read a draft's file in the background, or go on with one that failed or was cancelled."""
    with refused(FileRefused, field="file"):
        return {"changed": confirm_import(job=get_import(call, pk), user=call.user)}


@operation("POST", scope=Scope.WRITE, roles=OWNERS, answer=StartedSerializer)
def cancel_an_import(call: Call, pk: int) -> dict[str, bool]:
    """Stop an import. What is stored stays."""
    return {"changed": cancel_import(job=get_import(call, pk), user=call.user)}


@operation("GET", scope=Scope.READ, roles=REVIEWERS, query=PageQuery, answer=RefusedRowSerializer, paged=True)
def list_refused_rows(call: Call, pk: int) -> Page:
    """The rows that were not taken, each with the reason and as it was."""
    return page_of(RefusedRow.objects.filter(job=get_import(call, pk)), call.query)
