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
        """What a file holds: the keys of annotate.imports.presets.table."""

        PROMPTS = "prompts", "Prompts"
        PAIRS = "pairs", "Judged pairs (chosen and rejected)"
        HH = "hh", "HH-RLHF"
        TRL_UNPAIRED = "trl-unpaired", "TRL, unpaired preference"
        ULTRAFEEDBACK = "ultrafeedback", "UltraFeedback"
        ULTRAFEEDBACK_BINARIZED = "ultrafeedback-binarized", "UltraFeedback, binarised"
        HELPSTEER2 = "helpsteer2", "HelpSteer2"
        HELPSTEER2_PREFERENCE = "helpsteer2-preference", "HelpSteer2 preference"
        OASST_TREES = "oasst-trees", "OpenAssistant trees"
        ARENA = "arena", "Chatbot Arena or MT-Bench"
        ARENA_LISTS = "arena-lists", "Chatbot Arena, lists of texts"
        MT_BENCH_ANSWERS = "mt-bench-answers", "MT-Bench answers"
        MT_BENCH_VERDICTS = "mt-bench-verdicts", "MT-Bench verdicts on answers that are here"
        PANDALM = "pandalm", "PandaLM test set"
        SQUALITY = "squality", "SQuALITY human evaluation"
        ARGILLA = "argilla", "Argilla records"
        LABEL_STUDIO = "label-studio", "Label Studio export"
        SELF_INSTRUCT = "self-instruct", "Self-instruct tasks"
        ALPACA = "alpaca", "Alpaca"
        SHAREGPT = "sharegpt", "ShareGPT"
        LOSSLESS = "lossless", "Plumbline, lossless"
        MAPPED = "mapped", "Columns that you choose"

    class Format(models.TextChoices):
        JSONL = "jsonl", "JSON Lines"
        JSON = "json", "JSON"
        CSV = "csv", "CSV"
        PARQUET = "parquet", "Parquet"
        TEXT = "text", "Plain text, one prompt a line"

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="imports")
    contents = models.CharField(max_length=32, choices=Contents)
    format = models.CharField(max_length=8, choices=Format)
    filename = models.CharField(max_length=255, blank=True)
    file = models.CharField(max_length=255, editable=False)  # name under UPLOADS_DIR, never the user's
    options = models.JSONField(default=dict, blank=True)  # column, tags, source
    resume_at = models.PositiveBigIntegerField(default=0, editable=False)  # imports.rows.Start: offset
    resume_number = models.PositiveBigIntegerField(default=0, editable=False)  # and number
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
