"""The first page: my projects and what waits for me in each."""

from collections import Counter
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from annotate.access import SignedInRequest
from annotate.models import Kind, Membership
from annotate.services.reviews import count_unseen
from annotate.services.tasks import waiting_by_kind

PLURALS = {Kind.SPANS: "fine-grained feedback", Kind.CHAT: "chats"}


@login_required
@require_safe
def home(request: SignedInRequest) -> HttpResponse:
    waiting = waiting_by_kind(request.user)
    memberships = Membership.objects.filter(user=request.user).select_related("project").order_by("project__name", "pk")
    rows = [describe(mine, waiting.get(mine.project_id, Counter())) for mine in memberships]
    context = {
        "unseen": count_unseen(request.user),
        "active": [row for row in rows if row["project"].archived_at is None],
        "archived": [row for row in rows if row["project"].archived_at is not None],
    }
    return render(request, "projects/home.html", context)


def describe(membership: Membership, waiting: Counter[str]) -> dict[str, Any]:
    """A card: "12 comparisons" and "1 ranking", the most first."""
    kinds = [f"{count} {name_kind(kind, count)}" for kind, count in waiting.most_common()]
    return {"membership": membership, "project": membership.project, "waiting": waiting.total(), "kinds": kinds}


def name_kind(kind: str, count: int) -> str:
    singular = str(Kind(kind).label).lower()
    return singular if count == 1 else PLURALS.get(Kind(kind), f"{singular}s")
