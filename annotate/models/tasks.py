from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from annotate.models.projects import Project
from annotate.models.prompts import Prompt, Response
from annotate.querysets import LeaseQuerySet, ScopedQuerySet, TaskQuerySet


class Kind(models.TextChoices):
    COMPARISON = "comparison", "Comparison"


class Task(models.Model):
    """One thing to judge: its kind, prompt, ordered responses, and how many people must judge it.

    `remaining` counts the places nobody holds or has filled: required_judgements − held leases − current
    judgements. The queue reads it; only `annotate.assignment` writes it, in the transaction that moves a lease.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="tasks")
    kind = models.CharField(max_length=12, choices=Kind, default=Kind.COMPARISON)
    prompt = models.ForeignKey(Prompt, on_delete=models.PROTECT, related_name="tasks")
    responses = models.ManyToManyField(Response, through="TaskResponse", related_name="tasks")
    key = models.CharField(max_length=120, editable=False)
    priority = models.IntegerField(default=0)
    required_judgements = models.PositiveSmallIntegerField()
    remaining = models.PositiveSmallIntegerField(editable=False)
    is_gold = models.BooleanField(default=False)
    gold_answer = models.JSONField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = TaskQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["project", "key"], name="task_key_unique"),
            models.CheckConstraint(condition=Q(required_judgements__gte=1), name="task_required_positive"),
            models.CheckConstraint(
                condition=Q(remaining__gte=0) & Q(remaining__lte=F("required_judgements")),
                name="task_remaining_within_required",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["project", "-priority", "id"], condition=Q(remaining__gt=0, closed_at=None), name="task_queue"
            ),
            models.Index(fields=["project", "-id"], name="task_newest"),
        ]

    def __str__(self) -> str:
        return f"task {self.pk}"


class TaskResponse(models.Model):
    """A response's fixed place in a task. The side it is shown on is the lease's business."""

    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="places")
    response = models.ForeignKey(Response, on_delete=models.PROTECT, related_name="places")
    position = models.PositiveSmallIntegerField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["task", "position"], name="taskresponse_position_unique"),
            models.UniqueConstraint(fields=["task", "response"], name="taskresponse_response_unique"),
        ]

    def __str__(self) -> str:
        return f"place {self.position} of task {self.task_id}"


class Lease(models.Model):
    """A task held by one annotator until a time. One row per pair for good: it is also the memory that
    this person has seen this task, with the sides they saw it on."""

    class State(models.TextChoices):
        HELD = "held", "Held"
        RETURNED = "returned", "Handed back"
        EXPIRED = "expired", "Expired"
        DONE = "done", "Judged"
        SKIPPED = "skipped", "Skipped"

    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="leases")
    annotator = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="leases")
    state = models.CharField(max_length=8, choices=State, default=State.HELD)
    first_on_left = models.BooleanField()
    leased_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()

    objects = LeaseQuerySet.as_manager()

    project_path = "task__project"

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["task", "annotator"], name="lease_one_per_task_and_annotator")
        ]
        indexes: ClassVar = [
            models.Index(fields=["expires_at"], condition=Q(state="held"), name="lease_expiry"),
            models.Index(
                fields=["annotator"], condition=Q(state__in=["held", "returned", "expired"]), name="lease_open_to"
            ),
        ]

    def __str__(self) -> str:
        return f"task {self.task_id} {self.state} by {self.annotator_id}"


class Draft(models.Model):
    """What a person has typed or chosen for a task and not yet submitted."""

    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="drafts")
    annotator = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="drafts")
    data = models.JSONField(default=dict)
    updated_at = models.DateTimeField(default=timezone.now)

    objects = ScopedQuerySet.as_manager()

    project_path = "task__project"

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["task", "annotator"], name="draft_one_per_task_and_annotator")
        ]

    def __str__(self) -> str:
        return f"draft of {self.annotator_id} for task {self.task_id}"
