from __future__ import annotations

from rest_framework import serializers

from annotate.api.serializers.fields import Input
from annotate.forms.webhooks import EVENTS
from annotate.models import Webhook, WebhookDelivery

FIELDS: tuple[str, ...] = ("id", "url", "events", "is_active", "created_at")


class WebhookSerializer(serializers.ModelSerializer):
    """An address that is told of events."""

    events = serializers.ListField(child=serializers.ChoiceField(choices=EVENTS))

    class Meta:
        model = Webhook
        fields = FIELDS
        read_only_fields = fields


class WebhookSecretSerializer(WebhookSerializer):
    """The same with the key that its messages are signed with."""

    class Meta(WebhookSerializer.Meta):
        fields = (*FIELDS, "secret")
        read_only_fields = fields


class NewWebhookSerializer(Input):
    url = serializers.URLField(max_length=500, help_text="It is sent a POST. Private addresses are refused.")
    events = serializers.ListField(child=serializers.ChoiceField(choices=EVENTS), min_length=1, max_length=20)


class WebhookChangeSerializer(Input):
    is_active = serializers.BooleanField(help_text="Nothing is sent to one that is off; what waits stays waiting.")


class DeliverySerializer(serializers.ModelSerializer):
    """A message to a webhook: how often it was tried, and what came back. Still to be sent while `next_at` is set."""

    webhook = serializers.IntegerField(source="webhook_id")

    class Meta:
        model = WebhookDelivery
        fields = (
            "id", "webhook", "event", "body", "attempts", "status_code", "answer", "created_at", "delivered_at",
            "next_at",
        )  # fmt: skip
        read_only_fields = fields
