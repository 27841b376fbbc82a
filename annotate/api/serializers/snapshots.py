from __future__ import annotations

from typing import Any

from rest_framework import serializers

from annotate.api.paging import PageQuery
from annotate.api.serializers.fields import IdField, Input, JobSerializer
from annotate.exports.formats import FORMATS
from annotate.imports.shapes import MAX_TAG
from annotate.models import Import, JobStatus, Kind
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


class SplitQuery(serializers.Serializer):
    split = serializers.ChoiceField(choices=["train", "test"], required=False, help_text="One side alone.")
    format = serializers.ChoiceField(choices=list(FORMATS), required=False, help_text="Without it: JSON Lines.")


class ImportSerializer(JobSerializer):
    """A file brought into the project. `progress` and `total` are bytes."""

    contents = serializers.ChoiceField(choices=Import.Contents.choices)
    format = serializers.ChoiceField(choices=Import.Format.choices)
    filename = serializers.CharField(allow_blank=True)
    options = serializers.DictField(child=serializers.JSONField())
    rows_read = serializers.IntegerField()
    rows_added = serializers.IntegerField()
    rows_known = serializers.IntegerField()
    rows_refused = serializers.IntegerField()


class NewImportSerializer(Input):
    """A file (multipart/form-data), or text. With `confirm` it is read at once; else it waits to be confirmed."""

    file = serializers.FileField(required=False)
    text = serializers.CharField(required=False, trim_whitespace=False, max_length=16_000_000)
    filename = serializers.CharField(max_length=255, allow_blank=True, default="", help_text="Of pasted text.")
    contents = serializers.ChoiceField(choices=Import.Contents.choices, required=False)
    confirm = serializers.BooleanField(default=False)


class ImportOptionsSerializer(Input):
    """What a draft is read as, before it is confirmed."""

    format = serializers.ChoiceField(choices=Import.Format.choices)
    contents = serializers.ChoiceField(choices=Import.Contents.choices)
    column = serializers.CharField(max_length=200, allow_blank=True)
    tags = serializers.ListField(child=serializers.CharField(max_length=MAX_TAG), max_length=50)
    id_prefix = serializers.CharField(max_length=60, allow_blank=True)
    keep_responses = serializers.BooleanField()

    def get_fields(self) -> dict[str, Any]:
        """With the field whose name serializers have taken."""
        return {**super().get_fields(), "source": serializers.CharField(max_length=120, allow_blank=True)}


class RefusedRowSerializer(serializers.Serializer):
    id = serializers.IntegerField()
    row = serializers.IntegerField(source="row_number")
    reason = serializers.CharField()
    raw = serializers.CharField(allow_blank=True)


class StartedSerializer(serializers.Serializer):
    changed = serializers.BooleanField(help_text="False when there was nothing to do: it is under way, or has ended.")


class ImportQuery(PageQuery):
    status = serializers.ChoiceField(choices=JobStatus.choices, required=False)
