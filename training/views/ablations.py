"""Ablations: the list with its form, and one with its variants side by side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from annotate.access import OWNERS, REVIEWERS, SignedInRequest, get_in_project, get_membership
from annotate.models import JobStatus, Project, Snapshot
from annotate.paging import page_of
from training.ablation_figures import people_of
from training.models import Ablation, ModelVersion
from training.services.ablations import ALGORITHM, VARIANTS, read_variants, start_ablation
from training.services.registry import base_kinds, default_model, ensure_base_models


class AblationForm(forms.Form):
    """What to train again and again."""

    name = forms.CharField(max_length=80, required=False, help_text="Empty: the next number.")

    def __init__(self, project: Project, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data)
        kinds = base_kinds(ALGORITHM)
        self.fields["snapshot"] = forms.ModelChoiceField(
            Snapshot.objects.of_project(project).filter(status=JobStatus.SUCCEEDED, test_count__gt=0).order_by("-pk"),
            label="Judgements",
            empty_label=None,
            help_text="A quarter of the people are not learnt from; the test is what they said of held-out prompts.",
        )
        self.fields["base_model"] = forms.ModelChoiceField(
            ModelVersion.objects.of_project(project).filter(kind__in=kinds).order_by("kind", "-pk"),
            label="Start from",
            empty_label=None,
            initial=default_model(project, kinds[0]),
        )


@login_required
@require_http_methods(["GET", "POST"])
def project_ablations(request: SignedInRequest, project_id: int) -> HttpResponse:
    membership = get_membership(request.user, project_id, OWNERS if request.method == "POST" else REVIEWERS)
    project = membership.project
    ensure_base_models(project)
    form = AblationForm(project, request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            ablation = start_ablation(project=project, user=membership.user, **form.cleaned_data)
            return redirect("ablation-detail", project_id, ablation.pk)
        except ValidationError as error:
            form.add_error(None, error)
    rows = Ablation.objects.of_project(project).select_related("snapshot", "base_model", "created_by")
    context = {
        "project": project,
        "membership": membership,
        "form": form,
        "page": page_of(request, rows),
        "variants": VARIANTS,
    }
    return render(request, "training/ablation_list.html", context, status=422 if form.is_bound else 200)


@login_required
@require_safe
def ablation_detail(request: SignedInRequest, project_id: int, pk: int) -> HttpResponse:
    membership = get_membership(request.user, project_id, REVIEWERS)
    visible = Ablation.objects.visible_to(request.user).select_related("snapshot", "base_model", "created_by")
    ablation = get_in_project(visible, membership, pk)
    rows = read_variants(ablation)
    runs = [one.run for one, _ in rows]
    whole = people_of(runs[0].metrics) if runs else {}
    context = {
        "project": membership.project,
        "membership": membership,
        "ablation": ablation,
        "rows": rows,
        "people": [(name, [person_of(run.metrics, name) for run in runs], whole[name]["pairs"]) for name in whole],
        "is_active": any(run.is_active for run in runs),
    }
    part = "#live" if request.htmx else ""
    return render(request, f"training/ablation_detail.html{part}", context)


def person_of(metrics: dict, name: str) -> float | None:
    """The share of this person's pairs that is right."""
    found = people_of(metrics).get(name)
    return found["right"] / found["pairs"] if found and found["pairs"] else None
