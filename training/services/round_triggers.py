"""Rounds that begin by themselves: at their time, or when enough has been judged.

The row of a recipe is the schedule. A beat looks every few seconds; a time that passed while nothing ran is made up
for once, and two beats at once begin one round.
"""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from annotate.models import Project
from annotate.services.audit import record_audit
from training.models import Recipe, Round
from training.services.recipes import next_time
from training.services.rounds import active_round, count_new_judgements, start_round

Trigger = Recipe.Trigger


def start_due_rounds() -> list[Round]:
    """Begin the round of every recipe that is due, in projects at work; returns those begun."""
    timed = Q(trigger__in=[Trigger.HOURS, Trigger.TIMES], next_at__lte=timezone.now())
    counted = Q(trigger=Trigger.JUDGEMENTS)
    due = Recipe.objects.filter(timed | counted, project__archived_at=None).order_by("pk")
    begun = [start_if_due(pk) for pk in due.values_list("pk", flat=True)]
    return [round for round in begun if round is not None]


@transaction.atomic
def start_if_due(recipe_id: int) -> Round | None:
    """Begin this recipe's round if it is still due once its row and its project's are held."""
    recipe = Recipe.objects.select_for_update(skip_locked=True, of=("self",)).filter(pk=recipe_id).first()
    if recipe is None:
        return None
    project = Project.objects.select_for_update(no_key=True).get(pk=recipe.project_id)
    because = why_now(recipe, project)
    if recipe.next_at is not None and recipe.next_at <= timezone.now():
        recipe.next_at = next_time(recipe, timezone.now())
        recipe.save(update_fields=["next_at"])
    if not because or active_round(project):
        return None
    try:
        return start_round(recipe=recipe, user=None, because=because)
    except (ValidationError, ValueError) as error:
        stand_down(recipe, error)
        return None


def why_now(recipe: Recipe, project: Project) -> str:
    """What begins a round now, in words; nothing when it is not due, or nothing was judged since the last."""
    if recipe.trigger == Trigger.JUDGEMENTS:
        new = count_new_judgements(project, up_to=recipe.enough_judgements)
        return f"{new} new judgements" if new >= recipe.enough_judgements else ""
    timed = recipe.trigger in (Trigger.HOURS, Trigger.TIMES)
    if not timed or recipe.next_at is None or recipe.next_at > timezone.now():
        return ""
    if not count_new_judgements(project, up_to=1):
        return ""
    return f"every {recipe.every_hours} hours" if recipe.trigger == Trigger.HOURS else f"its time, {recipe.times}"


def stand_down(recipe: Recipe, error: Exception) -> None:
    """A recipe that cannot begin a round waits for its owner instead of failing every few seconds."""
    recipe.trigger, recipe.next_at = Trigger.HAND, None
    recipe.save(update_fields=["trigger", "next_at"])
    facts = {"problem": str(error)[:300]}
    record_audit(actor=None, action="recipe.set_to_by_hand", project=recipe.project, target=recipe, data=facts)
