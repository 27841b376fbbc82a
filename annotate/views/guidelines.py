"""What people judge by: read by everybody, written by owners, every version kept."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from annotate.access import OWNERS, SignedInRequest, get_membership
from annotate.forms.projects import GuidelinesForm
from annotate.models import Guideline
from annotate.services import projects

LARGEST_VERSION = 2**31 - 1


@login_required
@require_safe
def project_guidelines(request: SignedInRequest, project_id: int, version: int | None = None) -> HttpResponse:
    """The newest version, or the one asked for."""
    membership = get_membership(request.user, project_id)
    versions = Guideline.objects.of_project(membership.project).order_by("-version")
    newest = versions.first()
    shown = newest if version is None else versions.filter(version=min(version, LARGEST_VERSION)).first()
    if version is not None and shown is None:
        raise Http404(f"There is no version {version} of these guidelines.")
    context = {
        "project": membership.project,
        "membership": membership,
        "shown": shown,
        "newest": newest,
        "versions": versions.defer("body").select_related("created_by"),
    }
    return render(request, "projects/guidelines.html", context)


@login_required
@require_http_methods(["GET", "POST"])
def guidelines_edit(request: SignedInRequest, project_id: int) -> HttpResponse:
    membership = get_membership(request.user, project_id, OWNERS)
    newest = Guideline.objects.of_project(membership.project).order_by("-version").first()
    form = GuidelinesForm(
        request.POST if request.method == "POST" else None, initial={"body": newest.body if newest else ""}
    )
    wants_preview = "preview" in request.POST
    if form.is_valid() and not wants_preview:
        saved = projects.save_guidelines(actor=request.user, project=membership.project, body=form.cleaned_data["body"])
        is_same = newest is not None and saved.pk == newest.pk
        messages.success(
            request, "The text is the same; no new version." if is_same else f"Version {saved.version} is in force."
        )
        return redirect("project-guidelines", project_id)
    context = {
        "project": membership.project,
        "membership": membership,
        "form": form,
        "newest": newest,
        "preview": form.cleaned_data["body"] if wants_preview and form.is_valid() else None,
    }
    return render(request, "projects/guidelines_edit.html", context, status=422 if form.errors else 200)
