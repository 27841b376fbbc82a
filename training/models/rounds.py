from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from annotate.models import Project, Snapshot, User
from annotate.querysets import ScopedQuerySet
from training.algorithms.configs import ALGORITHMS
from training.models.registry import ModelVersion
from training.models.runs import Generation, Run
from training.recipes import GATES


class Recipe(models.Model):
    """How a project's rounds go and when they begin. `plan` is all of `training.recipes.Plan` as JSON."""

    class Trigger(models.TextChoices):
        HAND = "hand", "By hand"
        HOURS = "hours", "Every few hours"
        TIMES = "times", "At set times"
        JUDGEMENTS = "judgements", "When enough has been judged"

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="recipes")
    name = models.CharField(max_length=80)
    plan = models.JSONField(default=dict)
    trigger = models.CharField(max_length=10, choices=Trigger, default=Trigger.HAND)
    every_hours = models.PositiveIntegerField(default=24)
    times = models.CharField(max_length=100, default="0 3 * * *")  # five fields of cron, in the site's time zone
    enough_judgements = models.PositiveIntegerField(default=200)
    next_at = models.DateTimeField(null=True, blank=True, editable=False)  # the next set time; null: none is set
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["project", "name"], name="recipe_name_unique"),
            models.CheckConstraint(
                condition=Q(every_hours__gte=1) & Q(enough_judgements__gte=1), name="recipe_trigger_at_least_one"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def algorithm_label(self) -> str:
        return ALGORITHMS[self.plan["algorithm"]].label

    def gate_label(self) -> str:
        return dict(GATES)[self.plan["gate"]]


class Round(models.Model):
    """One turn of the loop: what was collected, what was trained on it, whether that is better, and what is next.

    `plan` is the recipe's as it was at the start. A round that needs its owner is stopped, and still the project's
    one round: nothing else begins until its step is retried or skipped, or the round is cancelled.
    """

    class Status(models.TextChoices):
        RUNNING = "running", "Running"
        STOPPED = "stopped", "Needs you"
        SUCCEEDED = "succeeded", "Finished"
        CANCELLED = "cancelled", "Cancelled"

    class Decision(models.TextChoices):
        OPEN = "", "Not decided"
        TAKEN = "taken", "Taken into use"
        KEPT = "kept", "Not taken"

    ACTIVE: ClassVar[tuple[str, ...]] = (Status.RUNNING, Status.STOPPED)

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="rounds")
    number = models.PositiveIntegerField()
    recipe = models.ForeignKey(Recipe, on_delete=models.PROTECT, related_name="rounds")
    plan = models.JSONField(default=dict, editable=False)
    status = models.CharField(max_length=9, choices=Status, default=Status.RUNNING, editable=False)
    because = models.CharField(max_length=120, editable=False)  # what began it: "by hand", "200 new judgements"
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )  # null: its trigger did
    policy_before = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="+", editable=False)
    new_judgements = models.PositiveIntegerField(default=0, editable=False)  # since the round before
    decision = models.CharField(max_length=5, choices=Decision, blank=True, default="", editable=False)
    decision_reason = models.TextField(blank=True, editable=False)
    started_at = models.DateTimeField(default=timezone.now, editable=False)
    finished_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["project", "number"], name="round_number_unique"),
            models.UniqueConstraint(
                fields=["project"], condition=Q(status__in=["running", "stopped"]), name="round_one_active_a_project"
            ),
        ]

    def __str__(self) -> str:
        return f"Round {self.number}"

    @property
    def is_active(self) -> bool:
        return self.status in self.ACTIVE

    def actor(self) -> User:
        """In whose name it launches runs: who started it, or who wrote the recipe whose trigger did."""
        return self.started_by or self.recipe.created_by

    def output_of(self, kind: str) -> ModelVersion | None:
        """The model that a step's run made, once it has."""
        made = ModelVersion.objects.filter(run__round_step__round=self, run__round_step__kind=kind)
        return made.select_related("run").first()

    def snapshot(self) -> Snapshot | None:
        """The judgements its policy learns from."""
        return Snapshot.objects.filter(round_steps__round=self).first()


class RoundStep(models.Model):
    """A step of a round, done once. What it started is named here, so that a step that has started says so."""

    class Kind(models.TextChoices):
        SNAPSHOT = "snapshot", "Snapshot"
        SFT = "sft", "Supervised fine-tuning"
        REWARD_MODEL = "reward_model", "Reward model"
        HELDOUT_REWARD_MODEL = "heldout_reward_model", "Held-out reward model"
        POLICY = "policy", "Policy"
        EVALUATE = "evaluate", "Evaluation"
        RESPOND = "respond", "New responses"
        QUEUE = "queue", "New tasks"

    class Status(models.TextChoices):
        PENDING = "pending", "To come"
        RUNNING = "running", "Running"
        SUCCEEDED = "succeeded", "Finished"
        FAILED = "failed", "Failed"
        SKIPPED = "skipped", "Skipped"

    DONE: ClassVar[tuple[str, ...]] = (Status.SUCCEEDED, Status.SKIPPED)

    round = models.ForeignKey(Round, on_delete=models.CASCADE, related_name="steps")
    kind = models.CharField(max_length=20, choices=Kind)
    position = models.PositiveSmallIntegerField()
    status = models.CharField(max_length=9, choices=Status, default=Status.PENDING, editable=False)
    error = models.TextField(blank=True, editable=False)
    facts = models.JSONField(default=dict, blank=True, editable=False)  # counts, and words for its line
    snapshot = models.ForeignKey(Snapshot, on_delete=models.PROTECT, related_name="round_steps", null=True, blank=True)
    heldout_snapshot = models.ForeignKey(Snapshot, on_delete=models.PROTECT, related_name="+", null=True, blank=True)
    run = models.OneToOneField(Run, on_delete=models.PROTECT, related_name="round_step", null=True, blank=True)
    generation = models.ForeignKey(
        Generation, on_delete=models.PROTECT, related_name="round_steps", null=True, blank=True
    )
    rival_generation = models.ForeignKey(Generation, on_delete=models.PROTECT, related_name="+", null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True, editable=False)
    finished_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = ScopedQuerySet.as_manager()

    project_path = "round__project"

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["round", "kind"], name="roundstep_once_a_round"),
            models.UniqueConstraint(fields=["round", "position"], name="roundstep_position_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of round {self.round_id}"

    def took(self) -> timedelta | None:
        """From its beginning to its end; None before that."""
        return self.finished_at - self.started_at if self.finished_at and self.started_at else None
