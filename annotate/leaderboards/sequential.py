"""A share watched while it comes in: an interval that is valid at every look, so that one may stop when it says enough.

A fixed-sample interval read again and again is wrong far more often than it says. A confidence sequence is wrong at
*any* of its looks with at most the stated chance (Howard, Ramdas, McAuliffe & Sekhon 2021, Annals of Statistics 49(2)).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
GRID = np.linspace(0.0, 1.0, 1001)  # candidate shares; an interval is rounded outwards to the next one
TRUNCATION = 0.75  # c of the paper: no bet risks more than this part of the capital

BETTER, WORSE, EQUIVALENT, UNDECIDED = "better", "worse", "equivalent", "undecided"


@dataclass(frozen=True)
class Look:
    """What was known after `count` values: their mean, and the interval that holds at every look."""

    count: int
    mean: float
    low: float
    high: float
    decision: str


def watch(values: Sequence[float], *, alpha: float, margin: float) -> list[Look]:
    """A look after each value. Values lie in [0, 1] (1 a win, 0 a loss, 0.5 a tie) and all have the same mean, given
    those before; no other assumption.

    The decision is `better` once the interval lies above ½, `worse` below it, `equivalent` once it lies within
    `margin` of ½, else `undecided`. All looks together are wrong with a chance of at most `alpha`. Raises ValueError.
    """
    if not 0 < alpha < 1 or not 0 < margin <= 0.5:
        raise ValueError(f"alpha is {alpha} and margin {margin}; alpha lies between 0 and 1, margin between 0 and 0.5.")
    looks, low, high, total = [], 0.0, 1.0, 0.0
    limit = np.log(1 / alpha)
    for count, (value, wealth) in enumerate(zip(values, log_wealth(values, GRID, alpha=alpha), strict=True), start=1):
        total += float(value)
        kept = np.flatnonzero(wealth < limit)
        step = GRID[1]
        if len(kept):
            lower, upper = max(low, float(GRID[kept[0]] - step)), min(high, float(GRID[kept[-1]] + step))
            low, high = (lower, upper) if lower <= upper else (low, high)
        looks.append(Look(count, total / count, low, high, decide(low, high, margin=margin)))
    return looks


def decide(low: float, high: float, *, margin: float) -> str:
    if low > 0.5:
        return BETTER
    if high < 0.5:
        return WORSE
    return EQUIVALENT if 0.5 - margin < low and high < 0.5 + margin else UNDECIDED


def log_wealth(values: Any, means: Floats, *, alpha: float) -> Iterator[Floats]:
    """After each value, the logarithm of the hedged capital of a gambler who bets that the mean is not m, for each m.

    Waudby-Smith & Ramdas 2024, "Estimating means of bounded random variables by betting" (JRSS-B 86(1)), section 4.2:
    K±(m) = ½ max(Π 1 + λ⁺(x − m), Π 1 − λ⁻(x − m)) with the predictable plug-in bets of equation 26, λ⁺ at most c/m
    and λ⁻ at most c/(1 − m). While the mean is m its expectation never exceeds 1, so it ever reaches 1/α with a chance
    of at most α (Ville).

    values  # (T,) or (T, S): S sequences side by side, in [0, 1]
    means   # (M,)
    yields  # (M,) or (S, M), T times
    """
    rows = np.asarray(values, dtype=float)
    if rows.size and (rows.min() < 0 or rows.max() > 1):
        raise ValueError(f"values go from {rows.min()} to {rows.max()}; they lie between 0 and 1.")
    total, squares = np.full(rows.shape[1:], 0.5), np.full(rows.shape[1:], 0.25)
    up = np.zeros((*rows.shape[1:], len(means)))
    down = np.zeros_like(up)
    with np.errstate(divide="ignore"):  # m = 0 and m = 1: a bet without limit
        most_up, most_down = TRUNCATION / means, TRUNCATION / (1 - means)
    for t, row in enumerate(rows, start=1):
        bet = np.sqrt(2 * np.log(2 / alpha) / (squares * np.log(t + 1)))[..., None]
        gap = row[..., None] - means
        up += np.log1p(np.minimum(bet, most_up) * gap)
        down += np.log1p(-np.minimum(bet, most_down) * gap)
        total = total + row
        squares = squares + (row - total / (t + 1)) ** 2
        yield np.maximum(up, down) - np.log(2)
