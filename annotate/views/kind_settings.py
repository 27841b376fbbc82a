"""What an owner sets for each kind of judgement."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from annotate.access import OWNERS, SignedInRequest, get_membership
from annotate.forms.kinds import KIND_FORMS
from annotate.models import Kind
from annotate.services.project_kinds import set_kind_options


@login_required
@require_http_methods(["GET", "POST"])
def kind_settings(request: SignedInRequest, project_id: int, kind: str) -> HttpResponse:
    """The options of one kind; saving them turns it on. `?preset=` starts from something usual."""
    membership = get_membership(request.user, project_id, OWNERS)
    project, wanted = membership.project, find_kind(kind)
    data = request.POST if request.method == "POST" else None
    form = KIND_FORMS[wanted](data, project=project, preset=request.GET.get("preset", ""))
    if form.is_valid():
        set_kind_options(actor=request.user, project=project, kind=kind, options=form.options())
        messages.success(request, f"{wanted.label} is on. New tasks may ask for it.")
        return redirect("project-settings", project.pk)
    context = {
        "project": project,
        "membership": membership,
        "form": form,
        "kind": wanted.value,
        "label": wanted.label,
        "is_on": kind in project.kind_options,
    }
    return render(request, "projects/kind_settings.html", context, status=422 if form.is_bound else 200)


@login_required
@require_POST
def kind_turn_off(request: SignedInRequest, project_id: int, kind: str) -> HttpResponse:
    membership = get_membership(request.user, project_id, OWNERS)
    label = find_kind(kind).label
    if set_kind_options(actor=request.user, project=membership.project, kind=kind, options=None):
        messages.success(request, f"{label} is off. Tasks that exist can still be judged.")
    return redirect("project-settings", project_id)


def find_kind(kind: str) -> Kind:
    found = next((known for known in KIND_FORMS if known == kind), None)
    if found is None:
        raise Http404("No such kind of judgement.")
    return found
