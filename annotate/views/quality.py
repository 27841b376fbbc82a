"""How people judge, for those who run the project: each person's counts and flags, and what is decided about them."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from annotate.access import OWNERS, REVIEWERS, SignedInRequest, get_in_project, get_membership
from annotate.forms.quality import QualitySettingsForm, StandingForm
from annotate.models import Judgement, Membership
from annotate.services import standings
from annotate.services.answers.kinds import RELATED, describe_judgement
from annotate.services.answers.shown import letters_of
from annotate.services.projects import update_project
from annotate.services.quality import measure_people, measure_sides
from annotate.standing import read_standing

ANSWERS_SHOWN = 50
DONE = {
    "lift": "{} may judge again.",
    "pause": "{} is paused and reads why on the judging page.",
    "retry": "{} is asked the qualification tasks again.",
    "qualify": "{} may judge.",
}


@login_required
@require_safe
def project_quality(request: SignedInRequest, project_id: int) -> HttpResponse:
    membership = get_membership(request.user, project_id, REVIEWERS)
    people = measure_people(membership.project)
    context = {
        "project": membership.project,
        "membership": membership,
        "people": people,
        "sides": measure_sides(people),
        "stopped": Membership.objects.of_project(membership.project).exclude(paused_at=None).select_related("user"),
    }
    return render(request, "quality/people.html", context)


@login_required
@require_safe
def member_quality(request: SignedInRequest, project_id: int, pk: int) -> HttpResponse:
    membership = get_membership(request.user, project_id, REVIEWERS)
    return show_member(request, membership, get_member(membership, pk))


@login_required
@require_POST
def member_standing(request: SignedInRequest, project_id: int, pk: int) -> HttpResponse:
    membership = get_membership(request.user, project_id, REVIEWERS)
    member, form = get_member(membership, pk), StandingForm(request.POST)
    if not form.is_valid():
        return show_member(request, membership, member, form=form)
    if decide(request, member, form):
        messages.success(request, DONE[form.cleaned_data["decision"]].format(member.user))
    return redirect("member-quality", project_id, pk)


def decide(request: SignedInRequest, member: Membership, form: StandingForm) -> bool:
    decision = form.cleaned_data["decision"]
    if decision == "pause":
        reason = form.cleaned_data["reason"].strip()
        return standings.pause_member(actor=request.user, membership=member, reason=reason)
    decisions = {"lift": standings.lift_pause, "retry": standings.allow_retry, "qualify": standings.qualify}
    return decisions[decision](actor=request.user, membership=member)


def get_member(membership: Membership, pk: int) -> Membership:
    member: Membership = get_in_project(Membership.objects.select_related("user", "project"), membership, pk)
    return member


def show_member(
    request: SignedInRequest, membership: Membership, member: Membership, *, form: StandingForm | None = None
) -> HttpResponse:
    people = measure_people(membership.project)
    context = {
        "project": membership.project,
        "membership": membership,
        "member": member,
        "person": next((person for person in people if person.membership.pk == member.pk), None),
        "standing": read_standing(member),
        "answers": newest_answers(member),
        "form": form or StandingForm(),
    }
    return render(request, "quality/person.html", context, status=422 if form else 200)


def newest_answers(member: Membership) -> list[dict[str, object]]:
    """What this person said last, by the letters they saw."""
    rows = Judgement.objects.of_project(member.project).answers().newest_of(member.user)
    rows = rows.select_related("task__prompt", *RELATED)
    page = list(rows[:ANSWERS_SHOWN])
    leases = member.user.leases.filter(task__in={row.task_id for row in page})
    names = letters_of(list(leases))
    return [{"row": row, "said": describe_judgement(row, names[row.task_id])} for row in page if row.task_id in names]


@login_required
@require_http_methods(["GET", "POST"])
def project_quality_settings(request: SignedInRequest, project_id: int) -> HttpResponse:
    membership = get_membership(request.user, project_id, OWNERS)
    project = membership.project
    form = QualitySettingsForm(request.POST or None, instance=project)
    if request.method == "POST" and form.is_valid():
        update_project(actor=request.user, project=project, changes=form.cleaned_data)
        messages.success(request, "The settings are saved.")
        return redirect("project-quality-settings", project_id)
    context = {"project": project, "membership": membership, "form": form}
    return render(request, "quality/settings.html", context, status=422 if form.errors else 200)
