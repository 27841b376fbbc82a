"""What an open judging page tells the server by itself: still here, this is my draft, I am closing."""

from datetime import datetime

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, JsonResponse
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_POST

from annotate import assignment
from annotate.access import SignedInRequest, get_membership_and_lease, get_own_lease
from annotate.models import Lease, Project
from annotate.paging import read_number
from annotate.services import judging, progress
from annotate.views.judging import guideline_in_force
from annotate.views.kinds import bind_form


@login_required
@require_POST
def heartbeat(request: SignedInRequest, project_id: int) -> JsonResponse:
    """Extend the lease. Answers whether the task is held still, until when, and the figures the page shows."""
    membership, lease = get_membership_and_lease(request.user, project_id, request.POST.get("lease"))
    held = assignment.extend_lease(lease=lease)
    following = None
    if read_number(request.POST.get("ahead")):
        following = get_own_lease(request.user, membership.project, request.POST["ahead"])
        assignment.extend_lease(lease=following)
    guideline = guideline_in_force(membership.project)
    return JsonResponse(
        {
            "held": held,
            "held_until": lease.expires_at.isoformat(),
            "ahead_until": following.expires_at.isoformat() if following else None,
            "guideline": guideline.version if guideline else None,
            "progress": progress.own_progress(user=request.user, project=membership.project).as_dict(),
        }
    )


@login_required
@require_POST
def save_draft(request: SignedInRequest, project_id: int) -> HttpResponse:
    """Keep what has been typed so far. 204, or 422 with what is wrong."""
    membership, lease = get_membership_and_lease(request.user, project_id, request.POST.get("lease"))
    problems = keep_draft(request, lease, membership.project)
    return JsonResponse({"errors": problems}, status=422) if problems else HttpResponse(status=204)


@login_required
@require_POST
def return_lease(request: SignedInRequest, project_id: int) -> HttpResponse:
    """The page closes: keep its draft if it sends one, hand the task back."""
    membership, lease = get_membership_and_lease(request.user, project_id, request.POST.get("lease"))
    if request.POST.keys() - {"lease", "held_until", "csrfmiddlewaretoken"}:
        keep_draft(request, lease, membership.project)
    assignment.return_lease(lease=lease, held_until=moment(request.POST.get("held_until", "")) or lease.expires_at)
    return HttpResponse(status=204)


def moment(text: str) -> datetime | None:
    try:
        return parse_datetime(text)
    except ValueError:
        return None


def keep_draft(request: SignedInRequest, lease: Lease, project: Project) -> dict[str, list[str]]:
    """Save the posted draft; returns the problems, if any."""
    form = bind_form(lease, project, request.POST, lenient=True)
    if not form.is_valid():
        return {name: [str(error) for error in errors] for name, errors in form.errors.items()}
    judging.save_draft(lease=lease, data=form.draft())
    return {}
