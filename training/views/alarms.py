"""Alarms: the page, acknowledging one, and whether to be written to; what a stopped run's best weights become."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe

from annotate.access import OWNERS, REVIEWERS, SignedInRequest, get_in_project, get_membership
from training.models import Alarm, Run
from training.services.alarms import acknowledge_alarm, open_alarms, set_alarm_mail
from training.services.runs import finish_with_best

PAST_SHOWN = 100


@login_required
@require_safe
def project_alarms(request: SignedInRequest, project_id: int) -> HttpResponse:
    membership = get_membership(request.user, project_id, REVIEWERS)
    past = Alarm.objects.of_project(membership.project).exclude(acknowledged_at=None)
    context = {
        "project": membership.project,
        "membership": membership,
        "alarms": open_alarms(membership.project),
        "past": past.select_related("run", "round", "acknowledged_by").order_by("-acknowledged_at")[:PAST_SHOWN],
    }
    return render(request, "training/alarm_list.html", context)


@login_required
@require_POST
def alarm_acknowledge(request: SignedInRequest, project_id: int, pk: int) -> HttpResponse:
    """Back to the page it was acknowledged on."""
    membership = get_membership(request.user, project_id, OWNERS)
    alarm = get_in_project(Alarm.objects.visible_to(request.user).select_related("project"), membership, pk)
    if not acknowledge_alarm(alarm=alarm, user=membership.user, note=request.POST.get("note", "")[:2000]):
        messages.info(request, "Somebody has acknowledged this alarm already.")
    after = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(after, allowed_hosts={request.get_host()}, require_https=request.is_secure())
    return redirect(after) if safe else redirect("project-alarms", project_id)


@login_required
@require_POST
def alarm_mail(request: SignedInRequest, project_id: int) -> HttpResponse:
    membership = get_membership(request.user, project_id, OWNERS)
    wanted = request.POST.get("wanted") == "yes"
    set_alarm_mail(membership=membership, wanted=wanted)
    told = f"Alarms are mailed to {request.user.email}." if wanted else "You are no longer written to."
    messages.success(request, told)
    return redirect("project-alarms", project_id)


@login_required
@require_POST
def run_finish(request: SignedInRequest, project_id: int, pk: int) -> HttpResponse:
    """Make a model of the weights that the held-out reward liked best."""
    membership = get_membership(request.user, project_id, OWNERS)
    run = get_in_project(Run.objects.visible_to(request.user).select_related("project"), membership, pk)
    if not finish_with_best(run=run, user=membership.user):
        messages.info(request, f"“{run}” is under way, has finished, or has kept no best weights.")
    return redirect("run-detail", project_id, pk)
