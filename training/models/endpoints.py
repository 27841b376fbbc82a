from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from annotate.models import Project
from annotate.querysets import ScopedQuerySet
from training.models.registry import ModelVersion


class Endpoint(models.Model):
    """Where a model that lives elsewhere is asked: its address, its key, what it costs and how often it may be asked.

    `model` is what the rest of the site knows it by. Prices are dollars a million tokens. `free_at` is when the next
    request may be sent, whichever worker sends it.
    """

    class Protocol(models.TextChoices):
        CHAT = "chat", "Chat completions"
        TEXT = "text", "Plain completions"

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="endpoints")
    model = models.OneToOneField(ModelVersion, on_delete=models.PROTECT, related_name="endpoint")
    base_url = models.CharField(max_length=300)
    remote_name = models.CharField(max_length=200)  # what the server calls the model
    protocol = models.CharField(max_length=4, choices=Protocol, default=Protocol.CHAT)
    sealed_key = models.TextField(blank=True, editable=False)
    key_ends = models.CharField(max_length=4, blank=True, editable=False)  # all that is shown of the key
    price_in = models.DecimalField(max_digits=10, decimal_places=4, default=Decimal(0))
    price_out = models.DecimalField(max_digits=10, decimal_places=4, default=Decimal(0))
    requests_per_minute = models.PositiveIntegerField(default=60)
    tokens_per_minute = models.PositiveIntegerField(null=True, blank=True)
    at_once = models.PositiveSmallIntegerField(default=4)
    timeout = models.PositiveSmallIntegerField(default=60)  # seconds for one answer
    max_retries = models.PositiveSmallIntegerField(default=5)
    free_at = models.DateTimeField(default=timezone.now, editable=False)
    removed_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(price_in__gte=0, price_out__gte=0), name="endpoint_prices_not_negative"),
            models.CheckConstraint(
                condition=Q(requests_per_minute__gte=1, at_once__gte=1, at_once__lte=32, timeout__gte=1),
                name="endpoint_limits_positive",
            ),
            models.CheckConstraint(
                condition=Q(removed_at=None) | Q(sealed_key="", key_ends=""), name="endpoint_removed_has_no_key"
            ),
        ]

    def __str__(self) -> str:
        return str(self.model)


class EndpointDay(models.Model):
    """What an endpoint was asked on one day, and what that cost in dollars, with what is set aside."""

    endpoint = models.ForeignKey(Endpoint, on_delete=models.CASCADE, related_name="days")
    day = models.DateField()
    requests = models.PositiveBigIntegerField(default=0)
    tokens_in = models.PositiveBigIntegerField(default=0)
    tokens_out = models.PositiveBigIntegerField(default=0)
    cost = models.DecimalField(max_digits=18, decimal_places=9, default=Decimal(0))

    objects = ScopedQuerySet.as_manager()

    project_path = "endpoint__project"

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["endpoint", "day"], name="endpointday_once")]

    def __str__(self) -> str:
        return f"{self.endpoint} on {self.day}"


class EndpointBudget(models.Model):
    """The most a project spends on its endpoints, in dollars; a limit left out is none."""

    project = models.OneToOneField(Project, on_delete=models.CASCADE, related_name="endpoint_budget")
    a_day = models.DecimalField(max_digits=10, decimal_places=2, null=True, blank=True)
    a_month = models.DecimalField(max_digits=10, decimal_places=2, null=True, blank=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=(Q(a_day=None) | Q(a_day__gte=0)) & (Q(a_month=None) | Q(a_month__gte=0)),
                name="endpointbudget_not_negative",
            )
        ]

    def __str__(self) -> str:
        return f"budget of {self.project}"
