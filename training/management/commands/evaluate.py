"""`manage.py evaluate PROJECT CANDIDATE BASELINE`: set two policies against each other, here or on a worker."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from annotate.models import JobStatus, Project
from training.management.commands.train import find, find_user
from training.models import Evaluation, ModelVersion
from training.services.evaluation_work import evaluate
from training.services.evaluations import start_evaluation


class Command(BaseCommand):
    help = "Compare two policies on held-out prompts, by a reward model or blind by people."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("project", help="the project's number or name")
        parser.add_argument("candidate", help="number or name of a policy")
        parser.add_argument("baseline", help="number or name of the policy it is set against")
        parser.add_argument("--by", choices=Evaluation.By.values, default=Evaluation.By.REWARDS, help="who judges")
        parser.add_argument("--judge", help="number or name of a reward model; left out: the default one")
        parser.add_argument("--prompts", type=int, default=200, help="at most so many")
        parser.add_argument("--overlap", type=int, default=1, help="people for each comparison")
        parser.add_argument("--max-tokens", type=int, default=256)
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument("--user", help="e-mail of the owner who asks; left out: the project's creator")
        parser.add_argument("--queue", action="store_true", help="leave the work to an inference worker")

    def handle(self, *args: object, **options: Any) -> None:
        project = find(Project.objects.all(), "project", options["project"])
        try:
            evaluation = self.start(project, options)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        self.stdout.write(f"Evaluation {evaluation.pk}: “{evaluation.candidate}” against “{evaluation.baseline}”.")
        if not options["queue"]:
            self.work_here(evaluation)

    def start(self, project: Project, options: dict[str, Any]) -> Evaluation:
        models = ModelVersion.objects.of_project(project)
        return start_evaluation(
            project=project,
            candidate=find(models, "model", options["candidate"]),
            baseline=find(models, "model", options["baseline"]),
            started_by=find_user(options["user"]) if options["user"] else project.created_by,
            judge=find(models, "reward model", options["judge"]) if options["judge"] else None,
            **{name: options[name] for name in ("prompts", "by", "overlap", "max_tokens", "seed")},
        )

    def work_here(self, evaluation: Evaluation) -> None:
        evaluate(evaluation)
        evaluation.refresh_from_db()
        if evaluation.asked_at:
            self.stdout.write(f"{evaluation.items.exclude(task=None).count()} comparisons wait for people.")
        elif evaluation.status != JobStatus.SUCCEEDED:
            raise CommandError(f"It ended as {evaluation.get_status_display().lower()}. {evaluation.error}")
        else:
            rate, low, high = evaluation.win_rate, evaluation.low, evaluation.high
            self.stdout.write(f"Preferred {rate:.0%} of {evaluation.count} times, from {low:.0%} to {high:.0%}.")
