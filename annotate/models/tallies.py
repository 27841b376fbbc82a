"""How much people have sent in, added up so that it need not be counted again over all of it."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models

from annotate.models.projects import Project
from annotate.models.tasks import Kind
from annotate.querysets import ScopedQuerySet


class WorkTally(models.Model):
    """What one person sent in on one day, of one kind, in the project's judgements up to its `TallyMark`.

    `answers`, `skips` and `active_seconds` count what was sent; `standing_answers` and `standing_skips` what nothing
    has superseded up to the mark. A day is one of the site's time zone.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="tallies", db_index=False)
    annotator = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    day = models.DateField()
    kind = models.CharField(max_length=16, choices=Kind)
    is_adjudication = models.BooleanField()
    answers = models.IntegerField()
    skips = models.IntegerField()
    standing_answers = models.IntegerField()
    standing_skips = models.IntegerField()
    active_seconds = models.FloatField()

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["project", "annotator", "day", "kind", "is_adjudication"], name="worktally_unique"
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.day} by {self.annotator_id}"


class TallyMark(models.Model):
    """Judgements of the project up to `up_to` are in its tallies, by the days of this time zone; later ones are not."""

    project = models.OneToOneField(Project, on_delete=models.CASCADE, primary_key=True, related_name="tally_mark")
    up_to = models.BigIntegerField(default=0)
    time_zone = models.CharField(max_length=64)

    objects = ScopedQuerySet.as_manager()

    def __str__(self) -> str:
        return f"up to {self.up_to} of project {self.project_id}"
