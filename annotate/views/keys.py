"""A person's own keys for the judging page."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from annotate.access import SignedInRequest
from annotate.forms.keys import KeysForm
from annotate.preferences import KEYS, keys_of
from annotate.services.people import save_preference


@login_required
@require_http_methods(["GET", "POST"])
def keys(request: SignedInRequest) -> HttpResponse:
    """Change them, or with `standard` go back to the ones they were."""
    current = keys_of(request.user.preferences)
    if "standard" in request.POST:
        current = {action: key for action, (key, _) in KEYS.items()}
        form = KeysForm(current, keys=current)
    else:
        form = KeysForm(request.POST if request.method == "POST" else None, keys=current)
    if form.is_valid():
        save_preference(user=request.user, name="keys", value=form.cleaned_data)
        messages.success(request, "Your keys are saved.")
        return redirect("judging-keys")
    return render(request, "account/keys.html", {"form": form}, status=422 if form.errors else 200)
