"""Generations: the list, the form, the live page."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from annotate.access import OWNERS, REVIEWERS, SignedInRequest, get_in_project, get_membership
from annotate.models import Membership, Response
from annotate.paging import page_of, read_number
from training.forms import GenerationForm
from training.models import Generation, ModelVersion
from training.services.generations import (
    cancel_generation,
    choose_prompts,
    describe_choice,
    retry_generation,
    start_generation,
)
from training.services.pairing import generation_key
from training.services.registry import ensure_base_models


@login_required
@require_GET
def project_generations(request: SignedInRequest, project_id: int) -> HttpResponse:
    membership = get_membership(request.user, project_id, REVIEWERS)
    generations = Generation.objects.of_project(membership.project).select_related("model", "opponent", "created_by")
    context = {
        "project": membership.project,
        "membership": membership,
        "page": page_of(request, generations),
    }
    return render(request, "training/generation_list.html", context)


@login_required
@require_http_methods(["GET", "POST"])
def generation_create(request: SignedInRequest, project_id: int) -> HttpResponse:
    membership = get_membership(request.user, project_id, OWNERS)
    ensure_base_models(membership.project)
    models = ModelVersion.objects.of_project(membership.project)
    form = GenerationForm(
        membership.project,
        request.POST if request.method == "POST" else None,
        model=models.filter(pk=read_number(request.GET.get("model"))).first(),
    )
    if form.is_valid():
        generation = start_from_form(membership, form)
        if generation is not None:
            return redirect("generation-detail", project_id, generation.pk)
    context = {"project": membership.project, "membership": membership, "form": form}
    return render(request, "training/generation_form.html", context, status=422 if form.is_bound else 200)


def start_from_form(membership: Membership, form: GenerationForm) -> Generation | None:
    """Start what the form says; None, with the errors in the form, when it cannot be."""
    answers = dict(form.cleaned_data)
    choice, tag, first = answers.pop("choice"), answers.pop("tag"), answers.pop("first")
    prompts = choose_prompts(project=membership.project, model=answers["model"], choice=choice, tag=tag, first=first)
    try:
        return start_generation(project=membership.project, user=membership.user, prompts=prompts, **answers)
    except ValidationError as error:
        form.add_error(None, error)
        return None


def get_generation(
    request: SignedInRequest, project_id: int, pk: int, roles: tuple = REVIEWERS
) -> tuple[Membership, Generation]:
    membership = get_membership(request.user, project_id, roles)
    rows = Generation.objects.visible_to(request.user).select_related("model", "opponent", "reward_model", "created_by")
    return membership, get_in_project(rows, membership, pk)


@login_required
@require_GET
def generation_detail(request: SignedInRequest, project_id: int, pk: int) -> HttpResponse:
    membership, generation = get_generation(request, project_id, pk)
    written = Response.objects.filter(
        prompt__in=generation.chosen_prompts.values("prompt"), key__startswith=generation_key(generation)
    )
    context = {
        "project": membership.project,
        "membership": membership,
        "generation": generation,
        "prompts": generation.chosen_prompts.count(),
        "choice": describe_choice(generation) if generation.reward_model else None,
        "latest": written.select_related("prompt").order_by("-id")[:6],
    }
    template = "training/generation_detail.html#live" if request.htmx else "training/generation_detail.html"
    return render(request, template, context)


@login_required
@require_POST
def generation_cancel(request: SignedInRequest, project_id: int, pk: int) -> HttpResponse:
    membership, generation = get_generation(request, project_id, pk, OWNERS)
    if not cancel_generation(generation=generation, user=membership.user):
        messages.info(request, "This generation has already ended.")
    return redirect("generation-detail", project_id, pk)


@login_required
@require_POST
def generation_retry(request: SignedInRequest, project_id: int, pk: int) -> HttpResponse:
    membership, generation = get_generation(request, project_id, pk, OWNERS)
    if not retry_generation(generation=generation, user=membership.user):
        messages.info(request, "This generation is under way or has finished; there is nothing to retry.")
    return redirect("generation-detail", project_id, pk)
