"""Tasks whose answer is known: the list, and the page where a task becomes one or its answer is changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from annotate.access import REVIEWERS, SignedInRequest, get_in_project, get_membership
from annotate.forms.answers.answer_form import AnswerForm
from annotate.forms.known_answers import KnownForm
from annotate.models import Judgement, Membership, Purpose, Task
from annotate.paging import page_of, read_number
from annotate.services import judging
from annotate.services.answers.kinds import RELATED
from annotate.services.answers.shown import LETTERS, Shown, task_responses
from annotate.services.known_answers import (
    KNOWN,
    agreed_in_words,
    agreed_judgement,
    can_be_known,
    known_tasks,
    mark_known,
    retire_known,
    set_agreed_answer,
    with_results,
)
from annotate.views.kinds import KINDS


@login_required
@require_safe
def project_known(request: SignedInRequest, project_id: int) -> HttpResponse:
    membership = get_membership(request.user, project_id, REVIEWERS)
    tasks = known_tasks(Task.objects.visible_to(request.user).of_project(membership.project))
    page = page_of(request, with_results(tasks).select_related("prompt"))
    agreed = agreed_in_words(page.rows)
    context = {
        "project": membership.project,
        "membership": membership,
        "rows": [{"task": task, "agreed": agreed.get(task.pk, "")} for task in page.rows],
        "newer_url": page.newer_url,
        "older_url": page.older_url,
    }
    return render(request, "quality/known_list.html", context)


@login_required
@require_http_methods(["GET", "POST"])
def task_known(request: SignedInRequest, project_id: int, pk: int) -> HttpResponse:
    """A task of work becomes one with a known answer; one that is changes its answer."""
    membership = get_membership(request.user, project_id, REVIEWERS)
    tasks = Task.objects.visible_to(request.user).filter(purpose__in=[Purpose.WORK, *KNOWN])
    task = get_in_project(tasks.select_related("prompt", "project"), membership, pk)
    if not can_be_known(task):
        messages.error(request, f"No answer to a {task.get_kind_display().lower()} is right or wrong.")
        return redirect("task-detail", project_id, pk)
    if request.method == "GET":
        return show_form(request, membership, task)
    known_form, form = KnownForm(request.POST), bind_answer(task, request.POST)
    if task.purpose in KNOWN:
        del known_form.fields["purpose"]
    if not (known_form.is_valid() & form.is_valid()):
        return show_form(request, membership, task, known_form=known_form, form=form)
    said = {"answer": form.answer(), "explanation": known_form.cleaned_data["explanation"]}
    if task.purpose in KNOWN:
        set_agreed_answer(actor=request.user, known=task, **said)
    else:
        mark_known(actor=request.user, task=task, purpose=known_form.cleaned_data["purpose"], **said)
    messages.success(request, "The answer is agreed on.")
    return redirect("project-known", project_id)


@login_required
@require_POST
def task_known_retire(request: SignedInRequest, project_id: int, pk: int) -> HttpResponse:
    membership = get_membership(request.user, project_id, REVIEWERS)
    known = get_in_project(known_tasks(Task.objects.visible_to(request.user).select_related("project")), membership, pk)
    if retire_known(actor=request.user, known=known, retired=known.closed_at is None):
        words = "Nobody is handed it any more; its answers count on." if known.closed_at is None else "It is back."
        messages.success(request, words)
    return redirect("project-known", project_id)


def show_form(
    request: SignedInRequest,
    membership: Membership,
    task: Task,
    *,
    known_form: KnownForm | None = None,
    form: AnswerForm | None = None,
) -> HttpResponse:
    page = KINDS[task.kind]
    is_known = task.purpose in KNOWN
    known_form_shown = known_form or KnownForm(initial={"explanation": task.explanation})
    if is_known and "purpose" in known_form_shown.fields:
        del known_form_shown.fields["purpose"]
    context = {
        "project": membership.project,
        "membership": membership,
        "task": task,
        "prompt": task.prompt,
        "is_known": is_known,
        "known_form": known_form_shown,
        "form": form or answer_form(task, initial=said_before(request, task)),
        "task_template": page.task_template,
        "verdict_template": page.verdict_template,
    }
    return render(request, "quality/known.html", context, status=422 if form else 200)


def said_before(request: SignedInRequest, task: Task) -> dict[str, Any]:
    """The answer to start from: the agreed one, or the judgement of this task that the link named."""
    judgement: Judgement | None
    if task.purpose in KNOWN:
        judgement = agreed_judgement(task)
    else:
        answers = task.judgements.answers().select_related(*RELATED)
        judgement = answers.filter(pk=read_number(request.GET.get("from"))).first()
    return judging.draft_of(judgement, in_own_order(task)) if judgement else {}


def bind_answer(task: Task, data: Mapping[str, Any]) -> AnswerForm:
    return answer_form(task, data=data)


def answer_form(
    task: Task, *, data: Mapping[str, Any] | None = None, initial: dict[str, Any] | None = None
) -> AnswerForm:
    """The kind's own form, its responses in the task's own order, without what belongs to a person's submission."""
    form = KINDS[task.kind].form(data, project=task.project, shown=in_own_order(task), initial=initial)
    own = [name for name in form.fields if name not in ("submission_id", "rationale") and not name.startswith("flags_")]
    form.fields = {name: form.fields[name] for name in own}
    return form


def in_own_order(task: Task) -> list[Shown]:
    return [Shown(LETTERS[n], response, n) for n, response in enumerate(task_responses(task))]
