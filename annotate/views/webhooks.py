"""Webhooks: the list, one with its deliveries, what an owner does with it."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from annotate.access import OWNERS, SignedInRequest, get_in_project, get_membership
from annotate.forms.webhooks import WebhookForm
from annotate.models import Membership, Webhook, WebhookDelivery
from annotate.services import webhooks

DELIVERIES_SHOWN = 100


@login_required
@require_http_methods(["GET", "POST"])
def project_webhooks(request: SignedInRequest, project_id: int) -> HttpResponse:
    membership = get_membership(request.user, project_id, OWNERS)
    form = WebhookForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            webhook = webhooks.add_webhook(project=membership.project, user=request.user, **form.cleaned_data)
            return redirect("webhook-detail", project_id, webhook.pk)
        except ValidationError as error:
            form.add_error(None, error)
    rows = Webhook.objects.visible_to(request.user).of_project(membership.project).order_by("pk")
    context = {"project": membership.project, "membership": membership, "form": form, "webhooks": rows}
    return render(request, "webhooks/list.html", context, status=422 if form.is_bound else 200)


def get_webhook(request: SignedInRequest, project_id: int, pk: int) -> tuple[Membership, Webhook]:
    membership = get_membership(request.user, project_id, OWNERS)
    rows = Webhook.objects.visible_to(request.user).select_related("project", "created_by")
    return membership, get_in_project(rows, membership, pk)


@login_required
@require_safe
def webhook_detail(request: SignedInRequest, project_id: int, pk: int) -> HttpResponse:
    membership, webhook = get_webhook(request, project_id, pk)
    context = {
        "project": membership.project,
        "membership": membership,
        "webhook": webhook,
        "deliveries": webhook.deliveries.order_by("-pk")[:DELIVERIES_SHOWN],
        "key": uuid.uuid4(),
    }
    return render(request, "webhooks/detail.html", context)


@login_required
@require_POST
def webhook_change(request: SignedInRequest, project_id: int, pk: int) -> HttpResponse:
    """`do` is on, off, test or delete."""
    _, webhook = get_webhook(request, project_id, pk)
    wanted = request.POST.get("do", "")
    if wanted in ("on", "off"):
        webhooks.set_webhook_active(webhook=webhook, user=request.user, active=wanted == "on")
    elif wanted == "test":
        webhooks.send_test(webhook=webhook, key=f"test-{request.POST.get('key', '')[:60]}")
        messages.success(request, "A test is on its way. Load this page again to see what came back.")
    elif wanted == "delete":
        webhooks.delete_webhook(webhook=webhook, user=request.user)
        return redirect("project-webhooks", project_id)
    return redirect("webhook-detail", project_id, pk)


@login_required
@require_POST
def delivery_again(request: SignedInRequest, project_id: int, pk: int) -> HttpResponse:
    membership = get_membership(request.user, project_id, OWNERS)
    rows = WebhookDelivery.objects.visible_to(request.user).select_related("webhook__project")
    delivery = get_in_project(rows, membership, pk)
    if not webhooks.deliver_again(delivery=delivery, user=request.user):
        messages.info(request, "This message was taken already.")
    return redirect("webhook-detail", project_id, delivery.webhook_id)
