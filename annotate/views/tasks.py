"""Tasks for those who run the project: the list, one with all that was said about it, and what an owner may change."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from annotate.access import OWNERS, REVIEWERS, SignedInRequest, get_in_project, get_membership
from annotate.forms.tasks import OverlapForm, TaskFilterForm
from annotate.models import Judgement, Membership, Purpose, Response, Task
from annotate.services.answers.kinds import RELATED, describe_judgement
from annotate.services.answers.shown import task_responses
from annotate.services.known_answers import can_be_known
from annotate.services.task_admin import TaskChangeRefused, change_overlap, close_task, reopen_task

PAGE_SIZE = 50


@login_required
@require_safe
def project_tasks(request: SignedInRequest, project_id: int) -> HttpResponse:
    membership = get_membership(request.user, project_id, REVIEWERS)
    form = TaskFilterForm(request.GET)
    given = form.cleaned_data if form.is_valid() else {}
    wanted = {name: given.get(name, "") for name in ("state", "kind", "purpose")}
    tasks = Task.objects.visible_to(request.user).of_project(membership.project).in_state(wanted["state"])
    tasks = tasks.filter(**{name: wanted[name] for name in ("kind", "purpose") if wanted[name]})
    before = given.get("before")
    rows = (tasks.filter(pk__lt=before) if before else tasks).with_progress().select_related("prompt")
    page = list(rows.order_by("-pk")[: PAGE_SIZE + 1])
    context = {
        "project": membership.project,
        "membership": membership,
        "states": [(label, page_url({**wanted, "state": state}), state) for state, label in TaskFilterForm.STATES],
        "form": form,
        "wanted": wanted,
        "is_filtered": any(wanted.values()),
        "tasks": [{"row": task, "state": state_of(task)} for task in page[:PAGE_SIZE]],
        "newer_url": page_url(wanted) if before else "",
        "older_url": page_url({**wanted, "before": page[PAGE_SIZE - 1].pk}) if len(page) > PAGE_SIZE else "",
    }
    return render(request, "tasks/list.html", context, status=200 if form.is_valid() else 422)


def page_url(wanted: dict[str, Any]) -> str:
    return "?" + urlencode({name: value for name, value in wanted.items() if value})


def state_of(task: Any) -> str:
    """One word for a task that was read with its progress."""
    if task.closed_at:
        return "closed"
    if task.held:
        return "held"
    return "open" if task.remaining else "done"


@login_required
@require_safe
def task_detail(request: SignedInRequest, project_id: int, pk: int) -> HttpResponse:
    membership = get_membership(request.user, project_id, REVIEWERS)
    return show_task(request, membership, get_task(request, membership, pk))


def get_task(request: SignedInRequest, membership: Membership, pk: int) -> Any:
    tasks = Task.objects.visible_to(request.user).select_related("prompt", "project").with_progress()
    return get_in_project(tasks, membership, pk)


def show_task(
    request: SignedInRequest, membership: Membership, task: Any, *, form: OverlapForm | None = None
) -> HttpResponse:
    responses = task_responses(task)
    judgements = task.judgements.select_related("annotator", "guideline", *RELATED).order_by("pk")
    context = {
        "project": membership.project,
        "membership": membership,
        "task": task,
        "state": state_of(task),
        "places": [{"name": name_place(place), "response": response} for place, response in enumerate(responses)],
        "judgements": [describe(judgement, responses) for judgement in judgements],
        "leases": task.leases.held().select_related("annotator").order_by("leased_at"),
        "can_be_known": can_be_known(task) and task.purpose != Purpose.MIRROR,
        "form": form or OverlapForm(initial={"required": task.required_judgements}),
    }
    return render(request, "tasks/detail.html", context, status=422 if form else 200)


def name_place(position: int) -> str:
    return ("First", "Second")[position] if position < 2 else f"Response {position + 1}"


def describe(judgement: Judgement, responses: list[Response]) -> dict[str, Any]:
    """A judgement with its words, in the task's order: what stands where differs from person to person."""
    names = {response.pk: name_place(position) for position, response in enumerate(responses)}
    flags = [f"{names[pk]}: {flag}" for pk in names for flag in judgement.flags.get(str(pk), [])]
    return {"row": judgement, "said": describe_judgement(judgement, names), "flags": flags, "left": left_of(judgement)}


def left_of(judgement: Judgement) -> str:
    """Which response of a comparison stood on the left; empty when that is not known."""
    comparison = getattr(judgement, "comparison", None)
    if comparison is None or comparison.first_on_left is None:
        return ""
    return name_place(0 if comparison.first_on_left else 1)


@login_required
@require_POST
def task_close(request: SignedInRequest, project_id: int, pk: int) -> HttpResponse:
    task = get_task(request, get_membership(request.user, project_id, OWNERS), pk)
    if close_task(task=task, user=request.user):
        messages.success(request, "The task is closed. Nobody is handed it any more; what was said stays.")
    return redirect("task-detail", project_id, pk)


@login_required
@require_POST
def task_reopen(request: SignedInRequest, project_id: int, pk: int) -> HttpResponse:
    task = get_task(request, get_membership(request.user, project_id, OWNERS), pk)
    if reopen_task(task=task, user=request.user):
        messages.success(request, "The task is open again.")
    return redirect("task-detail", project_id, pk)


@login_required
@require_POST
def task_overlap(request: SignedInRequest, project_id: int, pk: int) -> HttpResponse:
    membership = get_membership(request.user, project_id, OWNERS)
    task = get_task(request, membership, pk)
    form = OverlapForm(request.POST)
    if form.is_valid():
        try:
            change_overlap(task=task, user=request.user, required=form.cleaned_data["required"])
        except TaskChangeRefused as error:
            form.add_error("required", str(error))
        else:
            return redirect("task-detail", project_id, pk)
    return show_task(request, membership, task, form=form)
