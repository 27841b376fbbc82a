from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

from annotate.models import Job, Project, Prompt, Snapshot
from annotate.querysets import JobQuerySet, ScopedQuerySet
from training.algorithms.configs import ALGORITHMS
from training.models.registry import ModelVersion


def algorithm_choices() -> list[tuple[str, str]]:
    """(name, label); a function, so that a new algorithm needs no migration."""
    return [(name, algorithm.label) for name, algorithm in ALGORITHMS.items()]


class Run(Job):
    """One training job. `progress` and `total` count optimiser steps; `config` is the algorithm's whole config."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="runs")
    name = models.CharField(max_length=120)
    algorithm = models.CharField(max_length=20, choices=algorithm_choices)
    config = models.JSONField(default=dict)
    snapshot = models.ForeignKey(Snapshot, on_delete=models.PROTECT, related_name="runs")
    base_model = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="runs_from")
    seconds_left = models.FloatField(null=True, blank=True, editable=False)
    metrics = models.JSONField(default=dict, blank=True, editable=False)
    facts = models.JSONField(default=dict, blank=True, editable=False)  # versions, device, commit, data hash
    log_tail = models.TextField(blank=True, editable=False)
    held_out_people = models.BooleanField(default=False, editable=False)  # tested on people it has not learnt from
    ends_with_best = models.BooleanField(default=False, editable=False)  # takes no further step

    objects = JobQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["project", "name"], name="run_name_unique")]
        indexes: ClassVar = [models.Index(fields=["project", "-id"], name="run_newest")]

    def __str__(self) -> str:
        return self.name

    def directory(self) -> Path:
        """Where its data, events, checkpoints and log are; shared between the hosts that may run it."""
        return settings.ARTIFACTS_DIR / "runs" / str(self.pk)


class RunReward(models.Model):
    """A reward model that scores a run's responses, and its share beside the others.

    One that is held out scores them too, but nothing is learnt from it: it shows whether the others are fooled.
    """

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="rewards")
    model = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="+")
    weight = models.FloatField(default=1.0)
    is_held_out = models.BooleanField(default=False)

    objects = ScopedQuerySet.as_manager()

    project_path = "run__project"

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["run", "model"], name="runreward_once"),
            models.CheckConstraint(condition=models.Q(weight__gt=0), name="runreward_weight_positive"),
            models.UniqueConstraint(
                fields=["run"], condition=models.Q(is_held_out=True), name="runreward_one_held_out"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.model} × {self.weight:g}"


class RunEvent(models.Model):
    """A line the trainer wrote: a training step's metrics, an evaluation, a checkpoint, a sample.

    One row per kind and step, so that steps repeated after a resume replace themselves.
    """

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="events")
    kind = models.CharField(max_length=12)
    step = models.PositiveIntegerField()
    data = models.JSONField(default=dict)
    created_at = models.DateTimeField(default=timezone.now)

    objects = ScopedQuerySet.as_manager()

    project_path = "run__project"

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["run", "kind", "step"], name="runevent_step_unique")]

    def __str__(self) -> str:
        return f"{self.kind} at step {self.step}"


class Generation(Job):
    """Responses asked of a policy: some for each chosen prompt, then, if wanted, comparison tasks from them.

    Each response is a draw, or the best of `best_of` draws by the reward model. `progress` and `total` count responses.
    With an `opponent`, each task sets a new response against one of the opponent's; without, two of the same policy.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="generations")
    model = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="generations")
    opponent = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="+", null=True, blank=True)
    responses_per_prompt = models.PositiveSmallIntegerField(default=2)
    temperature = models.FloatField(default=0.8)
    top_p = models.FloatField(default=0.95)
    max_tokens = models.PositiveIntegerField(default=256)
    seed = models.BigIntegerField(default=0)
    queue_tasks = models.BooleanField(default=True)
    overlap = models.PositiveSmallIntegerField(default=1)
    prompts = models.ManyToManyField(Prompt, through="GenerationPrompt", related_name="generations")
    best_of = models.PositiveSmallIntegerField(default=1)
    reward_model = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="+", null=True, blank=True)
    tokens_written = models.PositiveBigIntegerField(default=0, editable=False)
    writing_seconds = models.FloatField(default=0.0, editable=False)  # spent sampling, without loading the model
    cost = models.DecimalField(max_digits=18, decimal_places=9, default=Decimal(0), editable=False)  # dollars
    tasks_queued = models.PositiveIntegerField(default=0, editable=False)
    pairs_dropped = models.PositiveIntegerField(default=0, editable=False)  # draws alike to the letter, or empty

    objects = JobQuerySet.as_manager()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["project", "-id"], name="generation_newest")]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(responses_per_prompt__gte=1, responses_per_prompt__lte=16),
                name="generation_responses_within_limits",
            ),
            models.CheckConstraint(
                condition=models.Q(best_of=1, reward_model__isnull=True)
                | models.Q(best_of__gte=2, best_of__lte=64, reward_model__isnull=False),
                name="generation_best_by_a_reward_model",
            ),
        ]

    def __str__(self) -> str:
        return f"generation {self.pk} by {self.model}"

    def tokens_per_second(self) -> float:
        return self.tokens_written / self.writing_seconds if self.writing_seconds else 0.0


class GenerationPrompt(models.Model):
    generation = models.ForeignKey(Generation, on_delete=models.CASCADE, related_name="chosen_prompts")
    prompt = models.ForeignKey(Prompt, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["generation", "prompt"], name="generationprompt_once")]

    def __str__(self) -> str:
        return f"prompt {self.prompt_id} in generation {self.generation_id}"
