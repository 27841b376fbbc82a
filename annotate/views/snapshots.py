"""Snapshots: the list, making one, looking into one, downloading it."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.cache import get_conditional_response
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from annotate.access import OWNERS, REVIEWERS, SignedInRequest, get_in_project, get_membership
from annotate.exports.downloads import Download, find_download
from annotate.exports.forms import FORMS, UnknownForm
from annotate.exports.lines import count_lines
from annotate.forms.snapshots import FileForm, SnapshotForm
from annotate.models import JobStatus, Membership, Project, Snapshot
from annotate.paging import page_of
from annotate.services.snapshot_cards import write_card
from annotate.services.snapshot_facts import describe_snapshot
from annotate.services.snapshot_files import find_finished, list_files, prepare_file
from annotate.services.snapshot_filters import matching_judgements, parse_filters
from annotate.services.snapshots import SnapshotError, create_snapshot, retry_snapshot, suggest_name
from annotate.views.partial import send_file


@login_required
@require_safe
def project_snapshots(request: SignedInRequest, project_id: int) -> HttpResponse:
    membership = get_membership(request.user, project_id, REVIEWERS)
    snapshots = Snapshot.objects.visible_to(request.user).of_project(membership.project).select_related("created_by")
    page = page_of(request, snapshots)
    context = {
        "project": membership.project,
        "membership": membership,
        "snapshots": page.rows,
        "newer_url": page.newer_url,
        "older_url": page.older_url,
    }
    return render(request, "snapshots/list.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def snapshot_create(request: SignedInRequest, project_id: int) -> HttpResponse:
    """The form; a GET with fields counts what they match, a POST freezes it."""
    membership = get_membership(request.user, project_id, OWNERS)
    project = membership.project
    data = request.POST if request.method == "POST" else request.GET
    form = SnapshotForm(data or None, project=project, suggested_name=suggest_name(project))
    if request.method == "POST" and form.is_valid():
        snapshot = freeze(request, form, project)
        if snapshot:
            return redirect("snapshot-detail", project.pk, snapshot.pk)
    context = {"project": project, "membership": membership, "form": form, "matching": count_matching(form, project)}
    if request.htmx and request.method == "GET":
        return render(request, "snapshots/create.html#count", context)
    return render(request, "snapshots/create.html", context, status=422 if request.method == "POST" else 200)


def freeze(request: SignedInRequest, form: SnapshotForm, project: Project) -> Snapshot | None:
    """The new snapshot, or None with the reason on the form."""
    data = form.cleaned_data
    try:
        return create_snapshot(
            project=project,
            user=request.user,
            name=data["name"],
            filters=form.filters().to_json(),
            test_fraction=data["held_out"] / 100,
            split_seed=data["split_seed"],
        )
    except SnapshotError as error:
        form.add_error(None, str(error))
        return None


def count_matching(form: SnapshotForm, project: Project) -> int | None:
    """How many judgements the form takes; None while it cannot be read."""
    if form.is_bound and any(name not in SnapshotForm.SPLIT for name in form.errors):
        return None
    return matching_judgements(project, form.filters()).count()


@login_required
@require_safe
def snapshot_detail(request: SignedInRequest, project_id: int, pk: int) -> HttpResponse:
    membership = get_membership(request.user, project_id, REVIEWERS)
    snapshot = get_in_project(Snapshot.objects.visible_to(request.user), membership, pk)
    return render_detail(request, membership, snapshot, FileForm())


def render_detail(
    request: SignedInRequest, membership: Membership, snapshot: Snapshot, form: FileForm, *, status: int = 200
) -> HttpResponse:
    context = {
        "project": membership.project,
        "membership": membership,
        "snapshot": snapshot,
        "filter_words": parse_filters(snapshot.filters).describe(),
    }
    if snapshot.status == JobStatus.SUCCEEDED:
        files = list_files(snapshot)
        context |= {"facts": describe_snapshot(snapshot), "downloads": list_downloads(snapshot), "file_form": form}
        context |= {"files": files, "is_writing": any(file.is_active for file, _ in files)}
    name = "snapshots/detail.html#state" if request.htmx else "snapshots/detail.html"
    return render(request, name, context, status=status)


def list_downloads(snapshot: Snapshot) -> list[dict[str, object]]:
    return [{"form": form, "counts": count_lines(snapshot, form.name)} for form in FORMS.values()]


@login_required
@require_POST
def snapshot_retry(request: SignedInRequest, project_id: int, pk: int) -> HttpResponse:
    membership = get_membership(request.user, project_id, OWNERS)
    snapshot = get_in_project(Snapshot.objects.visible_to(request.user), membership, pk)
    if not retry_snapshot(snapshot=snapshot, user=request.user):
        messages.info(request, "This snapshot is under way or finished.")
    return redirect("snapshot-detail", project_id, pk)


@login_required
@require_safe
def snapshot_download(request: SignedInRequest, project_id: int, pk: int, form: str) -> HttpResponseBase:
    """The snapshot in this form, streamed; ?split=train or test for one side, ?format= for other than JSON Lines."""
    membership = get_membership(request.user, project_id, REVIEWERS)
    snapshot = get_in_project(Snapshot.objects.visible_to(request.user), membership, pk)
    try:
        download = find_download(snapshot, form, request.GET.get("split"), request.GET.get("format"))
    except UnknownForm as error:
        return HttpResponse(str(error), status=404, content_type="text/plain; charset=utf-8")
    if snapshot.status != JobStatus.SUCCEEDED:
        return HttpResponse("This snapshot is not finished.", status=409, content_type="text/plain; charset=utf-8")
    return send_download(request, download)


def send_download(request: HttpRequest, download: Download) -> HttpResponseBase:
    """The file that was prepared, which can be taken up where it broke off, else a stream.

    Headers say how many rows there are and how many judgements have none in this form.
    """
    counts = download.counts()
    headers = {
        "Content-Disposition": f'attachment; filename="{download.filename}"',
        "ETag": download.etag,
        "Cache-Control": "private, no-cache",
        "X-Rows": str(counts.rows),
        "X-Rows-Left-Out": str(counts.judgements_left_out),
    }
    if path := find_finished(download):
        return send_file(request, path, content_type=download.format.content_type, headers=headers)
    known = get_conditional_response(request, etag=download.etag)
    pieces = () if request.method == "HEAD" else download.pieces()
    return known or StreamingHttpResponse(pieces, content_type=download.format.content_type, headers=headers)


@login_required
@require_POST
def snapshot_prepare(request: SignedInRequest, project_id: int, pk: int) -> HttpResponse:
    """Have a file written that can be downloaded in parts."""
    membership = get_membership(request.user, project_id, REVIEWERS)
    snapshot = get_in_project(Snapshot.objects.visible_to(request.user), membership, pk)
    form = FileForm(request.POST)
    if form.is_valid():
        try:
            prepare_file(snapshot=snapshot, user=request.user, **form.cleaned_data)
            return redirect(reverse("snapshot-detail", args=[project_id, pk]) + "#files")
        except (UnknownForm, SnapshotError) as error:
            form.add_error(None, str(error))
    return render_detail(request, membership, snapshot, form, status=422)


@login_required
@require_safe
def snapshot_card(request: SignedInRequest, project_id: int, pk: int) -> HttpResponse:
    """The data card as a page; ?raw for its Markdown as a file."""
    membership = get_membership(request.user, project_id, REVIEWERS)
    snapshot = get_in_project(Snapshot.objects.visible_to(request.user), membership, pk)
    if snapshot.status != JobStatus.SUCCEEDED:
        return HttpResponse("This snapshot is not finished.", status=409, content_type="text/plain; charset=utf-8")
    card = write_card(snapshot)
    if "raw" in request.GET:
        name = find_download(snapshot, "lossless").filename.replace("-lossless.jsonl", "-card.md")
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return HttpResponse(card, content_type="text/markdown; charset=utf-8", headers=headers)
    context = {"project": membership.project, "membership": membership, "snapshot": snapshot, "card": card}
    return render(request, "snapshots/card.html", context)
