from __future__ import annotations

from rest_framework import serializers

from annotate.api.paging import LARGEST
from annotate.api.serializers.fields import Input, PersonSerializer
from annotate.api.serializers.judging import AnswerSerializer
from annotate.forms.quality import StandingForm
from annotate.models import Comment, Kind, Purpose
from annotate.services.known_answers import KNOWN

KNOWN_PURPOSES = [(purpose.value, purpose.label) for purpose in KNOWN]


class KnownTaskSerializer(serializers.Serializer):
    """A task whose answer is known, and how people have answered it."""

    task = serializers.IntegerField(source="pk")
    kind = serializers.ChoiceField(choices=Kind.choices)
    purpose = serializers.ChoiceField(choices=Purpose.choices)
    explanation = serializers.CharField(allow_blank=True)
    said = serializers.IntegerField(help_text="How many people have answered it.")
    right = serializers.IntegerField()
    closed_at = serializers.DateTimeField(allow_null=True)


class NewKnownSerializer(Input):
    """Letters are in the task's own order: A is its first response."""

    purpose = serializers.ChoiceField(choices=KNOWN_PURPOSES, default=Purpose.GOLD)
    answer = AnswerSerializer()
    explanation = serializers.CharField(max_length=20_000, allow_blank=True, default="", help_text="Markdown.")


class RetiredSerializer(Input):
    retired = serializers.BooleanField(help_text="Nobody is handed it any more; its answers count on.")


class DisagreementQuery(serializers.Serializer):
    decided = serializers.BooleanField(default=False, help_text="Those that a reviewer has settled.")
    cursor = serializers.IntegerField(min_value=1, max_value=LARGEST, required=False)


class DisagreementSerializer(serializers.Serializer):
    task = serializers.IntegerField(source="task.pk")
    kind = serializers.ChoiceField(choices=Kind.choices, source="task.kind")
    answers = serializers.IntegerField()
    distance = serializers.FloatField(help_text="0 to 1, between the two that are furthest apart.")


class NewDecisionSerializer(Input):
    """Letters are in the task's own order: A is its first response."""

    submission_id = serializers.UUIDField()
    answer = AnswerSerializer()
    reason = serializers.CharField(max_length=20_000)


class DecidedSerializer(serializers.Serializer):
    judgement = serializers.IntegerField(source="pk")


class NewCommentSerializer(Input):
    submission_id = serializers.UUIDField()
    body = serializers.CharField(max_length=10_000)
    asks_correction = serializers.BooleanField(default=False, help_text="Send the task back to its annotator.")


class CommentSerializer(serializers.ModelSerializer):
    judgement = serializers.IntegerField(source="judgement_id")
    author = PersonSerializer()

    class Meta:
        model = Comment
        fields = ("id", "judgement", "author", "body", "asks_correction", "resolved_at", "seen_at", "created_at")
        read_only_fields = fields


class OwnCommentSerializer(serializers.ModelSerializer):
    """The same for the person concerned: reviewers have no names."""

    is_yours = serializers.SerializerMethodField()

    class Meta:
        model = Comment
        fields = ("id", "is_yours", "body", "asks_correction", "resolved_at", "created_at")
        read_only_fields = fields

    def get_is_yours(self, comment: Comment) -> bool:
        return comment.author_id == comment.judgement.annotator_id


class MessageThreadSerializer(serializers.Serializer):
    """The newest word of what was said about a judgement. Reviewers have no names here."""

    comment = serializers.IntegerField(source="row.pk")
    judgement = serializers.IntegerField(source="row.judgement_id")
    task = serializers.IntegerField(source="row.judgement.task_id")
    body = serializers.CharField(source="row.body")
    asks_correction = serializers.BooleanField(source="row.asks_correction")
    created_at = serializers.DateTimeField(source="row.created_at")
    is_yours = serializers.BooleanField()
    is_unread = serializers.BooleanField()


class FlagSerializer(serializers.Serializer):
    name = serializers.CharField()
    reason = serializers.CharField()


class PersonQualitySerializer(serializers.Serializer):
    """Counts of one person's newest 500 answers, and what of them is worth a look."""

    member = serializers.IntegerField(source="membership.pk")
    user = PersonSerializer(source="membership.user")
    answers = serializers.IntegerField(source="figures.answers")
    median_seconds = serializers.FloatField(source="figures.median_seconds", allow_null=True)
    timed = serializers.IntegerField(source="figures.timed")
    quick = serializers.IntegerField(source="figures.quick")
    gold = serializers.IntegerField(source="figures.gold")
    gold_right = serializers.IntegerField(source="figures.gold_right")
    repeats = serializers.IntegerField(source="figures.repeats")
    repeats_same = serializers.IntegerField(source="figures.repeats_same")
    shared = serializers.IntegerField(source="figures.shared")
    shared_same = serializers.IntegerField(source="figures.shared_same")
    flags = FlagSerializer(many=True)


class QualitySerializer(serializers.Serializer):
    people = PersonQualitySerializer(many=True)


class NewStandingSerializer(Input):
    decision = serializers.ChoiceField(choices=StandingForm.DECISIONS)
    reason = serializers.CharField(max_length=300, allow_blank=True, default="", help_text="Of a pause; they read it.")


class KindOptionsSerializer(Input):
    """The kind's options, named as in the project's `kind_options`; those left out have their defaults."""

    options = serializers.DictField(child=serializers.JSONField(), default=dict)
