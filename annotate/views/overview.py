"""A project at a glance, for those who run it."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from annotate.access import SignedInRequest, get_membership
from annotate.services import overview
from annotate.services.figures import read_figures


@login_required
@require_safe
def project_overview(request: SignedInRequest, project_id: int) -> HttpResponse:
    """Owners and reviewers see the figures; annotators go on to judging."""
    membership = get_membership(request.user, project_id)
    if not membership.may_review:
        return redirect("judge", project_id)
    project = membership.project
    figures = read_figures(project)
    if figures is None:
        return render(request, "projects/counting.html", {"project": project, "membership": membership})
    steps = overview.list_steps(project, figures.totals)
    bias = overview.measure_side_bias(figures.people)
    context = {
        "project": project,
        "membership": membership,
        "totals": figures.totals,
        "days": figures.days,
        "agreement": figures.agreement,
        "people": figures.people,
        "counted_at": figures.counted_at,
        "bias": bias,
        "leans": overview.project_leans(bias),
        "leaning": overview.find_leaning(figures.people),
        "steps": steps,
        "next_step": next((step for step in steps if not step.done), None),
    }
    return render(request, "projects/overview.html", context)
