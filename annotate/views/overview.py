"""A project at a glance, for those who run it."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from annotate.access import SignedInRequest, get_membership
from annotate.services import overview


@login_required
@require_safe
def project_overview(request: SignedInRequest, project_id: int) -> HttpResponse:
    """Owners and reviewers see the figures; annotators go on to judging."""
    membership = get_membership(request.user, project_id)
    if not membership.may_review:
        return redirect("judge", project_id)
    project = membership.project
    totals, people = overview.count_totals(project), overview.list_people(project)
    steps = overview.list_steps(project, totals)
    bias = overview.measure_side_bias(people)
    context = {
        "project": project,
        "membership": membership,
        "totals": totals,
        "days": overview.count_by_day(project) if totals.judgements > totals.imported else [],
        "agreement": overview.measure_project_agreement(project),
        "people": people,
        "bias": bias,
        "leans": overview.project_leans(bias),
        "leaning": overview.find_leaning(people),
        "steps": steps,
        "next_step": next((step for step in steps if not step.done), None),
    }
    return render(request, "projects/overview.html", context)
