"""What a person writes, as it will be read."""

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.views.decorators.http import require_POST

from annotate.access import SignedInRequest, get_membership
from annotate.forms.answers.written import MOST_CHARACTERS
from annotate.markdown import render_markdown


@login_required
@require_POST
def preview(request: SignedInRequest, project_id: int) -> HttpResponse:
    """The posted Markdown as the page's own sanitised HTML; nothing is kept, nor cached."""
    get_membership(request.user, project_id)
    text = request.POST.get("text", "")
    if len(text) > MOST_CHARACTERS:
        return HttpResponse(f"The text has {len(text)} characters; shorten it to {MOST_CHARACTERS}.", status=422)
    return HttpResponse(render_markdown.__wrapped__(text))
