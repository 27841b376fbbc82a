"""The report on a reward model, and the ablation of what it was trained with."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from annotate.access import OWNERS, REVIEWERS, SignedInRequest, get_in_project, get_membership
from annotate.models import JobStatus, Membership, Project, Snapshot
from annotate.paging import read_number
from training.learning_picture import draw_learning_curve, say_forecast
from training.models import ModelVersion, RewardReport
from training.pictures import pictures_of
from training.services.reward_reports import start_report


@login_required
@require_http_methods(["GET", "POST"])
def model_report(request: SignedInRequest, project_id: int, pk: int) -> HttpResponse:
    """The newest report, or that on `?snapshot=`; a POST with a snapshot makes one."""
    membership = get_membership(request.user, project_id, OWNERS if request.method == "POST" else REVIEWERS)
    models = ModelVersion.objects.visible_to(request.user).select_related("run", "project")
    model = get_in_project(models, membership, pk)
    if model.kind != ModelVersion.Kind.REWARD:
        raise Http404("Only reward models have a report.")
    if request.method == "POST":
        snapshot = find_snapshot(membership.project, read_number(request.POST.get("snapshot")))
        if snapshot is None:
            return show_report(request, membership, model, problem="Choose a snapshot that has been built.")
        start_report(model=model, snapshot=snapshot, user=membership.user)
        return redirect(f"{request.path}?snapshot={snapshot.pk}")
    return show_report(request, membership, model)


def show_report(
    request: SignedInRequest, membership: Membership, model: ModelVersion, *, problem: str = ""
) -> HttpResponse:
    reports = RewardReport.objects.filter(model=model).select_related("snapshot", "created_by").order_by("-pk")
    report = reports.filter(snapshot=read_number(request.GET.get("snapshot"))).first() or reports.first()
    context = {
        "project": membership.project,
        "membership": membership,
        "model": model,
        "report": report,
        "reports": reports,
        "snapshots": built_snapshots(membership.project),
        "preferred": report.snapshot_id if report else model.run.snapshot_id if model.run else None,
        "problem": problem,
        **(pictures(report.figures) if report and report.figures else {}),
    }
    part = "#live" if request.htmx else ""
    return render(request, f"training/model_report.html{part}", context, status=422 if problem else 200)


def pictures(figures: dict[str, Any]) -> dict[str, Any]:
    curve = figures["curve"]
    return {
        "pictures": pictures_of(figures),
        "curve_picture": draw_learning_curve(curve),
        "forecast": say_forecast(curve),
    }


def built_snapshots(project: Project) -> Any:
    return Snapshot.objects.of_project(project).filter(status=JobStatus.SUCCEEDED, test_count__gt=0).order_by("-pk")


def find_snapshot(project: Project, number: int) -> Snapshot | None:
    found: Snapshot | None = built_snapshots(project).filter(pk=number).first()
    return found
