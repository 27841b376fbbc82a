from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone

from annotate.models import Task
from annotate.querysets import ScopedQuerySet
from training.models.registry import ModelVersion


class ChosenTask(models.Model):
    """Why a task was chosen for people to judge. Never shown to those who judge it.

    `chance` is the probability that the lot fell on this pair, for pairs drawn by lot: 1/chance is its weight when
    figures about the whole pool are wanted. Pairs chosen for their `value` have none. `facts`: {"mix", "seed", "pool"}.
    """

    task = models.OneToOneField(Task, on_delete=models.CASCADE, related_name="choice")
    strategy = models.CharField(max_length=16)
    value = models.FloatField(null=True, blank=True)  # what the strategy ranked it by
    chance = models.FloatField(null=True, blank=True)
    reason = models.CharField(max_length=300)
    model = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="+", null=True, blank=True)
    facts = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = ScopedQuerySet.as_manager()

    project_path = "task__project"

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(chance=None) | Q(chance__gt=0, chance__lte=1), name="chosentask_chance_is_a_probability"
            )
        ]

    def __str__(self) -> str:
        return f"task {self.task_id}: {self.reason}"
