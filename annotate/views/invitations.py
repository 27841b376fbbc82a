"""Accepting an invitation, signed in or not."""

from django.contrib import messages
from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from annotate.forms.account import JoinForm
from annotate.models import Invitation, User
from annotate.services import invitations
from annotate.services.invitations import InvitationRefused

BACKEND = "annotate.sessions.PasswordBackend"


@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def invitation_accept(request: HttpRequest, token: str) -> HttpResponse:
    invitation = invitations.find_invitation(token)
    if invitation is None:
        return closed(request, "This link leads nowhere. Check that it was copied whole, or ask for a new one.", 404)
    if request.user.is_authenticated and invitation.accepted_by_id == request.user.pk:
        return arrive(invitation)
    if reason := invitations.refusal(invitation):
        return closed(request, reason, 410)
    if request.user.is_authenticated:
        return accept_signed_in(request, invitation, request.user)
    return accept_as_guest(request, invitation)


def accept_signed_in(request: HttpRequest, invitation: Invitation, user: User) -> HttpResponse:
    context = {"invitation": invitation, "fits": invitation.email.lower() == user.email}
    if request.method == "GET":
        return render(request, "account/invitation_signed_in.html", context)
    try:
        invitations.accept_as_user(invitation=invitation, user=user)
    except InvitationRefused as refused:
        return closed(request, str(refused), 422)
    messages.success(request, f"You are now part of {invitation.project}.")
    return arrive(invitation)


def accept_as_guest(request: HttpRequest, invitation: Invitation) -> HttpResponse:
    if invitation.email and User.objects.filter(email=invitation.email.lower()).exists():
        return render(request, "account/invitation_known.html", {"invitation": invitation})
    data = request.POST.copy() if request.method == "POST" else None
    if data is not None and invitation.email:
        data["email"] = invitation.email
    form = JoinForm(data, initial={"email": invitation.email})
    if form.is_valid():
        try:
            user = invitations.accept_as_new_user(invitation=invitation, **form.cleaned_data)
        except InvitationRefused as refused:
            form.add_error(None, str(refused))
        else:
            login(request, user, backend=BACKEND)
            return arrive(invitation)
    context = {"invitation": invitation, "form": form}
    return render(request, "account/invitation_accept.html", context, status=422 if form.is_bound else 200)


def arrive(invitation: Invitation) -> HttpResponse:
    return redirect("project-overview", invitation.project_id) if invitation.project_id else redirect("home")


def closed(request: HttpRequest, reason: str, status: int) -> HttpResponse:
    return render(request, "account/invitation_closed.html", {"reason": reason}, status=status)
