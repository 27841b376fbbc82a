"""Models: the list with its lineage, one model, adding one, choosing the default."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from annotate.access import OWNERS, REVIEWERS, SignedInRequest, get_in_project, get_membership
from annotate.models import Membership
from annotate.paging import page_of
from training.figures import headline
from training.forms import ModelForm
from training.graphs import draw_graph
from training.models import ModelVersion
from training.services.cards import describe_model
from training.services.lineage import trace_project
from training.services.policies import make_model_default
from training.services.registry import add_model, ensure_base_models


def get_model(
    request: SignedInRequest, project_id: int, pk: int, roles: tuple = REVIEWERS
) -> tuple[Membership, ModelVersion]:
    membership = get_membership(request.user, project_id, roles)
    rows = ModelVersion.objects.visible_to(request.user).select_related(
        "parent", "run", "run__snapshot", "author", "created_by"
    )
    return membership, get_in_project(rows, membership, pk)


@login_required
@require_GET
def project_models(request: SignedInRequest, project_id: int) -> HttpResponse:
    membership = get_membership(request.user, project_id, REVIEWERS)
    ensure_base_models(membership.project)
    models = ModelVersion.objects.of_project(membership.project).select_related(
        "parent", "run__snapshot", "endpoint", "created_by"
    )
    context = {"project": membership.project, "membership": membership, "page": page_of(request, models)}
    return render(request, "training/model_list.html", context)


@login_required
@require_http_methods(["GET", "POST"])
def model_create(request: SignedInRequest, project_id: int) -> HttpResponse:
    membership = get_membership(request.user, project_id, OWNERS)
    form = ModelForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            model = add_model(project=membership.project, user=membership.user, **form.cleaned_data)
            return redirect("model-detail", project_id, model.pk)
        except ValidationError as error:
            form.add_error(None, error)
    context = {"project": membership.project, "membership": membership, "form": form}
    return render(request, "training/model_form.html", context, status=422 if form.is_bound else 200)


@login_required
@require_GET
def model_detail(request: SignedInRequest, project_id: int, pk: int) -> HttpResponse:
    membership, model = get_model(request, project_id, pk)
    lineage = trace_project(membership.project, focus=model)
    context = {
        "project": membership.project,
        "membership": membership,
        "model": model,
        "headline": headline(model.metrics),
        "children": model.children.select_related("run").order_by("-id")[:50],
        "card": describe_model(model),
        "drawing": draw_graph(list(lineage.nodes.values()), lineage.edges),
        "lines": lineage.lines(),
        "generations": model.generations.select_related("created_by").order_by("-id")[:20],
    }
    return render(request, "training/model_detail.html", context)


@login_required
@require_POST
def model_make_default(request: SignedInRequest, project_id: int, pk: int) -> HttpResponse:
    membership, model = get_model(request, project_id, pk, OWNERS)
    try:
        make_model_default(model=model, user=membership.user)
        messages.success(request, f"“{model}” is now the default {model.get_kind_display().lower()}.")
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    return redirect("project-models", project_id)
