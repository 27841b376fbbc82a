from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from annotate.models import Project
from annotate.querysets import ScopedQuerySet
from training.models.registry import ModelVersion
from training.models.rounds import Round


class ProjectPolicy(models.Model):
    """A policy that a project took into use, and why: the row that is current, and before it the history.

    The current one is also the project's default policy (`ModelVersion.is_default`); `services/policies.py` alone
    writes both.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="policies")
    model = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="times_in_use")
    reason = models.TextField()
    round = models.ForeignKey(Round, on_delete=models.PROTECT, related_name="policies", null=True, blank=True)
    set_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )  # null: a round's rule did
    set_at = models.DateTimeField(default=timezone.now, editable=False)
    is_current = models.BooleanField(default=True, editable=False)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["project"], condition=Q(is_current=True), name="projectpolicy_one_current_a_project"
            )
        ]

    def __str__(self) -> str:
        return f"{self.model} since {self.set_at:%Y-%m-%d}"
