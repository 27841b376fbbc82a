"""Parts of serializers: fields that several have, and a body that refuses what it does not know."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from annotate.api.paging import LARGEST
from annotate.models import JobStatus, User

MOST_CHARACTERS = 100_000


class Input(serializers.Serializer):
    """A body: a field that is not among its own is refused, so that a misspelt one is not lost without a word."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping) and (strange := [name for name in data if name not in self.fields]):
            known = ", ".join(self.fields) or "none"
            raise serializers.ValidationError(
                {str(name): [f"There is no field “{str(name)[:60]}”. The fields are: {known}."] for name in strange}
            )
        return super().to_internal_value(data)


class IdField(serializers.IntegerField):
    """The number of a row."""

    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=1, max_value=LARGEST, **options)


class TextField(serializers.CharField):
    """A text kept as it is written, its spaces and line breaks too."""

    def __init__(self, **options: Any) -> None:
        super().__init__(trim_whitespace=False, max_length=MOST_CHARACTERS, **options)


class MessageSerializer(Input):
    """A turn of a conversation."""

    role = serializers.ChoiceField(choices=["user", "assistant"])
    content = TextField()


class PersonSerializer(serializers.ModelSerializer):
    """Somebody who signs what they do."""

    class Meta:
        model = User
        fields = ("id", "name", "email", "is_service")
        read_only_fields = fields


class JobSerializer(serializers.Serializer):
    """What everything done in the background has."""

    id = serializers.IntegerField()
    status = serializers.ChoiceField(choices=JobStatus.choices)
    progress = serializers.IntegerField()
    total = serializers.IntegerField()
    error = serializers.CharField(allow_blank=True)
    created_by = PersonSerializer()
    created_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)
