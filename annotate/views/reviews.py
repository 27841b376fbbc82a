"""Disagreements for reviewers: the list, and one task with what people said about it, to decide or to send back."""

from __future__ import annotations

import uuid
from collections import defaultdict
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import F
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from annotate.access import REVIEWERS, SignedInRequest, get_in_project, get_membership
from annotate.forms.answers.answer_form import AnswerForm
from annotate.forms.reviews import CommentForm, DecisionForm
from annotate.models import Comment, Judgement, Membership, Task
from annotate.paging import read_number
from annotate.services import reviews
from annotate.services.answers.kinds import RELATED, describe_judgement
from annotate.services.answers.shown import Shown
from annotate.services.disagreements import find_disagreements
from annotate.views.kinds import KINDS


@login_required
@require_safe
def project_review(request: SignedInRequest, project_id: int) -> HttpResponse:
    membership = get_membership(request.user, project_id, REVIEWERS)
    decided, before = request.GET.get("show") == "decided", read_number(request.GET.get("before"))
    page = find_disagreements(project=membership.project, decided=decided, before=before or None)
    view = "show=decided&" if decided else ""
    context = {
        "project": membership.project,
        "membership": membership,
        "rows": page.rows,
        "decided": decided,
        "newer_url": f"?{view}" if before else "",
        "older_url": f"?{view}before={page.older}" if page.older else "",
    }
    return render(request, "reviews/list.html", context)


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def task_review(request: SignedInRequest, project_id: int, pk: int) -> HttpResponse:
    """The task without what was said of it, until `?answers=1` asks for that; a POST decides it."""
    membership = get_membership(request.user, project_id, REVIEWERS)
    task = get_task(request, membership, pk)
    if request.method == "GET" or not reviews.can_be_decided(task):
        return show_review(request, membership, task)
    shown = reviews.shown_to_reviewer(task, request.user)
    form, decision_form = answer_form(task, shown, request.POST), DecisionForm(request.POST)
    if not (form.is_valid() & decision_form.is_valid()):
        return show_review(request, membership, task, form=form, decision_form=decision_form)
    reviews.decide_task(
        task=task,
        reviewer=request.user,
        submission_id=form.cleaned_data["submission_id"],
        answer=form.answer(),
        reason=decision_form.cleaned_data["reason"],
    )
    messages.success(request, "Decided. What people said stays; snapshots take the decision.")
    return redirect("project-review", project_id)


@login_required
@require_POST
def task_comment(request: SignedInRequest, project_id: int, pk: int) -> HttpResponse:
    """Say something to the person who made a judgement of this task, or send it back to them."""
    membership = get_membership(request.user, project_id, REVIEWERS)
    task = get_task(request, membership, pk)
    others = Judgement.objects.of_project(membership.project).filter(task=task, annotator__isnull=False)
    others = others.exclude(annotator=request.user).exclude(is_adjudication=True)
    judgement = get_in_project(others, membership, read_number(request.POST.get("judgement")))
    form = CommentForm(request.POST)
    if not form.is_valid():
        return show_review(request, membership, task, comment_form=form)
    reviews.comment_on(
        judgement=judgement,
        author=request.user,
        body=form.cleaned_data["body"],
        submission_id=form.cleaned_data["submission_id"],
        asks_correction=form.cleaned_data["asks_correction"],
    )
    messages.success(request, "Sent. It is among their messages.")
    return redirect(f"{reverse('task-review', args=[project_id, pk])}?answers=1#person-{judgement.annotator_id}")


def get_task(request: SignedInRequest, membership: Membership, pk: int) -> Task:
    tasks = Task.objects.visible_to(request.user).select_related("prompt", "project")
    task: Task = get_in_project(tasks, membership, pk)
    return task


def answer_form(task: Task, shown: list[Shown], data: Any = None) -> AnswerForm:
    """The kind's own form; the reason is asked for apart."""
    form = KINDS[task.kind].form(data, project=task.project, shown=shown)
    form.fields.pop("rationale", None)
    return form


def show_review(
    request: SignedInRequest,
    membership: Membership,
    task: Task,
    *,
    form: AnswerForm | None = None,
    decision_form: DecisionForm | None = None,
    comment_form: CommentForm | None = None,
) -> HttpResponse:
    shown, page = reviews.shown_to_reviewer(task, request.user), KINDS[task.kind]
    asked = request.GET.get("answers") or request.POST.get("answers") or comment_form
    answers = list_answers(request, task, shown, comment_form) if asked else []
    context = {
        "project": membership.project,
        "membership": membership,
        "task": task,
        "prompt": task.prompt,
        "form": form or answer_form(task, shown),
        "decision_form": decision_form or DecisionForm(),
        "comment_form": comment_form,
        "can_be_decided": reviews.can_be_decided(task),
        "submission_id": uuid.uuid4(),
        "asked": bool(asked),
        "answers": answers,
        "task_template": page.task_template,
        "verdict_template": page.verdict_template,
    }
    refused = form or comment_form
    return render(request, "reviews/detail.html", context, status=422 if refused else 200)


def list_answers(
    request: SignedInRequest, task: Task, shown: list[Shown], comment_form: CommentForm | None
) -> list[dict[str, Any]]:
    """What stands of this task, decisions first, in the letters of this page, each with its thread."""
    names = {entry.response.pk: entry.letter for entry in shown}
    found = task.judgements.current().filter(outcome=Judgement.Outcome.ANSWER).select_related("annotator", *RELATED)
    threads: dict[int, list[Comment]] = defaultdict(list)
    comments = Comment.objects.filter(judgement__task=task).select_related("author", "judgement").order_by("pk")
    for comment in comments:
        threads[comment.judgement.annotator_id or 0].append(comment)
    reviews.mark_seen(comments=comments.filter(author=F("judgement__annotator")), reader=request.user)
    return [
        {
            "row": row,
            "said": describe_judgement(row, names),
            "flags": [f"{names[pk]}: {flag}" for pk in names for flag in row.flags.get(str(pk), [])],
            "thread": [] if row.is_adjudication else threads[row.annotator_id or 0],
            "form": form_for(row, request, comment_form),
        }
        for row in found.order_by("-is_adjudication", "pk")
    ]


def form_for(judgement: Judgement, request: SignedInRequest, sent: CommentForm | None) -> CommentForm | None:
    """The form to write to the judgement's annotator: the one that was sent, or an empty one. None for oneself, for
    an imported answer and for a decision."""
    if judgement.is_adjudication or judgement.annotator_id in (None, request.user.pk):
        return None
    if sent and read_number(sent.data.get("judgement")) == judgement.pk:
        return sent
    return CommentForm(
        initial={"judgement": judgement.pk, "submission_id": uuid.uuid4()}, auto_id=f"id_{judgement.pk}_%s"
    )
