"""Prompts of a project: the list, one with its responses, writing one by hand, removing one nobody has used."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from annotate.access import OWNERS, REVIEWERS, SignedInRequest, get_in_project, get_membership
from annotate.forms.imports import PromptFilterForm, PromptForm
from annotate.imports.rows import RowRefused
from annotate.models import Judgement, Prompt
from annotate.querysets import SEARCHED_AT_ONCE
from annotate.services.prompts import PromptInUse, add_prompt, delete_prompt

PAGE_SIZE = 50
RESPONSES_SHOWN = 100


@login_required
@require_safe
def project_prompts(request: SignedInRequest, project_id: int) -> HttpResponse:
    membership = get_membership(request.user, project_id, REVIEWERS)
    form = PromptFilterForm(request.GET)
    wanted = form.cleaned_data if form.is_valid() else {}
    prompts = Prompt.objects.visible_to(request.user).of_project(membership.project)
    found = prompts.tagged(wanted.get("tag", "")).containing(wanted.get("q", ""))
    end = prompts.end_of_search(wanted.get("before")) if wanted.get("q") else 0
    page = list(found.before(wanted.get("before")).filter(pk__gt=end).with_counts()[: PAGE_SIZE + 1])
    last = page[PAGE_SIZE - 1].pk if len(page) > PAGE_SIZE else end + 1 if end else 0
    context = {
        "project": membership.project,
        "membership": membership,
        "form": form,
        "filters": {name: value for name, value in wanted.items() if value and name != "before"},
        "prompts": page[:PAGE_SIZE],
        "older_url": _page_url(wanted, last) if last else "",
        "searched": SEARCHED_AT_ONCE if end and len(page) <= PAGE_SIZE else 0,
        "is_first_page": not wanted.get("before"),
    }
    return render(request, "prompts/list.html", context, status=200 if form.is_valid() else 422)


def _page_url(wanted: dict[str, Any], before: int) -> str:
    kept = {name: wanted[name] for name in ("q", "tag") if wanted.get(name)}
    return "?" + urlencode({**kept, "before": before})


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def prompt_create(request: SignedInRequest, project_id: int) -> HttpResponse:
    membership = get_membership(request.user, project_id, OWNERS)
    form = PromptForm(request.POST or None)
    if form.is_valid():
        try:
            prompt, is_new = add_prompt(project=membership.project, actor=request.user, **form.cleaned_data)
        except RowRefused as error:
            form.add_error("text", f"This prompt cannot be taken: {error}.")
        else:
            if is_new:
                messages.success(request, "The prompt is in the project.")
            else:
                messages.info(request, "This very prompt was in the project already. Here it is.")
            return redirect("prompt-detail", project_id, prompt.pk)
    context = {"project": membership.project, "membership": membership, "form": form}
    return render(request, "prompts/create.html", context, status=422 if form.is_bound else 200)


@login_required
@require_safe
def prompt_detail(request: SignedInRequest, project_id: int, pk: int) -> HttpResponse:
    membership = get_membership(request.user, project_id, REVIEWERS)
    prompt = get_in_project(Prompt.objects.visible_to(request.user).with_counts(), membership, pk)
    responses = prompt.responses.select_related("author").order_by("pk")[:RESPONSES_SHOWN]
    answers = Judgement.objects.of_project(membership.project).answers()
    context = {
        "project": membership.project,
        "membership": membership,
        "prompt": prompt,
        "responses": responses,
        "task_count": prompt.tasks.count(),
        "judgement_count": answers.filter(task__prompt=prompt).count(),
    }
    return render(request, "prompts/detail.html", context)


@login_required
@require_POST
def prompt_delete(request: SignedInRequest, project_id: int, pk: int) -> HttpResponse:
    membership = get_membership(request.user, project_id, OWNERS)
    prompt = get_in_project(Prompt.objects.visible_to(request.user), membership, pk)
    try:
        delete_prompt(prompt=prompt, actor=request.user)
    except PromptInUse as error:
        messages.error(request, str(error))
        return redirect("prompt-detail", project_id, pk)
    messages.success(request, "The prompt is deleted.")
    return redirect("project-prompts", project_id)
