"""What was said about a task, one model a kind; a comparison is in judgements.py."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from annotate.models.judgements import Judgement
from annotate.models.prompts import Response


class Ranking(models.Model):
    """`tiers` holds response ids, best tier first, those of a tier tied: [[7], [5, 9]]; `shown` their order on the
    page. Every response of the task is in exactly one tier."""

    judgement = models.OneToOneField(Judgement, on_delete=models.CASCADE, primary_key=True, related_name="ranking")
    tiers = models.JSONField()
    shown = models.JSONField()

    def __str__(self) -> str:
        return f"ranking in judgement {self.judgement_id}"


class Rating(models.Model):
    """`scores` is {response id: {question key: value}}; `questions` what was asked, in full, so that a score keeps its
    meaning when the project's questions change; `shown` the order of the responses on the page."""

    judgement = models.OneToOneField(Judgement, on_delete=models.CASCADE, primary_key=True, related_name="rating")
    scores = models.JSONField()
    questions = models.JSONField()
    shown = models.JSONField()

    def __str__(self) -> str:
        return f"rating in judgement {self.judgement_id}"


class Demonstration(models.Model):
    """The ideal response, as a Response of its own. `distance` is how far its words are from the suggestion it was
    started from, 0 = unchanged, 1 = nothing left; null without a suggestion."""

    judgement = models.OneToOneField(
        Judgement, on_delete=models.CASCADE, primary_key=True, related_name="demonstration"
    )
    response = models.ForeignKey(Response, on_delete=models.PROTECT, related_name="+")
    suggestion = models.ForeignKey(Response, on_delete=models.PROTECT, related_name="+", null=True, blank=True)
    distance = models.FloatField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(suggestion__isnull=True, distance__isnull=True)
                | Q(suggestion__isnull=False, distance__gte=0, distance__lte=1),
                name="demonstration_distance_from_a_suggestion",
            )
        ]

    def __str__(self) -> str:
        return f"demonstration in judgement {self.judgement_id}"


class Edit(models.Model):
    """An improved response: (response ≻ original). `distance` as in Demonstration; the reason is the rationale."""

    judgement = models.OneToOneField(Judgement, on_delete=models.CASCADE, primary_key=True, related_name="edit")
    original = models.ForeignKey(Response, on_delete=models.PROTECT, related_name="+")
    response = models.ForeignKey(Response, on_delete=models.PROTECT, related_name="+")
    distance = models.FloatField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=~Q(original=F("response")), name="edit_changes_something"),
            models.CheckConstraint(condition=Q(distance__gte=0, distance__lte=1), name="edit_distance_is_a_share"),
        ]

    def __str__(self) -> str:
        return f"edit in judgement {self.judgement_id}"


class SpanFeedback(models.Model):
    """Marked passages of one response. `spans` is a list of {"start", "end", "text", "category", "severity", "note"},
    offsets in characters of the response's raw text (Python's count), end exclusive."""

    judgement = models.OneToOneField(
        Judgement, on_delete=models.CASCADE, primary_key=True, related_name="span_feedback"
    )
    response = models.ForeignKey(Response, on_delete=models.PROTECT, related_name="+")
    spans = models.JSONField(default=list, blank=True)
    critique = models.TextField(blank=True, max_length=20_000)

    def __str__(self) -> str:
        return f"{len(self.spans)} spans in judgement {self.judgement_id}"
