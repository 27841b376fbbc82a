"""Numbers of the leaderboard and of evaluations as places in a picture; the templates draw them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from annotate.leaderboards.sequential import Look
from annotate.services.leaderboards import Interval, League, Standing

WIDTH, HEIGHT = 600.0, 160.0  # of the interval's picture, in its own units
MOST_POINTS = 200
BAR = 100.0  # length of a score's bar


@dataclass(frozen=True)
class Bar:
    """A score with its interval, from 0 to 100 along the league's scale."""

    low: str
    middle: str
    high: str


def bars_of(league: League) -> dict[int, Bar]:
    """{author: bar}, the whole league on one scale."""
    ends = [end for one in league.standings for end in (one.score.low, one.score.high, one.score.value)]
    start, span = min(ends), (max(ends) - min(ends)) or 1.0
    return {one.key: bar_of(one, start, span) for one in league.standings}


def bar_of(standing: Standing, start: float, span: float) -> Bar:
    score: Interval = standing.score
    places = [4 + (BAR - 8) * (value - start) / span for value in (score.low, score.value, score.high)]
    return Bar(*(f"{place:.1f}" for place in places))


@dataclass(frozen=True)
class Course:
    """The interval of an evaluation as it narrowed: a band, the mean, and the heights between which the two models are
    as good as each other."""

    band: str
    mean: str
    upper: str
    lower: str
    count: int


def course_of(looks: Sequence[Look], *, margin: float) -> Course | None:
    """At most 200 looks, the last one among them; None before the second."""
    if len(looks) < 2:
        return None
    every = max(1, len(looks) // MOST_POINTS)
    shown = [*looks[:-1:every], looks[-1]]
    last = looks[-1].count
    xs = [WIDTH * (look.count - 1) / (last - 1) for look in shown]
    upper = [f"{x:.1f},{HEIGHT * (1 - look.high):.1f}" for x, look in zip(xs, shown, strict=True)]
    lower = [f"{x:.1f},{HEIGHT * (1 - look.low):.1f}" for x, look in zip(xs, shown, strict=True)]
    mean = [f"{x:.1f},{HEIGHT * (1 - look.mean):.1f}" for x, look in zip(xs, shown, strict=True)]
    return Course(
        band=" ".join([*upper, *reversed(lower)]),
        mean=" ".join(mean),
        upper=f"{HEIGHT * (0.5 - margin):.1f}",
        lower=f"{HEIGHT * (0.5 + margin):.1f}",
        count=last,
    )
