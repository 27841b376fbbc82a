"""Endpoints: the list with what they cost, adding, changing, trying and removing one."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from annotate.access import OWNERS, SignedInRequest, get_in_project, get_membership
from annotate.models import Membership
from training.endpoint_forms import BudgetForm, EndpointForm
from training.models import Endpoint, EndpointBudget
from training.services import endpoints
from training.services.endpoint_limits import money_spent
from training.services.endpoint_trials import try_endpoint
from training.services.endpoint_use import list_days, list_endpoints

DAYS_SHOWN = 31


@login_required
@require_http_methods(["GET", "POST"])
def project_endpoints(request: SignedInRequest, project_id: int) -> HttpResponse:
    """POST sets what may be spent."""
    membership = get_membership(request.user, project_id, OWNERS)
    project = membership.project
    budget = EndpointBudget.objects.of_project(project).first()
    form = BudgetForm(request.POST if request.method == "POST" else None, budget=budget)
    if form.is_valid():
        endpoints.set_budget(project=project, user=request.user, **form.cleaned_data)
        messages.success(request, "The limits hold from the next request on.")
        return redirect("project-endpoints", project_id)
    context = {
        "project": project,
        "membership": membership,
        "endpoints": list_endpoints(project),
        "spent": money_spent(project),
        "budget": budget,
        "form": form,
    }
    return render(request, "training/endpoint_list.html", context, status=422 if form.is_bound else 200)


@login_required
@require_http_methods(["GET", "POST"])
def endpoint_create(request: SignedInRequest, project_id: int) -> HttpResponse:
    membership = get_membership(request.user, project_id, OWNERS)
    form = EndpointForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            endpoint = endpoints.add_endpoint(
                project=membership.project, user=request.user, wanted=form.wanted(), key=form.cleaned_data["key"]
            )
            messages.success(request, f"“{endpoint}” was added. Test it before you ask it for responses.")
            return redirect("endpoint-detail", project_id, endpoint.pk)
        except ValidationError as error:
            form.add_error(None, error)
    context = {"project": membership.project, "membership": membership, "form": form}
    return render(request, "training/endpoint_form.html", context, status=422 if form.is_bound else 200)


def get_endpoint(request: SignedInRequest, project_id: int, pk: int) -> tuple[Membership, Endpoint]:
    membership = get_membership(request.user, project_id, OWNERS)
    rows = Endpoint.objects.visible_to(request.user).select_related("project", "model__author", "created_by")
    return membership, get_in_project(rows, membership, pk)


@login_required
@require_http_methods(["GET", "POST"])
def endpoint_detail(request: SignedInRequest, project_id: int, pk: int) -> HttpResponse:
    """The endpoint with its form; POST changes it."""
    membership, endpoint = get_endpoint(request, project_id, pk)
    is_sent = request.method == "POST" and not endpoint.removed_at
    form = EndpointForm(request.POST if is_sent else None, endpoint=endpoint)
    if form.is_valid():
        try:
            endpoints.change_endpoint(
                endpoint=endpoint, user=request.user, wanted=form.wanted(), key=form.cleaned_data["key"]
            )
            messages.success(request, "Saved.")
            return redirect("endpoint-detail", project_id, pk)
        except ValidationError as error:
            form.add_error(None, error)
    context = {
        "project": membership.project,
        "membership": membership,
        "endpoint": endpoint,
        "form": form,
        "days": list_days(endpoint)[:DAYS_SHOWN],
    }
    return render(request, "training/endpoint_form.html", context, status=422 if form.is_bound else 200)


@login_required
@require_POST
def endpoint_test(request: SignedInRequest, project_id: int, pk: int) -> HttpResponse:
    _, endpoint = get_endpoint(request, project_id, pk)
    trial = try_endpoint(endpoint=endpoint, user=request.user)
    (messages.success if trial.worked else messages.error)(request, trial.message)
    return redirect("endpoint-detail", project_id, pk)


@login_required
@require_POST
def endpoint_remove(request: SignedInRequest, project_id: int, pk: int) -> HttpResponse:
    _, endpoint = get_endpoint(request, project_id, pk)
    if endpoints.remove_endpoint(endpoint=endpoint, user=request.user):
        messages.success(request, f"“{endpoint}” is asked no more, and its key is forgotten. What it wrote stays.")
    return redirect("project-endpoints", project_id)
