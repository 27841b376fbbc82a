"""Endpoints: models that live elsewhere, and what may be spent on them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.core.exceptions import ValidationError

from annotate.access import OWNERS, get_in_project
from annotate.api.operations import Call, operation
from annotate.api.paging import Page, page_of
from annotate.api.problems import Conflict, invalid
from annotate.models import Scope
from annotate.querysets import ScopedQuerySet
from training.api.serializers.endpoints import (
    BudgetSerializer,
    EndpointDaySerializer,
    EndpointFields,
    EndpointSerializer,
    NewBudgetSerializer,
    TrialSerializer,
)
from training.models import Endpoint, EndpointBudget
from training.services import endpoints
from training.services.endpoint_limits import money_spent
from training.services.endpoint_trials import Trial, try_endpoint
from training.services.endpoint_use import list_days, with_use

EXAMPLE = {"name": "GPT-4o mini", "base_url": "https://api.openai.com/v1", "remote_name": "gpt-4o-mini", "key": "sk-…"}


def endpoints_of(call: Call) -> ScopedQuerySet:
    rows = Endpoint.objects.visible_to(call.user).select_related("project", "model__author", "created_by")
    return with_use(rows)


def get_endpoint(call: Call, pk: int) -> Endpoint:
    found: Endpoint = get_in_project(endpoints_of(call), call.membership, pk)
    return found


def split(data: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """The settings that were sent, and the key."""
    return {name: value for name, value in data.items() if name != "key"}, data.get("key", "")


@operation("GET", scope=Scope.ADMIN, roles=OWNERS, answer=EndpointSerializer, paged=True)
def list_endpoints(call: Call) -> Page:
    """The project's endpoints, removed ones too."""
    return page_of(endpoints_of(call).of_project(call.project), call.query)


@operation("GET", scope=Scope.ADMIN, roles=OWNERS, answer=EndpointSerializer)
def show_endpoint(call: Call, pk: int) -> Endpoint:
    """One endpoint."""
    return get_endpoint(call, pk)


@operation(
    "POST",
    scope=Scope.ADMIN,
    roles=OWNERS,
    body=EndpointFields,
    answer=EndpointSerializer,
    status=201,
    example=EXAMPLE,
)
def add_an_endpoint(call: Call) -> Endpoint:
    """Add a model that lives elsewhere; then ask it for responses as any other."""
    values, key = split(call.data)
    try:
        wanted = endpoints.EndpointSettings(**values)
        made = endpoints.add_endpoint(project=call.project, user=call.user, wanted=wanted, key=key)
    except ValidationError as error:
        raise invalid(error) from error
    return get_endpoint(call, made.pk)


@operation(
    "PATCH",
    scope=Scope.ADMIN,
    roles=OWNERS,
    body=EndpointFields,
    answer=EndpointSerializer,
    conflicts=True,
    guards=show_endpoint,
    example={"requests_per_minute": 120},
)
def change_an_endpoint(call: Call, pk: int) -> Endpoint:
    """Change what is sent and leave the rest. Without `key` the one it has stays; another server needs it again."""
    endpoint = get_endpoint(call, pk)
    if endpoint.removed_at:
        raise Conflict("This endpoint was removed. Add another.")
    values, key = split(call.data)
    try:
        wanted = endpoints.EndpointSettings(**asdict(endpoints.settings_of(endpoint)) | values)
        endpoints.change_endpoint(endpoint=endpoint, user=call.user, wanted=wanted, key=key)
    except ValidationError as error:
        raise invalid(error) from error
    return get_endpoint(call, pk)


@operation("POST", scope=Scope.ADMIN, roles=OWNERS, answer=TrialSerializer, repeatable=False)
def try_an_endpoint(call: Call, pk: int) -> Trial:
    """Ask it one word, at its price, and tell what came back."""
    return try_endpoint(endpoint=get_endpoint(call, pk), user=call.user)


@operation("DELETE", scope=Scope.ADMIN, roles=OWNERS, guards=show_endpoint)
def remove_an_endpoint(call: Call, pk: int) -> None:
    """Forget its key and ask it no more. What it wrote stays."""
    endpoints.remove_endpoint(endpoint=get_endpoint(call, pk), user=call.user)


@operation("GET", scope=Scope.ADMIN, roles=OWNERS, answer=EndpointDaySerializer, paged=True)
def list_endpoint_days(call: Call, pk: int) -> Page:
    """What it was asked, day by day, and what that cost."""
    return page_of(list_days(get_endpoint(call, pk)), call.query)


def read_budget(call: Call) -> dict[str, Any]:
    budget, spent = EndpointBudget.objects.of_project(call.project).first(), money_spent(call.project)
    return {
        "a_day": budget.a_day if budget else None,
        "a_month": budget.a_month if budget else None,
        "spent_today": spent.today,
        "spent_this_month": spent.this_month,
    }


@operation("GET", scope=Scope.ADMIN, roles=OWNERS, answer=BudgetSerializer)
def show_budget(call: Call) -> dict[str, Any]:
    """What may be spent on endpoints, and what was."""
    return read_budget(call)


@operation(
    "PUT",
    scope=Scope.ADMIN,
    roles=OWNERS,
    body=NewBudgetSerializer,
    answer=BudgetSerializer,
    guards=show_budget,
    example={"a_day": "5.00", "a_month": None},
)
def set_a_budget(call: Call) -> dict[str, Any]:
    """Set the most that is spent on endpoints a day and a month, in dollars; null is no limit."""
    endpoints.set_budget(project=call.project, user=call.user, **call.data)
    return read_budget(call)
