from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone

from annotate.models import Job, JobStatus, Project, Response
from annotate.querysets import JobQuerySet, ScopedQuerySet
from training.models.registry import ModelVersion


class ResponseScore(models.Model):
    """What a reward model says of a response: one reward a head, their mean and their standard deviation.

    A model's weights never change, so neither does a score: it is written once. One head has no spread.
    """

    response = models.ForeignKey(Response, on_delete=models.CASCADE, related_name="scores")
    model = models.ForeignKey(ModelVersion, on_delete=models.CASCADE, related_name="scores")
    mean = models.FloatField()
    spread = models.FloatField(default=0.0)
    heads = ArrayField(models.FloatField())
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = ScopedQuerySet.as_manager()

    project_path = "model__project"

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["model", "response"], name="responsescore_once"),
            models.CheckConstraint(condition=Q(spread__gte=0), name="responsescore_spread_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.mean:.3f} for response {self.response_id} by {self.model}"


class Scoring(Job):
    """A reward model asked to score every response of its project that it has not scored yet.

    `progress` and `total` count responses.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="scorings")
    model = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="scorings")

    objects = JobQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["model"],
                condition=Q(status__in=[JobStatus.QUEUED, JobStatus.RUNNING]),
                name="scoring_one_at_a_time",
            )
        ]

    def __str__(self) -> str:
        return f"scoring {self.pk} by {self.model}"
