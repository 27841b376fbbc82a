"""Webhooks: what happens in a project, told to the addresses its owners have named.

A delivery is a row that is tried until it is taken, six times over nine hours; a message to the workers only says "look
there". What is sent is the same each time, with the same `Plumbline-Delivery`, so that a recipient can tell a repeat.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from annotate.models import Project, User, Webhook, WebhookDelivery
from annotate.services.audit import record_audit
from annotate.services.queue import enqueue
from annotate.webhooks.outbound import NotDelivered, Refused, check_url, post
from annotate.webhooks.signing import new_secret, sign

DELIVER = "annotate.deliver_webhook"
WAITS = (60, 300, 1800, 7200, 21_600)  # seconds before the second try, the third, …
HELD = timedelta(seconds=60)  # how long a try may take before another worker makes one
TEST = "test"
MOST_WEBHOOKS = 20


@transaction.atomic
def add_webhook(*, project: Project, user: User, url: str, events: Sequence[str]) -> Webhook:
    """Raises ValidationError by field: an address nothing is sent to, one the project has already, too many."""
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    known = Webhook.objects.of_project(project)
    try:
        check_url(url, allow_private=settings.WEBHOOKS_TO_PRIVATE_ADDRESSES)
    except Refused as refused:
        raise ValidationError({"url": str(refused)}) from refused
    if known.filter(url=url).exists():
        raise ValidationError({"url": f"{url} is told already. Change that webhook, or name another address."})
    if known.count() >= MOST_WEBHOOKS:
        raise ValidationError({"url": f"A project has at most {MOST_WEBHOOKS} webhooks. Delete one first."})
    webhook = Webhook.objects.create(
        project=project, url=url, secret=new_secret(), events=sorted(set(events)), created_by=user
    )
    record_audit(actor=user, action="webhook.added", project=project, target=url, data={"events": webhook.events})
    return webhook


@transaction.atomic
def set_webhook_active(*, webhook: Webhook, user: User, active: bool) -> None:
    """Nothing is sent to one that is off; what waits stays waiting."""
    if webhook.is_active != active:
        webhook.is_active = active
        webhook.save(update_fields=["is_active"])
        action = "webhook.turned_on" if active else "webhook.turned_off"
        record_audit(actor=user, action=action, project=webhook.project, target=webhook.url)


@transaction.atomic
def delete_webhook(*, webhook: Webhook, user: User) -> None:
    """With its deliveries."""
    record_audit(actor=user, action="webhook.deleted", project=webhook.project, target=webhook.url)
    webhook.delete()


@transaction.atomic
def announce(*, project: Project, event: str, key: str, data: dict[str, Any]) -> int:
    """Tell every webhook of the project that wants this event; `key` names what happened, and is told once. Returns
    how many deliveries are new."""
    wanting = Webhook.objects.of_project(project).filter(is_active=True, events__contains=[event])
    return sum(start_delivery(webhook, event=event, key=key, data=data) for webhook in wanting)


@transaction.atomic
def send_test(*, webhook: Webhook, key: str) -> None:
    """One message without a meaning, so that an owner can see it arrive."""
    start_delivery(webhook, event=TEST, key=key, data={"message": "This is a test."})


def start_delivery(webhook: Webhook, *, event: str, key: str, data: dict[str, Any]) -> bool:
    message = {"event": event, "project": webhook.project_id, "at": timezone.now().isoformat(), "data": data}
    delivery, is_new = WebhookDelivery.objects.get_or_create(
        webhook=webhook, key=key, defaults={"event": event, "body": json.dumps(message)}
    )
    if is_new:
        enqueue(DELIVER, job_id=delivery.pk)
    return is_new


def deliver(delivery: WebhookDelivery) -> bool:
    """Try once, if it is due and nobody else is trying; returns whether it was taken."""
    now = timezone.now()
    due = WebhookDelivery.objects.filter(pk=delivery.pk, next_at__lte=now, webhook__is_active=True)
    if not due.update(next_at=now + HELD, attempts=delivery.attempts + 1):
        return False
    delivery.refresh_from_db()
    try:
        status, answer = send(delivery)
    except (NotDelivered, Refused) as trouble:
        status, answer = None, str(trouble)
    delivery.status_code, delivery.answer = status, answer
    taken = status is not None and 200 <= status < 300
    delivery.delivered_at = timezone.now() if taken else None
    delivery.next_at = None if taken else next_try(delivery.attempts)
    delivery.save(update_fields=["status_code", "answer", "delivered_at", "next_at"])
    return taken


def send(delivery: WebhookDelivery) -> tuple[int, str]:
    at = int(time.time())
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Plumbline-Webhook/1",
        "Plumbline-Event": delivery.event,
        "Plumbline-Delivery": str(delivery.pk),
        "Plumbline-Signature": sign(secret=delivery.webhook.secret, at=at, body=delivery.body),
    }
    allowed = settings.WEBHOOKS_TO_PRIVATE_ADDRESSES
    return post(delivery.webhook.url, delivery.body, headers, allow_private=allowed)


def next_try(attempts: int) -> Any:
    """When to try again after so many tries; None when it is given up."""
    return timezone.now() + timedelta(seconds=WAITS[attempts - 1]) if attempts <= len(WAITS) else None


@transaction.atomic
def deliver_again(*, delivery: WebhookDelivery, user: User) -> bool:
    """Start the tries of an undelivered message over; False when it was taken."""
    undelivered = WebhookDelivery.objects.filter(pk=delivery.pk, delivered_at=None)
    if not undelivered.update(next_at=timezone.now(), attempts=0):
        return False
    project = delivery.webhook.project
    record_audit(actor=user, action="webhook.sent_again", project=project, target=delivery.webhook.url)
    enqueue(DELIVER, job_id=delivery.pk)
    return True


def deliver_due() -> int:
    """Queue every delivery whose time has come; returns how many. Safe to call at any time."""
    due = Q(next_at__lte=timezone.now(), webhook__is_active=True)
    found = list(WebhookDelivery.objects.filter(due).order_by("next_at").values_list("pk", flat=True)[:500])
    for pk in found:
        enqueue(DELIVER, job_id=pk)
    return len(found)
