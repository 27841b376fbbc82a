from __future__ import annotations

from rest_framework import serializers

from annotate.api.paging import LARGEST
from annotate.api.serializers.fields import Input, MessageSerializer, TextField
from annotate.forms.judging import SKIP_REASONS
from annotate.models import Judgement, Kind
from annotate.standing import Stage

MOST_SECONDS = 1e9


class ShownSerializer(serializers.Serializer):
    """A response as it is shown: under a letter, and by nobody."""

    letter = serializers.CharField()
    text = serializers.CharField(allow_blank=True)


class ShownPromptSerializer(serializers.Serializer):
    system = serializers.CharField(allow_blank=True)
    messages = MessageSerializer(many=True)


class LeaseSerializer(serializers.Serializer):
    """A task in your hands until `expires_at`, and what it asks for. Responses are in the order drawn for you."""

    id = serializers.IntegerField()
    kind = serializers.ChoiceField(choices=Kind.choices)
    expires_at = serializers.DateTimeField()
    prompt = ShownPromptSerializer()
    responses = ShownSerializer(many=True)
    asks = serializers.DictField(child=serializers.JSONField(), help_text="What the answer may say.")


class NextTaskSerializer(serializers.Serializer):
    """The next task, or why there is none: nothing waits, the guidelines are to be read, or you may not judge now."""

    lease = LeaseSerializer(allow_null=True)
    stage = serializers.ChoiceField(choices=[stage.value for stage in Stage], allow_null=True)
    unread_guideline = serializers.IntegerField(allow_null=True, help_text="The version to read first.")


class HeldSerializer(serializers.Serializer):
    held = serializers.BooleanField(help_text="False when the task is judged, skipped, closed, or the place has gone.")
    expires_at = serializers.DateTimeField()


class SpanSerializer(Input):
    """A passage of the response's text: characters from `start` to before `end`."""

    start = serializers.IntegerField(min_value=0, max_value=LARGEST)
    end = serializers.IntegerField(min_value=1, max_value=LARGEST)
    category = serializers.CharField(max_length=60)
    severity = serializers.CharField(max_length=60, allow_blank=True, default="")
    note = serializers.CharField(max_length=2000, allow_blank=True, default="")


class AnswerSerializer(Input):
    """What is said of a task: the fields of its kind, responses by letter."""

    preference = serializers.IntegerField(
        min_value=-4, max_value=4, required=False, help_text="A comparison: below 0, A is better; above, B; 0 is a tie."
    )
    both_bad = serializers.BooleanField(required=False)
    dimensions = serializers.DictField(child=serializers.IntegerField(min_value=-4, max_value=4), required=False)
    ranking = serializers.ListField(
        child=serializers.ListField(child=serializers.CharField(max_length=1), min_length=1, max_length=9),
        max_length=9,
        required=False,
        help_text='Best first, those of one place together: [["B"], ["A", "C"]].',
    )
    scores = serializers.DictField(
        child=serializers.DictField(child=serializers.IntegerField(min_value=1, max_value=100)),
        required=False,
        help_text='By letter and question: {"A": {"overall": 6}}.',
    )
    text = TextField(required=False, allow_blank=True, help_text="A demonstration, or the improved response.")
    suggestion = serializers.CharField(max_length=1, allow_blank=True, required=False)
    spans = SpanSerializer(many=True, required=False)
    critique = serializers.CharField(max_length=20_000, allow_blank=True, required=False)


class NewJudgementSerializer(Input):
    """`submission_id` is yours to draw: sent again, it finds the judgement it made."""

    submission_id = serializers.UUIDField()
    answer = AnswerSerializer()
    rationale = serializers.CharField(max_length=20_000, allow_blank=True, default="")
    flags = serializers.DictField(
        child=serializers.ListField(child=serializers.CharField(max_length=60), max_length=20),
        default=dict,
        help_text='By letter: {"B": ["made up facts"]}.',
    )
    active_seconds = serializers.FloatField(min_value=0, max_value=MOST_SECONDS, required=False, allow_null=True)


class NextQuery(serializers.Serializer):
    next = serializers.BooleanField(default=False, help_text="Answer with the next task besides.")


class AgreedSerializer(serializers.Serializer):
    """What was agreed on about this task, where the project shows it."""

    was_right = serializers.BooleanField(allow_null=True)
    answer = serializers.CharField(allow_blank=True)
    explanation = serializers.CharField(allow_blank=True)


class JudgedSerializer(serializers.Serializer):
    judgement = serializers.IntegerField()
    agreed = AgreedSerializer(allow_null=True)
    next = NextTaskSerializer(allow_null=True)


class SkipSerializer(Input):
    submission_id = serializers.UUIDField()
    reason = serializers.ChoiceField(choices=SKIP_REASONS)
    other = serializers.CharField(max_length=190, allow_blank=True, default="", help_text="Another reason, in words.")
    active_seconds = serializers.FloatField(min_value=0, max_value=MOST_SECONDS, required=False, allow_null=True)


class UndoneSerializer(serializers.Serializer):
    reopened = serializers.BooleanField(help_text="False when somebody else has taken the place meanwhile.")


class OwnJudgementSerializer(serializers.Serializer):
    """What you said of a task, by the letters you saw."""

    id = serializers.IntegerField(source="row.pk")
    lease = serializers.IntegerField()
    kind = serializers.ChoiceField(choices=Kind.choices, source="row.kind")
    outcome = serializers.ChoiceField(choices=Judgement.Outcome.choices, source="row.outcome")
    said = serializers.CharField()
    rationale = serializers.CharField(source="row.rationale", allow_blank=True)
    created_at = serializers.DateTimeField(source="row.created_at")


class ProgressSerializer(serializers.Serializer):
    today = serializers.IntegerField()
    total = serializers.IntegerField()
    waiting = serializers.CharField(help_text="Tasks that wait for you, in words: “12”, “100+”.")


class NewDraftSerializer(Input):
    """What is typed so far: any part of an answer."""

    answer = AnswerSerializer(required=False)
    rationale = serializers.CharField(max_length=20_000, allow_blank=True, default="")
    flags = serializers.DictField(
        child=serializers.ListField(child=serializers.CharField(max_length=60), max_length=20), default=dict
    )
    active_seconds = serializers.FloatField(min_value=0, max_value=MOST_SECONDS, required=False, allow_null=True)


class DraftSerializer(serializers.Serializer):
    """The same as it was kept; null when nothing was. Thirty days after the last change it is gone."""

    answer = serializers.DictField(child=serializers.JSONField())
    rationale = serializers.CharField(allow_blank=True)
    flags = serializers.DictField(child=serializers.ListField(child=serializers.CharField()))
    active_seconds = serializers.FloatField(allow_null=True)
    updated_at = serializers.DateTimeField(allow_null=True)


class AheadSerializer(serializers.Serializer):
    """The task after the one in hand; null where what comes next depends on the answer, or nothing waits."""

    lease = LeaseSerializer(allow_null=True)
