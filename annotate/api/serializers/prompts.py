from __future__ import annotations

from typing import Any

from rest_framework import serializers

from annotate.api.paging import PageQuery
from annotate.api.serializers.fields import IdField, Input, MessageSerializer, TextField
from annotate.imports.shapes import MAX_ID, MAX_NAME, MAX_TAG
from annotate.models import Author, Prompt, Response

MOST_AT_ONCE = 1000


class PromptSerializer(serializers.ModelSerializer):
    """A conversation that ends with a user turn."""

    messages = MessageSerializer(many=True)
    response_count = serializers.IntegerField()

    class Meta:
        model = Prompt
        fields = (
            "id",
            "messages",
            "system",
            "tags",
            "source",
            "external_id",
            "content_hash",
            "response_count",
            "created_at",
        )
        read_only_fields = fields


class PromptQuery(PageQuery):
    tag = serializers.CharField(max_length=MAX_TAG, required=False, help_text="Prompts with this tag.")
    q = serializers.CharField(max_length=200, required=False, help_text="Prompts with this text in a turn.")
    external_id = serializers.CharField(max_length=MAX_ID, required=False, help_text="The prompt with this id.")


class NewTextSerializer(Input):
    """A response that comes with its prompt."""

    text = TextField()
    author = serializers.CharField(max_length=MAX_NAME, allow_blank=True, default="")


class NewPromptSerializer(Input):
    """A prompt as one text, or as a list of turns that ends with the user's."""

    text = TextField(required=False)
    messages = MessageSerializer(many=True, required=False)
    system = TextField(allow_blank=True, default="")
    tags = serializers.ListField(child=serializers.CharField(max_length=MAX_TAG), max_length=50, default=list)
    external_id = serializers.CharField(max_length=MAX_ID, allow_blank=True, default="")
    responses = NewTextSerializer(many=True, default=list)

    def get_fields(self) -> dict[str, Any]:
        """With the field whose name serializers have taken."""
        source = serializers.CharField(max_length=120, allow_blank=True, default="")
        return {**super().get_fields(), "source": source}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("text" in attrs) == ("messages" in attrs):
            raise serializers.ValidationError("Give text or messages: one of the two.")
        return attrs


class NewPromptsSerializer(Input):
    prompts = serializers.ListField(child=NewPromptSerializer(), min_length=1, max_length=MOST_AT_ONCE)
    author = serializers.CharField(
        max_length=MAX_NAME, default="API", help_text="Who wrote the responses that name nobody."
    )


class StoredPromptSerializer(serializers.Serializer):
    """What became of a prompt that was sent: stored as `id`, known before, or refused with a reason."""

    id = serializers.IntegerField(allow_null=True)
    is_new = serializers.BooleanField()
    refused = serializers.CharField(allow_blank=True)


class StoredPromptsSerializer(serializers.Serializer):
    """In the order they were sent."""

    prompts = StoredPromptSerializer(many=True)


class AuthorSerializer(serializers.ModelSerializer):
    class Meta:
        model = Author
        fields = ("id", "kind", "name")
        read_only_fields = fields


class ResponseSerializer(serializers.ModelSerializer):
    """One completion of a prompt."""

    author = AuthorSerializer()
    prompt = serializers.IntegerField(source="prompt_id")

    class Meta:
        model = Response
        fields = (
            "id",
            "prompt",
            "author",
            "key",
            "text",
            "sampling",
            "seed",
            "token_count",
            "finish_reason",
            "created_at",
        )
        read_only_fields = fields


class NewResponseSerializer(Input):
    """`key` names the draw: the same prompt and key again is the response there is."""

    prompt = IdField()
    key = serializers.CharField(max_length=80)
    text = TextField()
    author = serializers.CharField(max_length=MAX_NAME)
    sampling = serializers.DictField(child=serializers.JSONField(), default=dict)
    seed = serializers.IntegerField(min_value=-(2**63), max_value=2**63 - 1, allow_null=True, default=None)
    token_count = serializers.IntegerField(min_value=0, max_value=2**31 - 1, allow_null=True, default=None)
    finish_reason = serializers.ChoiceField(choices=Response.FinishReason.choices, allow_blank=True, default="")


class NewResponsesSerializer(Input):
    responses = serializers.ListField(child=NewResponseSerializer(), min_length=1, max_length=MOST_AT_ONCE)


class StoredResponseSerializer(serializers.Serializer):
    id = serializers.IntegerField()
    is_new = serializers.BooleanField()


class StoredResponsesSerializer(serializers.Serializer):
    """In the order they were sent."""

    responses = StoredResponseSerializer(many=True)
