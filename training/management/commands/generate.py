"""`manage.py generate PROJECT`: ask a policy or an endpoint for responses from the terminal, here or on a worker."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from annotate.models import JobStatus, Project
from training.management.commands.train import find, find_user
from training.models import Generation, ModelVersion
from training.services.generations import Choice, choose_prompts, start_generation
from training.services.policies import current_policy
from training.services.sampling import generate


class Command(BaseCommand):
    help = "Have a model write responses to a project's prompts, and queue comparisons of them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("project", help="the project's number or name")
        parser.add_argument("--model", help="number or name of a policy or an endpoint; left out: the policy in use")
        parser.add_argument("--opponent", help="compare with what this model has written; left out: with each other")
        parser.add_argument("--tag", default="", help="only prompts with this tag")
        parser.add_argument("--again", action="store_true", help="prompts that it has answered before, too")
        parser.add_argument("--first", type=int, help="at most so many prompts, the oldest")
        parser.add_argument(
            "--responses", type=int, choices=range(1, 17), default=2, metavar="1..16", help="to each prompt"
        )
        parser.add_argument("--temperature", type=float, default=0.8)
        parser.add_argument("--top-p", type=float, default=0.95)
        parser.add_argument("--max-tokens", type=int, default=256)
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument("--no-tasks", action="store_true", help="queue no comparisons")
        parser.add_argument("--user", help="e-mail of the owner who asks; left out: the project's creator")
        parser.add_argument("--queue", action="store_true", help="leave the work to an inference worker")

    def handle(self, *args: object, **options: Any) -> None:
        project = find(Project.objects.all(), "project", options["project"])
        try:
            generation = self.start(project, options)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        self.stdout.write(f"Generation {generation.pk}: {generation.total} responses of “{generation.model}”.")
        if not options["queue"]:
            self.write_here(generation)

    def start(self, project: Project, options: dict[str, Any]) -> Generation:
        models = ModelVersion.objects.of_project(project)
        model = find(models, "model", options["model"]) if options["model"] else current_policy(project)
        choice = Choice.TAG if options["tag"] else Choice.ALL if options["again"] else Choice.WITHOUT
        return start_generation(
            project=project,
            user=find_user(options["user"]) if options["user"] else project.created_by,
            model=model,
            opponent=find(models, "model", options["opponent"]) if options["opponent"] else None,
            prompts=choose_prompts(
                project=project, model=model, choice=choice, tag=options["tag"], first=options["first"]
            ),
            responses_per_prompt=options["responses"],
            temperature=options["temperature"],
            top_p=options["top_p"],
            max_tokens=options["max_tokens"],
            seed=options["seed"],
            queue_tasks=not options["no_tasks"],
            overlap=project.overlap,
        )

    def write_here(self, generation: Generation) -> None:
        generate(generation)
        generation.refresh_from_db()
        if generation.status != JobStatus.SUCCEEDED:
            raise CommandError(f"It ended as {generation.get_status_display().lower()}. {generation.error}")
        cost = f" for ${generation.cost:.6f}" if generation.cost else ""
        self.stdout.write(f"{generation.progress} responses{cost}; {generation.tasks_queued} comparisons queued.")
        if generation.error:
            self.stdout.write(generation.error)
