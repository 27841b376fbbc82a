"""Recipes: what a round does and when it begins."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from annotate.access import OWNERS, REVIEWERS, SignedInRequest, get_in_project, get_membership
from annotate.models import Membership
from annotate.paging import read_number
from training.algorithms.configs import ALGORITHMS
from training.models import Recipe
from training.recipe_form import RecipeForm
from training.recipes import POLICIES, Plan, PlanError, to_json
from training.services.recipes import ensure_recipes, save_recipe
from training.typed import carry_over, hidden_fields


@login_required
@require_GET
def project_recipes(request: SignedInRequest, project_id: int) -> HttpResponse:
    membership = get_membership(request.user, project_id, REVIEWERS)
    ensure_recipes(membership.project)
    recipes = Recipe.objects.of_project(membership.project).select_related("created_by").order_by("pk")
    context = {"project": membership.project, "membership": membership, "recipes": recipes, "labels": dict(POLICIES)}
    return render(request, "training/recipe_list.html", context)


@login_required
@require_http_methods(["GET", "POST"])
def recipe_create(request: SignedInRequest, project_id: int) -> HttpResponse:
    """A new recipe; `?like=` begins with another one's plan."""
    membership = get_membership(request.user, project_id, OWNERS)
    ensure_recipes(membership.project)
    recipe = Recipe(project=membership.project, created_by=membership.user, plan=to_json(Plan()))
    if wanted := read_number(request.GET.get("like")):
        like = get_in_project(Recipe.objects.visible_to(request.user), membership, wanted)
        recipe.plan, recipe.name = like.plan, f"{like.name} (copy)"[:80]
    return edit_recipe(request, membership, recipe)


@login_required
@require_http_methods(["GET", "POST"])
def recipe_edit(request: SignedInRequest, project_id: int, pk: int) -> HttpResponse:
    membership = get_membership(request.user, project_id, OWNERS)
    recipe = get_in_project(Recipe.objects.visible_to(request.user), membership, pk)
    return edit_recipe(request, membership, recipe)


def edit_recipe(request: SignedInRequest, membership: Membership, recipe: Recipe) -> HttpResponse:
    """The form of a recipe, new or known. The algorithm is named by the address, `?algorithm=`; a form sent with
    `switch` only asks for another one's settings than those of `algorithm`, which it shows."""
    algorithm = known_policy(request.GET, recipe)
    if "switch" in request.POST:
        form = RecipeForm(recipe, algorithm)
        left = RecipeForm(recipe, known_policy(request.POST, recipe))
        hidden = carry_over(left.all_forms(), form.all_forms(), request.POST)
    else:
        form = RecipeForm(recipe, algorithm, request.POST if request.method == "POST" else None)
        hidden = hidden_fields(form.all_forms(), request.POST)
    if form.is_bound and form.is_valid() and save_form(form, recipe, membership):
        messages.success(request, f"“{recipe}” is saved. Rounds that have begun go on as they began.")
        return redirect("project-recipes", membership.project_id)
    context = {
        "project": membership.project,
        "membership": membership,
        "recipe": recipe,
        "form": form,
        "hidden": hidden,
        "algorithm": algorithm,
        "algorithms": {name: ALGORITHMS[name] for name, _ in POLICIES},
    }
    return render(request, "training/recipe_form.html", context, status=422 if form.is_bound else 200)


def known_policy(said: QueryDict, recipe: Recipe) -> str:
    wanted = said.get("algorithm", "")
    return wanted if wanted in dict(POLICIES) else recipe.plan["algorithm"]


def save_form(form: RecipeForm, recipe: Recipe, membership: Membership) -> bool:
    """Store what was filled in; False, with the errors in the form, when it cannot be."""
    try:
        save_recipe(recipe=recipe, user=membership.user, plan=form.plan(), **form.about())
    except PlanError as error:
        form.show(error)
    except ValidationError as error:
        form.add_error(None, error)
    else:
        return True
    return False
