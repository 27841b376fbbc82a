"""The judging page: one URL for every kind. GET leases the next task and shows it; POST records the answer and brings
the next task in the same round trip."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from annotate.access import SignedInRequest, get_membership, get_membership_and_lease
from annotate.assignment import HandedOut, hand_out_two, lease_ahead
from annotate.forms.answers.answer_form import AnswerForm
from annotate.forms.judging import SkipForm
from annotate.models import Guideline, Judgement, Lease, Membership, Project, User
from annotate.paging import read_number
from annotate.services import judging, progress
from annotate.services.guidelines import read_guideline, unread_guideline
from annotate.services.reviews import count_unseen
from annotate.standing import Standing
from annotate.views.agreed_answers import agreed_context
from annotate.views.kinds import bind_form
from annotate.views.task_page import render_ahead, task_context

UNDONE, UNDONE_ELSEWHERE = "undone", "undone-elsewhere"


@never_cache
@vary_on_headers("HX-Request")
@login_required
@require_http_methods(["GET", "POST"])
def judge(request: SignedInRequest, project_id: int) -> HttpResponse:
    if request.method == "GET":
        return show_next(request, get_membership(request.user, project_id))
    membership, lease = get_membership_and_lease(request.user, project_id, request.POST.get("lease"))
    form = bind_form(lease, membership.project, request.POST)
    if not form.is_valid():
        return show_task(request, membership, lease, form=form, status=422)
    said = {
        "lease": lease,
        "submission_id": form.cleaned_data["submission_id"],
        "answer": form.answer(),
        "active_seconds": form.cleaned_data["active_seconds"],
    }
    try:
        if wants_fragment(request) and not lease.task.shows_agreed_answer() and not unread_guideline(membership):
            shown = read_number(request.POST.get("next"))
            judgement, handed = judging.submit_and_hand_out(**said, shown=shown)
            return show_handed(request, membership, handed, last=judgement, event="judged", shown=shown)
        judgement = judging.submit_judgement(**said)
    except judging.SubmissionTaken as error:
        form.add_error(None, str(error))
        return show_task(request, membership, lease, form=form, status=409)
    if lease.task.shows_agreed_answer():
        return show_agreed(request, membership, lease)
    return go_on(request, membership, judgement, event="judged")


@never_cache
@login_required
@require_safe
def agreed(request: SignedInRequest, project_id: int, lease_id: int) -> HttpResponse:
    """The step after a task whose agreed answer is shown."""
    membership, lease = get_membership_and_lease(request.user, project_id, lease_id)
    return show(request, membership, agreed_context(lease, membership.project))


def show_agreed(request: SignedInRequest, membership: Membership, lease: Lease) -> HttpResponse:
    if not wants_fragment(request):
        return redirect("judge-agreed", membership.project_id, lease.pk)
    return show(request, membership, agreed_context(lease, membership.project) | {"event": "judged"})


@login_required
@require_POST
def skip(request: SignedInRequest, project_id: int) -> HttpResponse:
    membership, lease = get_membership_and_lease(request.user, project_id, request.POST.get("lease"))
    form = SkipForm(request.POST, project=membership.project)
    if not form.is_valid():
        return show_task(request, membership, lease, skip_form=form, status=422)
    try:
        judgement = judging.skip_judgement(
            lease=lease,
            submission_id=form.cleaned_data["submission_id"],
            reason=form.reason_in_words(),
            active_seconds=form.cleaned_data["active_seconds"],
        )
    except judging.SubmissionTaken as error:
        form.add_error(None, str(error))
        return show_task(request, membership, lease, skip_form=form, status=409)
    return go_on(request, membership, judgement, event="skipped")


@login_required
@require_POST
def undo(request: SignedInRequest, project_id: int) -> HttpResponse:
    """Take back the judgement that the page named, and show its task again, filled in."""
    membership = get_membership(request.user, project_id)
    judgement = get_own_judgement(request.user, membership.project, request.POST.get("judgement"))
    reopened = judging.undo_judgement(judgement=judgement)
    if not wants_fragment(request):
        return redirect("judge", project_id)
    return show_next(request, membership, event=UNDONE if reopened else UNDONE_ELSEWHERE)


@login_required
@require_safe
def guidelines(request: SignedInRequest, project_id: int) -> HttpResponse:
    """The guidelines in force, for the panel of a page that has been open since the version before."""
    membership = get_membership(request.user, project_id)
    return render(request, "judging/judge.html#guidelines", {"guideline": guideline_in_force(membership.project)})


@login_required
@require_POST
def guidelines_read(request: SignedInRequest, project_id: int) -> HttpResponse:
    """The person has read this version; on to the next task."""
    membership = get_membership(request.user, project_id)
    read_guideline(membership=membership, version=min(read_number(request.POST.get("version")), 2**31 - 1))
    if not wants_fragment(request):
        return redirect("judge", project_id)
    membership.refresh_from_db(fields=["guideline_read"])
    return show_next(request, membership)


@never_cache
@login_required
@require_safe
def ahead(request: SignedInRequest, project_id: int) -> JsonResponse:
    """The task that comes after the one in hand, ready to be shown: {"ahead": its fragment, or null}."""
    membership, lease = get_membership_and_lease(request.user, project_id, request.GET.get("lease"))
    following = lease_ahead(user=request.user, project=membership.project, after=lease)
    return JsonResponse({"ahead": render_ahead(request, membership, following)})


def go_on(request: SignedInRequest, membership: Membership, judgement: Judgement, *, event: str) -> HttpResponse:
    if not wants_fragment(request):
        return redirect("judge", membership.project_id)
    shown = read_number(request.POST.get("next"))
    return show_next(request, membership, last=judgement, event=event, shown=shown)


def show_next(
    request: SignedInRequest,
    membership: Membership,
    *,
    last: Judgement | None = None,
    event: str = "",
    shown: int = 0,
) -> HttpResponse:
    """The person's next task, or what to do when there is none. `last` is what `undo` would take back."""
    project = membership.project
    if unread := unread_guideline(membership):
        return show(request, membership, {"unread": unread, "event": event})
    handed = hand_out_two(user=request.user, project=project, shown=shown)
    last = last or judging.last_judgement(user=request.user, project=project)
    return show_handed(request, membership, handed, last=last, event=event, shown=shown)


def show_handed(
    request: SignedInRequest,
    membership: Membership,
    handed: HandedOut,
    *,
    last: Judgement | None,
    event: str,
    shown: int,
) -> HttpResponse:
    """When the page shows the task handed out already (`shown` is its lease), it is told so, with the one after it."""
    lease, standing, following = handed
    if lease and last and lease.pk == shown:
        ahead = render_ahead(request, membership, following, standing=standing)
        return JsonResponse({"last": last.pk, "held_until": lease.expires_at.isoformat(), "ahead": ahead})
    if lease is None:
        membership.refresh_from_db(fields=["pause_reason"])
        return show(request, membership, {"last": last, "event": event, "standing": standing})
    return show_task(request, membership, lease, standing=standing, last=last, event=event)


def show_task(
    request: SignedInRequest,
    membership: Membership,
    lease: Lease,
    *,
    form: AnswerForm | None = None,
    skip_form: SkipForm | None = None,
    standing: Standing | None = None,
    last: Judgement | None = None,
    event: str = "",
    status: int = 200,
) -> HttpResponse:
    context = task_context(lease, membership.project, form=form)
    context |= {
        "skip_form": skip_form or SkipForm(project=membership.project),
        "last": last,
        "event": event,
        "standing": standing,
    }
    return show(request, membership, context, status=status)


def show(
    request: SignedInRequest, membership: Membership, context: dict[str, Any], *, status: int = 200
) -> HttpResponse:
    """The whole page, or for htmx the area that changes with each task."""
    context |= {"project": membership.project, "membership": membership}
    if context.get("event") in (UNDONE, UNDONE_ELSEWHERE):  # what was taken back may be a skip, or of another day
        context["progress"] = progress.own_progress(user=request.user, project=membership.project)
    if wants_fragment(request):
        return render(request, "judging/judge.html#area", context, status=status)
    context["unseen"] = count_unseen(request.user)
    context["guideline"] = guideline_in_force(membership.project)
    context["progress"] = progress.own_progress(user=request.user, project=membership.project)
    return render(request, "judging/judge.html", context, status=status)


def get_own_judgement(user: User, project: Project, pk: object) -> Judgement:
    judgements = Judgement.objects.visible_to(user).of_project(project).filter(annotator=user)
    judgement = judgements.filter(pk=read_number(pk)).first()
    if judgement is None:
        raise Http404("No such judgement of yours.")
    return judgement


def guideline_in_force(project: Project) -> Guideline | None:
    return Guideline.objects.of_project(project).order_by("-version").first()


def wants_fragment(request: SignedInRequest) -> bool:
    return bool(request.htmx) and not request.htmx.history_restore_request
