from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone

from annotate.models.projects import Project
from annotate.querysets import ScopedQuerySet


class Webhook(models.Model):
    """An address that a project tells of events, signed with a secret that only the two sides know."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="webhooks")
    url = models.URLField(max_length=500)
    secret = models.CharField(max_length=64, editable=False)
    events = ArrayField(models.CharField(max_length=40), default=list)
    is_active = models.BooleanField(default=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["project", "url"], name="webhook_address_unique")]

    def __str__(self) -> str:
        return self.url


class WebhookDelivery(models.Model):
    """One event on its way to one address: what is sent, how often it was tried, what came back.

    `key` names the event, so that telling it twice sends it once. While `next_at` is set, it is still to be sent.
    """

    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="deliveries")
    key = models.CharField(max_length=120, editable=False)
    event = models.CharField(max_length=40)
    body = models.TextField()
    attempts = models.PositiveSmallIntegerField(default=0, editable=False)
    next_at = models.DateTimeField(default=timezone.now, null=True, blank=True, editable=False)
    status_code = models.PositiveSmallIntegerField(null=True, blank=True, editable=False)
    answer = models.TextField(blank=True, editable=False)  # the beginning of it, or why there was none
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    delivered_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = ScopedQuerySet.as_manager()

    project_path = "webhook__project"

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["webhook", "key"], name="webhookdelivery_once"),
            models.CheckConstraint(
                condition=Q(delivered_at=None) | Q(next_at=None), name="webhookdelivery_delivered_is_done"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["next_at"], condition=Q(next_at__isnull=False), name="webhookdelivery_due")
        ]

    def __str__(self) -> str:
        return f"{self.event} to {self.webhook}"
