"""What was said to me about my judgements, and what was answered to me."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from annotate.access import SignedInRequest, get_membership_and_lease
from annotate.forms.reviews import ReplyForm
from annotate.models import Comment, Lease
from annotate.paging import page_of
from annotate.services import reviews
from annotate.views.history import show_judged


@never_cache
@login_required
@require_safe
def my_messages(request: SignedInRequest) -> HttpResponse:
    """Every thread I am part of, in all my projects, the newest first."""
    rows = reviews.threads_for(request.user).select_related("project", "judgement__task__prompt", "author")
    page = page_of(request, rows)
    context = {
        "threads": described(request, page.rows),
        "newer_url": page.newer_url,
        "older_url": page.older_url,
    }
    return render(request, "reviews/messages.html", context)


def described(request: SignedInRequest, comments: Sequence[Comment]) -> list[dict[str, Any]]:
    """Each with where it is read: by its annotator on the judgement's own page, by a reviewer on the task's."""
    tasks = {comment.judgement.task_id for comment in comments}
    leases = dict(Lease.objects.filter(annotator=request.user, task__in=tasks).values_list("task", "pk"))
    waiting = reviews.unseen_by(request.user).filter(judgement__task__in=tasks)
    unseen = set(waiting.values_list("judgement__task", "judgement__annotator"))
    return [
        {
            "comment": comment,
            "lease": leases.get(comment.judgement.task_id)
            if comment.judgement.annotator_id == request.user.pk
            else None,
            "is_mine": comment.author_id == request.user.pk,
            "is_new": (comment.judgement.task_id, comment.judgement.annotator_id) in unseen,
        }
        for comment in comments
    ]


@login_required
@require_POST
def judgement_reply(request: SignedInRequest, project_id: int, lease_id: int) -> HttpResponse:
    """My answer to what was said about my judgement of this task."""
    membership, lease = get_membership_and_lease(request.user, project_id, lease_id)
    last = reviews.thread_of(task_id=lease.task_id, annotator_id=request.user.pk).last()
    if last is None:
        raise Http404("Nobody has said anything about this judgement.")
    form = ReplyForm(request.POST)
    if not form.is_valid():
        return show_judged(request, membership, lease, reply_form=form, status=422)
    reviews.comment_on(
        judgement=last.judgement,
        author=request.user,
        body=form.cleaned_data["body"],
        submission_id=form.cleaned_data["submission_id"],
    )
    messages.success(request, "Sent to the reviewers.")
    return redirect("judgement-open", project_id, lease_id)
