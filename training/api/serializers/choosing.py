from __future__ import annotations

import uuid
from typing import Any

from rest_framework import serializers

from annotate.api.serializers.fields import IdField, Input
from annotate.choosing.mixing import STRATEGIES
from annotate.services.task_admin import MOST_PEOPLE
from training.choosing_form import DEFAULT_MIX, MOST_TASKS


class ChoosingQuery(Input):
    """What to ask people next: so many pairs, by a mix of strategies whose weights need not add up to anything."""

    count = serializers.IntegerField(min_value=1, max_value=MOST_TASKS, default=50)
    tag = serializers.CharField(max_length=60, allow_blank=True, default="", help_text="Prompts with this tag only.")
    seed = serializers.IntegerField(min_value=0, max_value=2**31 - 1, default=0, help_text="Another one draws anew.")
    model = IdField(required=False, help_text="The reward model whose scores count: the newest that has scored.")

    def get_fields(self) -> dict[str, Any]:
        """With the weight of each strategy."""
        weights = {
            name: serializers.FloatField(min_value=0, max_value=1000, default=DEFAULT_MIX[name]) for name in STRATEGIES
        }
        return {**super().get_fields(), **weights}


class NewChosenSerializer(ChoosingQuery):
    overlap = serializers.IntegerField(min_value=1, max_value=MOST_PEOPLE, required=False)
    priority = serializers.IntegerField(min_value=-1000, max_value=1000, default=0)
    token = serializers.UUIDField(
        default=uuid.uuid4, help_text="Yours to draw: what it has queued is not queued again."
    )


class ChosenPairSerializer(serializers.Serializer):
    prompt = serializers.IntegerField(source="first.prompt_id")
    responses = serializers.ListField(child=serializers.IntegerField())
    strategy = serializers.ChoiceField(choices=STRATEGIES)
    reason = serializers.CharField()
    value = serializers.FloatField(allow_null=True)
    chance = serializers.FloatField(allow_null=True, help_text="That the lot fell on it; 1/chance is its weight.")


class ChosenPairsSerializer(serializers.Serializer):
    """`scored` of `total` responses looked at have a score by the model."""

    pairs = ChosenPairSerializer(many=True)
    scored = serializers.IntegerField(allow_null=True)
    total = serializers.IntegerField(allow_null=True)


class ReasonSerializer(serializers.Serializer):
    """Why a task was chosen."""

    task = serializers.IntegerField(source="task_id")
    strategy = serializers.CharField()
    reason = serializers.CharField()
    value = serializers.FloatField(allow_null=True)
    chance = serializers.FloatField(allow_null=True)
    model = serializers.IntegerField(source="model_id", allow_null=True)
    facts = serializers.DictField(child=serializers.JSONField())
    created_at = serializers.DateTimeField()
