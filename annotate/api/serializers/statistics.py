from __future__ import annotations

from typing import Any

from rest_framework import serializers

from annotate.services.time_statements import Month
from annotate.standing import Stage


class ShareSerializer(serializers.Serializer):
    """A proportion with its 95 % interval."""

    part = serializers.IntegerField()
    whole = serializers.IntegerField()
    value = serializers.FloatField()
    low = serializers.FloatField()
    high = serializers.FloatField()


class KindCountSerializer(serializers.Serializer):
    kind = serializers.CharField()
    count = serializers.IntegerField()


class OwnDaySerializer(serializers.Serializer):
    day = serializers.DateField()
    count = serializers.IntegerField()
    active_seconds = serializers.FloatField()


class OwnStatisticsSerializer(serializers.Serializer):
    """Your own figures. `agreement` is null where the owner does not show it, and while it could betray somebody."""

    answers = serializers.IntegerField()
    skips = serializers.IntegerField()
    corrections = serializers.IntegerField()
    active_seconds = serializers.FloatField()
    seconds_each = serializers.FloatField(allow_null=True)
    by_kind = KindCountSerializer(many=True)
    days = OwnDaySerializer(many=True)
    agreement = ShareSerializer(allow_null=True)


class MonthQuery(serializers.Serializer):
    month = serializers.CharField(
        max_length=7, default="", allow_blank=True, help_text="As 2026-11; left out: this month."
    )

    def validate_month(self, value: str) -> Month:
        try:
            return Month.parse(value)
        except (ValueError, OverflowError):
            raise serializers.ValidationError("There is no such month. Write it as 2026-11.") from None

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        return {"month": attrs["month"] or Month.parse("")}


class WorkDaySerializer(serializers.Serializer):
    """A person's day: what pay is reckoned from."""

    day = serializers.DateField()
    person = serializers.CharField(allow_blank=True)
    email = serializers.CharField()
    answers = serializers.IntegerField()
    skips = serializers.IntegerField()
    active_seconds = serializers.FloatField()
    active_hours = serializers.FloatField()


class TimeStatementSerializer(serializers.Serializer):
    month = serializers.CharField()
    time_zone = serializers.CharField()
    days = WorkDaySerializer(many=True)


class StandingSerializer(serializers.Serializer):
    """How far a person has come: `right` of `done` of the `whole` tasks that count for the stage."""

    stage = serializers.ChoiceField(choices=[stage.value for stage in Stage])
    done = serializers.IntegerField()
    whole = serializers.IntegerField()
    right = serializers.IntegerField()
    warns = serializers.BooleanField()
    paused_at = serializers.DateTimeField(allow_null=True)
    pause_reason = serializers.CharField(allow_blank=True)


class TotalsSerializer(serializers.Serializer):
    prompts = serializers.IntegerField()
    responses = serializers.IntegerField()
    tasks_open = serializers.IntegerField()
    tasks_done = serializers.IntegerField()
    tasks_closed = serializers.IntegerField()
    places = serializers.IntegerField(help_text="Answers that the tasks ask for.")
    places_free = serializers.IntegerField()
    judgements = serializers.IntegerField()
    imported = serializers.IntegerField()
    active_people = serializers.IntegerField()
    median_seconds = serializers.FloatField(allow_null=True)


class DayCountSerializer(serializers.Serializer):
    day = serializers.DateField()
    count = serializers.IntegerField()


class AgreementSerializer(serializers.Serializer):
    """Over tasks judged twice or more; `alpha` is Krippendorff's."""

    tasks = serializers.IntegerField()
    answers = serializers.IntegerField()
    observed = serializers.FloatField()
    alpha = serializers.FloatField(allow_null=True)


class PersonFiguresSerializer(serializers.Serializer):
    name = serializers.CharField()
    answers = serializers.IntegerField()
    skips = serializers.IntegerField()
    median_seconds = serializers.FloatField(allow_null=True)
    last_at = serializers.DateTimeField()
    left = ShareSerializer(allow_null=True, help_text="How often the left response was preferred.")


class OverviewSerializer(serializers.Serializer):
    """A project at a glance: the last thirty days, today last."""

    totals = TotalsSerializer()
    days = DayCountSerializer(many=True)
    agreement = AgreementSerializer(allow_null=True)
    side_bias = ShareSerializer(allow_null=True)
    people = PersonFiguresSerializer(many=True)
    counted_at = serializers.DateTimeField(
        allow_null=True, help_text="When a large project's figures were counted; null: for this very answer."
    )
