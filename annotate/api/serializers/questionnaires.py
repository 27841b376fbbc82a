from __future__ import annotations

from rest_framework import serializers

from annotate.api.serializers.fields import Input
from annotate.services.questionnaires import SHOWN_FROM


class OptionCountSerializer(serializers.Serializer):
    """Null where so few chose it that they could be recognised; the option "" is “prefer not to say”."""

    option = serializers.CharField(allow_blank=True)
    count = serializers.IntegerField(allow_null=True)


class QuestionSerializer(serializers.Serializer):
    id = serializers.IntegerField(source="row.pk")
    question = serializers.CharField(source="row.question")
    options = serializers.ListField(child=serializers.CharField(), source="row.options")
    is_active = serializers.BooleanField(source="row.is_active")
    counts = OptionCountSerializer(many=True, help_text=f"Nothing of fewer than {SHOWN_FROM} people.")


class NewQuestionSerializer(Input):
    question = serializers.CharField(max_length=300)
    options = serializers.ListField(
        child=serializers.CharField(max_length=120),
        min_length=2,
        max_length=31,
        help_text="2 to 30. “Prefer not to say” is always offered besides.",
    )


class AskedSerializer(Input):
    active = serializers.BooleanField(help_text="False asks it no more; what was answered stays.")


class OwnQuestionSerializer(serializers.Serializer):
    id = serializers.IntegerField()
    question = serializers.CharField()
    options = serializers.ListField(child=serializers.CharField())
    answer = serializers.CharField(allow_blank=True, allow_null=True, help_text="Empty: prefer not to say.")


class BackgroundSerializer(serializers.Serializer):
    """What the project asks about you, and what you said; nothing is kept without your consent."""

    consented_at = serializers.DateTimeField(allow_null=True)
    questions = OwnQuestionSerializer(many=True)


class NewBackgroundSerializer(Input):
    consent = serializers.BooleanField(help_text="True: you agree that these answers are kept and evaluated.")
    answers = serializers.DictField(
        child=serializers.CharField(max_length=120, allow_blank=True),
        help_text='By the question\'s number: {"3": "German"}; empty is “prefer not to say”. Others stay.',
    )
