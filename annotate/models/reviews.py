from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

from annotate.models.judgements import Judgement
from annotate.models.projects import Project
from annotate.querysets import ScopedQuerySet


class Comment(models.Model):
    """What a reviewer says to an annotator about a judgement of theirs, and what they answer.

    With `asks_correction` the task is sent back; `resolved_at` is when the annotator corrected it or said why not.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="comments")
    judgement = models.ForeignKey(Judgement, on_delete=models.PROTECT, related_name="comments")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    body = models.TextField(max_length=10_000)
    asks_correction = models.BooleanField(default=False)
    resolved_at = models.DateTimeField(null=True, blank=True)
    seen_at = models.DateTimeField(null=True, blank=True)
    submission_id = models.UUIDField()
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["project", "submission_id"], name="comment_submission_unique")
        ]
        indexes: ClassVar = [models.Index(fields=["judgement", "id"], name="comment_thread")]

    def __str__(self) -> str:
        return f"comment {self.pk} on judgement {self.judgement_id}"
