"""Making a project, its settings, putting it away, and the log of what was done in it."""

from collections.abc import Mapping

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from annotate.access import OWNERS, SignedInRequest, get_membership
from annotate.forms.kinds import KIND_FORMS
from annotate.forms.projects import USUAL_LISTS, ProjectCreateForm, ProjectSettingsForm
from annotate.models import AuditEvent
from annotate.paging import page_of
from annotate.services import projects


@login_required
@require_http_methods(["GET", "POST"])
def project_create(request: SignedInRequest) -> HttpResponse:
    if not request.user.is_staff:
        raise PermissionDenied("Only the site's staff create projects. Ask the person who runs Plumbline here.")
    form = ProjectCreateForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        project = projects.create_project(actor=request.user, **form.cleaned_data)
        messages.success(request, f"{project} is ready. Import prompts and invite people.")
        return redirect("project-overview", project.pk)
    return render(request, "projects/create.html", {"form": form}, status=422 if form.is_bound else 200)


@login_required
@require_http_methods(["GET", "POST"])
def project_settings(request: SignedInRequest, project_id: int) -> HttpResponse:
    membership = get_membership(request.user, project_id, OWNERS)
    project = membership.project
    name = project.name
    data = request.POST if request.method == "POST" else None
    form = ProjectSettingsForm(data, instance=project, initial=usual_lists(request.GET))
    if form.is_valid():
        changed = projects.update_project(actor=request.user, project=project, changes=form.cleaned_data)
        messages.success(request, "The settings are saved." if changed else "Nothing was different; nothing was saved.")
        return redirect("project-settings", project.pk)
    project.name = name  # the page's frame shows the stored name, not the refused one
    kinds = [(kind, kind.label, kind in project.kind_options) for kind in KIND_FORMS]
    context = {"form": form, "project": project, "membership": membership, "kinds": kinds}
    return render(request, "projects/settings.html", context, status=422 if form.is_bound else 200)


def usual_lists(asked: Mapping[str, str]) -> dict[str, list[str]]:
    """`?flag_options=usual` starts that field from the usual list instead of the project's own."""
    return {name: usual for name, usual in USUAL_LISTS.items() if asked.get(name) == "usual"}


@login_required
@require_POST
def project_archive(request: SignedInRequest, project_id: int) -> HttpResponse:
    membership = get_membership(request.user, project_id, OWNERS)
    archived = request.POST.get("archived") == "yes"
    projects.archive_project(actor=request.user, project=membership.project, archived=archived)
    messages.success(request, f"{membership.project} is {'archived' if archived else 'active again'}.")
    return redirect("project-settings", project_id)


@login_required
@require_safe
def project_audit(request: SignedInRequest, project_id: int) -> HttpResponse:
    membership = get_membership(request.user, project_id, OWNERS)
    page = page_of(request, AuditEvent.objects.of_project(membership.project).select_related("actor"))
    context = {
        "project": membership.project,
        "membership": membership,
        "events": page.rows,
        "newer_url": page.newer_url,
        "older_url": page.older_url,
    }
    return render(request, "projects/audit.html", context)
