"""Tasks made by hand: counted first, then made."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from annotate.access import OWNERS, SignedInRequest, get_membership
from annotate.forms.tasks import NewTasksForm
from annotate.models import Project
from annotate.services.new_tasks import Preview, count_new_tasks, create_new_tasks


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def task_create(request: SignedInRequest, project_id: int) -> HttpResponse:
    """The form; a GET with fields counts what they would make, a POST makes it."""
    membership = get_membership(request.user, project_id, OWNERS)
    project = membership.project
    data = request.POST if request.method == "POST" else request.GET
    form = NewTasksForm(data or None, project=project)
    if request.method == "POST" and form.is_valid():
        return make(request, form, project)
    context = {"project": project, "membership": membership, "form": form, "preview": preview_of(form, project)}
    template = "tasks/create.html#count" if request.htmx and request.method == "GET" else "tasks/create.html"
    return render(request, template, context, status=422 if request.method == "POST" else 200)


def make(request: SignedInRequest, form: NewTasksForm, project: Project) -> HttpResponse:
    plan, data = form.plan(), form.cleaned_data
    made = create_new_tasks(
        project=project, plan=plan, actor=request.user, overlap=data["overlap"], priority=data["priority"]
    )
    words = (
        f"{made:,} task{'s are' if made != 1 else ' is'} in the queue." if made else "There was nothing new to make."
    )
    left = count_new_tasks(project=project, plan=plan).tasks if plan.only_new and made else 0
    messages.success(request, f"{words} {left:,} more can be made: do it again." if left else words)
    return redirect("project-tasks", project.pk)


def preview_of(form: NewTasksForm, project: Project) -> Preview | None:
    """What the form would make; None while it cannot be read."""
    if form.is_bound and not form.is_valid():
        return None
    return count_new_tasks(project=project, plan=form.plan())
