from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from annotate.models import Project
from annotate.querysets import ScopedQuerySet
from training.models.rounds import Round
from training.models.runs import Run


class AlarmQuerySet(ScopedQuerySet):
    def open(self) -> AlarmQuerySet:
        """Those that no owner has acknowledged."""
        return self.filter(acknowledged_at=None)


class Alarm(models.Model):
    """Something that a monitor saw go wrong in a run or a round, in plain words, with what to do about it.

    One a kind and run, or round; open until an owner acknowledges it.
    """

    class Severity(models.TextChoices):
        WARNING = "warning", "Warning"
        STOP = "stop", "Stopped the run"

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="alarms")
    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="alarms", null=True, blank=True)
    round = models.ForeignKey(Round, on_delete=models.CASCADE, related_name="alarms", null=True, blank=True)
    kind = models.CharField(max_length=30)
    severity = models.CharField(max_length=7, choices=Severity, default=Severity.WARNING)
    message = models.TextField()
    remedy = models.TextField()
    facts = models.JSONField(default=dict, blank=True)  # the numbers it was raised on
    raised_at = models.DateTimeField(default=timezone.now, editable=False)
    told_at = models.DateTimeField(null=True, blank=True, editable=False)  # when mails and webhooks were sent on
    acknowledged_at = models.DateTimeField(null=True, blank=True, editable=False)
    acknowledged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    note = models.TextField(blank=True, max_length=2000)  # what the owner made of it

    objects = AlarmQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(run__isnull=False) | Q(round__isnull=False), name="alarm_about_a_run_or_round"
            ),
            models.UniqueConstraint(fields=["run", "kind"], condition=Q(run__isnull=False), name="alarm_once_a_run"),
            models.UniqueConstraint(fields=["round", "kind"], condition=Q(run=None), name="alarm_once_a_round"),
            models.CheckConstraint(
                condition=Q(acknowledged_at=None) | Q(acknowledged_by__isnull=False),
                name="alarm_acknowledged_by_somebody",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["project", "-id"], condition=Q(acknowledged_at=None), name="alarm_open")
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.run or self.round}"
