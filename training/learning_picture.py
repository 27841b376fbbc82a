"""The learning curve of a report as a picture: accuracy by judgements so far, and what is expected of as many again.

The report's figures in, coordinates of an SVG out; `templates/training/_learning_curve.html` draws them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil, floor, log2
from typing import Any

LEFT, RIGHT, TOP, BOTTOM = 48.0, 392.0, 12.0, 184.0  # of the area between the axes; the viewBox is 400 × 224


@dataclass(frozen=True)
class Place:
    x: str
    y: str
    low: str
    high: str
    label: str
    words: str


@dataclass(frozen=True)
class LearningPicture:
    places: tuple[Place, ...]
    forecast: Place | None
    line: str  # points of the curve
    ahead: str  # of the way to the forecast
    ticks: tuple[tuple[str, str], ...]  # (y, words)
    words: str


def draw_learning_curve(curve: Mapping[str, Any]) -> LearningPicture | None:
    """Each doubling a step to the right; None for too few points."""
    points = curve.get("points") or []
    if len(points) < 2:
        return None
    ahead = [curve["forecast"]] if curve.get("forecast") else []
    everything = [*points, *ahead]
    low = min(0.5, floor(10 * min(one["low"] for one in everything)) / 10)
    high = max(0.6, ceil(10 * max(one["high"] for one in everything)) / 10)
    first, last = log2(points[0]["judgements"]), log2(everything[-1]["judgements"])
    found = [as_place(one, (log2(one["judgements"]) - first) / (last - first), low, high) for one in everything]
    places, forecast = tuple(found[: len(points)]), found[-1] if ahead else None
    steps = range(round(10 * low), round(10 * high) + 1, 1 if high - low < 0.45 else 2)
    return LearningPicture(
        places=places,
        forecast=forecast,
        line=joined(places),
        ahead=joined((places[-1], forecast)) if forecast else "",
        ticks=tuple((up(step / 10, low, high), f"{10 * step} %") for step in steps),
        words="; ".join(place.words for place in found) + ".",
    )


def as_place(point: Mapping[str, Any], along: float, low: float, high: float) -> Place:
    count = f"{point['judgements']:,}"
    return Place(
        x=f"{LEFT + 16 + (RIGHT - LEFT - 32) * along:.1f}",
        y=up(point["accuracy"], low, high),
        low=up(point["low"], low, high),
        high=up(point["high"], low, high),
        label=count,
        words=f"{count} judgements: {percent(point['accuracy'])} right, "
        f"{percent(point['low'])} to {percent(point['high'])}",
    )


def joined(places: tuple[Place, ...]) -> str:
    return " ".join(f"{place.x},{place.y}" for place in places)


def up(share: float, low: float, high: float) -> str:
    """y of a share."""
    return f"{BOTTOM - (BOTTOM - TOP) * (share - low) / (high - low):.1f}"


def percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def say_forecast(curve: Mapping[str, Any]) -> str:
    """What as many judgements again are expected to bring, in words; empty where there is nothing to go by."""
    points, ahead = curve.get("points") or [], curve.get("forecast")
    if not ahead or not points:
        return ""
    now = points[-1]
    more = ahead["judgements"] - now["judgements"]
    return (
        f"With {more:,} more judgements we expect {percent(ahead['accuracy'])} of held-out pairs right "
        f"(95 %: {percent(ahead['low'])} to {percent(ahead['high'])}), where {now['judgements']:,} give "
        f"{percent(now['accuracy'])}."
    )
