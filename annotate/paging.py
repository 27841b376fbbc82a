"""What the address of a list says: numbers out of it, and the page of rows it asks for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db.models import Model, QuerySet
from django.http import HttpRequest

Row = TypeVar("Row", bound=Model)
DIGITS = 18  # fewer than an id can have, more than any has
PAGE_SIZE = 50


@dataclass(frozen=True)
class Page(Generic[Row]):
    """`newer_url` leads to the newest again, `older_url` to the rows after these; either may be empty."""

    rows: Sequence[Row]
    newer_url: str
    older_url: str


def read_number(text: object) -> int:
    """A number out of an address or a form; 0 for what is none."""
    said = str(text or "")
    return int(said) if said.isdecimal() and len(said) <= DIGITS else 0


def page_of(request: HttpRequest, rows: QuerySet[Row, Any], *, size: int = PAGE_SIZE, within: str = "") -> Page[Row]:
    """The newest `rows`, or those before the id `?before=`. The rest of the address stays in its links.

    `within` is a column that is the same in all of `rows` and stands before the id in their index."""
    before = read_number(request.GET.get("before"))
    if before:
        rows = rows.filter(pk__lt=before)
    found = list(rows.order_by(*filter(None, (within, "-pk")))[: size + 1])
    kept = request.GET.copy()
    kept.pop("before", None)
    newer_url = f"?{kept.urlencode()}" if before else ""
    if len(found) <= size:
        return Page(found, newer_url, "")
    kept["before"] = str(found[size - 1].pk)
    return Page(found[:size], newer_url, f"?{kept.urlencode()}")
