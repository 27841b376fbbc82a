"""Where models come from: the project's drawing, and each model's card as a file."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.text import slugify
from django.views.decorators.http import require_GET

from annotate.access import REVIEWERS, SignedInRequest, get_in_project, get_membership
from annotate.paging import read_number
from training.graphs import draw_graph
from training.models import ModelVersion
from training.services.cards import card_markdown, describe_model
from training.services.lineage import trace_project
from training.views.models import get_model


@login_required
@require_GET
def project_lineage(request: SignedInRequest, project_id: int) -> HttpResponse:
    """The whole project's, or what `?model=` comes from and became."""
    membership = get_membership(request.user, project_id, REVIEWERS)
    wanted, rows = read_number(request.GET.get("model")), ModelVersion.objects.visible_to(request.user)
    focus = get_in_project(rows, membership, wanted) if wanted else None
    lineage = trace_project(membership.project, focus=focus)
    context = {
        "project": membership.project,
        "membership": membership,
        "focus": focus,
        "drawing": draw_graph(list(lineage.nodes.values()), lineage.edges),
        "lines": lineage.lines(),
    }
    return render(request, "training/lineage.html", context)


@login_required
@require_GET
def model_card(request: SignedInRequest, project_id: int, pk: int) -> HttpResponse:
    """The model's card as a README.md in Hugging Face's form."""
    _, model = get_model(request, project_id, pk)
    response = HttpResponse(card_markdown(describe_model(model)), content_type="text/markdown; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{slugify(model.name) or "model"}-card.md"'
    return response
