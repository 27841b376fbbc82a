from __future__ import annotations

from rest_framework import serializers

from annotate.api.paging import LARGEST
from annotate.api.serializers.fields import IdField, Input, JobSerializer, PersonSerializer
from training.algorithms.configs import ALGORITHMS
from training.models import ModelVersion, RunEvent
from training.services.generations import Choice

KINDS_ADDED = [ModelVersion.Kind.POLICY, ModelVersion.Kind.BACKBONE]


class ModelSerializer(serializers.ModelSerializer):
    """A policy or a reward model of the project, and where it came from."""

    run = serializers.IntegerField(source="run_id", allow_null=True)
    created_by = PersonSerializer()

    class Meta:
        model = ModelVersion
        fields = (
            "id", "kind", "name", "origin", "parent", "run", "file_hashes", "metrics", "is_default", "created_by",
            "created_at",
        )  # fmt: skip
        read_only_fields = fields


class NewModelSerializer(Input):
    kind = serializers.ChoiceField(choices=[(kind.value, kind.label) for kind in KINDS_ADDED])
    origin = serializers.CharField(max_length=300, help_text="A Hugging Face id, or a folder this site offers.")
    name = serializers.CharField(max_length=120, allow_blank=True, default="")


class SettingSerializer(serializers.Serializer):
    """One setting of an algorithm."""

    name = serializers.CharField()
    title = serializers.CharField()
    help = serializers.CharField(allow_blank=True)
    default = serializers.JSONField()
    min = serializers.FloatField(allow_null=True)
    max = serializers.FloatField(allow_null=True)
    choices = serializers.ListField(child=serializers.CharField(), allow_null=True)


class AlgorithmSerializer(serializers.Serializer):
    name = serializers.CharField()
    title = serializers.CharField()
    makes = serializers.CharField()
    starts_from = serializers.ListField(child=serializers.CharField())
    scores = serializers.BooleanField(help_text="Whether it needs reward models, or a programmatic reward.")
    settings = SettingSerializer(many=True)


class AlgorithmsSerializer(serializers.Serializer):
    algorithms = AlgorithmSerializer(many=True)


class RewardSerializer(serializers.Serializer):
    model = serializers.IntegerField(source="model_id")
    weight = serializers.FloatField()
    is_held_out = serializers.BooleanField()


class RunSerializer(JobSerializer):
    """One training job. `progress` and `total` count optimiser steps."""

    name = serializers.CharField()
    algorithm = serializers.CharField()
    config = serializers.DictField(child=serializers.JSONField())
    snapshot = serializers.IntegerField(source="snapshot_id")
    base_model = serializers.IntegerField(source="base_model_id")
    rewards = RewardSerializer(many=True)
    output = serializers.IntegerField(source="output.pk", allow_null=True, default=None)
    seconds_left = serializers.FloatField(allow_null=True)
    metrics = serializers.DictField(child=serializers.JSONField())
    facts = serializers.DictField(child=serializers.JSONField())


class NewRewardSerializer(Input):
    model = IdField()
    weight = serializers.FloatField(default=1.0, min_value=0, max_value=1e6)


class NewRunSerializer(Input):
    """`config` has the algorithm's settings; those left out have their defaults."""

    algorithm = serializers.ChoiceField(choices=list(ALGORITHMS))
    base_model = IdField(required=False, help_text="The project's default model that it can start from.")
    snapshot = IdField(required=False, help_text="Without one, all judgements so far are frozen.")
    config = serializers.DictField(child=serializers.JSONField(), default=dict)
    rewards = serializers.ListField(child=NewRewardSerializer(), max_length=16, default=list)
    heldout_reward = IdField(required=False, help_text="A reward model that only watches.")
    name = serializers.CharField(max_length=120, allow_blank=True, default="")


class RunEventSerializer(serializers.ModelSerializer):
    """A line the trainer wrote."""

    class Meta:
        model = RunEvent
        fields = ("id", "kind", "step", "data", "created_at")
        read_only_fields = fields


class GenerationSerializer(JobSerializer):
    """Responses asked of a policy. `progress` and `total` count responses."""

    model = serializers.IntegerField(source="model_id")
    opponent = serializers.IntegerField(source="opponent_id", allow_null=True)
    responses_per_prompt = serializers.IntegerField()
    temperature = serializers.FloatField()
    top_p = serializers.FloatField()
    max_tokens = serializers.IntegerField()
    seed = serializers.IntegerField()
    queue_tasks = serializers.BooleanField()
    overlap = serializers.IntegerField()
    best_of = serializers.IntegerField()
    reward_model = serializers.IntegerField(source="reward_model_id", allow_null=True)
    tokens_written = serializers.IntegerField()
    tasks_queued = serializers.IntegerField()
    pairs_dropped = serializers.IntegerField()


class NewGenerationSerializer(Input):
    model = IdField(required=False, help_text="The project's default policy.")
    choice = serializers.ChoiceField(choices=Choice.choices, default=Choice.WITHOUT)
    tag = serializers.CharField(max_length=60, allow_blank=True, default="")
    first = serializers.IntegerField(min_value=1, max_value=LARGEST, required=False, allow_null=True)
    responses_per_prompt = serializers.IntegerField(min_value=1, max_value=16, default=2)
    temperature = serializers.FloatField(min_value=0, max_value=2, default=0.8)
    top_p = serializers.FloatField(min_value=0.01, max_value=1, default=0.95)
    max_tokens = serializers.IntegerField(min_value=1, max_value=2048, default=256)
    seed = serializers.IntegerField(min_value=0, max_value=2**31 - 1, default=0)
    queue_tasks = serializers.BooleanField(default=True)
    opponent = IdField(required=False, allow_null=True)
    overlap = serializers.IntegerField(min_value=1, max_value=50, required=False)
    best_of = serializers.IntegerField(min_value=1, max_value=64, default=1, help_text="Draws for each response.")
    reward_model = IdField(required=False, help_text="What chooses the best of them.")
