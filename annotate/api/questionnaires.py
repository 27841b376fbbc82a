"""The background questionnaire: asked by an owner, answered, changed and withdrawn by each person."""

from __future__ import annotations

from typing import Any

from annotate.access import EVERYONE, OWNERS, get_in_project
from annotate.api.operations import Call, operation
from annotate.api.paging import Page, page_of
from annotate.api.problems import Invalid, refused
from annotate.api.serializers.questionnaires import (
    AskedSerializer,
    BackgroundSerializer,
    NewBackgroundSerializer,
    NewQuestionSerializer,
    QuestionSerializer,
)
from annotate.api.serializers.snapshots import StartedSerializer
from annotate.forms.questionnaires import ItemForm
from annotate.models import QuestionnaireItem, Scope
from annotate.services import questionnaires


def describe(call: Call, items: list[QuestionnaireItem]) -> list[dict[str, Any]]:
    counts = questionnaires.count_answers(call.project)
    return [{"row": item, "counts": counts[item.pk]} for item in items]


@operation("GET", scope=Scope.READ, roles=OWNERS, answer=QuestionSerializer, paged=True)
def list_questions(call: Call) -> Page:
    """What people are asked about themselves, and how many gave each answer: never a person, never a small group."""
    page = page_of(QuestionnaireItem.objects.visible_to(call.user).of_project(call.project), call.query)
    return Page(describe(call, page.rows), page.following)


@operation(
    "POST",
    scope=Scope.ADMIN,
    roles=OWNERS,
    body=NewQuestionSerializer,
    answer=QuestionSerializer,
    status=201,
    example={"question": "Do you cook?", "options": ["Every day", "Now and then", "Never"]},
)
def ask_question(call: Call) -> dict[str, Any]:
    """Ask one more question; the same question with the same answers is the one there is."""
    form = ItemForm(call.data)
    if not form.is_valid():
        raise Invalid({name: list(map(str, found)) for name, found in form.errors.items()})
    with refused(questionnaires.ItemRefused, field="question"):
        item = questionnaires.add_item(actor=call.user, project=call.project, **form.cleaned_data)
    return describe(call, [item])[0]


@operation("PUT", scope=Scope.ADMIN, roles=OWNERS, body=AskedSerializer, answer=StartedSerializer)
def retire_question(call: Call, pk: int) -> dict[str, bool]:
    """Ask a question no more, or again."""
    rows = QuestionnaireItem.objects.visible_to(call.user).select_related("project")
    item = get_in_project(rows, call.membership, pk)
    return {"changed": questionnaires.set_item_active(actor=call.user, item=item, active=call.data["active"])}


@operation("GET", scope=Scope.JUDGE, roles=EVERYONE, answer=BackgroundSerializer)
def show_background(call: Call) -> dict[str, Any]:
    """What you are asked about yourself, and what you said."""
    return background_of(call)


def background_of(call: Call) -> dict[str, Any]:
    said = questionnaires.own_answers(call.membership)
    questions = [
        {"id": item.pk, "question": item.question, "options": item.options, "answer": said.get(item.pk)}
        for item in questionnaires.active_items(call.project)
    ]
    return {"consented_at": call.membership.questionnaire_consent_at, "questions": questions}


@operation(
    "PUT",
    scope=Scope.JUDGE,
    roles=EVERYONE,
    body=NewBackgroundSerializer,
    answer=BackgroundSerializer,
    example={"consent": True, "answers": {"1": "Every day"}},
)
def say_background(call: Call) -> dict[str, Any]:
    """Say something of yourself, or change it. You can withdraw it at any time."""
    if not call.data["consent"]:
        raise Invalid({"consent": "Without your consent nothing is kept. Send true to agree, or nothing at all."})
    items = {str(item.pk): item for item in questionnaires.active_items(call.project)}
    for number, answer in call.data["answers"].items():
        if number not in items:
            raise Invalid({f"answers.{number[:20]}": "This project asks no question of this number."})
        if answer and answer not in items[number].options:
            raise Invalid({f"answers.{number}": f"The answers are: {', '.join(items[number].options)}."})
    answers = {items[number].pk: answer for number, answer in call.data["answers"].items()}
    questionnaires.save_answers(membership=call.membership, answers=answers)
    call.membership.refresh_from_db(fields=["questionnaire_consent_at"])
    return background_of(call)


@operation("DELETE", scope=Scope.JUDGE, roles=EVERYONE)
def withdraw_background(call: Call) -> None:
    """Delete everything you said of yourself here, and your consent."""
    questionnaires.withdraw_answers(membership=call.membership)
