"""What I have judged: found again, corrected, taken back. And what I began and did not finish."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.db.models import CharField, F, Q, QuerySet
from django.db.models.functions import Cast
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from annotate.access import SignedInRequest, get_membership
from annotate.forms.judging import ComparisonForm, describe_choice
from annotate.models import Draft, Judgement, Lease, Membership, Project, User
from annotate.models.projects import SCALE_MAXIMUM
from annotate.services import judging
from annotate.views.judging import KINDS, get_own_lease, number, task_context

PAGE_SIZE = 30


@never_cache
@login_required
@require_safe
def history(request: SignedInRequest, project_id: int) -> HttpResponse:
    membership = get_membership(request.user, project_id)
    query, before = request.GET.get("q", "").strip(), number(request.GET.get("before"))
    rows = my_judgements(request.user, membership.project, query)
    page = list((rows.filter(pk__lt=before) if before else rows)[: PAGE_SIZE + 1])
    context = {
        "project": membership.project,
        "membership": membership,
        "query": query,
        "before": before,
        "judgements": [described(judgement) for judgement in page[:PAGE_SIZE]],
        "older": page[PAGE_SIZE - 1].pk if len(page) > PAGE_SIZE else None,
        "unfinished": [] if query or before else unfinished(request.user, membership.project),
    }
    return render(request, "judging/history.html", context)


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def open_judged(request: SignedInRequest, project_id: int, lease_id: int) -> HttpResponse:
    """A task I have had in hand: what I said, every version of it, and the form to correct it."""
    membership = get_membership(request.user, project_id)
    lease = get_own_lease(request.user, membership.project, lease_id)
    if request.method == "GET":
        return show_judged(request, membership, lease)
    form = KINDS[lease.task.kind].form(request.POST, project=membership.project)
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
    form: ComparisonForm | None = None,
    status: int = 200,
) -> HttpResponse:
    versions = list(versions_of(lease))
    newest = next((version for version in versions if version.is_current), None)
    if form is None and newest and newest.outcome == Judgement.Outcome.ANSWER:
        initial = judging.draft_of(newest)
        form = KINDS[lease.task.kind].form(project=membership.project, initial=initial)
    context = task_context(lease, membership.project, form=form)
    context |= {
        "project": membership.project,
        "membership": membership,
        "judgement": newest,
        "versions": [described(version) for version in versions],
    }
    return render(request, "judging/judged.html", context, status=status)


def my_judgements(user: User, project: Project, query: str) -> QuerySet[Judgement]:
    """My judgements as they stand, newest first, with the lease each is opened by."""
    rows = Judgement.objects.visible_to(user).of_project(project).filter(annotator=user).current()
    rows = rows.select_related("task__prompt", "comparison").order_by("-pk")
    rows = rows.filter(task__leases__annotator=user).annotate(lease=F("task__leases"))
    if query:
        rows = rows.annotate(prompt_text=Cast("task__prompt__messages", CharField()))
        found_in = Q(prompt_text__icontains=query) | Q(rationale__icontains=query) | Q(skip_reason__icontains=query)
        rows = rows.filter(found_in | Q(task__prompt__system__icontains=query))
    return rows


def versions_of(lease: Lease) -> QuerySet[Judgement]:
    rows = Judgement.objects.filter(task=lease.task_id, annotator=lease.annotator_id)
    return rows.select_related("comparison", "guideline").order_by("-pk")


def unfinished(user: User, project: Project) -> list[Lease]:
    """Tasks I left with something typed: skipped, lapsed or closed."""
    drafts = Draft.objects.visible_to(user).of_project(project).filter(annotator=user).exclude(data={})
    leases = Lease.objects.filter(annotator=user, task__in=drafts.values("task"))
    left = leases.exclude(state__in=[Lease.State.HELD, Lease.State.DONE])
    return list(left.select_related("task__prompt").order_by("-leased_at")[:PAGE_SIZE])


def described(judgement: Judgement) -> dict[str, Any]:
    """A judgement with its words: "A much better", "Skipped: …", "Taken back"."""
    words = {Judgement.Outcome.SKIP: f"Skipped: {judgement.skip_reason}", Judgement.Outcome.UNDONE: "Taken back"}
    if judgement.outcome == Judgement.Outcome.ANSWER:
        strongest = SCALE_MAXIMUM[judgement.comparison.points or 2]
        said = describe_choice(judging.draft_of(judgement)["choice"], strongest)
    else:
        said = words[Judgement.Outcome(judgement.outcome)]
    return {"row": judgement, "said": said}
