from __future__ import annotations

from rest_framework import serializers

from annotate.api.serializers.fields import Input, PersonSerializer
from training.endpoint_forms import LARGEST
from training.models import Endpoint, EndpointDay


class EndpointSerializer(serializers.ModelSerializer):
    """A model that lives elsewhere. `model` is what generations and evaluations name; of its key only the end is told.
    Prices are dollars a million tokens."""

    name = serializers.CharField(source="model.name")
    model = serializers.IntegerField(source="model_id")
    created_by = PersonSerializer()
    requests = serializers.IntegerField()
    tokens_in = serializers.IntegerField()
    tokens_out = serializers.IntegerField()
    cost = serializers.DecimalField(max_digits=18, decimal_places=9)
    cost_this_month = serializers.DecimalField(max_digits=18, decimal_places=9)

    class Meta:
        model = Endpoint
        fields = (
            "id", "name", "model", "base_url", "remote_name", "protocol", "key_ends", "price_in", "price_out",
            "requests_per_minute", "tokens_per_minute", "at_once", "timeout", "max_retries", "removed_at", "created_by",
            "created_at", "requests", "tokens_in", "tokens_out", "cost", "cost_this_month",
        )  # fmt: skip
        read_only_fields = fields


class EndpointFields(Input):
    """What an owner sets; the same on the page."""

    name = serializers.CharField(max_length=120)
    base_url = serializers.CharField(max_length=300, help_text="It usually ends in /v1. Private addresses are refused.")
    remote_name = serializers.CharField(max_length=200, help_text="The model, as the server names it.")
    protocol = serializers.ChoiceField(choices=Endpoint.Protocol.choices, required=False)
    key = serializers.CharField(
        max_length=500, required=False, allow_blank=True, write_only=True, help_text="Sealed, and never told again."
    )
    price_in = serializers.DecimalField(max_digits=10, decimal_places=4, min_value=0, required=False)
    price_out = serializers.DecimalField(max_digits=10, decimal_places=4, min_value=0, required=False)
    requests_per_minute = serializers.IntegerField(min_value=1, max_value=LARGEST, required=False)
    tokens_per_minute = serializers.IntegerField(min_value=1, max_value=100 * LARGEST, required=False, allow_null=True)
    at_once = serializers.IntegerField(min_value=1, max_value=32, required=False)
    timeout = serializers.IntegerField(min_value=1, max_value=600, required=False, help_text="Seconds.")
    max_retries = serializers.IntegerField(min_value=0, max_value=10, required=False)


class TrialSerializer(serializers.Serializer):
    """What came of asking once."""

    worked = serializers.BooleanField()
    message = serializers.CharField()


class EndpointDaySerializer(serializers.ModelSerializer):
    """What an endpoint was asked on a day, and what that cost in dollars."""

    class Meta:
        model = EndpointDay
        fields = ("id", "day", "requests", "tokens_in", "tokens_out", "cost")
        read_only_fields = fields


class BudgetSerializer(serializers.Serializer):
    """What a project may spend on its endpoints and has spent, in dollars; null is no limit."""

    a_day = serializers.DecimalField(max_digits=10, decimal_places=2, allow_null=True)
    a_month = serializers.DecimalField(max_digits=10, decimal_places=2, allow_null=True)
    spent_today = serializers.DecimalField(max_digits=18, decimal_places=9)
    spent_this_month = serializers.DecimalField(max_digits=18, decimal_places=9)


class NewBudgetSerializer(Input):
    a_day = serializers.DecimalField(max_digits=10, decimal_places=2, min_value=0, allow_null=True)
    a_month = serializers.DecimalField(max_digits=10, decimal_places=2, min_value=0, allow_null=True)
