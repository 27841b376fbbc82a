from __future__ import annotations

from typing import ClassVar, Self

from django.db import models
from django.db.models import F, Q

from annotate.models import Job, JobStatus, Project, Prompt, Response, Task
from annotate.querysets import JobQuerySet
from training.models.registry import ModelVersion
from training.models.rounds import Round


class EvaluationQuerySet(JobQuerySet):
    def with_people(self) -> Self:
        """Those whose comparisons lie in the queue: no worker holds them, people do."""
        return self.filter(status=JobStatus.RUNNING, asked_at__isnull=False)

    def stalled(self) -> Self:
        return super().stalled().filter(asked_at=None)


class Evaluation(Job):
    """Two policies set against each other on prompts that neither was trained on, judged by a reward model or blind by
    people.

    `progress` and `total` count responses. `win_rate` is the candidate's over the baseline, a tie half a win, with its
    95 % interval; by people the interval holds at every look, and `count` are the pairs judged so far.
    """

    class By(models.TextChoices):
        REWARDS = "rewards", "A reward model"
        PEOPLE = "people", "People"

    class Decision(models.TextChoices):
        OPEN = "", "Open"
        BETTER = "better", "Better"
        WORSE = "worse", "Worse"
        EQUIVALENT = "equivalent", "As good"
        UNDECIDED = "undecided", "Undecided"

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="evaluations")
    candidate = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="evaluations")
    baseline = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="evaluations_against")
    by = models.CharField("judged by", max_length=7, choices=By)
    judge = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="+", null=True, blank=True)
    round = models.ForeignKey(Round, on_delete=models.PROTECT, related_name="evaluations", null=True, blank=True)
    temperature = models.FloatField(default=0.8)
    top_p = models.FloatField(default=0.95)
    max_tokens = models.PositiveIntegerField(default=256)
    seed = models.BigIntegerField(default=0)
    overlap = models.PositiveSmallIntegerField(default=1)
    margin = models.FloatField(default=0.1)  # this near to a half counts as equally good
    asked_at = models.DateTimeField(null=True, blank=True, editable=False)  # when its comparisons were queued
    win_rate = models.FloatField(null=True, blank=True, editable=False)
    low = models.FloatField(null=True, blank=True, editable=False)
    high = models.FloatField(null=True, blank=True, editable=False)
    count = models.PositiveIntegerField(default=0, editable=False)
    decision = models.CharField(max_length=10, choices=Decision, blank=True, default="", editable=False)

    objects = EvaluationQuerySet.as_manager()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["project", "-id"], name="evaluation_newest")]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["round", "candidate", "baseline", "by"],
                condition=Q(round__isnull=False),
                name="evaluation_once_a_round",
            ),
            models.CheckConstraint(condition=~Q(candidate=F("baseline")), name="evaluation_of_two_models"),
            models.CheckConstraint(
                condition=Q(by="people", judge=None) | Q(by="rewards", judge__isnull=False), name="evaluation_judged"
            ),
            models.CheckConstraint(condition=Q(margin__gt=0, margin__lte=0.5), name="evaluation_margin_within_half"),
        ]

    def __str__(self) -> str:
        return f"{self.candidate} against {self.baseline}"

    @property
    def decided(self) -> bool:
        return self.decision in (self.Decision.BETTER, self.Decision.WORSE, self.Decision.EQUIVALENT)


class EvaluationItem(models.Model):
    """A prompt of an evaluation, the response of each side to it, and the task in which people compare them."""

    evaluation = models.ForeignKey(Evaluation, on_delete=models.CASCADE, related_name="items")
    prompt = models.ForeignKey(Prompt, on_delete=models.PROTECT, related_name="+")
    candidate_response = models.ForeignKey(Response, on_delete=models.PROTECT, related_name="+", null=True, blank=True)
    baseline_response = models.ForeignKey(Response, on_delete=models.PROTECT, related_name="+", null=True, blank=True)
    task = models.OneToOneField(Task, on_delete=models.PROTECT, related_name="evaluated", null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["evaluation", "prompt"], name="evaluationitem_once"),
        ]

    def __str__(self) -> str:
        return f"prompt {self.prompt_id} in evaluation {self.evaluation_id}"

    def both(self) -> tuple[Response, Response]:
        """The candidate's response and the baseline's, once both are written."""
        assert self.candidate_response is not None and self.baseline_response is not None
        return self.candidate_response, self.baseline_response
