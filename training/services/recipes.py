"""Recipes: those every project begins with, and those its owner writes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from celery.schedules import ParseException, crontab
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from annotate.models import Project, User
from annotate.services.audit import record_audit
from training.models import Recipe
from training.recipes import BUILT_IN, parse_plan, to_json

Trigger = Recipe.Trigger


def ensure_recipes(project: Project) -> None:
    """Give a project without a recipe the built-in ones, in its creator's name, begun by hand."""
    if Recipe.objects.of_project(project).exists():
        return
    Recipe.objects.bulk_create(
        [
            Recipe(project=project, name=name, plan=to_json(plan), created_by=project.created_by)
            for name, plan in BUILT_IN.items()
        ],
        ignore_conflicts=True,  # two first visitors
    )


@transaction.atomic
def save_recipe(
    *,
    recipe: Recipe,
    user: User,
    name: str,
    plan: Mapping[str, Any],
    trigger: str,
    every_hours: int,
    times: str,
    enough_judgements: int,
) -> Recipe:
    """Store a new recipe or a changed one; rounds that have begun keep the plan they began with.

    Raises PlanError for the plan, ValidationError by field for the rest.
    """
    is_new = recipe.pk is None
    recipe.plan = to_json(parse_plan(plan))
    recipe.name, recipe.trigger = name.strip(), trigger
    recipe.every_hours, recipe.times, recipe.enough_judgements = every_hours, times.strip(), enough_judgements
    same = Recipe.objects.of_project(recipe.project).filter(name=recipe.name).exclude(pk=recipe.pk)
    if same.exists():
        raise ValidationError({"name": f"This project already has a recipe “{recipe.name}”. Choose another name."})
    recipe.next_at = next_time(recipe, timezone.now())
    recipe.save()
    action = "recipe.created" if is_new else "recipe.changed"
    facts = {"trigger": recipe.get_trigger_display()}
    record_audit(actor=user, action=action, project=recipe.project, target=recipe, data=facts)
    return recipe


def next_time(recipe: Recipe, after: datetime) -> datetime | None:
    """When the recipe's clock strikes next; None when it has no clock. Raises ValidationError for times nobody
    understands."""
    if recipe.trigger == Trigger.HOURS:
        return after + timedelta(hours=recipe.every_hours)
    if recipe.trigger == Trigger.TIMES:
        start, until, _ = read_times(recipe.times).remaining_delta(after)
        return start + until
    return None


def read_times(times: str) -> crontab:
    try:
        minute, hour, day, month, weekday = times.split()
        return crontab(minute=minute, hour=hour, day_of_month=day, month_of_year=month, day_of_week=weekday)
    except (ValueError, ParseException) as error:
        raise ValidationError(
            {"times": f"{times!r} is no set of times. Write minute, hour, day, month and weekday, as in 0 3 * * 1-5."}
        ) from error
