"""How requests travel: over HTTP with the standard library, or however the caller wants."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

TIMEOUT = 60  # seconds


@dataclass(frozen=True)
class Request:
    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes | None = None


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body) if self.body else None


Send = Callable[[Request], Answer]


def send_over_http(request: Request) -> Answer:
    """Send it, and read the whole answer, whatever its status. Raises OSError when nobody answers."""
    if not request.url.startswith(("http://", "https://")):
        raise ValueError(f"{request.url!r} is no http address.")
    wanted = urllib.request.Request(
        request.url, data=request.body, headers=dict(request.headers), method=request.method
    )
    try:
        with urllib.request.urlopen(wanted, timeout=TIMEOUT) as answer:
            return Answer(answer.status, dict(answer.headers), answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, dict(error.headers), error.read())
