"""Runs side by side."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from annotate.access import REVIEWERS, SignedInRequest, get_membership
from annotate.paging import read_number
from training.comparison import (
    MOST_RUNS,
    compare_figures,
    compare_samples,
    compare_settings,
    overlaid_charts,
    table_of,
)
from training.curves import EVAL, TRAIN
from training.models import Run, RunEvent


@login_required
@require_GET
def run_compare(request: SignedInRequest, project_id: int) -> HttpResponse:
    """Two to four runs, named by `?run=` each; 422 with the list to choose from when they are fewer or more."""
    membership = get_membership(request.user, project_id, REVIEWERS)
    project = membership.project
    wanted = [read_number(value) for value in request.GET.getlist("run")]
    visible = Run.objects.visible_to(request.user).of_project(project)
    runs = list(visible.filter(pk__in=wanted).select_related("snapshot", "base_model", "output").order_by("pk"))
    context = {"project": project, "membership": membership, "runs": runs, "most": MOST_RUNS}
    if not 2 <= len(runs) <= MOST_RUNS:
        context["choices"] = visible.select_related("snapshot").order_by("-pk")[:100]
        return render(request, "training/run_compare_choose.html", context, status=422 if wanted else 200)
    settings, events = compare_settings(runs), newest_events(runs)
    context |= {
        "differing": [line for line in settings if line.differs],
        "alike": [line for line in settings if not line.differs],
        "figures": compare_figures(runs),
        "table": table_of(runs, events),
        "samples": compare_samples(runs, [event for event in events if event.kind == "sample"]),
        "charts": overlaid_charts(runs),
        "sources": [{"name": run.name, "url": reverse("run-events", args=[project.pk, run.pk])} for run in runs],
    }
    return render(request, "training/run_compare.html", context)


def newest_events(runs: list[Run]) -> list[RunEvent]:
    """The last training step, evaluation and samples of each. One statement."""
    rows = RunEvent.objects.filter(run__in=runs, kind__in=[TRAIN, EVAL, "sample"])
    return list(rows.order_by("run", "kind", "-step").distinct("run", "kind"))
