"""The OpenAPI document, and the page that shows it. Both are made once a process from the operations themselves."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator

from annotate.api.problems import TITLES
from annotate.models import Scope

DEEPEST = 2  # levels of fields inside fields that the page shows


@lru_cache(maxsize=1)
def document() -> dict[str, Any]:
    found: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)
    return found


@require_safe
def schema(request: HttpRequest) -> JsonResponse:
    """The OpenAPI document, for programs that read it."""
    return JsonResponse(document())


@login_required
@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    """The same for people."""
    problems = [{"name": name, "title": title, "code": code} for code, (name, title) in TITLES.items()]
    return render(request, "api/docs.html", {"sections": sections(), "problems": problems, "scopes": Scope.choices})


@lru_cache(maxsize=1)
def sections() -> list[dict[str, Any]]:
    """[{title, operations}] by title, the operations in the order of the addresses."""
    found: dict[str, list[dict[str, Any]]] = {}
    for path, methods in document()["paths"].items():
        for method, facts in methods.items():
            found.setdefault(facts["tags"][0], []).append(describe(path, method, facts))
    return [{"title": title.capitalize(), "operations": operations} for title, operations in sorted(found.items())]


def describe(path: str, method: str, facts: dict[str, Any]) -> dict[str, Any]:
    bodies = facts.get("requestBody", {}).get("content", {})
    answers = [(code, answer.get("content", {})) for code, answer in facts["responses"].items() if code < "300"]
    return {
        "name": facts["operationId"],
        "method": method.upper(),
        "path": path,
        "summary": facts["summary"].replace("`", ""),
        "description": facts.get("description", ""),
        "parameters": [parameter for parameter in facts.get("parameters", []) if parameter["in"] == "query"],
        "body": fields_of(bodies),
        "takes": ", ".join(bodies),
        "example": example_of(bodies),
        "answers": [{"code": code, "fields": fields_of(content)} for code, content in answers],
        "refusals": ", ".join(code for code in facts["responses"] if code >= "300"),
    }


def first_of(content: dict[str, Any]) -> dict[str, Any]:
    """The first of the media types."""
    return dict(next(iter(content.values()))) if content else {}


def example_of(content: dict[str, Any]) -> str:
    examples = first_of(content).get("examples", {})
    return json.dumps(examples["Body"]["value"], indent=2, ensure_ascii=False) if "Body" in examples else ""


def fields_of(content: dict[str, Any]) -> list[dict[str, Any]]:
    """The fields of a body or an answer, each in a line; those of a list's entries as prompts[].text."""
    return list(walk(first_of(content).get("schema", {}), "", DEEPEST))


def walk(shape: dict[str, Any], before: str, deeper: int) -> Iterator[dict[str, Any]]:
    whole = resolve(shape)
    required = whole.get("required", [])
    for name, facts in whole.get("properties", {}).items():
        words = facts.get("description", "")
        yield {"name": before + name, "type": type_of(facts), "required": name in required, "words": words}
        if deeper:
            inner, mark = (facts["items"], "[].") if facts.get("type") == "array" else (facts, ".")
            yield from walk(inner, f"{before}{name}{mark}", deeper - 1)


def resolve(shape: dict[str, Any]) -> dict[str, Any]:
    """What a reference names, also one that may be null."""
    parts = [part for part in shape.get("oneOf", []) + shape.get("allOf", []) if part.get("type") != "null"]
    if len(parts) == 1:
        return resolve(parts[0])
    if "$ref" not in shape:
        return shape
    found: dict[str, Any] = document()["components"]["schemas"][shape["$ref"].rsplit("/", 1)[1]]
    return found


def type_of(shape: dict[str, Any]) -> str:
    """A field's type in a word or two."""
    parts = shape.get("oneOf") or shape.get("anyOf") or shape.get("allOf")
    if parts:
        return " or ".join(type_of(part) for part in parts)
    whole = resolve(shape)
    if "enum" in whole:
        return " | ".join("null" if value is None else str(value) for value in whole["enum"])
    if whole.get("type") == "array":
        return f"list of {type_of(whole.get('items', {}))}"
    kinds = whole.get("type", "anything")
    return " or ".join(kinds) if isinstance(kinds, list) else str(kinds)
