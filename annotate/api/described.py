"""An operation as the OpenAPI document describes it."""

from __future__ import annotations

from collections.abc import Callable
from inspect import cleandoc
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema, inline_serializer
from rest_framework import serializers

from annotate.api.operations import Operation
from annotate.api.problems import MEDIA_TYPE, TITLES, describe

PAGES: dict[str, Any] = {}


class ProblemFieldSerializer(serializers.Serializer):
    """A field that cannot be taken."""

    field = serializers.CharField(allow_blank=True, help_text="Its path, such as prompts.0.text; empty: the whole.")
    message = serializers.CharField()


class ProblemSerializer(serializers.Serializer):
    """Problem details as in RFC 9457."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()

    def get_fields(self) -> dict[str, Any]:
        """With the field whose name serializers have taken."""
        return {**super().get_fields(), "errors": ProblemFieldSerializer(many=True, required=False)}


def described(handle: Callable[..., Any], wanted: Operation) -> Callable[..., Any]:
    words = cleandoc(wanted.run.__doc__ or "").split("\n\n", 1)
    return extend_schema(
        operation_id=wanted.name,
        tags=[wanted.run.__module__.rsplit(".", 1)[1].replace("_", " ")],
        summary=words[0].replace("\n", " "),
        description=describe_rights(wanted, words[1] if len(words) > 1 else ""),
        request=wanted.body,
        parameters=parameters(wanted),
        responses=answers(wanted),
        examples=examples(wanted),
    )(handle)


def describe_rights(wanted: Operation, more: str) -> str:
    who = "any user of the site" if not wanted.roles else ", ".join(f"{role.label.lower()}s" for role in wanted.roles)
    return "\n\n".join(filter(None, [more, f"Scope `{wanted.scope.value}`. For {who}."]))


def examples(wanted: Operation) -> list[OpenApiExample]:
    """What one may send, and what is answered to something that cannot be taken."""
    refused = describe(422, "Mend the fields named under errors and send it again.", [{"field": "a", "message": "…"}])
    found = [OpenApiExample("Problem", refused, response_only=True, status_codes=["422"], media_type=MEDIA_TYPE)]
    if wanted.example is not None:
        found.append(OpenApiExample("Body", wanted.example, request_only=True))
    return found


def parameters(wanted: Operation) -> list[Any]:
    found: list[Any] = [wanted.query] if wanted.query else []
    if wanted.takes_key:
        found.append(header("Idempotency-Key", "The same request again with this key is answered as the first was."))
    if wanted.guards:
        found.append(header("If-Match", "The ETag you read; refused with 412 when it has changed since."))
    if has_etag(wanted):
        found.append(header("If-None-Match", "The ETag you have; 304 when it is still the same."))
    if wanted.ranged:
        found.append(header("Range", "Part of a file that was prepared: `bytes=1000-`, from the 1,001st byte on."))
    return found


def header(name: str, words: str) -> OpenApiParameter:
    return OpenApiParameter(name, OpenApiTypes.STR, OpenApiParameter.HEADER, required=False, description=words)


def has_etag(wanted: Operation) -> bool:
    return wanted.method == "GET"


def answers(wanted: Operation) -> dict[Any, Any]:
    found: dict[Any, Any] = {}
    if wanted.media_types:
        found |= {(wanted.status, media_type): OpenApiTypes.BINARY for media_type in wanted.media_types}
        if wanted.ranged:
            found |= {(206, media_type): OpenApiTypes.BINARY for media_type in wanted.media_types}
            found[416] = OpenApiResponse(description="The file has no such part.")
    elif wanted.paged and wanted.answer is not None:
        found[wanted.status] = page_shape(wanted.answer)
    else:
        found[wanted.status] = wanted.answer
    if has_etag(wanted):
        found[304] = OpenApiResponse(description="It is as you have it.")
    for code in problems(wanted):
        found[code, MEDIA_TYPE] = OpenApiResponse(ProblemSerializer, description=TITLES[code][1])
    return found


def page_shape(shape: type[serializers.BaseSerializer[Any]]) -> Any:
    """A page of a list; one a shape, so that the document has it once."""
    name = shape.__name__.removesuffix("Serializer")
    if name not in PAGES:
        fields = {"results": shape(many=True), "next": serializers.CharField(allow_null=True)}
        PAGES[name] = inline_serializer(name=f"{name}Page", fields=fields)
    return PAGES[name]


def problems(wanted: Operation) -> list[int]:
    codes = [401, 403, 404, 429]
    if wanted.body or wanted.takes_key:
        codes += [400, 413, 415]
    if wanted.body or wanted.query or wanted.takes_key:
        codes.append(422)
    if wanted.conflicts:
        codes.append(409)
    if wanted.guards or wanted.media_types:
        codes.append(412)
    return sorted(codes)
