"""How often an endpoint may be asked and what may be spent on it, the same for every worker: the rows decide."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

from django.db import transaction
from django.db.models import F, Q, Sum
from django.utils import timezone

from annotate.models import Project
from training.models import Endpoint, EndpointBudget, EndpointDay

MILLION = Decimal(1_000_000)
SMALLEST = Decimal("0.000000001")  # dollars


class Removed(Exception):
    """The endpoint has been removed; the message says so."""


class Spent(NamedTuple):
    """Dollars, of all of a project's endpoints."""

    today: Decimal
    this_month: Decimal


class Aside(NamedTuple):
    """Dollars counted as spent on a day before they are."""

    day: date
    cost: Decimal


@transaction.atomic
def claim_slot(endpoint: Endpoint, *, tokens: int) -> float:
    """Take the next free moment for a request of so many tokens; the seconds until then. Raises Removed.

    Requests are spread evenly: each holds the endpoint for 60 s / requests a minute, or for its share of the tokens a
    minute where that is longer. `endpoint` is brought up to date.
    """
    row = Endpoint.objects.select_for_update(no_key=True, of=("self",)).select_related("model").get(pk=endpoint.pk)
    if row.removed_at:
        raise Removed(f"“{row}” was removed. Choose another model.")
    now = timezone.now()
    slot = max(row.free_at, now)
    seconds = 60 / row.requests_per_minute
    if row.tokens_per_minute:
        seconds = max(seconds, 60 * tokens / row.tokens_per_minute)
    Endpoint.objects.filter(pk=row.pk).update(free_at=slot + timedelta(seconds=seconds))
    return (slot - now).total_seconds()


def put_off(endpoint: Endpoint, *, seconds: float) -> None:
    """Nobody asks the endpoint for so long: it has said that it is asked too often."""
    until = timezone.now() + timedelta(seconds=seconds)
    Endpoint.objects.filter(pk=endpoint.pk, free_at__lt=until).update(free_at=until)


def cost_of(endpoint: Endpoint, *, tokens_in: int, tokens_out: int) -> Decimal:
    """Dollars."""
    return ((tokens_in * endpoint.price_in + tokens_out * endpoint.price_out) / MILLION).quantize(SMALLEST)


@transaction.atomic
def set_aside(endpoint: Endpoint, worst: Decimal) -> Aside | str:
    """Count the most a request can cost as spent, before it is asked; the sentence for when the money does not suffice.

    The budget's row is held meanwhile, so that no other worker counts on the same money. `give_back` or `count_use`
    takes it off again; of a worker that is killed it stays, for the request may have been paid for.
    """
    EndpointBudget.objects.select_for_update().of_project(endpoint.project).first()
    left = money_left(endpoint.project)
    if left is None:
        return Aside(timezone.localdate(), Decimal(0))
    if left[0] < worst:
        return left[1]
    aside = Aside(timezone.localdate(), worst)
    add_to_day(endpoint, aside.day, cost=worst)
    return aside


def give_back(endpoint: Endpoint, aside: Aside) -> None:
    """A request that was not answered costs nothing."""
    add_to_day(endpoint, aside.day, cost=-aside.cost)


def count_use(endpoint: Endpoint, aside: Aside, *, tokens_in: int, tokens_out: int, cost: Decimal) -> None:
    """Add one answered request to the day it was asked on, at its cost instead of what was set aside."""
    add_to_day(endpoint, aside.day, cost=cost - aside.cost, requests=1, tokens_in=tokens_in, tokens_out=tokens_out)


@transaction.atomic
def add_to_day(
    endpoint: Endpoint, day: date, *, cost: Decimal, requests: int = 0, tokens_in: int = 0, tokens_out: int = 0
) -> None:
    added = {
        "requests": F("requests") + requests,
        "tokens_in": F("tokens_in") + tokens_in,
        "tokens_out": F("tokens_out") + tokens_out,
        "cost": F("cost") + cost,
    }
    counted = EndpointDay.objects.filter(endpoint=endpoint, day=day)
    if not counted.update(**added):
        EndpointDay.objects.get_or_create(endpoint=endpoint, day=day)
        counted.update(**added)


def money_spent(project: Project) -> Spent:
    today, nothing = timezone.localdate(), Decimal(0)
    days = EndpointDay.objects.of_project(project).filter(day__gte=today.replace(day=1), day__lte=today)
    return Spent(
        **days.aggregate(
            today=Sum("cost", filter=Q(day=today), default=nothing), this_month=Sum("cost", default=nothing)
        )
    )


def money_left(project: Project) -> tuple[Decimal, str] | None:
    """(dollars, the sentence for when they do not suffice) under the tighter limit; None without a limit."""
    budget = EndpointBudget.objects.of_project(project).first()
    if budget is None or (budget.a_day is None and budget.a_month is None):
        return None
    spent = money_spent(project)
    limits = [
        (budget.a_day, spent.today, "a day", "today", "tomorrow"),
        (budget.a_month, spent.this_month, "a month", "this month", f"{_next_month():%-d %B}"),
    ]
    return min(
        (limit - used, sentence_of(limit, used, each, when, then))
        for limit, used, each, when, then in limits
        if limit is not None
    )


def sentence_of(limit: Decimal, used: Decimal, each: str, when: str, then: str) -> str:
    return (
        f"The project's limit of ${limit:.2f} {each} for endpoints does not allow another request: ${used:.4f} were "
        f"spent {when}. Raise it on the page of endpoints, or wait until {then}; then press “Write the rest”."
    )


def _next_month() -> date:
    return (timezone.localdate().replace(day=28) + timedelta(days=4)).replace(day=1)
