"""Long lists, a page at a time, by the number of the row: the hundredth page costs what the first does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.utils.urls import replace_query_param

LARGEST = 2**63 - 1
MOST = 200
NEWEST, OLDEST = "newest", "oldest"


class PageQuery(serializers.Serializer):
    """Which part of a list."""

    limit = serializers.IntegerField(min_value=1, max_value=MOST, default=50, help_text=f"Rows a page, at most {MOST}.")
    cursor = serializers.IntegerField(
        min_value=1, max_value=LARGEST, required=False, help_text="From the `next` of the page before."
    )
    order = serializers.ChoiceField(
        choices=[NEWEST, OLDEST], default=NEWEST, help_text="Whether the newest rows come first, or the oldest."
    )


@dataclass(frozen=True)
class Page:
    rows: list[Any]
    following: int | None  # where the next page begins


def page_of(rows: QuerySet, query: dict[str, Any], *, within: str = "") -> Page:
    """The page that `query` (a valid PageQuery) asks for. One statement, which reads one row more than it gives.

    `within` is a column that is the same in all of `rows` and stands before the id in their index.
    """
    is_newest, limit, cursor = query["order"] == NEWEST, query["limit"], query.get("cursor")
    if cursor is not None:
        rows = rows.filter(pk__lt=cursor) if is_newest else rows.filter(pk__gt=cursor)
    rows = rows.order_by(*filter(None, (within, "pk")))
    found = list((rows.reverse() if is_newest else rows)[: limit + 1])
    return Page(found[:limit], found[limit - 1].pk if len(found) > limit else None)


def page_body(page: Page, shape: type[serializers.BaseSerializer], request: Request) -> dict[str, Any]:
    address = request.build_absolute_uri()
    following = replace_query_param(address, "cursor", page.following) if page.following else None
    return {"results": shape(page.rows, many=True).data, "next": following}
