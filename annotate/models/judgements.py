from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from annotate.models.projects import Guideline, Project
from annotate.models.prompts import Response
from annotate.models.tasks import Kind, Task
from annotate.querysets import JudgementQuerySet


class Judgement(models.Model):
    """What a person said about a task. Append-only: a correction or an undo is a new row that supersedes the old.

    `is_current` is the index's bookkeeping: true on the newest row of a person and task. What was said never changes.
    """

    class Outcome(models.TextChoices):
        ANSWER = "answer", "Answered"
        SKIP = "skip", "Skipped"
        UNDONE = "undone", "Taken back"

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="judgements", db_index=False)
    task = models.ForeignKey(Task, on_delete=models.PROTECT, related_name="judgements")
    kind = models.CharField(max_length=16, choices=Kind)
    annotator = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="judgements",
        null=True,
        blank=True,
        db_index=False,
    )
    external_annotator = models.CharField(max_length=120, blank=True)  # the name in the file, when imported
    guideline = models.ForeignKey(Guideline, on_delete=models.PROTECT, related_name="+", null=True, blank=True)
    external_guideline = models.PositiveIntegerField(null=True, blank=True)  # the file's own version, when imported
    outcome = models.CharField(max_length=6, choices=Outcome)
    skip_reason = models.CharField(max_length=200, blank=True)
    rationale = models.TextField(blank=True, max_length=20_000)
    flags = models.JSONField(default=dict, blank=True)  # {response id: [flag, …]}
    active_seconds = models.FloatField(null=True, blank=True)
    submission_id = models.UUIDField()
    supersedes = models.OneToOneField(
        "self", on_delete=models.PROTECT, related_name="superseded_by", null=True, blank=True
    )
    is_current = models.BooleanField(default=True)
    is_adjudication = models.BooleanField(default=False)  # a reviewer's decision; stands beside what others said
    matches_agreed = models.BooleanField(null=True)  # of a task whose answer is known: whether this is it
    is_quick = models.BooleanField(null=True)  # active for less time than it takes to skim the texts
    is_surplus = models.BooleanField(default=False)  # came in after the task had all the judgements it needs
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = JudgementQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["project", "submission_id"], name="judgement_submission_unique"),
            models.UniqueConstraint(
                fields=["task", "annotator", "is_adjudication"],
                condition=Q(is_current=True),
                name="judgement_one_current",
            ),
            models.CheckConstraint(
                condition=Q(annotator__isnull=False) | ~Q(external_annotator=""), name="judgement_has_a_source"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["project", "-id"], name="judgement_newest"),
            models.Index(fields=["annotator", "project", "-id"], name="judgement_by_annotator"),
            models.Index(
                fields=["task"], condition=Q(is_adjudication=True, is_current=True), name="judgement_decision"
            ),
            models.Index(
                fields=["annotator", "project", "-id"],
                condition=Q(matches_agreed__isnull=False, is_current=True),
                name="judgement_of_known_answer",
            ),
        ]

    def __str__(self) -> str:
        return f"judgement {self.pk} on task {self.task_id}"


class Comparison(models.Model):
    """The answer to a comparison. `first` and `second` are the task's positions 0 and 1, whatever side they were
    shown on. `preference` < 0 means first is better, > 0 second, 0 a tie; |preference| is the strength on a scale of
    `points`. "Both bad" is a fact of its own and has no preference. `dimensions` holds the same signed value for each
    named dimension that was asked: {"helpful": -3, "honest": 0}."""

    judgement = models.OneToOneField(Judgement, on_delete=models.CASCADE, primary_key=True, related_name="comparison")
    first = models.ForeignKey(Response, on_delete=models.PROTECT, related_name="+")
    second = models.ForeignKey(Response, on_delete=models.PROTECT, related_name="+")
    first_on_left = models.BooleanField(null=True)  # null when imported without sides
    points = models.PositiveSmallIntegerField(null=True, blank=True)  # null when imported without a strength
    preference = models.SmallIntegerField(null=True, blank=True)
    both_bad = models.BooleanField(default=False)
    dimensions = models.JSONField(default=dict, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(both_bad=True, preference__isnull=True) | Q(both_bad=False, preference__isnull=False),
                name="comparison_preference_or_both_bad",
            ),
            models.CheckConstraint(
                condition=Q(preference__isnull=True) | Q(preference__gte=-4, preference__lte=4),
                name="comparison_preference_within_scale",
            ),
            models.CheckConstraint(condition=~Q(first=models.F("second")), name="comparison_two_responses"),
        ]

    def __str__(self) -> str:
        return f"preference {self.preference} in judgement {self.judgement_id}"
