from __future__ import annotations

from rest_framework import serializers

from annotate.api.serializers.fields import IdField, Input, JobSerializer
from annotate.exports.formats import FORMATS
from annotate.exports.forms import FORMS
from annotate.imports.shapes import MAX_TAG
from annotate.models import Kind
from annotate.services.snapshots import LARGEST_SEED, MOST_HELD_OUT


def texts(longest: int) -> serializers.ListField:
    return serializers.ListField(child=serializers.CharField(max_length=longest), max_length=1000, default=list)


class FiltersSerializer(Input):
    """Which judgements; empty lists and null mean all."""

    kinds = serializers.ListField(child=serializers.ChoiceField(choices=Kind.choices), default=list)
    since = serializers.DateField(allow_null=True, default=None, help_text="This day and later, in UTC.")
    until = serializers.DateField(allow_null=True, default=None, help_text="This day and earlier, in UTC.")
    tags = texts(MAX_TAG)
    annotators = serializers.ListField(child=IdField(), max_length=1000, default=list)
    sources = texts(120)
    include_ties = serializers.BooleanField(default=True)
    include_imported = serializers.BooleanField(default=True)
    include_surplus = serializers.BooleanField(default=True)
    include_gold = serializers.BooleanField(default=False)
    half = serializers.ChoiceField(
        choices=["first", "second"], allow_blank=True, default="", help_text="Of the prompts."
    )
    authors = serializers.ListField(
        child=IdField(), max_length=1000, default=list, help_text="Judgements about a response by any of these authors."
    )
    without_flags = texts(60)
    min_agreement = serializers.FloatField(
        min_value=0, max_value=1, default=0, help_text="The share of a task's comparisons that say the same."
    )
    min_answers = serializers.IntegerField(min_value=0, max_value=1000, default=0, help_text="Judgements of a task.")
    min_gold = serializers.FloatField(
        min_value=0, max_value=1, default=0, help_text="The share of gold that a person gets right."
    )
    consensus = serializers.ChoiceField(
        choices=["majority", "posterior"],
        allow_blank=True,
        default="",
        help_text="One comparison stands for all of a task: the majority's, or the most probable one with its weight.",
    )
    include_evaluations = serializers.BooleanField(
        default=False, help_text="What people said when models were set against each other."
    )


class NewSnapshotSerializer(Input):
    name = serializers.CharField(max_length=120, allow_blank=True, default="", help_text="Empty: the next free one.")
    filters = FiltersSerializer(required=False)
    test_fraction = serializers.FloatField(min_value=0, max_value=MOST_HELD_OUT, default=0.1)
    split_seed = serializers.IntegerField(min_value=0, max_value=LARGEST_SEED, default=0)


class SnapshotSerializer(JobSerializer):
    """A frozen, hashed set of judgements, split by prompt."""

    name = serializers.CharField()
    filters = serializers.DictField(child=serializers.JSONField())
    test_fraction = serializers.FloatField()
    split_seed = serializers.IntegerField()
    content_hash = serializers.CharField(allow_blank=True)
    train_count = serializers.IntegerField()
    test_count = serializers.IntegerField()


class NewFileSerializer(Input):
    form = serializers.ChoiceField(choices=list(FORMS))
    split = serializers.ChoiceField(choices=["train", "test"], allow_blank=True, default="")
    format = serializers.ChoiceField(choices=list(FORMATS), default="jsonl")


class SnapshotFileSerializer(JobSerializer):
    """A file of a snapshot. `progress` and `total` are judgements, `size` bytes once it is finished."""

    form = serializers.CharField()
    split = serializers.CharField(allow_blank=True)
    format = serializers.CharField()
    size = serializers.IntegerField()


class SplitQuery(serializers.Serializer):
    split = serializers.ChoiceField(choices=["train", "test"], required=False, help_text="One side alone.")
    format = serializers.ChoiceField(choices=list(FORMATS), required=False, help_text="Without it: JSON Lines.")


class StartedSerializer(serializers.Serializer):
    changed = serializers.BooleanField(help_text="False when there was nothing to do: it is under way, or has ended.")
