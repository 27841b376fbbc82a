from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q
from django.utils import timezone

from annotate.models.projects import Project
from annotate.querysets import AuthorQuerySet, PromptQuerySet, ScopedQuerySet


class Prompt(models.Model):
    """A conversation that ends with a user turn.

    `messages` is a list of {"role": "user"|"assistant", "content": str}; the system text stands apart.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="prompts", db_index=False)
    messages = models.JSONField()
    system = models.TextField(blank=True)
    tags = ArrayField(models.CharField(max_length=60), default=list, blank=True)
    source = models.CharField(max_length=120, blank=True)
    external_id = models.CharField(max_length=200, blank=True)
    content_hash = models.CharField(max_length=64, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = PromptQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["project", "content_hash"], name="prompt_content_unique"),
            models.UniqueConstraint(
                fields=["project", "external_id"], condition=~Q(external_id=""), name="prompt_external_id_unique"
            ),
        ]
        indexes: ClassVar = [
            GinIndex(fields=["tags"], name="prompt_tags"),
            models.Index(fields=["project", "-id"], name="prompt_newest"),
        ]

    def __str__(self) -> str:
        return self.excerpt()

    def excerpt(self, length: int = 120) -> str:
        """The last user turn on one line, cut to `length` characters."""
        text = " ".join(self.messages[-1]["content"].split()) if self.messages else ""
        return text if len(text) <= length else text[: length - 1].rstrip() + "…"


class Author(models.Model):
    """Who or what wrote a response: a model, a person, or a name that came with an imported file.

    A training.ModelVersion that generates points here, so that judging needs to know nothing of models.
    """

    class Kind(models.TextChoices):
        MODEL = "model", "Model"
        PERSON = "person", "Person"
        FILE = "file", "Imported"
        ENDPOINT = "remote", "Endpoint"  # a model asked elsewhere; it answers in no chat

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="authors")
    kind = models.CharField(max_length=6, choices=Kind)
    name = models.CharField(max_length=200)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    is_imported = models.BooleanField(default=False, db_default=False, editable=False)  # a file named it: nobody to ask
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = AuthorQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["project", "kind", "name"], name="author_name_unique"),
        ]

    def __str__(self) -> str:
        return self.name


class Response(models.Model):
    """One completion of a prompt. `key` names the draw it came from, so that a repeated write finds it."""

    class FinishReason(models.TextChoices):
        STOP = "stop", "Ended by itself"
        LENGTH = "length", "Cut at the token limit"
        UNKNOWN = "", "Not known"

    prompt = models.ForeignKey(Prompt, on_delete=models.CASCADE, related_name="responses", db_index=False)
    author = models.ForeignKey(Author, on_delete=models.PROTECT, related_name="responses")
    key = models.CharField(max_length=80, editable=False)
    text = models.TextField()
    sampling = models.JSONField(default=dict, blank=True)  # temperature, top_p, max_tokens
    seed = models.BigIntegerField(null=True, blank=True)
    token_count = models.PositiveIntegerField(null=True, blank=True)
    finish_reason = models.CharField(max_length=6, choices=FinishReason, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = ScopedQuerySet.as_manager()

    project_path = "prompt__project"

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["prompt", "key"], name="response_key_unique")]

    def __str__(self) -> str:
        return f"response {self.pk} to prompt {self.prompt_id}"
