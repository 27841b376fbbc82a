"""What the pages say of rounds: a line each, and how far the policy has come."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import F, Prefetch, QuerySet

from annotate.models import Project
from training.models import Evaluation, ModelVersion, Round, RoundStep

Kind = RoundStep.Kind
By = Evaluation.By


@dataclass(frozen=True)
class Line:
    """A round in one line: `gate` are the figures its rule read, `base` is the win rate over the base model."""

    round: Round
    now: RoundStep | None  # the step under way, or the one that failed
    models: list[ModelVersion]
    gate: list[Evaluation]
    base: Evaluation | None
    queued: int


def history_of(project: Project) -> QuerySet[Round]:
    """The project's rounds with what `as_lines` reads of them."""
    evaluations = Evaluation.objects.select_related("baseline").order_by("by", "pk")
    return (
        Round.objects.of_project(project)
        .select_related("recipe", "started_by", "policy_before")
        .prefetch_related(
            Prefetch("steps", RoundStep.objects.order_by("position")), Prefetch("evaluations", evaluations)
        )
    )


def as_lines(rounds: Iterable[Round]) -> list[Line]:
    """Each round in a line; a fixed number of statements."""
    rounds = list(rounds)
    models = models_of(rounds)
    return [as_line(round, models[round.pk]) for round in rounds]


def models_of(rounds: Iterable[Round]) -> dict[int, list[ModelVersion]]:
    """{round id: what its runs made}, in the order made."""
    made = ModelVersion.objects.filter(run__round_step__round__in=[round.pk for round in rounds])
    found: dict[int, list[ModelVersion]] = defaultdict(list)
    for model in made.annotate(made_in=F("run__round_step__round")).order_by("pk"):
        found[model.made_in].append(model)
    return found


def as_line(round: Round, models: list[ModelVersion]) -> Line:
    steps = list(round.steps.all())
    evaluations = list(round.evaluations.all())
    queue = next((step for step in steps if step.kind == Kind.QUEUE), None)
    return Line(
        round=round,
        now=next((step for step in steps if step.status in (step.Status.RUNNING, step.Status.FAILED)), None),
        models=models,
        gate=[evaluation for evaluation in evaluations if evaluation.baseline_id == round.policy_before_id],
        base=over_base(evaluations),
        queued=queue.facts.get("queued", 0) if queue else 0,
    )


def over_base(evaluations: Iterable[Evaluation]) -> Evaluation | None:
    """The evaluation by reward model against a model that nobody here trained."""
    known = [one for one in evaluations if one.by == By.REWARDS and one.win_rate is not None]
    return next((one for one in known if one.baseline.run_id is None), None)
