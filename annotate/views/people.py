"""A project's people: their roles, and the invitations that are on their way."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from annotate.access import OWNERS, SignedInRequest, get_in_project, get_membership
from annotate.forms.projects import InviteForm, RoleForm
from annotate.models import Invitation, Membership, Role
from annotate.services import invitations, people
from annotate.services.invitations import InvitationRefused
from annotate.services.people import LastOwner

FRESH_LINK = "fresh-invitation"  # kept in the session from the POST that made it to the one page that shows it


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def project_people(request: SignedInRequest, project_id: int) -> HttpResponse:
    membership = get_membership(request.user, project_id, OWNERS)
    form = InviteForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            return send_invitation(request, membership, form.cleaned_data["email"], form.cleaned_data["role"])
        except InvitationRefused as refused:
            form.add_error("email", str(refused))
    return show_people(request, membership, form=form, status=422 if form.is_bound else 200)


@login_required
@require_POST
def member_change(request: SignedInRequest, project_id: int, pk: int) -> HttpResponse:
    membership = get_membership(request.user, project_id, OWNERS)
    member = get_in_project(Membership.objects.select_related("user"), membership, pk)
    form = RoleForm(request.POST)
    if not form.is_valid():
        return show_people(
            request, membership, problem="That is no role. Choose owner, reviewer or annotator.", status=422
        )
    try:
        people.change_role(actor=request.user, membership=member, role=form.cleaned_data["role"])
    except LastOwner as refused:
        return show_people(request, membership, problem=str(refused), status=422)
    messages.success(request, f"{member.user} is now {Role(form.cleaned_data['role']).label.lower()}.")
    return leave_or_stay(request, member)


@login_required
@require_POST
def member_remove(request: SignedInRequest, project_id: int, pk: int) -> HttpResponse:
    membership = get_membership(request.user, project_id, OWNERS)
    member = get_in_project(Membership.objects.select_related("user"), membership, pk)
    try:
        people.remove_member(actor=request.user, membership=member)
    except LastOwner as refused:
        return show_people(request, membership, problem=str(refused), status=422)
    messages.success(request, f"{member.user} is no longer in the project. What they judged stays.")
    return leave_or_stay(request, member)


@login_required
@require_POST
def invitation_renew(request: SignedInRequest, project_id: int, pk: int) -> HttpResponse:
    membership = get_membership(request.user, project_id, OWNERS)
    invitation = get_in_project(Invitation.objects.filter(accepted_at=None), membership, pk)
    try:
        return send_invitation(request, membership, invitation.email, invitation.role)
    except InvitationRefused as refused:
        return show_people(request, membership, problem=str(refused), status=422)


@login_required
@require_POST
def invitation_revoke(request: SignedInRequest, project_id: int, pk: int) -> HttpResponse:
    membership = get_membership(request.user, project_id, OWNERS)
    invitation = get_in_project(Invitation.objects.select_related("project"), membership, pk)
    if invitations.revoke_invitation(actor=request.user, invitation=invitation):
        messages.success(request, f"The invitation of {invitation.email} no longer works.")
    return redirect("project-people", project_id)


def send_invitation(request: SignedInRequest, membership: Membership, email: str, role: str) -> HttpResponse:
    link = invitations.invite(actor=request.user, project=membership.project, email=email, role=role)
    request.session[FRESH_LINK] = {"project": membership.project_id, "email": email, "link": link}
    return redirect("project-people", membership.project_id)


def leave_or_stay(request: SignedInRequest, member: Membership) -> HttpResponse:
    """Back to the list, or home when one has just given up one's own right to see it."""
    return redirect("home") if member.user_id == request.user.pk else redirect("project-people", member.project_id)


def show_people(
    request: SignedInRequest,
    membership: Membership,
    *,
    form: InviteForm | None = None,
    problem: str = "",
    status: int = 200,
) -> HttpResponse:
    project = membership.project
    fresh = request.session.get(FRESH_LINK)
    if fresh and fresh["project"] == project.pk:
        del request.session[FRESH_LINK]
    else:
        fresh = None
    members = list(project.memberships.select_related("user").order_by("user__name", "pk"))
    owners = [member.pk for member in members if member.is_owner]
    pending = Invitation.objects.of_project(project).filter(accepted_at=None, revoked_at=None)
    context = {
        "project": project,
        "membership": membership,
        "members": members,
        "only_owner": owners[0] if len(owners) == 1 else None,
        "pending": pending.select_related("created_by").order_by("-created_at"),
        "form": form or InviteForm(),
        "roles": Role.choices,
        "fresh": fresh,
        "is_mailed": invitations.is_mailed(),
        "problem": problem,
    }
    return render(request, "projects/people.html", context, status=status)
