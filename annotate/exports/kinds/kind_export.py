"""What exports need to know of a kind of judgement."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db.models import Model

from annotate.exports.rows import Row

Pair = tuple[int, int]  # places of the chosen and the rejected response
Verdict = tuple[int, bool]  # a place, and whether the response there is good


class Rated(NamedTuple):
    """A response's place, and what each question of a rating was answered with for it."""

    place: int
    scores: dict[str, int | None]


class Group(NamedTuple):
    """A group for our trainer: the places of its completions, and what is said of them, counted within `places`."""

    places: list[int]
    label: dict[str, Any]


def nothing(row: Row) -> list[Any]:
    return []


def no_group(row: Row) -> Group | None:
    return None


@dataclass(frozen=True, kw_only=True)
class KindExport:
    """Responses are named by their place among the row's.

    answer    the model of what was said
    added     its column that names a response beside those of the task
    said      what was said, for the lossless form
    remark    what it is called where a form has no line for it: a key of counts.REMARKS
    group     a line for our trainer; None when the trainer has no word for it
    pairs     which response is better than which
    taught    responses to imitate
    verdicts  which responses are good, and which bad
    rated     what was answered for each response that was rated
    """

    answer: type[Model]
    said: Callable[[Row], dict[str, Any]]
    remark: Callable[[Row], str]
    added: str = ""
    group: Callable[[Row], Group | None] = no_group
    pairs: Callable[[Row], list[Pair]] = nothing
    taught: Callable[[Row], list[int]] = nothing
    verdicts: Callable[[Row], list[Verdict]] = nothing
    rated: Callable[[Row], list[Rated]] = nothing
