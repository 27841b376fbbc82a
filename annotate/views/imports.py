"""Imports: upload or paste, preview, confirm, watch, and take the refused rows home."""

from __future__ import annotations

import json
from collections.abc import Iterator

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from annotate.access import OWNERS, REVIEWERS, SignedInRequest, get_in_project, get_membership
from annotate.exports.formats import Columns, write_csv
from annotate.forms.imports import KNOWN_FORMATS, OptionsForm, UploadForm
from annotate.imports.rows import FileRefused
from annotate.models import Import, JobStatus, Membership, RefusedRow
from annotate.paging import page_of
from annotate.services.imports import cancel_import, confirm_import, create_import, set_options
from annotate.services.previews import preview_import

REFUSED_SHOWN = 20
REFUSED_COLUMNS: Columns = {"row": "integer", "reason": "text", "raw": "text"}


@login_required
@require_safe
def project_imports(request: SignedInRequest, project_id: int) -> HttpResponse:
    membership = get_membership(request.user, project_id, REVIEWERS)
    jobs = Import.objects.visible_to(request.user).of_project(membership.project)
    page = page_of(request, jobs)
    context = {
        "project": membership.project,
        "membership": membership,
        "imports": page.rows,
        "newer_url": page.newer_url,
        "older_url": page.older_url,
    }
    return render(request, "imports/list.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def import_create(request: SignedInRequest, project_id: int) -> HttpResponse:
    membership = get_membership(request.user, project_id, OWNERS)
    sent_bytes = int(request.META.get("CONTENT_LENGTH") or 0)
    form = UploadForm(request.POST, request.FILES, sent_bytes=sent_bytes) if request.method == "POST" else UploadForm()
    if form.is_valid():
        content, filename = form.content()
        try:
            job = create_import(
                project=membership.project,
                user=request.user,
                content=content,
                filename=filename,
                contents=form.cleaned_data["contents"],
            )
        except FileRefused as error:
            form.add_error("file" if filename else "text", str(error))
        else:
            return redirect("import-detail", project_id, job.pk)
    context = {"project": membership.project, "membership": membership, "form": form, "formats": KNOWN_FORMATS}
    return render(request, "imports/create.html", context, status=422 if form.is_bound else 200)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def import_detail(request: SignedInRequest, project_id: int, pk: int) -> HttpResponse:
    """A draft's preview; later its progress and result. A post changes a draft's settings, or confirms."""
    membership = get_membership(request.user, project_id, OWNERS if request.method == "POST" else REVIEWERS)
    job = get_in_project(Import.objects.visible_to(request.user), membership, pk)
    if job.status == JobStatus.DRAFT:
        return _draft(request, membership, job)
    if request.method == "POST":
        return redirect("import-detail", project_id, pk)
    context = {
        "project": membership.project,
        "membership": membership,
        "job": job,
        "refused": job.refused.order_by("row_number")[:REFUSED_SHOWN],
    }
    fragment = "#progress" if request.htmx and not request.htmx.history_restore_request else ""
    response = render(request, f"imports/detail.html{fragment}", context)
    patch_vary_headers(response, ["HX-Request"])
    return response


@login_required
@require_POST
def import_resume(request: SignedInRequest, project_id: int, pk: int) -> HttpResponse:
    """A failed or cancelled import goes on where it stopped."""
    membership = get_membership(request.user, project_id, OWNERS)
    job = get_in_project(Import.objects.visible_to(request.user), membership, pk)
    _confirm(request, job)
    return redirect("import-detail", project_id, pk)


@login_required
@require_POST
def import_cancel(request: SignedInRequest, project_id: int, pk: int) -> HttpResponse:
    membership = get_membership(request.user, project_id, OWNERS)
    job = get_in_project(Import.objects.visible_to(request.user), membership, pk)
    if not cancel_import(job=job, user=request.user):
        messages.info(request, "The import had ended already.")
    return redirect("import-detail", project_id, pk)


@login_required
@require_safe
def import_refused(request: SignedInRequest, project_id: int, pk: int) -> StreamingHttpResponse:
    """The refused rows as JSON Lines: row, reason and the row as it was."""
    membership = get_membership(request.user, project_id, REVIEWERS)
    job = get_in_project(Import.objects.visible_to(request.user), membership, pk)
    response = StreamingHttpResponse(_refused_lines(job), content_type="application/x-ndjson")
    response["Content-Disposition"] = f'attachment; filename="import-{job.pk}-refused.jsonl"'
    return response


@login_required
@require_safe
def import_refused_csv(request: SignedInRequest, project_id: int, pk: int) -> StreamingHttpResponse:
    """The same for a spreadsheet; no cell is one that it would execute."""
    membership = get_membership(request.user, project_id, REVIEWERS)
    job = get_in_project(Import.objects.visible_to(request.user), membership, pk)
    rows = ({"row": row.row_number, "reason": row.reason, "raw": row.raw} for row in _refused_rows(job))
    response = StreamingHttpResponse(write_csv(REFUSED_COLUMNS, rows), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="import-{job.pk}-refused.csv"'
    return response


def _draft(request: SignedInRequest, membership: Membership, job: Import) -> HttpResponse:
    preview = preview_import(job)
    form = OptionsForm(job, preview.columns, request.POST if request.method == "POST" else None)
    if form.is_valid():
        data = form.cleaned_data
        set_options(job=job, format=data["format"], contents=data["contents"], options=form.options())
        if "confirm" in request.POST:
            _confirm(request, job)
        return redirect("import-detail", membership.project_id, job.pk)
    context = {
        "project": membership.project,
        "membership": membership,
        "job": job,
        "form": form,
        "preview": preview,
    }
    return render(request, "imports/preview.html", context, status=422 if form.is_bound else 200)


def _confirm(request: SignedInRequest, job: Import) -> None:
    try:
        if not confirm_import(job=job, user=request.user):
            messages.info(request, "This import is under way or done already.")
    except FileRefused as error:
        messages.error(request, str(error))


def _refused_rows(job: Import) -> Iterator[RefusedRow]:
    return job.refused.order_by("row_number").iterator(chunk_size=500)


def _refused_lines(job: Import) -> Iterator[str]:
    for row in _refused_rows(job):
        line = {"row": row.row_number, "reason": row.reason, "raw": row.raw}
        yield json.dumps(line, ensure_ascii=False) + "\n"
