"""A win rate in which a tie counts as half a win."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

from annotate.quality.agreement import Z95


@dataclass(frozen=True)
class WinRate:
    """`points` of `count` comparisons (a tie is half a point), as a share with its 95 % interval."""

    points: float
    count: int
    value: float
    low: float
    high: float


def measure_win_rate(points: float, count: int) -> WinRate | None:
    """Wilson's interval (1927) of points over count; None of nothing. Raises ValueError for more points than count.

    Halves vary less than wins and losses of the same mean, so that with ties the interval is a little too wide, never
    too narrow. By hand, 1 of 1: low = 1 / (1 + 1.96²) = 0.2065.
    """
    if not 0 <= points <= count:
        raise ValueError(f"{points} points of {count} comparisons is no win rate.")
    if not count:
        return None
    value, spread = points / count, Z95 * Z95 / count
    centre = (value + spread / 2) / (1 + spread)
    half = Z95 * sqrt(value * (1 - value) / count + spread / (4 * count)) / (1 + spread)
    return WinRate(points, count, value, max(0.0, centre - half), min(1.0, centre + half))
