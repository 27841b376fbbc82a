"""ETags: a row, or a page of a list, that has not changed is not sent again; one that has is not overwritten unseen."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from django.utils.http import parse_etags
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request

from annotate.api.problems import Changed


def etag_of(body: Any) -> str:
    """A strong ETag of a body: it changes with any of its fields."""
    return f'"{hashlib.sha256(JSONRenderer().render(body)).hexdigest()[:32]}"'


def is_known(request: Request, etag: str) -> bool:
    """Whether If-None-Match says that the caller has it already."""
    known = parse_etags(request.headers.get("If-None-Match", ""))
    return etag in known or f"W/{etag}" in known or "*" in known


def check_match(request: Request, body_of: Callable[[Any], Any], guard: Any) -> None:
    """Raises Changed when If-Match names another state of the row than the one `guard` answers now."""
    wanted = parse_etags(request.headers.get("If-Match", ""))
    if wanted and "*" not in wanted and etag_of(body_of(guard)) not in wanted:
        raise Changed
