from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone

from annotate.models.projects import Project
from annotate.querysets import OwnQuerySet, TokenQuerySet


class Scope(models.TextChoices):
    """What a token may be used for, within what its user may do anyway."""

    READ = "read", "Read what you can see"
    JUDGE = "judge", "Take tasks and judge them"
    WRITE = "write", "Add prompts, responses, tasks, imports and snapshots"
    TRAIN = "train", "Launch runs, ask models for responses, add models"
    ADMIN = "admin", "Change settings, people and guidelines"


class ApiToken(models.Model):
    """A key to the API. It acts as `user`, within `scopes`, in `project` alone when it has one.

    A service token's user is a service account made for it. Only the token's SHA-256 and its first characters are kept.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens")
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="api_tokens", null=True, blank=True)
    name = models.CharField(max_length=80)
    scopes = ArrayField(models.CharField(max_length=8, choices=Scope), size=len(Scope))
    prefix = models.CharField(max_length=12, editable=False)
    token_hash = models.CharField(max_length=64, unique=True, editable=False)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = TokenQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=~Q(scopes=[]), name="apitoken_scope_not_empty"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    def is_open(self) -> bool:
        return self.revoked_at is None and self.expires_at > timezone.now()


class StoredAnswer(models.Model):
    """What a request with an Idempotency-Key was answered, so that the same request again gets the same answer."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=255)
    request_hash = models.CharField(max_length=64)  # of method, path and body
    status = models.PositiveSmallIntegerField(null=True)
    body = models.JSONField(null=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = OwnQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["user", "key"], name="storedanswer_key_unique")]
        indexes: ClassVar = [models.Index(fields=["created_at"], name="storedanswer_age")]

    def __str__(self) -> str:
        return f"answer {self.status} to {self.key}"
