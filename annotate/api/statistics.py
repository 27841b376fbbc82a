"""Figures: the project at a glance, one's own, and the statement of time that pay is reckoned from."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from annotate.access import EVERYONE, OWNERS, REVIEWERS, get_in_project
from annotate.api.operations import Call, operation
from annotate.api.problems import Conflict
from annotate.api.serializers.statistics import (
    MonthQuery,
    OverviewSerializer,
    OwnStatisticsSerializer,
    StandingSerializer,
    TimeStatementSerializer,
)
from annotate.models import Membership, Scope, User
from annotate.services.figures import read_figures
from annotate.services.overview import count_by_day, measure_side_bias
from annotate.services.own_statistics import own_agreement, own_statistics
from annotate.services.time_statements import list_work_days
from annotate.standing import read_standing


@operation("GET", scope=Scope.READ, roles=REVIEWERS, answer=OverviewSerializer, conflicts=True)
def show_overview(call: Call) -> dict[str, Any]:
    """The project at a glance. A large project's figures are counted in the background; 409 before the first time."""
    found = read_figures(call.project)
    if found is None:
        raise Conflict("The figures of this project are being counted for the first time. Ask again in a minute.")
    return {
        "totals": found.totals,
        "days": found.days or count_by_day(call.project),
        "agreement": found.agreement,
        "side_bias": measure_side_bias(found.people),
        "people": found.people,
        "counted_at": found.counted_at,
    }


@operation("GET", scope=Scope.JUDGE, roles=EVERYONE, answer=OwnStatisticsSerializer)
def show_own_statistics(call: Call) -> dict[str, Any]:
    """What you have done here: counts, time and, where the owner allows it, agreement."""
    found = own_statistics(user=call.user, project=call.project)
    shows_agreement = call.project.show_own_agreement
    return {
        **{name: getattr(found, name) for name in ("answers", "skips", "corrections", "active_seconds", "days")},
        "seconds_each": found.seconds_each,
        "by_kind": [{"kind": kind, "count": count} for kind, count in found.by_kind],
        "agreement": own_agreement(user=call.user, project=call.project) if shows_agreement else None,
    }


@operation("GET", scope=Scope.JUDGE, roles=EVERYONE, query=MonthQuery, answer=TimeStatementSerializer)
def show_own_time(call: Call) -> dict[str, Any]:
    """Your days of a month: what pay is reckoned from."""
    return statement(call, call.user)


@operation("GET", scope=Scope.ADMIN, roles=OWNERS, query=MonthQuery, answer=TimeStatementSerializer)
def show_time(call: Call) -> dict[str, Any]:
    """Everybody's days of a month, for the owner who pays them."""
    return statement(call, None)


def statement(call: Call, user: User | None) -> dict[str, Any]:
    month = call.query["month"]
    return {
        "month": str(month),
        "time_zone": timezone.get_current_timezone_name(),
        "days": list_work_days(project=call.project, month=month, user=user),
    }


@operation("GET", scope=Scope.READ, roles=REVIEWERS, answer=StandingSerializer)
def show_standing(call: Call, pk: int) -> dict[str, Any]:
    """How a member stands: practising, being tested, at work, or paused and why."""
    rows = Membership.objects.visible_to(call.user).select_related("user", "project")
    member: Membership = get_in_project(rows, call.membership, pk)
    standing = read_standing(member)
    return {
        "stage": standing.stage.value,
        **{name: getattr(standing, name) for name in ("done", "whole", "right", "warns")},
        "paused_at": member.paused_at,
        "pause_reason": member.pause_reason,
    }
