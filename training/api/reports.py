"""What is known of a model: where it comes from, its card, and what a reward model gets right."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.utils.text import slugify

from annotate.access import OWNERS, REVIEWERS, get_in_project
from annotate.api.operations import Call, operation
from annotate.api.paging import Page, page_of
from annotate.api.problems import Invalid, invalid
from annotate.models import JobStatus, Scope, Snapshot
from annotate.querysets import JobQuerySet
from training.api.models import get_model
from training.api.serializers.reports import (
    LineageQuery,
    LineageSerializer,
    NewReportSerializer,
    ReportSerializer,
)
from training.models import RewardReport
from training.services.cards import card_markdown, describe_model
from training.services.lineage import trace_project
from training.services.reward_reports import start_report


@operation("GET", scope=Scope.READ, roles=REVIEWERS, query=LineageQuery, answer=LineageSerializer)
def show_lineage(call: Call) -> dict[str, Any]:
    """What was made from what: base models, judgements, runs, models, responses, and judgements again."""
    focus = get_model(call, call.query["model"]) if "model" in call.query else None
    lines = trace_project(call.project, focus=focus).lines()
    return {
        "nodes": [
            {"key": node.key, "kind": node.kind, "label": node.label, "note": node.note}
            | {"sources": [source.key for source in sources]}
            for node, sources in lines
        ]
    }


@operation("GET", scope=Scope.READ, roles=REVIEWERS, media_types=("text/markdown",))
def show_card(call: Call, pk: int) -> HttpResponse:
    """A model's card as a README.md in Hugging Face's form."""
    model = get_model(call, pk)
    answer = HttpResponse(card_markdown(describe_model(model)), content_type="text/markdown; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{slugify(model.name) or "model"}-card.md"'
    return answer


def reports_of(call: Call) -> JobQuerySet:
    rows: JobQuerySet = RewardReport.objects.visible_to(call.user).select_related("created_by", "project")
    return rows


@operation("GET", scope=Scope.READ, roles=REVIEWERS, answer=ReportSerializer, paged=True)
def list_reports(call: Call, pk: int) -> Page:
    """The reports on a reward model, one a snapshot."""
    return page_of(reports_of(call).filter(model=get_model(call, pk)), call.query)


@operation("GET", scope=Scope.READ, roles=REVIEWERS, answer=ReportSerializer)
def show_report(call: Call, pk: int) -> RewardReport:
    """One report: how far it is, and its figures."""
    return get_report(call, pk)


def get_report(call: Call, pk: int) -> RewardReport:
    found: RewardReport = get_in_project(reports_of(call), call.membership, pk)
    return found


@operation(
    "POST",
    scope=Scope.TRAIN,
    roles=OWNERS,
    body=NewReportSerializer,
    answer=ReportSerializer,
    status=201,
    example={"snapshot": 1},
)
def report(call: Call, pk: int) -> RewardReport:
    """Have a report made on a reward model and a snapshot; the one there is, unless it failed."""
    model = get_model(call, pk)
    try:
        made = start_report(model=model, snapshot=built_snapshot(call), user=call.user)
    except ValidationError as error:
        raise invalid(error, otherwise="snapshot") from error
    return get_report(call, made.pk)


def built_snapshot(call: Call) -> Snapshot:
    """The snapshot that the body names, with judgements held out. Raises Invalid."""
    rows = Snapshot.objects.visible_to(call.user).of_project(call.project)
    found = rows.filter(status=JobStatus.SUCCEEDED, test_count__gt=0, pk=call.data["snapshot"]).first()
    if found is None:
        number = call.data["snapshot"]
        raise Invalid({"snapshot": f"No snapshot {number} of this project is built and holds judgements out."})
    return found
