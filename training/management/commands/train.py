"""`manage.py train PROJECT --algorithm dpo`: launch a run from the terminal, here or on a worker."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db.models import QuerySet

from annotate.models import JobStatus, Project, Snapshot, User
from annotate.services.snapshots import SnapshotError, create_snapshot
from training.algorithms.configs import ALGORITHMS, ConfigError
from training.models import ModelVersion, Run
from training.services.execution import train_run
from training.services.registry import base_kinds, default_model, ensure_base_models
from training.services.runs import launch_run


class Command(BaseCommand):
    help = "Train a reward model or a policy on a project's judgements."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("project", help="the project's number or name")
        parser.add_argument("--algorithm", required=True, choices=list(ALGORITHMS))
        parser.add_argument("--snapshot", help="a snapshot's number or name; left out: a new one of all judgements")
        parser.add_argument("--model", help="the number or name of the model to start from; left out: the default")
        parser.add_argument(
            "--reward",
            action="append",
            default=[],
            metavar="MODEL[=WEIGHT]",
            help="a reward model's number or name, for what samples responses; may be repeated; left out: the default",
        )
        parser.add_argument("--name", default="", help="what to call the run")
        parser.add_argument("--set", action="append", default=[], metavar="SETTING=VALUE", help="may be repeated")
        parser.add_argument("--user", help="e-mail of the owner who launches; left out: the project's creator")
        parser.add_argument("--queue", action="store_true", help="leave the work to a training worker")

    def handle(self, *args: object, **options: Any) -> None:
        project = find(Project.objects.all(), "project", options["project"])
        user = find_user(options["user"]) if options["user"] else project.created_by
        ensure_base_models(project)
        try:
            run = launch_run(
                project=project,
                user=user,
                algorithm=options["algorithm"],
                snapshot=self.find_snapshot(project, user, options["snapshot"]),
                base_model=self.find_base(project, options["algorithm"], options["model"]),
                rewards=self.find_rewards(project, options["algorithm"], options["reward"]),
                config=parse_settings(options["set"]),
                name=options["name"],
                in_background=options["queue"],
            )
        except (ConfigError, SnapshotError) as error:
            raise CommandError(str(error)) from error
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        self.stdout.write(f"Run {run.pk} “{run}”: {run.directory()}")
        if not options["queue"]:
            self.train_here(run)

    def train_here(self, run: Run) -> None:
        train_run(run)
        run.refresh_from_db()
        if run.status != JobStatus.SUCCEEDED:
            raise CommandError(f"The run ended as {run.get_status_display().lower()}. {run.error}\n{run.log_tail}")
        self.stdout.write(f"Model {run.output.pk} “{run.output}”: {run.output.path()}")

    def find_snapshot(self, project: Project, user: User, wanted: str | None) -> Snapshot:
        if wanted is None:
            return create_snapshot(project=project, user=user)
        return find(Snapshot.objects.of_project(project), "snapshot", wanted)

    def find_base(self, project: Project, algorithm: str, wanted: str | None) -> ModelVersion:
        models = ModelVersion.objects.of_project(project)
        if wanted is not None:
            return find(models, "model", wanted)
        model = default_model(project, base_kinds(algorithm)[0])
        if model is None:
            raise CommandError("The project has no default model to start from. Name one with --model.")
        return model

    def find_rewards(self, project: Project, algorithm: str, wanted: list[str]) -> dict[ModelVersion, float]:
        """The models named, or the default one where the algorithm needs one and the project has it."""
        models = ModelVersion.objects.of_project(project).filter(kind=ModelVersion.Kind.REWARD)
        if not wanted and ALGORITHMS[algorithm].scores:
            preferred = models.order_by("-is_default", "-id").first()
            return {preferred: 1.0} if preferred else {}
        pairs = (one.rpartition("=") if "=" in one else (one, "", "1") for one in wanted)
        return {find(models, "reward model", name): parse_weight(weight) for name, _, weight in pairs}


def parse_weight(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise CommandError(f"--reward has the weight {text!r}. Write it as MODEL=0.5.") from None


def find(rows: QuerySet[Any], what: str, wanted: str) -> Any:
    """The row of this number or name. Raises CommandError when there is none or more than one."""
    matches = list(rows.filter(pk=wanted) if wanted.isdecimal() else rows.filter(name=wanted))
    if len(matches) != 1:
        raise CommandError(f"{len(matches) or 'No'} {what}s are named {wanted!r}. Give its number.")
    return matches[0]


def find_user(email: str) -> User:
    user = User.objects.filter(email=email.strip().lower()).first()
    if user is None:
        raise CommandError(f"Nobody has the address {email!r}.")
    return user


def parse_settings(pairs: list[str]) -> dict[str, str]:
    """["epochs=2"] → {"epochs": "2"}."""
    for pair in pairs:
        if "=" not in pair:
            raise CommandError(f"--set {pair!r} has no “=”. Write it as epochs=2.")
    return dict(pair.split("=", 1) for pair in pairs)
