"""`manage.py round PROJECT`: begin the project's next round."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from annotate.models import Project
from training.management.commands.train import find, find_user
from training.models import Recipe
from training.recipes import PlanError
from training.services.recipes import ensure_recipes
from training.services.rounds import start_round


class Command(BaseCommand):
    help = "Begin the next round of a project: the workers do the rest."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("project", help="the project's number or name")
        parser.add_argument("--recipe", help="the recipe's name; left out: the one of the last round, or the first")
        parser.add_argument("--user", help="e-mail of the owner who begins it; left out: the project's creator")

    def handle(self, *args: object, **options: Any) -> None:
        project = find(Project.objects.all(), "project", options["project"])
        user = find_user(options["user"]) if options["user"] else project.created_by
        recipe = find_recipe(project, options["recipe"])
        try:
            round = start_round(recipe=recipe, user=user)
        except PlanError as error:
            raise CommandError(f"The recipe “{recipe}” needs mending first. {error}") from error
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        self.stdout.write(f"{round} of “{project}” has begun: {recipe}.")


def find_recipe(project: Project, wanted: str | None) -> Recipe:
    ensure_recipes(project)
    recipes = Recipe.objects.of_project(project)
    if wanted is None:
        return recipes.filter(rounds__isnull=False).order_by("-rounds__number").first() or recipes.order_by("pk")[0]
    found = recipes.filter(name=wanted).first()
    if found is None:
        names = ", ".join(recipes.order_by("pk").values_list("name", flat=True))
        raise CommandError(f"No recipe is named {wanted!r}. There are: {names}.")
    return found
