"""The first page: my projects and what waits for me in each."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from annotate.access import SignedInRequest
from annotate.models import Membership
from annotate.services.tasks import waiting_counts


@login_required
@require_safe
def home(request: SignedInRequest) -> HttpResponse:
    waiting = waiting_counts(request.user)
    memberships = Membership.objects.filter(user=request.user).select_related("project").order_by("project__name", "pk")
    rows: list[dict[str, Any]] = [
        {"membership": mine, "project": mine.project, "waiting": waiting.get(mine.project_id, 0)}
        for mine in memberships
    ]
    context = {
        "active": [row for row in rows if row["project"].archived_at is None],
        "archived": [row for row in rows if row["project"].archived_at is not None],
    }
    return render(request, "projects/home.html", context)
