from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils import timezone

from annotate.models.jobs import Job
from annotate.models.projects import Project
from annotate.querysets import JobQuerySet, ScopedQuerySet


class Import(Job):
    """One file or paste brought into a project: previewed, confirmed, then read in the background."""

    class Contents(models.TextChoices):
        PROMPTS = "prompts", "Prompts"
        PAIRS = "pairs", "Judged pairs"

    class Format(models.TextChoices):
        JSONL = "jsonl", "JSON Lines"
        JSON = "json", "JSON"
        CSV = "csv", "CSV"
        TEXT = "text", "Plain text, one prompt a line"

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="imports")
    contents = models.CharField(max_length=8, choices=Contents)
    format = models.CharField(max_length=5, choices=Format)
    filename = models.CharField(max_length=255, blank=True)
    file = models.CharField(max_length=255, editable=False)  # name under UPLOADS_DIR, never the user's
    options = models.JSONField(default=dict, blank=True)  # column, tags, source
    rows_read = models.PositiveBigIntegerField(default=0, editable=False)
    rows_added = models.PositiveBigIntegerField(default=0, editable=False)
    rows_known = models.PositiveBigIntegerField(default=0, editable=False)  # already there, nothing added
    rows_refused = models.PositiveBigIntegerField(default=0, editable=False)

    objects = JobQuerySet.as_manager()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["project", "-id"], name="import_newest")]

    def __str__(self) -> str:
        return f"import of {self.filename or 'pasted text'}"


class RefusedRow(models.Model):
    """A row that was not taken, with the reason. `raw` keeps its first 10,000 characters."""

    job = models.ForeignKey(Import, on_delete=models.CASCADE, related_name="refused")
    row_number = models.PositiveBigIntegerField()
    reason = models.CharField(max_length=500)
    raw = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = ScopedQuerySet.as_manager()

    project_path = "job__project"

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["job", "row_number"], name="refusedrow_once")]

    def __str__(self) -> str:
        return f"row {self.row_number}: {self.reason}"
