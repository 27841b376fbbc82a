"""What every body is checked for before its fields are: text that the database can hold."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from rest_framework.request import Request

from annotate.api.problems import Invalid

DEEPEST = 40  # levels of nesting


def read_body(request: Request) -> Any:
    """The parsed body. Raises Invalid for NUL characters, lone surrogates, or nesting without end."""
    body = request.data
    if bad := next(unstorable(body, "", 0), None):
        field, reason = bad
        raise Invalid({field: reason})
    return body


def unstorable(value: Any, path: str, depth: int) -> Iterator[tuple[str, str]]:
    """(field, what is wrong) of every text or name that Postgres would refuse."""
    if depth > DEEPEST:
        yield path, f"This is nested more than {DEEPEST} levels deep."
    elif isinstance(value, str):
        if "\x00" in value:
            yield path, "This text has a NUL character, which cannot be stored. Remove it."
        elif not value.isascii() and has_surrogate(value):
            yield path, "This text has half a surrogate pair, which is no character. Remove it."
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from unstorable(str(name), path, depth)
            yield from unstorable(inner, ".".join(filter(None, [path, str(name)])), depth + 1)
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from unstorable(inner, f"{path}.{number}".lstrip("."), depth + 1)


def has_surrogate(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def hash_request(request: Request) -> str:
    """SHA-256 of the method, the address and the body, whatever the order of its fields; of files, their content."""
    digest = hashlib.sha256(f"{request.method} {request.get_full_path()}\n".encode())
    body = {name: request.data[name] for name in request.data} if isinstance(request.data, dict) else request.data
    if isinstance(body, dict):
        for name in [name for name, value in body.items() if isinstance(value, UploadedFile)]:
            body[name] = hash_file(body[name])
    digest.update(json.dumps(body, sort_keys=True).encode())
    return digest.hexdigest()


def hash_file(file: UploadedFile) -> list[str | None]:
    digest = hashlib.sha256()
    for chunk in file.chunks():
        digest.update(chunk)
    file.seek(0)
    return [file.name, digest.hexdigest()]
