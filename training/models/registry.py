from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from annotate.models import Author, Project
from annotate.querysets import ScopedQuerySet


class ModelVersion(models.Model):
    """A policy or a reward model of a project: where it came from and where its files are.

    An endpoint lives elsewhere and has no files: it writes responses as a policy does, and is never trained. A base
    model has an `origin` (a built-in name, a Hugging Face id or a folder) that a worker turns into files on
    first use; a trained one has the run that made it. `folder` is relative to ARTIFACTS_DIR, Hugging Face layout.
    """

    class Kind(models.TextChoices):
        POLICY = "policy", "Policy"
        REWARD = "reward", "Reward model"
        BACKBONE = "backbone", "Encoder"
        ENDPOINT = "endpoint", "Endpoint"

    WRITERS: ClassVar[tuple[str, ...]] = (Kind.POLICY, Kind.ENDPOINT)

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="model_versions")
    kind = models.CharField(max_length=8, choices=Kind)
    name = models.CharField(max_length=120)
    origin = models.CharField(max_length=300, blank=True)
    folder = models.CharField(max_length=300, blank=True, editable=False)
    parent = models.ForeignKey("self", on_delete=models.PROTECT, related_name="children", null=True, blank=True)
    run = models.OneToOneField("training.Run", on_delete=models.PROTECT, related_name="output", null=True, blank=True)
    author = models.OneToOneField(Author, on_delete=models.PROTECT, related_name="model_version", null=True, blank=True)
    file_hashes = models.JSONField(default=dict, blank=True, editable=False)  # {file name: sha256}
    metrics = models.JSONField(default=dict, blank=True, editable=False)
    is_default = models.BooleanField(default=False)  # the policy that answers when nobody names another
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["project", "name"], name="modelversion_name_unique"),
            models.UniqueConstraint(
                fields=["project", "kind"], condition=Q(is_default=True), name="modelversion_one_default_per_kind"
            ),
            models.CheckConstraint(
                condition=~Q(origin="") | Q(run__isnull=False), name="modelversion_comes_from_somewhere"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def writes(self) -> bool:
        """Whether it can be asked for responses."""
        return self.kind in self.WRITERS

    def path(self) -> Path | None:
        """The folder of its files, or None while a base model has not been fetched yet."""
        return settings.ARTIFACTS_DIR / self.folder if self.folder else None
