"""The background questionnaire: asked by an owner, answered, changed and withdrawn by each person."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from annotate.access import OWNERS, SignedInRequest, get_in_project, get_membership
from annotate.forms.questionnaires import BackgroundForm, ItemForm
from annotate.models import QuestionnaireItem
from annotate.services import questionnaires


@login_required
@require_http_methods(["GET", "POST"])
def project_questionnaire(request: SignedInRequest, project_id: int) -> HttpResponse:
    """The questions, and how many gave each answer: never a person, never a small group."""
    membership = get_membership(request.user, project_id, OWNERS)
    form = ItemForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            questionnaires.add_item(actor=request.user, project=membership.project, **form.cleaned_data)
        except questionnaires.ItemRefused as refused:
            form.add_error("question", str(refused))
        else:
            return redirect("project-questionnaire", project_id)
    counts = questionnaires.count_answers(membership.project)
    items = QuestionnaireItem.objects.visible_to(request.user).of_project(membership.project).order_by("position", "pk")
    context = {
        "project": membership.project,
        "membership": membership,
        "form": form,
        "items": [{"row": item, "counts": counts[item.pk]} for item in items],
        "shown_from": questionnaires.SHOWN_FROM,
    }
    return render(request, "questionnaire/items.html", context, status=422 if form.is_bound else 200)


@login_required
@require_POST
def question_retire(request: SignedInRequest, project_id: int, pk: int) -> HttpResponse:
    """Ask it no more, or with `active=yes` again."""
    membership = get_membership(request.user, project_id, OWNERS)
    item = get_in_project(QuestionnaireItem.objects.select_related("project"), membership, pk)
    questionnaires.set_item_active(actor=request.user, item=item, active=request.POST.get("active") == "yes")
    return redirect("project-questionnaire", project_id)


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def my_background(request: SignedInRequest, project_id: int) -> HttpResponse:
    membership = get_membership(request.user, project_id)
    items = questionnaires.active_items(membership.project)
    form = BackgroundForm(
        request.POST if request.method == "POST" else None,
        items=items,
        answers=questionnaires.own_answers(membership),
        consented=membership.questionnaire_consent_at is not None,
    )
    if form.is_valid():
        questionnaires.save_answers(membership=membership, answers=form.answers())
        messages.success(request, "Your answers are kept. You can change or withdraw them here at any time.")
        return redirect("my-background", project_id)
    context = {"project": membership.project, "membership": membership, "form": form, "items": items}
    return render(request, "questionnaire/background.html", context, status=422 if form.is_bound else 200)


@login_required
@require_POST
def my_background_withdraw(request: SignedInRequest, project_id: int) -> HttpResponse:
    membership = get_membership(request.user, project_id)
    if questionnaires.withdraw_answers(membership=membership):
        messages.success(request, "Your answers are deleted.")
    return redirect("my-background", project_id)
