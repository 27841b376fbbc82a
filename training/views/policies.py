"""The policy in use: its history, and going back."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from annotate.access import OWNERS, REVIEWERS, SignedInRequest, get_in_project, get_membership
from annotate.paging import page_of
from training.models import ProjectPolicy
from training.services.policies import current_policy, restore


@login_required
@require_GET
def project_policies(request: SignedInRequest, project_id: int) -> HttpResponse:
    membership = get_membership(request.user, project_id, REVIEWERS)
    history = ProjectPolicy.objects.of_project(membership.project).select_related("model", "round", "set_by")
    context = {
        "project": membership.project,
        "membership": membership,
        "current": current_policy(membership.project),
        "page": page_of(request, history),
    }
    return render(request, "training/policy_list.html", context)


@login_required
@require_POST
def policy_restore(request: SignedInRequest, project_id: int, pk: int) -> HttpResponse:
    membership = get_membership(request.user, project_id, OWNERS)
    entry = get_in_project(ProjectPolicy.objects.visible_to(request.user).select_related("model"), membership, pk)
    if restore(entry=entry, user=membership.user):
        messages.success(request, f"“{entry.model}” is in use again.")
    else:
        messages.info(request, f"“{entry.model}” is in use already.")
    return redirect("project-policies", project_id)
