"""The background questionnaire: what an owner asks, what people agree to say, and what may be shown of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Count, Max
from django.utils import timezone

from annotate.models import Membership, Project, QuestionnaireAnswer, QuestionnaireItem, User
from annotate.services.audit import record_audit

SHOWN_FROM = 5  # people; a smaller group is not told apart


class ItemRefused(ValueError):
    """A question that cannot be saved; the message says why."""


@dataclass(frozen=True)
class OptionCount:
    """How many chose it; None when so few did, or so few answered at all, that they could be recognised."""

    option: str
    count: int | None


@transaction.atomic
def add_item(*, actor: User, project: Project, question: str, options: Sequence[str]) -> QuestionnaireItem:
    """A new question at the end; the one there is when the same is asked again. Raises ItemRefused."""
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    existing = QuestionnaireItem.objects.of_project(project).filter(question=question).first()
    if existing and existing.options == list(options) and existing.is_active:
        return existing
    if existing:
        raise ItemRefused(f"“{question}” is asked already. Word it differently, or take that one back into use.")
    last = QuestionnaireItem.objects.of_project(project).aggregate(last=Max("position"))["last"] or 0
    item = QuestionnaireItem.objects.create(
        project=project, question=question, options=list(options), position=last + 1
    )
    record_audit(actor=actor, action="questionnaire.added", project=project, target=question)
    return item


@transaction.atomic
def set_item_active(*, actor: User, item: QuestionnaireItem, active: bool) -> bool:
    """Ask a question no more, or again. What was answered stays. False when it is so already."""
    changed = QuestionnaireItem.objects.filter(pk=item.pk, is_active=not active).update(is_active=active)
    if changed:
        action = "questionnaire.resumed" if active else "questionnaire.retired"
        record_audit(actor=actor, action=action, project=item.project, target=item.question)
    return bool(changed)


def active_items(project: Project) -> list[QuestionnaireItem]:
    return list(QuestionnaireItem.objects.of_project(project).filter(is_active=True).order_by("position", "pk"))


def own_answers(membership: Membership) -> dict[int, str]:
    """{item id: answer} of this person, "" where they prefer not to say."""
    rows = QuestionnaireAnswer.objects.of_project(membership.project).filter(user=membership.user)
    return dict(rows.values_list("item", "answer"))


@transaction.atomic
def save_answers(*, membership: Membership, answers: Mapping[int, str]) -> None:
    """Keep what the person says of themselves, with their consent; earlier answers are replaced.

    Raises ValueError for an item of another project or an option it does not have.
    """
    items = {item.pk: item for item in QuestionnaireItem.objects.of_project(membership.project)}
    for pk, answer in answers.items():
        if pk not in items:
            raise ValueError(f"question {pk} is not one of this project's.")
        if answer and answer not in items[pk].options:
            raise ValueError(f"“{answer}” is no answer to “{items[pk].question}”.")
        QuestionnaireAnswer.objects.update_or_create(
            item=items[pk], user=membership.user, defaults={"answer": answer, "updated_at": timezone.now()}
        )
    fresh = Membership.objects.filter(pk=membership.pk, questionnaire_consent_at=None)
    if fresh.update(questionnaire_consent_at=timezone.now()):
        record_audit(actor=membership.user, action="questionnaire.consented", project=membership.project)


@transaction.atomic
def withdraw_answers(*, membership: Membership) -> bool:
    """Delete everything the person said here and their consent. False when there was nothing."""
    QuestionnaireAnswer.objects.of_project(membership.project).filter(user=membership.user).delete()
    given = Membership.objects.filter(pk=membership.pk, questionnaire_consent_at__isnull=False)
    withdrawn = given.update(questionnaire_consent_at=None)
    if withdrawn:
        record_audit(actor=membership.user, action="questionnaire.withdrawn", project=membership.project)
    return bool(withdrawn)


def count_answers(project: Project) -> dict[int, list[OptionCount]]:
    """{item id: how many chose each option}, nothing of groups under five, in two statements.

    When one single option is under five, the next smallest is hidden with it, or it could be told from the total.
    """
    rows = QuestionnaireAnswer.objects.of_project(project).values_list("item", "answer")
    counts = {(item, answer): count for item, answer, count in rows.annotate(count=Count("pk"))}
    return {
        item.pk: hide_small([(option, counts.get((item.pk, option), 0)) for option in [*item.options, ""]])
        for item in QuestionnaireItem.objects.of_project(project)
    }


def hide_small(counts: Sequence[tuple[str, int]]) -> list[OptionCount]:
    small = {option for option, count in counts if 0 < count < SHOWN_FROM}
    if len(small) == 1:
        others = [(count, option) for option, count in counts if count >= SHOWN_FROM]
        small |= {min(others)[1]} if others else set()
    return [OptionCount(option, None if option in small else count) for option, count in counts]
