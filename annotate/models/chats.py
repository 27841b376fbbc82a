from __future__ import annotations

from datetime import datetime, timedelta
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from annotate.models.projects import Project
from annotate.models.prompts import Author, Prompt, Response
from annotate.models.tasks import Task
from annotate.querysets import ScopedQuerySet

SILENT_AFTER = timedelta(seconds=10)  # without a heartbeat: its worker is gone, or no token has come for a minute
LATE_AFTER = timedelta(seconds=60)  # in the queue


class Chat(models.Model):
    """A person's live conversation with models. Its turns are the conversation; nothing is ever removed."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="chats")
    annotator = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="chats")
    system = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["project", "annotator"], condition=Q(ended_at=None), name="chat_one_open_per_person"
            )
        ]
        indexes: ClassVar = [models.Index(fields=["project", "-id"], name="chat_newest")]

    def __str__(self) -> str:
        return f"chat {self.pk} of {self.annotator_id}"


class ChatTurn(models.Model):
    """One message of the person and the two options that answer it. `prompt` is the whole history up to and with the
    message. A message edited or answered anew makes another turn at the same `number`; the old one is kept as
    `is_current` = False. The choice is a Judgement of `task`."""

    chat = models.ForeignKey(Chat, on_delete=models.CASCADE, related_name="turns")
    number = models.PositiveSmallIntegerField()
    submission_id = models.UUIDField()
    prompt = models.ForeignKey(Prompt, on_delete=models.PROTECT, related_name="chat_turns")
    task = models.OneToOneField(Task, on_delete=models.PROTECT, related_name="chat_turn", null=True, blank=True)
    chosen = models.ForeignKey(Response, on_delete=models.PROTECT, related_name="+", null=True, blank=True)
    is_current = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = ScopedQuerySet.as_manager()

    project_path = "chat__project"

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["chat", "submission_id"], name="chatturn_submission_unique"),
            models.UniqueConstraint(
                fields=["chat", "number"], condition=Q(is_current=True), name="chatturn_one_current"
            ),
        ]

    def __str__(self) -> str:
        return f"turn {self.number} of chat {self.chat_id}"


class ChatOption(models.Model):
    """One of a turn's two answers while it is being written, and after. `text` is what has been kept so far; the
    stream itself passes through the broker. `attempt` rises with each retry."""

    class Status(models.TextChoices):
        QUEUED = "queued", "Queued"
        WRITING = "writing", "Writing"
        DONE = "done", "Done"
        STOPPED = "stopped", "Stopped"
        FAILED = "failed", "Failed"

    turn = models.ForeignKey(ChatTurn, on_delete=models.CASCADE, related_name="options")
    position = models.PositiveSmallIntegerField()
    author = models.ForeignKey(Author, on_delete=models.PROTECT, related_name="+")
    sampling = models.JSONField(default=dict)
    seed = models.BigIntegerField()
    status = models.CharField(max_length=8, choices=Status, default=Status.QUEUED)
    attempt = models.PositiveSmallIntegerField(default=1)
    text = models.TextField(blank=True)
    error = models.TextField(blank=True)
    response = models.ForeignKey(Response, on_delete=models.PROTECT, related_name="+", null=True, blank=True)
    queued_at = models.DateTimeField(default=timezone.now)
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = ScopedQuerySet.as_manager()

    project_path = "turn__chat__project"

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["turn", "position"], name="chatoption_position_unique")
        ]
        indexes: ClassVar = [
            models.Index(fields=["queued_at"], condition=Q(status="queued"), name="chatoption_queue"),
        ]

    def __str__(self) -> str:
        return f"option {self.position} of turn {self.turn_id}, {self.status}"

    def state(self, now: datetime) -> str:
        """Its status as a person is told it: also "silent" (its worker fell silent), "late" (nobody has begun it for a
        minute), "empty" (the model ended without a word) and "cut" (ended by the token limit)."""
        if self.status == self.Status.WRITING and now - (self.heartbeat_at or self.queued_at) > SILENT_AFTER:
            return "silent"
        if self.status == self.Status.QUEUED and now - self.queued_at > LATE_AFTER:
            return "late"
        if self.status == self.Status.DONE and self.response is None:
            return "empty"
        if self.response is not None and self.response.finish_reason == Response.FinishReason.LENGTH:
            return "cut"
        return str(self.status)
