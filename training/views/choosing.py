"""What to label next: the mix of strategies, the first pairs with the reason for each, the queue."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from annotate.access import OWNERS, SignedInRequest, get_in_project, get_membership
from annotate.models import Membership
from annotate.paging import read_number
from training.choosing_form import ChoosingForm
from training.models import ModelVersion
from training.services.choosing_requests import Request, find_scores, preview_request, queue_request
from training.services.chosen_reasons import write_reasons
from training.services.scoring import start_scoring

SHOWN = 20


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def tasks_choose(request: SignedInRequest, project_id: int) -> HttpResponse:
    """The form and the first pairs it means; a POST queues them all."""
    membership = get_membership(request.user, project_id, OWNERS)
    form = ChoosingForm(membership.project, request.POST or request.GET or None)
    if request.method == "POST" and form.is_valid():
        return queue(request, membership, form)
    context = {"project": membership.project, "membership": membership, "form": form, **preview(membership, form)}
    template = "training/tasks_choose.html#pairs" if request.htmx else "training/tasks_choose.html"
    wrong = bool(form.errors)
    return render(request, template, context, status=422 if wrong and not request.htmx else 200)


def queue(request: SignedInRequest, membership: Membership, form: ChoosingForm) -> HttpResponse:
    data = form.cleaned_data
    made = queue_request(
        project=membership.project,
        user=membership.user,
        request=read_request(form),
        overlap=data["overlap"],
        priority=data["priority"],
    )
    if made:
        messages.success(request, f"{made:,} task{'s are' if made != 1 else ' is'} in the queue.")
    else:
        messages.info(request, "Nothing was added: these tasks are in the queue already, or no pair is left to ask.")
    return redirect("project-tasks", membership.project_id)


def read_request(form: ChoosingForm) -> Request:
    data = form.cleaned_data
    return Request(
        count=data["count"],
        mix=form.mix(),
        seed=data["seed"],
        token=data["token"],
        model=data["model"],
        tag=data["tag"],
    )


def preview(membership: Membership, form: ChoosingForm) -> dict[str, object]:
    """The first pairs of a form that can be read, how many there are, and how far its model has scored them."""
    if not form.is_valid():
        return {}
    pairs = preview_request(membership.project, read_request(form))
    model, tag = form.cleaned_data["model"], form.cleaned_data["tag"]
    state = find_scores(membership.project, model, tag) if model else None
    return {"pairs": pairs[:SHOWN], "found": len(pairs), "state": state, "model": model}


@login_required
@require_POST
def tasks_score(request: SignedInRequest, project_id: int) -> HttpResponse:
    """Have a reward model score what it has not scored, and come back to the form as it was."""
    membership = get_membership(request.user, project_id, OWNERS)
    rows = ModelVersion.objects.visible_to(request.user)
    model = get_in_project(rows, membership, read_number(request.POST.get("model")))
    try:
        scoring = start_scoring(project=membership.project, user=membership.user, model=model)
        messages.success(request, f"“{model}” is asked to score {scoring.total:,} responses. Look again in a while.")
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    fields = request.POST.copy()
    fields.pop("csrfmiddlewaretoken", None)
    return redirect(f"{reverse('tasks-choose', args=[project_id])}?{fields.urlencode()}")


@login_required
@require_GET
def tasks_chosen(request: SignedInRequest, project_id: int) -> StreamingHttpResponse:
    """Why each task was chosen, as CSV."""
    membership = get_membership(request.user, project_id, OWNERS)
    response = StreamingHttpResponse(write_reasons(membership.project), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="chosen-tasks-{project_id}.csv"'
    return response
