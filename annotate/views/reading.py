"""The texts of a task as they were written, for the reading aids: compare, find, copy, show the source."""

from django.contrib.auth.decorators import login_required
from django.http import JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from annotate.access import SignedInRequest, get_membership_and_lease
from annotate.models import Kind
from annotate.services.answers.shown import responses_shown

NOT_READ = (Kind.DEMONSTRATION, Kind.CHAT)  # their responses are shown when the person asks for them


@never_cache
@login_required
@require_safe
def texts(request: SignedInRequest, project_id: int) -> JsonResponse:
    """{"turns": [text, …], "responses": {letter: text}} of a task in the person's hands, as the page shows them."""
    _, lease = get_membership_and_lease(request.user, project_id, request.GET.get("lease"))
    prompt = lease.task.prompt
    turns = [*([prompt.system] if prompt.system else []), *(message["content"] for message in prompt.messages)]
    shown = [] if lease.task.kind in NOT_READ else responses_shown(lease)
    return JsonResponse({"turns": turns, "responses": {entry.letter: entry.response.text for entry in shown}})
