"""Marked passages of a text: what one is, and how it is read from what a page or a file says of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from annotate.kinds.options import SpansOptions

LONGEST_NOTE = 2_000
EXCERPT = 40


class PassageError(ValueError):
    """A passage that cannot be taken; the message says what is wrong with it and what to do."""


@dataclass(frozen=True)
class Passage:
    """`text` is the raw text from character `start` to before character `end`, counted as Python counts."""

    start: int
    end: int
    text: str
    category: str
    severity: str = ""  # where the project has none
    note: str = ""


def read_passage(entry: Any, *, text: str, options: SpansOptions) -> Passage:
    """One entry of a list from outside, checked against the text and the project's lists. Raises PassageError."""
    if not isinstance(entry, Mapping):
        raise PassageError("is not a passage; mark it again.")
    start, end = entry.get("start"), entry.get("end")
    if not (type(start) is int and type(end) is int and 0 <= start < end <= len(text)):
        raise PassageError(f"goes from {start} to {end}, which is not in this text of {len(text)} characters.")
    quote, said = text[start:end], entry.get("text", text[start:end])
    if quote != said:
        raise PassageError(f"says {excerpt(str(said))} where the text has {excerpt(quote)}; mark it again.")
    category, severity, note = (str(entry.get(name) or "") for name in ("category", "severity", "note"))
    if category not in options.categories:
        raise PassageError(f"{excerpt(quote)} has {_named('category', category)}; {_choose(options.categories)}")
    if severity not in (options.severities or ("",)):
        raise PassageError(f"{excerpt(quote)} has {_named('severity', severity)}; {_choose(options.severities)}")
    if len(note) > LONGEST_NOTE or "\x00" in note:
        raise PassageError(f"{excerpt(quote)} has a note of {len(note)} characters; keep it under {LONGEST_NOTE}.")
    return Passage(start, end, quote, category, severity, note.strip())


def find_quote(quote: str, *, text: str, near: int | None = None) -> tuple[int, int]:
    """Where the words of the quote stand in the text, whatever the spaces between them: (start, end).

    The first place, or that which begins at `near`. Raises PassageError.
    """
    words = re.compile(r"\s+".join(map(re.escape, quote.split())))
    places = [match.span() for match in words.finditer(text)]
    if not places:
        raise PassageError(f"{excerpt(quote)} is not in the response; copy the words as they stand there.")
    return next((place for place in places if place[0] == near), places[0])


def excerpt(text: str) -> str:
    line = " ".join(text.split())
    return f"“{line if len(line) <= EXCERPT else line[:EXCERPT].rstrip() + '…'}”"


def _named(what: str, value: str) -> str:
    return f"the {what} “{value[:EXCERPT]}”, which this project does not have" if value else f"no {what}"


def _choose(values: tuple[str, ...]) -> str:
    return f"choose from: {', '.join(values)}." if values else "this project has none."
