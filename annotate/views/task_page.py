"""One task as the judging page shows it: what its templates are given, and the fragment of the one held ahead."""

import uuid
from collections.abc import Sequence
from typing import Any

from django.middleware.csrf import get_token
from django.template.defaultfilters import floatformat
from django.template.loader import render_to_string

from annotate.access import SignedInRequest
from annotate.forms.answers.answer_form import AnswerForm
from annotate.forms.judging import SkipForm
from annotate.models import Draft, Kind, Lease, Membership, Project, Prompt
from annotate.reading import least_seconds
from annotate.services.answers.shown import Shown, responses_shown
from annotate.standing import Standing
from annotate.views.frames import make_frame, see_scene, text_leaves
from annotate.views.kinds import KINDS, kind_context


def render_ahead(
    request: SignedInRequest, membership: Membership, following: Lease | None, *, standing: Standing | None = None
) -> str | None:
    """The fragment of a task held ahead. Its `undo` waits for the answer that is still to be given."""
    project = membership.project
    if following is None or following.task.kind == Kind.CHAT:  # a chat begins when it is shown
        return None
    if following.is_fresh:
        return draw_fresh(request, project, following, standing)
    context = task_context(following, project) | {
        "skip_form": SkipForm(project=project),
        "project": project,
        "standing": standing,
    }
    return render_to_string("judging/judge.html#area", {**context, "membership": membership, "is_ahead": True}, request)


def draw_fresh(request: SignedInRequest, project: Project, lease: Lease, standing: Standing | None) -> str:
    """The same fragment of a task for which nothing can have been typed, drawn from a frame."""
    kind, prompt, shown = lease.task.kind, lease.task.prompt, responses_shown(lease)
    least = least_seconds_of(prompt, shown) if project.reading_warning else 0
    scene = see_scene(
        kind=kind,
        project=project,
        preferences=request.user.preferences,
        standing=standing,
        prompt=prompt,
        shown=shown,
        warns_quick=bool(least),
    )
    leaves = {
        "lease": str(lease.pk),
        "held_until": lease.expires_at.isoformat(),
        "submission_id": str(uuid.uuid4()),
        "csrf_token": token_of(request),
        "least_seconds": str(least),
        "least_in_words": floatformat(least, 0),
    }
    return make_frame(scene).fill(leaves | text_leaves(kind, prompt, shown))


def token_of(request: SignedInRequest) -> str:
    """The token that the page has and sent with an answer, which was let through with it; else a new one."""
    sent = request.headers.get("X-CSRFToken") if request.method == "POST" else None
    return sent or get_token(request)


def task_context(lease: Lease, project: Project, *, form: AnswerForm | None = None) -> dict[str, Any]:
    """What the task is drawn from: texts and an opaque lease, nothing that hints at an author."""
    drafts = Draft.objects.filter(task=lease.task_id, annotator=lease.annotator_id)
    draft = None if lease.is_fresh else drafts.first()
    if form is None:
        shown = responses_shown(lease)
        form = KINDS[lease.task.kind].form(project=project, shown=shown, initial=draft.data if draft else {})
    least = 0 if draft or not project.reading_warning else least_seconds_of(lease.task.prompt, form.shown)
    return {
        **kind_context(lease.task.kind),
        "lease": lease,
        "prompt": lease.task.prompt,
        "draft": draft,
        "form": form,
        "submission_id": uuid.uuid4(),
        "least_seconds": least,
        "least_in_words": floatformat(least, 0),
    }


def least_seconds_of(prompt: Prompt, shown: Sequence[Shown]) -> float:
    said = [message["content"] for message in prompt.messages]
    return least_seconds([*said, *(entry.response.text for entry in shown)])
