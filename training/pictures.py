"""The pictures of a held-out evaluation: reliability, margins, accuracy by strength, what length explains.

Numbers of an evaluation in, coordinates of an SVG out; `templates/training/_run_pictures.html` draws them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from training.figures import percent

LEFT, RIGHT, TOP, BOTTOM = 40, 244, 10, 148  # of the area between the axes; the viewBox is 250 × 180
WIDEST_BAR = 40.0


@dataclass(frozen=True)
class Tick:
    """A line across the area, with its words at the axis."""

    place: str
    words: str


@dataclass(frozen=True)
class Mark:
    """A bar (x, y, width, height) or, with a radius, a point; `wrong` where it stands for errors."""

    x: str
    y: str
    width: str = ""
    height: str = ""
    radius: str = ""
    words: str = ""  # read out, and shown under the pointer
    under: str = ""  # below the axis
    middle: str = ""  # x of `under`
    wrong: bool = False


@dataclass(frozen=True, kw_only=True)
class Picture:
    title: str
    help: str
    words: str  # what the picture says, for those who do not see it, and below it for all
    across: str = ""  # the name of the horizontal axis
    marks: tuple[Mark, ...]
    ticks: tuple[Tick, ...] = ()  # horizontal lines
    uprights: tuple[Tick, ...] = ()  # words below the area
    line: str = ""  # points of a curve
    ideal: str = ""  # points of the line it should follow
    zero: str = ""  # x of a line between wrong and right


def pictures_of(metrics: Mapping[str, Any]) -> list[Picture]:
    """Those for which the evaluation has numbers; none before the first one, or for an algorithm without pairs."""
    found = (
        draw_reliability(metrics),
        draw_margins(metrics),
        draw_strengths(metrics),
        draw_length(metrics),
    )
    return [picture for picture in found if picture is not None]


def draw_reliability(metrics: Mapping[str, Any]) -> Picture | None:
    """How often the higher score wins, against how sure it was: the curve should follow the diagonal."""
    curve = metrics.get("reliability")
    if not curve:
        return None
    most = max(point["pairs"] for point in curve)
    marks = tuple(
        Mark(
            at(point["confidence"], 0.5, 1.0),
            up(point["accuracy"]),
            radius=f"{2.5 + 5 * (point['pairs'] / most) ** 0.5:.1f}",
            words=f"{pairs(point['pairs'])}: {percent(point['confidence'])} sure, {percent(point['accuracy'])} right",
        )
        for point in curve
    )
    after = f"; with the temperature {metrics['temperature']:.2f}, {calibration(metrics, '_calibrated')}"
    return Picture(
        title="Reliability",
        help="How often it is right when it is so sure. Below the dashed line it is too sure of itself.",
        words=f"{calibration(metrics, '')}{after}.",
        across="How sure",
        marks=marks,
        ticks=shares(0.0, 0.5, 1.0),
        uprights=tuple(Tick(at(share, 0.5, 1.0), percent(share)) for share in (0.5, 0.75, 1.0)),
        line=" ".join(f"{mark.x},{mark.y}" for mark in marks),
        ideal=f"{at(0.5, 0.5, 1.0)},{up(0.5)} {at(1.0, 0.5, 1.0)},{up(1.0)}",
    )


def calibration(metrics: Mapping[str, Any], name: str) -> str:
    return f"ECE {metrics[f'ece{name}']:.3f}, Brier {metrics[f'brier{name}']:.3f}"


def draw_margins(metrics: Mapping[str, Any]) -> Picture | None:
    """How far the chosen response is ahead, pair by pair; what lies left of 0 is judged wrongly."""
    histogram = metrics.get("margin_histogram")
    if not histogram or not sum(histogram["counts"]):
        return None
    edges, counts = histogram["edges"], histogram["counts"]
    low, high, most = edges[0], edges[-1], max(counts)
    bars = zip(edges[:-1], edges[1:], counts, strict=True)
    marks = tuple(
        bar(
            at(first, low, high),
            at(last, low, high),
            count / most,
            words=f"{signed(first)} to {signed(last)}: {pairs(count)}",
            wrong=(first + last) / 2 < 0,
        )
        for first, last, count in bars
        if count
    )
    inside = low < 0 < high
    ends = [low, *([0.0] if inside and min(-low, high) > 0.15 * (high - low) else []), high]
    return Picture(
        title="Margins",
        help="How far the chosen response is ahead; left of 0 the model prefers the rejected one.",
        words=f"{sum(counts)} pairs, from {signed(low)} to {signed(high)}.",
        across="Margin",
        marks=marks,
        ticks=(Tick(up(1.0), str(most)), Tick(up(0.0), "0")),
        uprights=tuple(Tick(at(place, low, high), signed(place)) for place in ends),
        zero=at(0.0, low, high) if inside else "",
    )


def draw_strengths(metrics: Mapping[str, Any]) -> Picture | None:
    """Accuracy by how strongly people preferred: the slightest first. Ties have no right side: their margin is told."""
    found = metrics.get("by_strength")
    if not found:
        return None
    step = (RIGHT - LEFT) / len(found)
    half = min(WIDEST_BAR, 0.7 * step) / 2
    marks = []
    for place, (strength, about) in enumerate(sorted(found.items(), key=weakness)):
        middle = LEFT + step * (place + 0.5)
        words = f"Strength {strength}: {percent(about['accuracy'])} right of {pairs(about['pairs'])}"
        marks.append(
            bar(
                f"{middle - half:.1f}",
                f"{middle + half:.1f}",
                about["accuracy"],
                words=words,
                under=f"{float(strength):.2g}",
            )
        )
    return Picture(
        title="Accuracy by strength",
        help="Of slight (left) to clear preferences (right, 1). Slight ones should be harder, not hopeless.",
        words=say_ties(metrics),
        across="Strength",
        marks=tuple(marks),
        ticks=shares(0.0, 0.5, 1.0),
    )


def weakness(item: tuple[str, Any]) -> float:
    return float(item[0])


def say_ties(metrics: Mapping[str, Any]) -> str:
    if not metrics.get("ties"):
        return "No ties were held out."
    return (
        f"Ties: {metrics['ties']}, whose two scores lie {metrics['tie_margin']:.2f} apart on average; "
        f"those of pairs, {metrics['margin']:+.2f}.".replace("-", "−")
    )


def draw_length(metrics: Mapping[str, Any]) -> Picture | None:
    """The correlation of reward and length within a prompt, on a scale from −1 to 1."""
    value = metrics.get("length_correlation")
    if value is None:
        return None
    words = f"Correlation {signed(value)}."
    if metrics.get("longer_wins") is not None:
        words += f" Length alone would be right {percent(metrics['longer_wins'])} of the time, on the same pairs."
    zero, here, height = float(at(0.0, -1.0, 1.0)), float(at(value, -1.0, 1.0)), 28.0
    middle = float(up(0.5))
    mark = Mark(
        f"{min(zero, here):.1f}",
        f"{middle - height / 2:.1f}",
        f"{max(1.0, abs(here - zero)):.1f}",
        f"{height:.1f}",
        words=words,
    )
    return Picture(
        title="Reward and length",
        help="Within a prompt: −1 rewards the shorter, 1 the longer response, 0 is indifferent.",
        words=words,
        across="Correlation",
        marks=(mark,),
        uprights=tuple(Tick(at(place, -1.0, 1.0), signed(place)) for place in (-1.0, -0.5, 0.0, 0.5, 1.0)),
        zero=f"{zero:.1f}",
    )


def bar(left: str, right: str, share: float, *, words: str, under: str = "", wrong: bool = False) -> Mark:
    """A bar from the axis up to `share` of the height; the least that has anything in it can be seen."""
    top = min(float(up(share)), BOTTOM - 1.0)
    width = float(right) - float(left)
    return Mark(
        left,
        f"{top:.1f}",
        f"{max(1.0, width - 1):.1f}",
        f"{BOTTOM - top:.1f}",
        words=words,
        under=under,
        middle=f"{float(left) + width / 2:.1f}",
        wrong=wrong,
    )


def shares(*values: float) -> tuple[Tick, ...]:
    return tuple(Tick(up(value), percent(value)) for value in values)


def at(value: float, low: float, high: float) -> str:
    """x of a value between low and high, held inside the area."""
    share = (value - low) / (high - low) if high > low else 0.5
    return f"{LEFT + (RIGHT - LEFT) * min(1.0, max(0.0, share)):.1f}"


def up(share: float) -> str:
    """y of a share of the height."""
    return f"{BOTTOM - (BOTTOM - TOP) * share:.1f}"


def pairs(count: int) -> str:
    return f"{count} pair{'' if count == 1 else 's'}"


def signed(value: float) -> str:
    return f"{value:.2g}".replace("-", "−")
