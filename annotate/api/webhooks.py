"""Webhooks: what happens in a project, told to other programs. docs/api.md says how a message is checked."""

from __future__ import annotations

import uuid

from django.core.exceptions import ValidationError

from annotate.access import OWNERS, get_in_project
from annotate.api.operations import Call, operation
from annotate.api.paging import Page, page_of
from annotate.api.problems import invalid
from annotate.api.serializers.snapshots import StartedSerializer
from annotate.api.serializers.webhooks import (
    DeliverySerializer,
    NewWebhookSerializer,
    WebhookChangeSerializer,
    WebhookSecretSerializer,
    WebhookSerializer,
)
from annotate.models import Scope, Webhook, WebhookDelivery
from annotate.querysets import ScopedQuerySet
from annotate.services import webhooks


def webhooks_of(call: Call) -> ScopedQuerySet:
    rows: ScopedQuerySet = Webhook.objects.visible_to(call.user).select_related("project", "created_by")
    return rows


def get_webhook(call: Call, pk: int) -> Webhook:
    found: Webhook = get_in_project(webhooks_of(call), call.membership, pk)
    return found


@operation("GET", scope=Scope.ADMIN, roles=OWNERS, answer=WebhookSerializer, paged=True)
def list_webhooks(call: Call) -> Page:
    """The addresses that are told what happens here."""
    return page_of(webhooks_of(call).of_project(call.project), call.query)


@operation("GET", scope=Scope.ADMIN, roles=OWNERS, answer=WebhookSecretSerializer)
def show_webhook(call: Call, pk: int) -> Webhook:
    """One webhook, with the secret that its messages are signed with."""
    return get_webhook(call, pk)


@operation(
    "POST",
    scope=Scope.ADMIN,
    roles=OWNERS,
    body=NewWebhookSerializer,
    answer=WebhookSecretSerializer,
    status=201,
    repeatable=False,
    example={"url": "https://example.org/plumbline", "events": ["alarm.raised"]},
)
def add_a_webhook(call: Call) -> Webhook:
    """Have an address told of events.

    The answer has a secret, so it is not kept for repeats; an address that is told already is refused.
    """
    try:
        return webhooks.add_webhook(project=call.project, user=call.user, **call.data)
    except ValidationError as error:
        raise invalid(error, otherwise="url") from error


@operation(
    "PATCH",
    scope=Scope.ADMIN,
    roles=OWNERS,
    body=WebhookChangeSerializer,
    answer=WebhookSecretSerializer,
    guards=show_webhook,
    example={"is_active": False},
)
def change_webhook(call: Call, pk: int) -> Webhook:
    """Turn a webhook off, or on again."""
    webhook = get_webhook(call, pk)
    webhooks.set_webhook_active(webhook=webhook, user=call.user, active=call.data.get("is_active", webhook.is_active))
    return webhook


@operation("DELETE", scope=Scope.ADMIN, roles=OWNERS)
def delete_a_webhook(call: Call, pk: int) -> None:
    """Remove a webhook and what was sent to it."""
    webhooks.delete_webhook(webhook=get_webhook(call, pk), user=call.user)


@operation("POST", scope=Scope.ADMIN, roles=OWNERS)
def send_test_message(call: Call, pk: int) -> None:
    """Send it a message without a meaning. Its deliveries say what came back."""
    webhooks.send_test(webhook=get_webhook(call, pk), key=f"test-{uuid.uuid4()}")


@operation("GET", scope=Scope.ADMIN, roles=OWNERS, answer=DeliverySerializer, paged=True)
def list_deliveries(call: Call, pk: int) -> Page:
    """What was sent to a webhook, and what is still to be sent."""
    return page_of(WebhookDelivery.objects.visible_to(call.user).filter(webhook=get_webhook(call, pk)), call.query)


@operation("POST", scope=Scope.ADMIN, roles=OWNERS, answer=StartedSerializer)
def send_again(call: Call, pk: int) -> dict[str, bool]:
    """Start the tries of an undelivered message over."""
    rows = WebhookDelivery.objects.visible_to(call.user).select_related("webhook__project")
    delivery = get_in_project(rows, call.membership, pk)
    return {"changed": webhooks.deliver_again(delivery=delivery, user=call.user)}
