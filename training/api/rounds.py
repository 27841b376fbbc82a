"""Rounds: recipes, the turns of the loop, and the policy in use."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Prefetch

from annotate.access import OWNERS, REVIEWERS, get_in_project
from annotate.api.operations import Call, operation
from annotate.api.paging import Page, page_of
from annotate.api.problems import Conflict, Invalid, invalid
from annotate.api.serializers.snapshots import StartedSerializer
from annotate.models import Scope
from annotate.querysets import ScopedQuerySet
from training.api.models import named_model
from training.api.serializers.rounds import (
    NewPolicySerializer,
    NewRecipeSerializer,
    NewRoundSerializer,
    PolicySerializer,
    RecipeSerializer,
    RoundSerializer,
)
from training.models import ProjectPolicy, Recipe, Round, RoundStep
from training.recipes import NESTED, PlanError
from training.services.policies import restore, set_policy
from training.services.recipes import ensure_recipes, save_recipe
from training.services.round_evaluation import take_by_hand
from training.services.rounds import active_round, cancel_round, retry_step, skip_step, start_round


def recipes_of(call: Call) -> ScopedQuerySet:
    rows: ScopedQuerySet = Recipe.objects.visible_to(call.user).select_related("created_by", "project")
    return rows


@operation("GET", scope=Scope.READ, roles=REVIEWERS, answer=RecipeSerializer, paged=True)
def list_recipes(call: Call) -> Page:
    """The project's recipes."""
    ensure_recipes(call.project)
    return page_of(recipes_of(call).of_project(call.project), call.query)


@operation("GET", scope=Scope.READ, roles=REVIEWERS, answer=RecipeSerializer)
def show_recipe(call: Call, pk: int) -> Recipe:
    """One recipe."""
    found: Recipe = get_in_project(recipes_of(call), call.membership, pk)
    return found


@operation(
    "POST",
    scope=Scope.TRAIN,
    roles=OWNERS,
    body=NewRecipeSerializer,
    answer=RecipeSerializer,
    status=201,
    example={"name": "Nightly DPO", "plan": {"algorithm": "dpo", "prompts": 20}, "trigger": "times"},
)
def write_recipe(call: Call) -> Recipe:
    """A new recipe. Every setting of the plan that cannot be used is named, as `plan.gate`."""
    return store(call, Recipe(project=call.project, created_by=call.user))


@operation("PUT", scope=Scope.TRAIN, roles=OWNERS, body=NewRecipeSerializer, answer=RecipeSerializer)
def rewrite_recipe(call: Call, pk: int) -> Recipe:
    """Write a recipe anew. Rounds that have begun go on as they began."""
    recipe: Recipe = get_in_project(recipes_of(call), call.membership, pk)
    return store(call, recipe)


def store(call: Call, recipe: Recipe) -> Recipe:
    plan = call.data["plan"]
    if wrong := [name for name in NESTED if name in plan and not isinstance(plan[name], dict)]:
        raise Invalid({f"plan.{wrong[0]}": f"{plan[wrong[0]]!r} is not an object with settings."})
    try:
        return save_recipe(recipe=recipe, user=call.user, **call.data)
    except PlanError as error:
        raise Invalid({f"plan.{name}": text for name, text in error.errors.items()}) from error
    except ValidationError as error:
        raise invalid(error, otherwise="name") from error


def rounds_of(call: Call) -> ScopedQuerySet:
    rows: ScopedQuerySet = Round.objects.visible_to(call.user).select_related("started_by", "project", "recipe")
    return rows.prefetch_related(Prefetch("steps", RoundStep.objects.order_by("position")))


def get_round(call: Call, pk: int) -> Round:
    found: Round = get_in_project(rounds_of(call), call.membership, pk)
    return found


@operation("GET", scope=Scope.READ, roles=REVIEWERS, answer=RoundSerializer, paged=True)
def list_rounds(call: Call) -> Page:
    """The project's rounds."""
    return page_of(rounds_of(call).of_project(call.project), call.query)


@operation("GET", scope=Scope.READ, roles=REVIEWERS, answer=RoundSerializer)
def show_round(call: Call, pk: int) -> Round:
    """One round with its steps."""
    return get_round(call, pk)


@operation(
    "POST",
    scope=Scope.TRAIN,
    roles=OWNERS,
    body=NewRoundSerializer,
    answer=RoundSerializer,
    status=201,
    conflicts=True,
    example={"recipe": 1},
)
def begin_round(call: Call) -> Round:
    """Begin the project's next round; one at a time."""
    recipe = recipes_of(call).of_project(call.project).filter(pk=call.data["recipe"]).first()
    if recipe is None:
        raise Invalid({"recipe": f"There is no recipe {call.data['recipe']} in this project."})
    if active := active_round(call.project):
        raise Conflict(f"{active} is still under way. Wait for it, or cancel it first.")
    try:
        made = start_round(recipe=recipe, user=call.user)
    except PlanError as error:
        raise Invalid({"recipe": f"The recipe “{recipe}” needs mending first. {error}"}) from error
    except ValidationError as error:  # another began at the same moment
        raise Conflict(" ".join(error.messages)) from error
    return get_round(call, made.pk)


@operation("POST", scope=Scope.TRAIN, roles=OWNERS, answer=StartedSerializer)
def cancel_a_round(call: Call, pk: int) -> dict[str, bool]:
    """End a round here. What it has made stays."""
    return {"changed": cancel_round(round=get_round(call, pk), user=call.user)}


@operation("POST", scope=Scope.TRAIN, roles=OWNERS, answer=StartedSerializer)
def retry_a_step(call: Call, pk: int) -> dict[str, bool]:
    """Do the failed step of a stopped round again."""
    return change_failed_step(call, pk, retry_step)


@operation("POST", scope=Scope.TRAIN, roles=OWNERS, answer=StartedSerializer)
def skip_a_step(call: Call, pk: int) -> dict[str, bool]:
    """Leave out the failed step of a stopped round, where it can do without."""
    return change_failed_step(call, pk, skip_step)


def change_failed_step(call: Call, pk: int, change: Callable[..., bool]) -> dict[str, Any]:
    step = get_round(call, pk).steps.filter(status=RoundStep.Status.FAILED).first()
    return {"changed": step is not None and change(step=step, user=call.user)}


@operation("POST", scope=Scope.TRAIN, roles=OWNERS, answer=StartedSerializer)
def take_policy(call: Call, pk: int) -> dict[str, bool]:
    """Take a round's new policy into use, whatever its rule said."""
    return {"changed": take_by_hand(round=get_round(call, pk), user=call.user)}


def policies_of(call: Call) -> ScopedQuerySet:
    rows: ScopedQuerySet = ProjectPolicy.objects.visible_to(call.user).select_related("set_by", "model", "project")
    return rows


@operation("GET", scope=Scope.READ, roles=REVIEWERS, answer=PolicySerializer, paged=True)
def list_policies(call: Call) -> Page:
    """The policies that were in use, the current one among them."""
    return page_of(policies_of(call).of_project(call.project), call.query)


@operation(
    "POST",
    scope=Scope.TRAIN,
    roles=OWNERS,
    body=NewPolicySerializer,
    answer=StartedSerializer,
    example={"model": 2, "reason": "People prefer it."},
)
def use_policy(call: Call) -> dict[str, bool]:
    """Take a policy into use, and say why."""
    model = named_model(call, "model")
    try:
        return {"changed": set_policy(model=model, reason=call.data["reason"], set_by=call.user)}
    except ValidationError as error:
        raise invalid(error, otherwise="model") from error


@operation("POST", scope=Scope.TRAIN, roles=OWNERS, answer=StartedSerializer)
def restore_policy(call: Call, pk: int) -> dict[str, bool]:
    """Take an earlier policy into use again."""
    return {"changed": restore(entry=get_in_project(policies_of(call), call.membership, pk), user=call.user)}
