"""What I have judged: found again, corrected, taken back. And what I began and did not finish."""

import uuid
from collections.abc import Sequence
from typing import Any

from django.contrib.auth.decorators import login_required
from django.db.models import CharField, Q, QuerySet
from django.db.models.functions import Cast
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from annotate.access import SignedInRequest, get_membership, get_membership_and_lease
from annotate.forms.answers.answer_form import AnswerForm
from annotate.forms.reviews import ReplyForm
from annotate.models import Draft, Judgement, Lease, Membership, Project, User
from annotate.paging import page_of
from annotate.services import judging, reviews
from annotate.services.answers.kinds import RELATED, describe_judgement
from annotate.services.answers.shown import letters_of, responses_shown
from annotate.views.kinds import KINDS, bind_form
from annotate.views.task_page import task_context

PAGE_SIZE = 30


@never_cache
@login_required
@require_safe
def history(request: SignedInRequest, project_id: int) -> HttpResponse:
    membership = get_membership(request.user, project_id)
    query = request.GET.get("q", "").strip()
    rows = my_judgements(request.user, membership.project, query)
    page = page_of(request, rows, size=PAGE_SIZE, within="annotator_id")
    context = {
        "project": membership.project,
        "membership": membership,
        "query": query,
        "page": page,
        "judgements": described(page.rows),
        "unfinished": [] if query or page.newer_url else unfinished(request.user, membership.project),
    }
    return render(request, "judging/history.html", context)


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def open_judged(request: SignedInRequest, project_id: int, lease_id: int) -> HttpResponse:
    """A task I have had in hand: what I said, every version of it, and the form to correct it."""
    membership, lease = get_membership_and_lease(request.user, project_id, lease_id)
    if request.method == "GET":
        return show_judged(request, membership, lease)
    form = bind_form(lease, membership.project, request.POST)
    if not form.is_valid():
        return show_judged(request, membership, lease, form=form, status=422)
    try:
        judging.submit_judgement(
            lease=lease,
            submission_id=form.cleaned_data["submission_id"],
            answer=form.answer(),
            active_seconds=form.cleaned_data["active_seconds"],
        )
    except judging.SubmissionTaken as error:
        form.add_error(None, str(error))
        return show_judged(request, membership, lease, form=form, status=409)
    return redirect("judgement-history", project_id)


def show_judged(
    request: SignedInRequest,
    membership: Membership,
    lease: Lease,
    *,
    form: AnswerForm | None = None,
    reply_form: ReplyForm | None = None,
    status: int = 200,
) -> HttpResponse:
    versions, thread = list(versions_of(lease)), reviews.thread_of(task_id=lease.task_id, annotator_id=request.user.pk)
    newest = next((version for version in versions if version.is_current), None)
    if form is None and newest and newest.outcome == Judgement.Outcome.ANSWER:
        shown = responses_shown(lease)
        initial = judging.draft_of(newest, shown)
        form = KINDS[lease.task.kind].form(project=membership.project, shown=shown, initial=initial)
    context = task_context(lease, membership.project, form=form)
    context |= {
        "project": membership.project,
        "membership": membership,
        "judgement": newest,
        "versions": described(versions),
        "thread": list(thread),
        "reply_form": reply_form or ReplyForm(initial={"submission_id": uuid.uuid4()}),
    }
    reviews.mark_seen(comments=thread, reader=request.user)
    return render(request, "judging/judged.html", context, status=status)


def my_judgements(user: User, project: Project, query: str) -> QuerySet[Judgement]:
    """My judgements as they stand, newest first."""
    rows = Judgement.objects.visible_to(user).of_project(project).newest_of(user).current()
    rows = rows.select_related("task__prompt", *RELATED).exclude(is_adjudication=True)
    if query:
        rows = rows.annotate(prompt_text=Cast("task__prompt__messages", CharField()))
        found_in = Q(prompt_text__icontains=query) | Q(rationale__icontains=query) | Q(skip_reason__icontains=query)
        rows = rows.filter(found_in | Q(task__prompt__system__icontains=query))
    return rows


def versions_of(lease: Lease) -> QuerySet[Judgement]:
    rows = Judgement.objects.filter(task=lease.task_id, annotator=lease.annotator_id, is_adjudication=False)
    return rows.select_related("guideline", *RELATED).order_by("-pk")


def unfinished(user: User, project: Project) -> list[Lease]:
    """Tasks I left with something typed: skipped, lapsed or closed."""
    drafts = Draft.objects.visible_to(user).of_project(project).filter(annotator=user).exclude(data={})
    leases = Lease.objects.filter(annotator=user, task__in=drafts.values("task"))
    left = leases.exclude(state__in=[Lease.State.HELD, Lease.State.DONE])
    return list(left.select_related("task__prompt").order_by("-leased_at")[:PAGE_SIZE])


def described(judgements: Sequence[Judgement]) -> list[dict[str, Any]]:
    """My judgements with their words, by the letters I saw ("A much better", "Taken back"), each with its lease."""
    people, tasks = {row.annotator_id for row in judgements}, {row.task_id for row in judgements}
    mine = Lease.objects.filter(task__in=tasks, annotator__in=people)
    leases = {lease.task_id: lease for lease in mine}
    names = letters_of(list(leases.values()))
    return [
        {"row": row, "lease": leases[row.task_id].pk, "said": describe_judgement(row, names[row.task_id])}
        for row in judgements
    ]
