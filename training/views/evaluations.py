"""Evaluations: the list, the form, one with its interval as it narrows and the pairs behind it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from annotate.access import OWNERS, REVIEWERS, SignedInRequest, get_in_project, get_membership
from annotate.models import Membership
from annotate.paging import page_of, read_number
from training.evaluation_forms import EvaluationForm
from training.evaluation_pictures import course_of
from training.models import Evaluation, EvaluationItem, ModelVersion, ResponseScore
from training.services.evaluation_people import observe, watch_observed
from training.services.evaluation_work import points_of
from training.services.evaluations import cancel_evaluation, retry_evaluation, start_evaluation, was_rewarded_by_judge
from training.services.registry import ensure_base_models

PAIRS_SHOWN = 30
WORDS = {1.0: "Won", 0.5: "Tie", 0.0: "Lost"}


@login_required
@require_GET
def project_evaluations(request: SignedInRequest, project_id: int) -> HttpResponse:
    membership = get_membership(request.user, project_id, REVIEWERS)
    rows = Evaluation.objects.of_project(membership.project).select_related("candidate", "baseline", "judge", "round")
    context = {
        "project": membership.project,
        "membership": membership,
        "page": page_of(request, rows),
        "here": "evaluations",
    }
    return render(request, "evaluations/list.html", context)


@login_required
@require_http_methods(["GET", "POST"])
def evaluation_create(request: SignedInRequest, project_id: int) -> HttpResponse:
    membership = get_membership(request.user, project_id, OWNERS)
    project = membership.project
    ensure_base_models(project)
    models = ModelVersion.objects.of_project(project).filter(kind=ModelVersion.Kind.POLICY)
    candidate = models.filter(pk=read_number(request.GET.get("candidate"))).first()
    form = EvaluationForm(project, request.POST if request.method == "POST" else None, candidate=candidate)
    if form.is_valid():
        try:
            evaluation = start_evaluation(project=project, started_by=membership.user, **form.cleaned_data)
            return redirect("evaluation-detail", project_id, evaluation.pk)
        except ValidationError as error:
            form.add_error(None, error)
    context = {"project": project, "membership": membership, "form": form, "policies": models.count()}
    return render(request, "evaluations/form.html", context, status=422 if form.is_bound else 200)


def get_evaluation(
    request: SignedInRequest, project_id: int, pk: int, roles: tuple = REVIEWERS
) -> tuple[Membership, Evaluation]:
    membership = get_membership(request.user, project_id, roles)
    rows = Evaluation.objects.visible_to(request.user).select_related("candidate", "baseline", "judge", "round")
    return membership, get_in_project(rows, membership, pk)


@login_required
@require_GET
def evaluation_detail(request: SignedInRequest, project_id: int, pk: int) -> HttpResponse:
    membership, evaluation = get_evaluation(request, project_id, pk)
    by_people = evaluation.by == Evaluation.By.PEOPLE
    page = read_number(request.GET.get("page"))
    pairs = (judged_by_people if by_people else judged_by_rewards)(evaluation, page)
    context = {
        "project": membership.project,
        "membership": membership,
        "evaluation": evaluation,
        "prompts": evaluation.items.count(),
        "asked": evaluation.items.filter(task__isnull=False).count(),
        "flatters": was_rewarded_by_judge(evaluation),
        "pairs": pairs[:PAIRS_SHOWN],
        "newer_url": f"?page={page - 1}" if page else "",
        "older_url": f"?page={page + 1}" if len(pairs) > PAIRS_SHOWN else "",
        "course": course_of(watch_observed(evaluation), margin=evaluation.margin) if by_people else None,
    }
    template = "evaluations/detail.html"
    return render(request, f"{template}#live" if request.htmx else template, context)


def judged_by_people(evaluation: Evaluation, page: int) -> list[dict[str, Any]]:
    """A page of the pairs judged last, newest first, and the first of the next page."""
    seen = list(reversed(observe(evaluation)))[page * PAIRS_SHOWN : (page + 1) * PAIRS_SHOWN + 1]
    return [{"item": one.item, "said": say(one.points), "note": note(one.people)} for one in seen]


def say(points: float) -> str:
    return WORDS.get(points, f"{100 * points:.0f} % for it")


def note(people: int) -> str:
    return f"{people} {'person' if people == 1 else 'people'}" if people else "nothing to ask"


def judged_by_rewards(evaluation: Evaluation, page: int) -> list[dict[str, Any]]:
    """The same of the pairs whose scores are known, in the order of the prompts."""
    rows = evaluation.items.select_related("prompt", "candidate_response", "baseline_response")
    written = rows.exclude(candidate_response=None).exclude(baseline_response=None).order_by("pk")
    items = list(written[page * PAIRS_SHOWN : (page + 1) * PAIRS_SHOWN + 1])
    ids = [response.pk for item in items for response in item.both()]
    found = ResponseScore.objects.filter(model=evaluation.judge, response__in=ids).values_list("response", "mean")
    scores = dict(found)
    known = [item for item in items if all(response.pk in scores for response in item.both())]
    return [describe_scored(item, *(scores[response.pk] for response in item.both())) for item in known]


def describe_scored(item: EvaluationItem, candidate: float, baseline: float) -> dict[str, Any]:
    first, second = item.both()
    said = WORDS[points_of(first.text == second.text, candidate - baseline)]
    return {"item": item, "said": said, "note": f"{candidate:+.2f} against {baseline:+.2f}".replace("-", "−")}


@login_required
@require_POST
def evaluation_cancel(request: SignedInRequest, project_id: int, pk: int) -> HttpResponse:
    membership, evaluation = get_evaluation(request, project_id, pk, OWNERS)
    if not cancel_evaluation(evaluation=evaluation, user=membership.user):
        messages.info(request, "This evaluation has already ended.")
    return redirect("evaluation-detail", project_id, pk)


@login_required
@require_POST
def evaluation_retry(request: SignedInRequest, project_id: int, pk: int) -> HttpResponse:
    membership, evaluation = get_evaluation(request, project_id, pk, OWNERS)
    if not retry_evaluation(evaluation=evaluation, user=membership.user):
        messages.info(request, "This evaluation is under way or has finished; there is nothing to retry.")
    return redirect("evaluation-detail", project_id, pk)
