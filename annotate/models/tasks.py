from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from annotate.models.projects import Project
from annotate.models.prompts import Prompt, Response
from annotate.querysets import LeaseQuerySet, ScopedQuerySet, TaskQuerySet


class Kind(models.TextChoices):
    COMPARISON = "comparison", "Comparison"
    RANKING = "ranking", "Ranking"
    RATING = "rating", "Rating"
    DEMONSTRATION = "demonstration", "Demonstration"
    EDIT = "edit", "Edit"
    SPANS = "spans", "Fine-grained feedback"
    CHAT = "chat", "Live chat"


EVALUATION_KEYS = "evaluation-"  # keys of comparisons that measure models against each other; nothing else's


class Purpose(models.TextChoices):
    """What a task is for. Only WORK fills the project's need; the others teach people or measure their answers."""

    WORK = "work", "Work"
    GOLD = "gold", "Gold"
    MIRROR = "mirror", "Mirrored repeat"
    PRACTICE = "practice", "Practice"
    QUALIFICATION = "qualification", "Qualification"


class Task(models.Model):
    """One thing to judge: its kind, prompt, ordered responses, and how many people must judge it.

    Responses are hidden suggestions in a demonstration, and what is judged in every other kind. A task with an
    `agreed_answer` (what each kind makes of it: `services/answers`) is one whose answer is known: gold, practice or
    qualification. `reserved_for` is the only person who may be handed it.

    `remaining` counts the places nobody holds or has filled: required_judgements − held leases − current
    judgements. The queue reads it; only `annotate.assignment` writes it, in the transaction that moves a lease.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="tasks", db_index=False)
    kind = models.CharField(max_length=16, choices=Kind, default=Kind.COMPARISON)
    purpose = models.CharField(max_length=16, choices=Purpose, default=Purpose.WORK)
    prompt = models.ForeignKey(Prompt, on_delete=models.PROTECT, related_name="tasks")
    responses = models.ManyToManyField(Response, through="TaskResponse", related_name="tasks")
    key = models.CharField(max_length=120, editable=False)
    priority = models.IntegerField(default=0)
    required_judgements = models.PositiveSmallIntegerField()
    remaining = models.PositiveSmallIntegerField(editable=False)
    agreed_answer = models.JSONField(null=True, blank=True)
    explanation = models.TextField(blank=True, max_length=20_000)  # why that is the answer, Markdown
    reserved_for = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", null=True, blank=True, db_index=False
    )
    mirror_of = models.ForeignKey(
        "self", on_delete=models.CASCADE, related_name="mirrors", null=True, blank=True, db_index=False
    )
    closed_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    in_order: list[Response] | None = None  # its responses, where they were read with it

    objects = TaskQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["project", "key"], name="task_key_unique"),
            models.CheckConstraint(condition=Q(required_judgements__gte=1), name="task_required_positive"),
            models.CheckConstraint(
                condition=Q(remaining__gte=0) & Q(remaining__lte=F("required_judgements")),
                name="task_remaining_within_required",
            ),
            models.CheckConstraint(
                condition=~Q(purpose__in=["gold", "practice", "qualification"]) | Q(agreed_answer__isnull=False),
                name="task_agreed_answer_known",
            ),
            models.CheckConstraint(
                condition=~Q(purpose="mirror") | Q(mirror_of__isnull=False, reserved_for__isnull=False),
                name="task_mirror_of_something",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["project", "purpose", "-priority", "id"],
                condition=Q(remaining__gt=0, closed_at=None),
                name="task_queue",
            ),
            models.Index(fields=["project", "-id"], name="task_newest"),
            models.Index(fields=["project", "kind", "-id"], name="task_newest_of_kind"),
            models.Index(fields=["project", "purpose", "-id"], name="task_newest_of_purpose"),
            models.Index(fields=["project", "-id"], condition=Q(closed_at__isnull=False), name="task_newest_closed"),
            models.Index(fields=["project", "-id"], condition=Q(remaining=0, closed_at=None), name="task_newest_done"),
            models.Index(fields=["mirror_of"], condition=Q(mirror_of__isnull=False), name="task_mirror"),
            models.Index(fields=["reserved_for"], condition=Q(reserved_for__isnull=False), name="task_reserved"),
        ]

    def __str__(self) -> str:
        return f"task {self.pk}"

    def shows_agreed_answer(self) -> bool:
        """Whether people see the agreed answer once they have given theirs."""
        gold = self.purpose == Purpose.GOLD and self.project.show_agreed_answers
        return gold or self.purpose == Purpose.PRACTICE


class TaskResponse(models.Model):
    """A response's fixed place in a task. Where it is shown is the lease's business."""

    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="places", db_index=False)
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
    this person has seen this task, with the order they saw its responses in.

    `order` holds the positions of the task's responses as they are shown: [1, 0] shows the second on the left.
    `is_ahead` marks a task that is held in advance and has not been shown yet.
    """

    class State(models.TextChoices):
        HELD = "held", "Held"
        RETURNED = "returned", "Handed back"
        EXPIRED = "expired", "Expired"
        DONE = "done", "Judged"
        SKIPPED = "skipped", "Skipped"

    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="leases", db_index=False)
    annotator = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="leases")
    state = models.CharField(max_length=8, choices=State, default=State.HELD)
    order = ArrayField(models.PositiveSmallIntegerField())
    is_ahead = models.BooleanField(default=False)
    leased_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()

    is_alone = False  # the only task that this person has in hand, as was seen when it was held
    is_fresh = False  # handed out just now for the first time: nothing can have been typed for it

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

    @property
    def first_on_left(self) -> bool:
        """Of two responses: whether the first is A, the one on the left."""
        return self.order[0] == 0


class Draft(models.Model):
    """What a person has typed or chosen for a task and not yet submitted."""

    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="drafts", db_index=False)
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
