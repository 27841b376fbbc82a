from __future__ import annotations

from rest_framework import serializers

from annotate.api.paging import LARGEST
from annotate.api.serializers.fields import IdField, Input, JobSerializer, PersonSerializer
from training.api.serializers.leaderboards import IntervalSerializer


class ScoringSerializer(JobSerializer):
    """A reward model asked to score every response it has not scored. `progress` and `total` count responses."""

    model = serializers.IntegerField(source="model_id")


class NewScoringSerializer(Input):
    model = IdField(help_text="A reward model.")


class ReportSerializer(JobSerializer):
    """What a reward model gets right of held-out judgements, and of pairs that should be easy."""

    model = serializers.IntegerField(source="model_id")
    snapshot = serializers.IntegerField(source="snapshot_id")
    figures = serializers.DictField(child=serializers.JSONField(), help_text="Empty until it has succeeded.")


class NewReportSerializer(Input):
    snapshot = IdField(help_text="One with held-out judgements, built.")


class AblationRowSerializer(serializers.Serializer):
    """One snapshot trained several times, each time with something left out."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    snapshot = serializers.IntegerField(source="snapshot_id")
    base_model = serializers.IntegerField(source="base_model_id")
    created_by = PersonSerializer()
    created_at = serializers.DateTimeField()


class VariantSerializer(serializers.Serializer):
    """A run that leaves something out: its accuracy on people held out, and how far that is from the first's."""

    variant = serializers.CharField(source="label")
    run = serializers.IntegerField()
    status = serializers.CharField()
    accuracy = IntervalSerializer(allow_null=True)
    difference = IntervalSerializer(allow_null=True)
    verdict = serializers.CharField(allow_blank=True)


class AblationSerializer(AblationRowSerializer):
    variants = VariantSerializer(many=True)


class NewAblationSerializer(Input):
    snapshot = IdField(help_text="One with held-out judgements, built, judged by two people at least.")
    base_model = IdField(required=False, help_text="The project's default.")
    name = serializers.CharField(max_length=80, allow_blank=True, default="", help_text="Empty: the next number.")


class LineageQuery(serializers.Serializer):
    model = serializers.IntegerField(
        min_value=1, max_value=LARGEST, required=False, help_text="Only what it comes from and became."
    )


class NodeSerializer(serializers.Serializer):
    """`key` is the kind of thing and its number, as `run-3`."""

    key = serializers.CharField()
    kind = serializers.CharField(help_text="Such as base, policy, reward, run, snapshot, generation.")
    name = serializers.CharField(source="label")
    note = serializers.CharField(allow_blank=True)
    sources = serializers.ListField(child=serializers.CharField(), help_text="The keys of what it was made from.")


class LineageSerializer(serializers.Serializer):
    """Each thing after what it was made from."""

    nodes = NodeSerializer(many=True)
