from __future__ import annotations

from typing import Any

from rest_framework import serializers

from annotate.api.paging import PageQuery
from annotate.api.serializers.fields import Input, JobSerializer
from annotate.imports.presets.mapped import ROLES
from annotate.imports.shapes import MAX_TAG
from annotate.models import Import, JobStatus
from annotate.models.projects import SCALE_MAXIMUM


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
    columns = serializers.DictField(
        child=serializers.CharField(max_length=200, allow_blank=True),
        help_text='Of “mapped” contents, which column is what: {"prompt": "question", "chosen": "better"}. '
        f"There are: {', '.join(ROLES)}.",
    )
    points = serializers.ChoiceField(
        choices=[*SCALE_MAXIMUM], allow_null=True, help_text="The scale of its preferences; null: only which is better."
    )

    def validate_columns(self, columns: dict[str, str]) -> dict[str, str]:
        if strange := [role for role in columns if role not in ROLES]:
            raise serializers.ValidationError(f"“{strange[0][:60]}” is nothing a column can be: {', '.join(ROLES)}.")
        return columns

    def get_fields(self) -> dict[str, Any]:
        """With the field whose name serializers have taken."""
        return {**super().get_fields(), "source": serializers.CharField(max_length=120, allow_blank=True)}


class RefusedRowSerializer(serializers.Serializer):
    id = serializers.IntegerField()
    row = serializers.IntegerField(source="row_number")
    reason = serializers.CharField()
    raw = serializers.CharField(allow_blank=True)


class ImportQuery(PageQuery):
    status = serializers.ChoiceField(choices=JobStatus.choices, required=False)


class PreviewResponseSerializer(serializers.Serializer):
    author = serializers.CharField(allow_blank=True)
    text = serializers.CharField(allow_blank=True)


class SaidSerializer(serializers.Serializer):
    annotator = serializers.CharField(allow_blank=True)
    said = serializers.CharField(allow_blank=True)


class PreviewRowSerializer(serializers.Serializer):
    """A row as it would be stored: the beginning of it."""

    row = serializers.IntegerField()
    prompt = serializers.CharField(allow_blank=True)
    responses = PreviewResponseSerializer(many=True)
    said = SaidSerializer(many=True)
    is_known = serializers.BooleanField()


class PreviewRefusedSerializer(serializers.Serializer):
    row = serializers.IntegerField()
    reason = serializers.CharField()


class PreviewSerializer(serializers.Serializer):
    """What an import would do with the beginning of its file. `problem` says why nothing could be taken."""

    columns = serializers.ListField(child=serializers.CharField(allow_blank=True))
    recognised = serializers.CharField(allow_blank=True, help_text="The contents that the first row looks like.")
    problem = serializers.CharField(allow_blank=True)
    is_complete = serializers.BooleanField(help_text="The whole file was read.")
    new = serializers.IntegerField()
    known = serializers.IntegerField()
    rows = PreviewRowSerializer(many=True)
    refused = PreviewRefusedSerializer(many=True)
