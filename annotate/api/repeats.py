"""Idempotency-Key: the same request again is answered with what the first was answered, and changes nothing.

The key's row and what the request does stand in one transaction: a second request with the key waits for the first to
end, and a request that fails leaves no key behind.
"""

from __future__ import annotations

import json
from collections.abc import Callable

from django.db import transaction
from django.http import HttpResponseBase
from django.utils import timezone
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from annotate.api.bodies import has_surrogate, hash_request
from annotate.api.problems import Invalid
from annotate.models import StoredAnswer, User
from annotate.services.stored_answers import KEPT_FOR

HEADER = "Idempotency-Key"
LONGEST = 255


def answer_once(request: Request, user: User, run: Callable[[], HttpResponseBase]) -> HttpResponseBase:
    """What `run` answers, or what it answered when the caller sent this key before. Raises Invalid."""
    key = request.headers.get(HEADER, "")
    if not key:
        return run()
    if len(key) > LONGEST or "\x00" in key or has_surrogate(key):
        raise Invalid({HEADER: f"The key has {len(key)} characters; use at most {LONGEST}, such as a random UUID."})
    wanted = StoredAnswer(user=user, key=key, request_hash=hash_request(request))
    with transaction.atomic():
        StoredAnswer.objects.filter(user=user, key=key, created_at__lt=timezone.now() - KEPT_FOR).delete()
        StoredAnswer.objects.bulk_create([wanted], ignore_conflicts=True)  # waits for whoever is at it
        stored = StoredAnswer.objects.select_for_update().get(user=user, key=key)
        if stored.request_hash != wanted.request_hash:
            raise Invalid({HEADER: "This key was used for another request. Take a new key for each new request."})
        if stored.status is not None:
            return Response(stored.body, status=stored.status, headers={"Idempotency-Replayed": "true"})
        response = run()
        assert isinstance(response, Response), "a POST answers with a body"
        stored.status, stored.body = response.status_code, json.loads(JSONRenderer().render(response.data) or "null")
        stored.save(update_fields=["status", "body"])
        return response
