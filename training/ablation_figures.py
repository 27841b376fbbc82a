"""What leaving something out costs: accuracy on people whom the model has not learnt from, and the difference."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

DRAWS = 2_000
People = Mapping[str, Mapping[str, float]]  # {name: {"pairs", "right"}}


@dataclass(frozen=True)
class Interval:
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Compared:
    """One variant: its accuracy, and how far it is from the first, person by person the same pairs."""

    accuracy: Interval | None
    difference: Interval | None
    verdict: str


def compare(whole: People, other: People | None) -> Compared:
    """`other` against `whole`; None for the first variant itself.

    Intervals are bootstrap ones over people, 95 %: how much another draw of people would change the figure.
    """
    if not whole:
        return Compared(None, None, "")
    names = sorted(whole)
    draws = draw_people(len(names))
    if other is None:
        return Compared(interval(draws, [(whole[name]["right"], whole[name]["pairs"]) for name in names]), None, "")
    names = [name for name in names if name in other]
    if not names:
        return Compared(None, None, "")
    draws = draw_people(len(names))
    accuracy = interval(draws, [(other[name]["right"], other[name]["pairs"]) for name in names])
    gap = interval(draws, [(other[name]["right"] - whole[name]["right"], whole[name]["pairs"]) for name in names])
    return Compared(accuracy, gap, say(gap))


def draw_people(count: int) -> list[list[int]]:
    """The same draws for every variant; few people are drawn whole, as one."""
    generator = random.Random(0)
    return [generator.choices(range(count), k=count) for _ in range(DRAWS)]


def interval(draws: list[list[int]], people: list[tuple[float, float]]) -> Interval:
    """Of a share whose numerator and denominator add up over people. By hand, one person, 3 of 4: 0.75, 0.75, 0.75."""
    found = sorted(share([people[place] for place in draw]) for draw in draws)
    return Interval(share(people), found[round(0.025 * (DRAWS - 1))], found[round(0.975 * (DRAWS - 1))])


def share(people: list[tuple[float, float]]) -> float:
    return sum(top for top, _ in people) / (sum(bottom for _, bottom in people) or 1.0)


def say(gap: Interval) -> str:
    if gap.high < 0:
        return "Worse without it"
    if gap.low > 0:
        return "Better without it"
    return "No difference that these people show"


def people_of(metrics: Mapping[str, Any]) -> People:
    found: People = metrics.get("by_person") or {}
    return found
