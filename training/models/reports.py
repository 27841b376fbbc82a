from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

from annotate.models import Job, Project, Snapshot
from annotate.querysets import JobQuerySet, ScopedQuerySet
from training.models.registry import ModelVersion
from training.models.runs import Run


class RewardReport(Job):
    """What a reward model gets right of a snapshot's held-out judgements and of pairs that should be easy.

    `figures` is what `services/reward_reports.py` found; `progress` and `total` count the pairs scored.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="reward_reports")
    model = models.ForeignKey(ModelVersion, on_delete=models.CASCADE, related_name="reward_reports")
    snapshot = models.ForeignKey(Snapshot, on_delete=models.PROTECT, related_name="+")
    figures = models.JSONField(default=dict, blank=True, editable=False)

    objects = JobQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["model", "snapshot"], name="rewardreport_once_a_model_and_snapshot")
        ]

    def __str__(self) -> str:
        return f"report on {self.model}"


class Ablation(models.Model):
    """One snapshot trained several times, each time with something left out."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="ablations")
    name = models.CharField(max_length=120)
    snapshot = models.ForeignKey(Snapshot, on_delete=models.PROTECT, related_name="ablations")
    base_model = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="+")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["project", "name"], name="ablation_name_unique")]

    def __str__(self) -> str:
        return self.name


class AblationRun(models.Model):
    """One of an ablation's runs. The first leaves nothing out; the others are compared with it."""

    ablation = models.ForeignKey(Ablation, on_delete=models.CASCADE, related_name="variants")
    run = models.OneToOneField(Run, on_delete=models.PROTECT, related_name="ablation_variant")
    position = models.PositiveSmallIntegerField()
    label = models.CharField(max_length=80)

    objects = ScopedQuerySet.as_manager()

    project_path = "ablation__project"

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["ablation", "position"], name="ablationrun_position_unique")
        ]

    def __str__(self) -> str:
        return f"{self.label} in {self.ablation}"
