"""Snapshots, and the files they make."""

from __future__ import annotations

from django.http import Http404, HttpResponse, HttpResponseBase

from annotate.access import OWNERS, REVIEWERS, get_in_project
from annotate.api.operations import Call, operation
from annotate.api.paging import Page, page_of
from annotate.api.problems import Conflict, conflicting, refused
from annotate.api.serializers.snapshots import (
    NewFileSerializer,
    NewSnapshotSerializer,
    SnapshotFileSerializer,
    SnapshotSerializer,
    SplitQuery,
    StartedSerializer,
)
from annotate.exports.downloads import find_download
from annotate.exports.formats import FORMATS
from annotate.exports.forms import UnknownForm
from annotate.models import JobStatus, Scope, Snapshot, SnapshotFile
from annotate.querysets import JobQuerySet
from annotate.services.snapshot_cards import write_card
from annotate.services.snapshot_files import prepare_file
from annotate.services.snapshot_filters import FilterError
from annotate.services.snapshots import SnapshotError, create_snapshot, retry_snapshot
from annotate.views.snapshots import send_download

WRITTEN_AS = tuple(dict.fromkeys(one.content_type.split(";")[0] for one in FORMATS.values()))


def snapshots_of(call: Call) -> JobQuerySet:
    rows: JobQuerySet = Snapshot.objects.visible_to(call.user).select_related("created_by", "project")
    return rows


@operation("GET", scope=Scope.READ, roles=REVIEWERS, answer=SnapshotSerializer, paged=True)
def list_snapshots(call: Call) -> Page:
    """The project's snapshots."""
    return page_of(snapshots_of(call).of_project(call.project), call.query)


@operation("GET", scope=Scope.READ, roles=REVIEWERS, answer=SnapshotSerializer)
def show_snapshot(call: Call, pk: int) -> Snapshot:
    """One snapshot."""
    return get_snapshot(call, pk)


def get_snapshot(call: Call, pk: int) -> Snapshot:
    found: Snapshot = get_in_project(snapshots_of(call), call.membership, pk)
    return found


@operation(
    "POST",
    scope=Scope.WRITE,
    roles=OWNERS,
    body=NewSnapshotSerializer,
    answer=SnapshotSerializer,
    status=201,
    example={"name": "June", "filters": {"kinds": ["comparison"], "include_ties": False}, "test_fraction": 0.2},
)
def freeze_snapshot(call: Call) -> Snapshot:
    """Freeze the judgements that the filters take, a share of the prompts held out.

    The same name with the same settings is the snapshot there is. A large one is built in the background.
    """
    data = call.data
    with refused(FilterError, field="filters"), refused(SnapshotError, field="name"):
        snapshot = create_snapshot(
            project=call.project,
            user=call.user,
            name=data["name"],
            filters=data.get("filters"),
            test_fraction=data["test_fraction"],
            split_seed=data["split_seed"],
        )
    return get_snapshot(call, snapshot.pk)


@operation("POST", scope=Scope.WRITE, roles=OWNERS, answer=StartedSerializer)
def retry_a_snapshot(call: Call, pk: int) -> dict[str, bool]:
    """Build a failed snapshot once more."""
    return {"changed": retry_snapshot(snapshot=get_snapshot(call, pk), user=call.user)}


@operation(
    "GET",
    scope=Scope.READ,
    roles=REVIEWERS,
    query=SplitQuery,
    media_types=WRITTEN_AS,
    ranged=True,
    conflicts=True,
)
def download_snapshot(call: Call, pk: int, form: str) -> HttpResponseBase:
    """The snapshot in this form, streamed, the same bytes every time: JSON Lines, or the format that is asked for.

    Forms: `trl`, `trl-conversational`, `hh`, `sft`, `unpaired`, `prompts`, `openai-dpo`, `openai-sft`, `helpsteer`,
    `ultrafeedback`, `ultrafeedback-binarized`, `argilla`, `comparisons`, `groups`, `lossless`. The headers X-Rows and
    X-Rows-Left-Out say how many lines there are, and how many judgements have none in this form.
    """
    snapshot = get_snapshot(call, pk)
    try:
        download = find_download(snapshot, form, call.query.get("split"), call.query.get("format"))
    except UnknownForm as error:
        raise Http404(str(error)) from error
    if snapshot.status != JobStatus.SUCCEEDED:
        raise Conflict(f"Snapshot “{snapshot}” is not finished; it is {snapshot.get_status_display().lower()}.")
    return send_download(call.request._request, download)


@operation(
    "POST",
    scope=Scope.READ,
    roles=REVIEWERS,
    body=NewFileSerializer,
    answer=SnapshotFileSerializer,
    conflicts=True,
    example={"form": "lossless", "format": "parquet"},
)
def prepare_a_file(call: Call, pk: int) -> SnapshotFile:
    """Have a file written, in the background where it is large, so that its download can be taken up again (Range).

    It is kept for a week. Asking again answers how far it is.
    """
    data = call.data
    with refused(UnknownForm, field="format"), conflicting(SnapshotError):
        return prepare_file(
            snapshot=get_snapshot(call, pk),
            user=call.user,
            form=data["form"],
            split=data["split"],
            format=data["format"],
        )


@operation("GET", scope=Scope.READ, roles=REVIEWERS, media_types=("text/markdown",), conflicts=True)
def show_data_card(call: Call, pk: int) -> HttpResponseBase:
    """The snapshot's data card as Markdown: who judged, how far they agree, under which guidelines, known limits."""
    snapshot = get_snapshot(call, pk)
    if snapshot.status != JobStatus.SUCCEEDED:
        raise Conflict(f"Snapshot “{snapshot}” is not finished; it is {snapshot.get_status_display().lower()}.")
    return HttpResponse(write_card(snapshot), content_type="text/markdown; charset=utf-8")
