"""How far people agree: pure functions over counts of answers, no database.

A task's answers are a tally: how many said each category. Tasks with the same tally need to be looked at once, so a
project of any size is a short list of (tally, number of tasks).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

Tally = tuple[int, ...]  # answers in each category, the categories in one fixed order
Z95 = 1.959963984540054  # two-sided 95 % of the normal distribution
Z999 = 3.2905267314919255  # two-sided 99.9 %


@dataclass(frozen=True)
class Agreement:
    """`observed` is the share of pairs of answers to one task that say the same; `alpha` is Krippendorff's, None when
    every answer is the same (then there is nothing to disagree about, and alpha is undefined)."""

    tasks: int
    answers: int
    observed: float
    alpha: float | None


def measure_agreement(tallies: Sequence[tuple[Tally, int]]) -> Agreement | None:
    """Agreement over tasks with at least two answers; None when there is no such task.

    Krippendorff's alpha for nominal data (Content Analysis, 4th ed. 2018, ch. 12): 1 − D_observed / D_expected over the
    coincidence matrix, in which a task of m answers gives each of its m(m−1) ordered pairs the weight 1/(m−1). The
    percentage weighs every pair alike instead.
    """
    shared = [(tally, count) for tally, count in tallies if sum(tally) >= 2]
    if not shared:
        return None
    pairs = sum(count * sum(tally) * (sum(tally) - 1) for tally, count in shared)
    alike = sum(count * sum(n * (n - 1) for n in tally) for tally, count in shared)
    return Agreement(
        tasks=sum(count for _, count in shared),
        answers=sum(count * sum(tally) for tally, count in shared),
        observed=alike / pairs,
        alpha=krippendorff_alpha(shared),
    )


def krippendorff_alpha(tallies: Sequence[tuple[Tally, int]]) -> float | None:
    """Nominal alpha of tallies that each hold at least two answers; None when only one category was ever used."""
    total = sum(count * sum(tally) for tally, count in tallies)
    marginals = [sum(count * n for n, count in column) for column in columns(tallies)]
    expected = total * total - sum(marginal * marginal for marginal in marginals)
    if not expected:
        return None
    disagreeing = sum(count * (sum(t) ** 2 - sum(n * n for n in t)) / (sum(t) - 1) for t, count in tallies)
    return 1 - (total - 1) * disagreeing / expected


def columns(tallies: Sequence[tuple[Tally, int]]) -> list[list[tuple[int, int]]]:
    """Per category, its (answers, number of tasks) over all tallies."""
    width = max(len(tally) for tally, _ in tallies)
    return [[(tally[place], count) for tally, count in tallies] for place in range(width)]


@dataclass(frozen=True)
class Share:
    """A proportion with its interval (Wilson 1927)."""

    part: int
    whole: int
    value: float
    low: float
    high: float

    @property
    def differs_from_half(self) -> bool:
        return not self.low <= 0.5 <= self.high


def measure_share(part: int, whole: int, *, z: float = Z95) -> Share | None:
    """`part` of `whole` with the Wilson score interval; None of nothing. Raises ValueError for more than all."""
    if not 0 <= part <= whole:
        raise ValueError(f"{part} of {whole} is no share.")
    if not whole:
        return None
    value, spread = part / whole, z * z / whole
    centre = (value + spread / 2) / (1 + spread)
    half = z * sqrt(value * (1 - value) / whole + spread / (4 * whole)) / (1 + spread)
    return Share(part=part, whole=whole, value=value, low=max(0.0, centre - half), high=min(1.0, centre + half))
