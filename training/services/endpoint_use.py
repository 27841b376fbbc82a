"""What endpoints were asked and what that cost, for pages and the API."""

from __future__ import annotations

from decimal import Decimal

from django.db.models import F, Q, QuerySet, Sum
from django.utils import timezone

from annotate.models import Project
from annotate.querysets import ScopedQuerySet
from training.models import Endpoint, EndpointDay


def with_use(endpoints: ScopedQuerySet) -> ScopedQuerySet:
    """Each with `requests`, `tokens_in`, `tokens_out` and `cost` of all its days, and `cost_this_month`."""
    this_month = Q(days__day__gte=timezone.localdate().replace(day=1))
    nothing = Decimal(0)
    rows: ScopedQuerySet = endpoints.annotate(
        requests=Sum("days__requests", default=0),
        tokens_in=Sum("days__tokens_in", default=0),
        tokens_out=Sum("days__tokens_out", default=0),
        cost=Sum("days__cost", default=nothing),
        cost_this_month=Sum("days__cost", filter=this_month, default=nothing),
    )
    return rows


def list_endpoints(project: Project) -> ScopedQuerySet:
    """Those in use first, the newest of them first."""
    rows: ScopedQuerySet = with_use(Endpoint.objects.of_project(project).select_related("model", "created_by"))
    return rows.order_by(F("removed_at").desc(nulls_first=True), "-pk")


def list_days(endpoint: Endpoint) -> QuerySet[EndpointDay]:
    """Newest first."""
    return EndpointDay.objects.filter(endpoint=endpoint).order_by("-day")
