"""Rounds: the history, one round with its steps, and what an owner does to it."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from annotate.access import OWNERS, REVIEWERS, SignedInRequest, get_in_project, get_membership
from annotate.models import JobStatus, Membership
from annotate.paging import page_of, read_number
from training.figures import describe_plan
from training.models import Evaluation, Recipe, Round, RoundStep
from training.recipes import PlanError
from training.round_picture import draw_progress
from training.services.ablations import newest_ablation, read_variants
from training.services.alarms import open_alarms
from training.services.recipes import ensure_recipes
from training.services.registry import ensure_base_models
from training.services.round_ablations import ablate_round
from training.services.round_evaluation import about_round, take_by_hand
from training.services.round_history import as_lines, history_of
from training.services.round_steps import can_skip
from training.services.rounds import (
    active_round,
    cancel_round,
    count_new_judgements,
    retry_step,
    skip_step,
    start_round,
)

COUNTED_UP_TO = 10_000


@login_required
@require_GET
def project_rounds(request: SignedInRequest, project_id: int) -> HttpResponse:
    membership = get_membership(request.user, project_id, REVIEWERS)
    project = membership.project
    ensure_base_models(project)
    ensure_recipes(project)
    page, recipes = page_of(request, history_of(project)), list(Recipe.objects.of_project(project).order_by("pk"))
    lines = as_lines(page.rows)
    context = {
        "project": project,
        "membership": membership,
        "lines": lines,
        "page": page,
        "picture": draw_progress(lines),
        "recipes": recipes,
        "chosen": lines[0].round.recipe_id if lines else recipes[0].pk,  # that of the newest shown
        "active": active_round(project),
        "new_judgements": count_new_judgements(project, up_to=COUNTED_UP_TO),
    }
    return render(request, "training/round_list.html#live" if request.htmx else "training/round_list.html", context)


@login_required
@require_POST
def round_start(request: SignedInRequest, project_id: int) -> HttpResponse:
    membership = get_membership(request.user, project_id, OWNERS)
    recipe = get_in_project(
        Recipe.objects.visible_to(request.user), membership, read_number(request.POST.get("recipe"))
    )
    try:
        round = start_round(recipe=recipe, user=membership.user)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    except PlanError as error:
        messages.error(request, f"The recipe “{recipe}” needs mending first. {error}")
    else:
        return redirect("round-detail", project_id, round.pk)
    return redirect("project-rounds", project_id)


def get_round(request: SignedInRequest, project_id: int, pk: int, roles: tuple = REVIEWERS) -> tuple[Membership, Round]:
    membership = get_membership(request.user, project_id, roles)
    rows = Round.objects.visible_to(request.user).select_related("recipe", "started_by", "policy_before", "project")
    return membership, get_in_project(rows, membership, pk)


@login_required
@require_GET
def round_detail(request: SignedInRequest, project_id: int, pk: int) -> HttpResponse:
    membership, round = get_round(request, project_id, pk)
    steps = list(
        round.steps.select_related(
            "snapshot", "heldout_snapshot", "run__output", "generation__model", "rival_generation__model"
        ).order_by("position")
    )
    failed = next((step for step in steps if step.status == RoundStep.Status.FAILED), None)
    new = round.output_of(RoundStep.Kind.POLICY)
    context = {
        "project": membership.project,
        "membership": membership,
        "round": round,
        "steps": steps,
        "failed": failed,
        "can_skip": failed is not None and can_skip(failed),
        "evaluations": Evaluation.objects.filter(round=round).select_related("baseline", "candidate", "judge"),
        "alarms": open_alarms(membership.project).filter(about_round(round)),
        "new_policy": new,
        "runs": [step.run for step in steps if step.run],
        "settings": describe_plan(round.plan),
        **find_ablation(round),
    }
    return render(request, "training/round_detail.html#live" if request.htmx else "training/round_detail.html", context)


def find_ablation(round: Round) -> dict[str, object]:
    """What the newest ablation of the round's judgements says; whether one can be launched."""
    snapshot = round.snapshot()
    ablation = newest_ablation(snapshot) if snapshot else None
    return {
        "ablation": ablation,
        "rows": read_variants(ablation) if ablation else [],
        "can_ablate": snapshot is not None and snapshot.status == JobStatus.SUCCEEDED and snapshot.test_count > 0,
    }


@login_required
@require_POST
def round_ablate(request: SignedInRequest, project_id: int, pk: int) -> HttpResponse:
    """Train the round's reward model again and again, each time with something left out."""
    membership, round = get_round(request, project_id, pk, OWNERS)
    try:
        ablation = ablate_round(round=round, user=membership.user)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect("round-detail", project_id, pk)
    return redirect("ablation-detail", project_id, ablation.pk)


@login_required
@require_POST
def round_cancel(request: SignedInRequest, project_id: int, pk: int) -> HttpResponse:
    membership, round = get_round(request, project_id, pk, OWNERS)
    if not cancel_round(round=round, user=membership.user):
        messages.info(request, f"{round} has already ended.")
    return redirect("round-detail", project_id, pk)


@login_required
@require_POST
def round_retry(request: SignedInRequest, project_id: int, pk: int) -> HttpResponse:
    return change_failed_step(request, project_id, pk, retry_step, "There is no failed step to retry.")


@login_required
@require_POST
def round_skip(request: SignedInRequest, project_id: int, pk: int) -> HttpResponse:
    return change_failed_step(
        request, project_id, pk, skip_step, "There is no failed step that the round could do without."
    )


def change_failed_step(
    request: SignedInRequest, project_id: int, pk: int, change: Callable[..., bool], otherwise: str
) -> HttpResponse:
    membership, round = get_round(request, project_id, pk, OWNERS)
    step = round.steps.filter(status=RoundStep.Status.FAILED).first()
    if step is None or not change(step=step, user=membership.user):
        messages.info(request, otherwise)
    return redirect("round-detail", project_id, pk)


@login_required
@require_POST
def round_take(request: SignedInRequest, project_id: int, pk: int) -> HttpResponse:
    """An owner takes the round's policy into use, whatever its rule said."""
    membership, round = get_round(request, project_id, pk, OWNERS)
    if take_by_hand(round=round, user=membership.user):
        messages.success(request, "The new policy is in use. Under Policy in use you can go back at any time.")
    else:
        messages.info(request, "This round has no policy that is not in use already.")
    return redirect("round-detail", project_id, pk)
