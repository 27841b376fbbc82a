from __future__ import annotations

from rest_framework import serializers

from annotate.api.paging import PageQuery
from annotate.api.serializers.fields import IdField, Input
from annotate.api.serializers.judging import MOST_SECONDS
from annotate.services.chat_pages import WORDS


class ChatQuery(PageQuery):
    open = serializers.BooleanField(default=False, help_text="Only the one that goes on.")


class ChatRowSerializer(serializers.Serializer):
    """A conversation of yours with models."""

    id = serializers.IntegerField()
    messages = serializers.IntegerField(help_text="Of yours.")
    created_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)


class LiveAnswerSerializer(serializers.Serializer):
    """One of two answers to a message; `text` is what has come so far, `attempt` rises with each retry."""

    letter = serializers.CharField()
    attempt = serializers.IntegerField()
    state = serializers.ChoiceField(choices=list(WORDS))
    text = serializers.CharField(allow_blank=True)
    is_final = serializers.BooleanField(help_text="Nothing more comes of this attempt.")
    may_retry = serializers.BooleanField()


class TurnSerializer(serializers.Serializer):
    """A message of yours, the two answers to it, and what you said of them. `chosen` is the letter the chat goes on
    with; after a tie, `by_lot`."""

    id = serializers.IntegerField(source="turn.pk")
    chat = serializers.IntegerField(source="turn.chat_id")
    number = serializers.IntegerField(source="turn.number")
    message = serializers.CharField()
    answers = LiveAnswerSerializer(many=True)
    chosen = serializers.CharField(source="letter", allow_blank=True)
    by_lot = serializers.BooleanField()
    said = serializers.CharField(allow_blank=True)
    lease = serializers.IntegerField(allow_null=True, help_text="Correct your choice with it.")
    asked = serializers.IntegerField(help_text="How often the message was answered.")


class ChatSerializer(serializers.Serializer):
    id = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)
    turns = TurnSerializer(many=True)


class NewMessageSerializer(Input):
    """`submission_id` is yours to draw: sent again, it finds the message it made."""

    submission_id = serializers.UUIDField()
    message = serializers.CharField(max_length=20_000)
    chat = IdField(required=False, help_text="The chat you have before you; refused when it has been ended.")


class AgainSerializer(Input):
    submission_id = serializers.UUIDField()
    message = serializers.CharField(max_length=20_000, required=False, help_text="Another message in its place.")


class RetrySerializer(Input):
    letter = serializers.ChoiceField(choices=["A", "B"])


class ChatAnswerSerializer(Input):
    preference = serializers.IntegerField(
        min_value=-4, max_value=4, required=False, help_text="Below 0, A is better; above, B; 0 is a tie."
    )
    both_bad = serializers.BooleanField(required=False)
    dimensions = serializers.DictField(child=serializers.IntegerField(min_value=-4, max_value=4), required=False)


class NewChoiceSerializer(Input):
    submission_id = serializers.UUIDField()
    answer = ChatAnswerSerializer()
    rationale = serializers.CharField(max_length=20_000, allow_blank=True, default="")
    flags = serializers.DictField(
        child=serializers.ListField(child=serializers.CharField(max_length=60), max_length=20), default=dict
    )
    seen = serializers.DictField(
        child=serializers.IntegerField(min_value=0, max_value=10**9),
        default=dict,
        help_text='Bytes of each answer that you had before you, when it was still being written: {"A": 120}.',
    )
    active_seconds = serializers.FloatField(min_value=0, max_value=MOST_SECONDS, required=False, allow_null=True)
