"""What can go wrong when another model is asked, as sentences that say what to do."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

LONGEST = 300  # characters of what a server said
TRY_LATER = (408, 409, 425, 429)
NO_CREDIT = ("insufficient_quota", "billing", "insufficient credit", "insufficient balance")


class Lost(Exception):
    """No answer this time; the same request may succeed later. `after`: the seconds the server asks to wait."""

    def __init__(self, message: str, *, after: float | None = None) -> None:
        super().__init__(message)
        self.after = after


class Denied(Exception):
    """Nothing will be answered until somebody changes something; the message says what."""


class PromptRefused(Exception):
    """This one prompt is not answered; others may be."""


def trouble_of(status: int, said: str, *, who: str, model: str, after: float | None = None) -> Exception:
    """What an answer other than 200 means. `who` names the endpoint, `said` is what the server said."""
    told = f"{who} answered {status}: {said.rstrip('.')}" if said else f"{who} answered {status}"
    low = said.lower()
    if 300 <= status < 400:
        return Denied(f"{told}. It sends requests on to another address, which is not followed. Enter that address.")
    if status in (401, 403):
        return Denied(f"{told}. It refuses the key. Enter one that is valid and may use “{model}”.")
    if status == 402 or (status == 429 and any(word in low for word in NO_CREDIT)):
        return Denied(f"{told}. The account has no credit left. Add some with the provider, then go on.")
    if status in (404, 405):
        return Denied(
            f"{told}. It knows no model “{model}”, or nothing is at this address. Check the model's name, the base URL "
            "(it usually ends in /v1) and the protocol."
        )
    if status in TRY_LATER or status >= 500:
        return Lost(told, after=after)
    if status in (400, 413, 422):
        if "context" in low or "too long" in low or "too many tokens" in low or status == 413:
            return PromptRefused(f"{told}. Prompt and response do not fit in its context: shorten one of them")
        return PromptRefused(f"{told}. Change what it does not take, or leave the prompt out")
    return Denied(f"{told}. Look the status up in the provider's documentation.")


def read_said(body: bytes, *, key: str) -> str:
    """The server's own words on one line, cut, and without the key should it repeat it."""
    text = body.decode("utf-8", errors="replace")
    with suppress(ValueError):
        text = find_message(json.loads(text)) or text
    line = " ".join(text.replace("\x00", "").split())
    if key:
        line = line.replace(key, "(key)")
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"


def find_message(found: Any) -> str:
    """{"error": {"message", "code"}}, {"error": "…"}, {"message": "…"} or {"detail": "…"}; "" for anything else."""
    if isinstance(found, list) and found:
        found = found[0]
    if not isinstance(found, dict):
        return ""
    inner = found.get("error", found)
    if isinstance(inner, str):
        return inner
    if not isinstance(inner, dict):
        return ""
    message, code = inner.get("message") or inner.get("detail"), inner.get("code") or inner.get("type")
    words = message if isinstance(message, str) else json.dumps(message, ensure_ascii=False) if message else ""
    return f"{words} ({code})" if words and isinstance(code, str) and code not in words else words
