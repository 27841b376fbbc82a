"""Keys to the API: one's own under Account, a project's under its settings. A new token is shown once."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from annotate.access import OWNERS, SignedInRequest, get_in_project, get_membership
from annotate.forms.tokens import OwnTokenForm, ServiceTokenForm
from annotate.models import ApiToken, Membership
from annotate.services.tokens import create_service_token, create_token, revoke_token

FRESH = "fresh-token"  # kept in the session from the POST that made it to the one page that shows it


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def my_tokens(request: SignedInRequest) -> HttpResponse:
    form = OwnTokenForm(request.POST if request.method == "POST" else None, user=request.user)
    if form.is_valid():
        token, text = create_token(user=request.user, **form.cleaned_data)
        return show_once(request, token, text, "my-tokens")
    tokens = ApiToken.objects.filter(user=request.user).select_related("project").order_by("-pk")
    context = {"tokens": tokens, "form": form, "fresh": take_fresh(request, None)}
    return render(request, "tokens/mine.html", context, status=422 if form.is_bound else 200)


@login_required
@require_POST
def my_token_revoke(request: SignedInRequest, pk: int) -> HttpResponse:
    token = ApiToken.objects.filter(user=request.user, pk=pk).select_related("user", "project").first()
    if token is None:
        raise Http404("No such token of yours.")
    revoke(request, token)
    return redirect("my-tokens")


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def project_tokens(request: SignedInRequest, project_id: int) -> HttpResponse:
    membership = get_membership(request.user, project_id, OWNERS)
    form = ServiceTokenForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        token, text = create_service_token(actor=request.user, project=membership.project, **form.cleaned_data)
        return show_once(request, token, text, "project-tokens", project_id)
    context = {
        "project": membership.project,
        "membership": membership,
        "tokens": service_tokens(membership).order_by("-pk"),
        "form": form,
        "fresh": take_fresh(request, project_id),
    }
    return render(request, "tokens/project.html", context, status=422 if form.is_bound else 200)


@login_required
@require_POST
def project_token_revoke(request: SignedInRequest, project_id: int, pk: int) -> HttpResponse:
    membership = get_membership(request.user, project_id, OWNERS)
    revoke(request, get_in_project(service_tokens(membership), membership, pk))
    return redirect("project-tokens", project_id)


def service_tokens(membership: Membership) -> Any:
    tokens = ApiToken.objects.visible_to(membership.user).of_project(membership.project)
    return tokens.filter(user__is_service=True).select_related("created_by", "user", "project")


def revoke(request: SignedInRequest, token: ApiToken) -> None:
    if revoke_token(actor=request.user, token=token):
        messages.success(request, f"“{token.name}” no longer works.")


def show_once(request: SignedInRequest, token: ApiToken, text: str, page: str, *place: int) -> HttpResponse:
    project = place[0] if place else None
    request.session[FRESH] = {"project": project, "name": token.name, "text": text}
    return redirect(page, *place)


def take_fresh(request: SignedInRequest, project_id: int | None) -> dict[str, Any] | None:
    """The token just made on this page; gone from the session with this look at it."""
    fresh = request.session.get(FRESH)
    if request.method != "GET" or not fresh or fresh["project"] != project_id:
        return None
    del request.session[FRESH]
    return dict(fresh)
