from __future__ import annotations

from typing import ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from annotate.models.jobs import Job
from annotate.models.judgements import Judgement
from annotate.models.projects import Project
from annotate.querysets import JobQuerySet


class Snapshot(Job):
    """A frozen, hashed set of judgements with its filter, split by prompt; what a run trains on."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="snapshots")
    name = models.CharField(max_length=120)
    filters = models.JSONField(default=dict, blank=True)
    test_fraction = models.FloatField(
        "held-out share", default=0.1, validators=[MinValueValidator(0.0), MaxValueValidator(0.9)]
    )
    split_seed = models.PositiveIntegerField(default=0)
    content_hash = models.CharField(max_length=64, blank=True, editable=False)
    train_count = models.PositiveIntegerField(default=0, editable=False)
    test_count = models.PositiveIntegerField(default=0, editable=False)
    line_counts = models.JSONField(default=dict, blank=True, editable=False)  # what exports/counts.py reads

    objects = JobQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["project", "name"], name="snapshot_name_unique"),
        ]

    def __str__(self) -> str:
        return self.name


class SnapshotItem(models.Model):
    """A judgement's place in a snapshot: its split and its weight in training."""

    class Split(models.TextChoices):
        TRAIN = "train", "Training"
        TEST = "test", "Held out"

    snapshot = models.ForeignKey(Snapshot, on_delete=models.CASCADE, related_name="items")
    judgement = models.ForeignKey(Judgement, on_delete=models.PROTECT, related_name="snapshot_items")
    split = models.CharField(max_length=5, choices=Split)
    weight = models.FloatField(default=1.0)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["snapshot", "judgement"], name="snapshotitem_once"),
            models.CheckConstraint(condition=models.Q(weight__gte=0), name="snapshotitem_weight_not_negative"),
        ]

    def __str__(self) -> str:
        return f"judgement {self.judgement_id} in snapshot {self.snapshot_id}"


class SnapshotFile(Job):
    """A file of a snapshot, kept for a while so that a download of it can be taken up again. Progress and total are
    judgements; `file` is its name under EXPORTS_DIR, `size` its bytes."""

    snapshot = models.ForeignKey(Snapshot, on_delete=models.CASCADE, related_name="files")
    form = models.CharField(max_length=40)
    split = models.CharField(max_length=5, choices=SnapshotItem.Split, blank=True)
    format = models.CharField(max_length=10)
    file = models.CharField(max_length=255, blank=True, editable=False)
    size = models.PositiveBigIntegerField(default=0, editable=False)

    objects = JobQuerySet.as_manager()

    project_path = "snapshot__project"

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["snapshot", "form", "split", "format"], name="snapshotfile_once"),
        ]

    def __str__(self) -> str:
        return f"{self.form}.{self.format} of snapshot {self.snapshot_id}"
