"""What a person sees of their own work, and the statement of time that pay is reckoned from."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from annotate.access import OWNERS, SignedInRequest, get_membership
from annotate.services.own_statistics import LEAST_SHARED, own_agreement, own_statistics
from annotate.services.time_statements import Month, WorkDay, list_work_days, write_csv


@never_cache
@login_required
@require_safe
def my_statistics(request: SignedInRequest, project_id: int) -> HttpResponse:
    """Counts, time and, where the owner allows it, agreement: this person's alone."""
    membership = get_membership(request.user, project_id)
    project, month = membership.project, wanted_month(request)
    context = {
        "project": project,
        "membership": membership,
        "statistics": own_statistics(user=request.user, project=project),
        "agreement": own_agreement(user=request.user, project=project) if project.show_own_agreement else None,
        "least_shared": LEAST_SHARED,
        **month_context(list_work_days(project=project, month=month, user=request.user), month),
    }
    return render(request, "me/statistics.html", context)


@login_required
@require_safe
def my_time(request: SignedInRequest, project_id: int) -> StreamingHttpResponse:
    membership, month = get_membership(request.user, project_id), wanted_month(request)
    days = list_work_days(project=membership.project, month=month, user=request.user)
    return csv_file(days, f"my-time-{project_id}-{month}.csv")


@never_cache
@login_required
@require_safe
def project_time(request: SignedInRequest, project_id: int) -> HttpResponse:
    """Everybody's days, for the owner who pays them."""
    membership, month = get_membership(request.user, project_id, OWNERS), wanted_month(request)
    days = list_work_days(project=membership.project, month=month)
    context = {"project": membership.project, "membership": membership, **month_context(days, month)}
    return render(request, "me/project_time.html", context)


@login_required
@require_safe
def project_time_file(request: SignedInRequest, project_id: int) -> StreamingHttpResponse:
    membership, month = get_membership(request.user, project_id, OWNERS), wanted_month(request)
    return csv_file(list_work_days(project=membership.project, month=month), f"time-{project_id}-{month}.csv")


def month_context(days: list[WorkDay], month: Month) -> dict[str, Any]:
    return {
        "month": month,
        "work_days": days,
        "total": {
            "answers": sum(day.answers for day in days),
            "skips": sum(day.skips for day in days),
            "seconds": sum(day.active_seconds for day in days),
        },
        "zone": timezone.get_current_timezone_name(),
    }


def wanted_month(request: SignedInRequest) -> Month:
    try:
        return Month.parse(request.GET.get("month", ""))
    except (ValueError, OverflowError) as error:
        raise Http404("There is no such month. Write it as 2026-11.") from error


def csv_file(days: list[WorkDay], name: str) -> StreamingHttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingHttpResponse(write_csv(days), content_type="text/csv; charset=utf-8", headers=headers)
