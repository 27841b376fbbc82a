"""What went wrong, as problem details (RFC 9457): a sentence, and under `errors` the fields it is about."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.exceptions import (
    NON_FIELD_ERRORS,
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
    ValidationError,
)
from django.http import Http404, HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from rest_framework import exceptions, status
from rest_framework.response import Response

from annotate.api.throttling import RATE

MEDIA_TYPE = "application/problem+json"
TITLES = {
    400: ("malformed", "The request cannot be read"),
    401: ("unauthenticated", "Say who you are"),
    403: ("forbidden", "You may not do this"),
    404: ("not-found", "There is nothing here for you"),
    405: ("method-not-allowed", "This address does not take this method"),
    409: ("conflict", "Not as things stand"),
    412: ("changed", "Somebody has changed it meanwhile"),
    413: ("too-large", "The request is too large"),
    415: ("media-type", "This content type is not read here"),
    422: ("invalid", "Some fields cannot be taken"),
    429: ("rate-limited", "Too many requests"),
}


class Conflict(exceptions.APIException):
    """The request is well formed, but not possible as things stand."""

    status_code = status.HTTP_409_CONFLICT


class Changed(exceptions.APIException):
    """The row is not the one that If-Match names."""

    status_code = status.HTTP_412_PRECONDITION_FAILED
    default_detail = "It has changed since you read it. Read it again, and send its new ETag in If-Match."


class Invalid(exceptions.ValidationError):
    """Fields that cannot be taken, each with a sentence: {field: sentence}."""

    status_code = status.HTTP_422_UNPROCESSABLE_ENTITY

    def __init__(self, errors: dict[str, Any]) -> None:
        super().__init__(errors)
        self.errors = errors


def invalid(error: ValidationError, *, otherwise: str = "") -> Invalid:
    """Django's validation error, its fields named as the API names them; `otherwise` is where the rest belongs."""
    errors = error.message_dict if hasattr(error, "error_dict") else {otherwise: error.messages}
    return Invalid({otherwise if name == NON_FIELD_ERRORS else name: found for name, found in errors.items()})


@contextmanager
def refused(*kinds: type[Exception], field: str = "") -> Iterator[None]:
    """What a service refuses is the fault of this field, or of the whole body."""
    try:
        yield
    except kinds as error:
        raise Invalid({field: str(error)}) from error


@contextmanager
def conflicting(*kinds: type[Exception]) -> Iterator[None]:
    """What a service refuses is not possible as things stand."""
    try:
        yield
    except kinds as error:
        raise Conflict(str(error)) from error


def answer_problem(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler. None for what nobody expected: that is a fault of ours, and 500."""
    if isinstance(error, Http404):
        error = exceptions.NotFound(str(error) or None)
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied(str(error) or None)
    elif isinstance(error, RequestDataTooBig):
        return problem(413, "The request has more bytes than this server reads at once. Send less, or upload a file.")
    elif isinstance(error, SuspiciousOperation):
        return problem(400, str(error))
    if not isinstance(error, exceptions.APIException):
        return None
    headers = {}
    if isinstance(error, exceptions.NotAuthenticated | exceptions.AuthenticationFailed):
        headers["WWW-Authenticate"] = 'Bearer realm="Plumbline"'
    if isinstance(error, exceptions.Throttled):
        headers["Retry-After"] = str(context["request"].META[RATE][2])
    if isinstance(error, exceptions.ValidationError):
        errors = list(flatten(error.detail))
        return problem(422, "Mend the fields named under errors and send it again.", errors=errors, headers=headers)
    return problem(error.status_code, str(error.detail), headers=headers)


def problem(
    code: int, detail: str, *, errors: list[dict[str, str]] | None = None, headers: dict[str, str] | None = None
) -> Response:
    return Response(describe(code, detail, errors), status=code, headers=headers, content_type=MEDIA_TYPE)


def describe(code: int, detail: str, errors: list[dict[str, str]] | None = None) -> dict[str, Any]:
    kind, title = TITLES.get(code, ("error", "It did not work"))
    body: dict[str, Any] = {"type": f"/api/v1/docs/#{kind}", "title": title, "status": code, "detail": detail}
    return body if errors is None else {**body, "errors": errors}


def flatten(found: Any, path: str = "") -> Iterator[dict[str, str]]:
    """Nested errors as {"field": "prompts.0.text", "message": …}; what is about the whole body has the field ""."""
    if isinstance(found, dict):
        for name, inner in found.items():
            step = "" if name == "non_field_errors" else str(name)
            yield from flatten(inner, ".".join(filter(None, [path, step])))
    elif isinstance(found, list) and any(isinstance(inner, dict | list) for inner in found):
        for number, inner in enumerate(found):
            yield from flatten(inner, ".".join(filter(None, [path, str(number)])))
    elif isinstance(found, list):
        for inner in found:
            yield {"field": path, "message": str(inner)}
    else:
        yield {"field": path, "message": str(found)}


@csrf_exempt
def no_such_address(request: HttpRequest, rest: str = "") -> JsonResponse:
    """Everything under /api/v1/ that is no address of it."""
    body = describe(
        404, f"There is no {request.path} in this API. Its addresses end with a slash; /api/v1/schema/ has them."
    )
    return JsonResponse(body, status=404, content_type=MEDIA_TYPE)
