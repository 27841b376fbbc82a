from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone

from annotate.models.projects import Project
from annotate.querysets import ScopedQuerySet


class QuestionnaireItem(models.Model):
    """A question of the project's background questionnaire. "Prefer not to say" is always offered besides."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="questionnaire_items")
    position = models.PositiveSmallIntegerField(default=0)
    question = models.CharField(max_length=300)
    options = ArrayField(models.CharField(max_length=120), size=30)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["project", "question"], name="questionnaireitem_question_unique")
        ]

    def __str__(self) -> str:
        return self.question


class QuestionnaireAnswer(models.Model):
    """A person's answer; "" is "prefer not to say". Withdrawing consent deletes the rows."""

    item = models.ForeignKey(QuestionnaireItem, on_delete=models.CASCADE, related_name="answers")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    answer = models.CharField(max_length=120, blank=True)
    updated_at = models.DateTimeField(default=timezone.now)

    objects = ScopedQuerySet.as_manager()

    project_path = "item__project"

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["item", "user"], name="questionnaireanswer_one_per_person")
        ]

    def __str__(self) -> str:
        return f"answer of {self.user_id} to item {self.item_id}"
