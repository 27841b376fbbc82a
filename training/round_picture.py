"""True progress in one picture: the win rate over the base model, round by round, with its interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from training.services.round_history import Line

LEFT, RIGHT, TOP, BOTTOM = 40.0, 352.0, 12.0, 148.0  # of the area between the axes; the viewBox is 360 × 184
WIDEST = 104.0  # between two rounds
MOST = 16  # rounds that fit


@dataclass(frozen=True)
class Point:
    x: str
    y: str
    low: str
    high: str
    label: str
    words: str
    was_taken: bool


@dataclass(frozen=True)
class Picture:
    points: tuple[Point, ...]
    line: str
    half: str  # y of a win rate of one half
    ticks: tuple[tuple[str, str], ...]  # (y, words)
    words: str


def draw_progress(lines: Sequence[Line]) -> Picture | None:
    """The rounds, newest first in `lines`, that have a win rate over the base; None when there is none."""
    known = [line for line in reversed(lines) if line.base is not None][-MOST:]
    if not known:
        return None
    step = min(WIDEST, (RIGHT - LEFT) / len(known))
    points = tuple(as_point(line, LEFT + step * (place + 0.5)) for place, line in enumerate(known))
    return Picture(
        points=points,
        line=" ".join(f"{point.x},{point.y}" for point in points),
        half=up(0.5),
        ticks=tuple((up(share), f"{share:.0%}".replace("%", " %")) for share in (0.0, 0.5, 1.0)),
        words="; ".join(point.words for point in points) + ".",
    )


def as_point(line: Line, x: float) -> Point:
    base = line.base
    assert base is not None
    rate, low, high = (share or 0.0 for share in (base.win_rate, base.low, base.high))
    return Point(
        x=f"{x:.1f}",
        y=up(rate),
        low=up(low),
        high=up(high),
        label=str(line.round.number),
        words=f"round {line.round.number}: {100 * rate:.0f} % ({100 * low:.0f} to {100 * high:.0f} %)",
        was_taken=line.round.decision == line.round.Decision.TAKEN,
    )


def up(share: float) -> str:
    """y of a share of the height."""
    return f"{BOTTOM - (BOTTOM - TOP) * share:.1f}"
