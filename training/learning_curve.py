"""Would more judgements help? A cheap answer: Bradley–Terry, linear on what an untrained model makes of each response,
fitted to ever more of the judgements.

A reward model that is trained whole learns more from the same judgements; what is asked of the estimate is how much the
last doubling of them gained, on the same held-out pairs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np

RIDGE = 100.0  # with features of deviation 1
STEPS = 25
DRAWS = 5
FEWEST_PAIRS, FEWEST_HELD_OUT = 32, 30
PARTS = (1 / 16, 1 / 8, 1 / 4, 1 / 2, 1.0)
SURE = 1.645  # one-sided 95 %


@dataclass(frozen=True)
class Point:
    """Accuracy on the held-out pairs after so many judgements; the interval is that of the held-out pairs."""

    judgements: int
    accuracy: float
    low: float
    high: float


@dataclass(frozen=True)
class Curve:
    points: tuple[Point, ...]
    gain: float | None  # of the last doubling
    error: float | None  # its standard error, over the held-out pairs
    sentence: str
    forecast: Point | None = None  # after as many judgements again


def fit(differences: np.ndarray, *, ridge: float = RIDGE) -> np.ndarray:
    """Weights w that maximise Σ log σ(w·Δ) − ridge/2·|w|², by Newton's method: (n, d) -> (d,)

    By hand, one pair, Δ = 1, ridge 1: w = σ(−w), so w = 0.40106.
    """
    weights = np.zeros(differences.shape[1])
    for _ in range(STEPS):
        chance = 1 / (1 + np.exp(-np.clip(differences @ weights, -30, 30)))
        slope = differences.T @ (1 - chance) - ridge * weights
        curvature = (differences * (chance * (1 - chance))[:, None]).T @ differences
        step = np.linalg.solve(curvature + ridge * np.eye(len(weights)), slope)
        weights = weights + step
        if np.abs(step).max() < 1e-8:
            break
    return weights


def draw_curve(train: np.ndarray, held_out: np.ndarray, *, prompts: Sequence[object], seed: int = 0) -> Curve:
    """Accuracy against the number of judgements: chosen less rejected, (n, d) and (m, d).

    `prompts` says which prompt each training pair is about: whole prompts are drawn, DRAWS times for each size.
    """
    if len(train) < FEWEST_PAIRS or len(held_out) < FEWEST_HELD_OUT:
        return Curve((), None, None, too_few(len(train), len(held_out)))
    scale = train.std(0)
    scale[scale == 0] = 1.0
    train, held_out = train / scale, held_out / scale
    generator = np.random.default_rng(seed)
    right: dict[int, np.ndarray] = {}
    for part in PARTS:
        size = round(part * len(train))
        if size >= 8:
            orders = [order_by_prompt(prompts, generator) for _ in range(DRAWS if part < 1 else 1)]
            right[size] = np.mean([is_right(held_out @ fit(train[order[:size]])) for order in orders], axis=0)
    points = tuple(point(size, hits) for size, hits in right.items())
    *_, half, whole = right.values()
    gain, error = float((whole - half).mean()), float((whole - half).std(ddof=1) / sqrt(len(held_out)))
    return Curve(points, gain, error, say(gain, error), foresee(right, 2 * len(train)))


def foresee(right: Mapping[int, np.ndarray], judgements: int) -> Point:
    """Accuracy after so many judgements, if it goes on along a − b/√n, the rate at which estimates settle.

    Least squares through the points, each as heavy as its number of judgements, so linear in the answers: the interval
    is that of the held-out pairs, and knows nothing of how wrong the curve may be. By hand, 0.6 with 100 judgements and
    0.7 with 400: a = 0.8, b = 2, so 0.75 with 1,600.
    """
    sizes = np.array(list(right), dtype=float)
    design = np.stack([np.ones_like(sizes), sizes**-0.5], axis=1)
    there = np.array([1.0, judgements**-0.5])
    shares = there @ np.linalg.solve(design.T @ (design * sizes[:, None]), (design * sizes[:, None]).T)
    return point(judgements, shares @ np.stack(list(right.values())))


def order_by_prompt(prompts: Sequence[object], generator: np.random.Generator) -> np.ndarray:
    """Places of the pairs, prompt by prompt in a random order."""
    different = list(dict.fromkeys(prompts))
    rank = dict(zip(different, generator.permutation(len(different)), strict=True))
    return np.argsort([rank[prompt] for prompt in prompts], kind="stable")


def is_right(leads: np.ndarray) -> np.ndarray:
    return (leads > 0) + 0.5 * (leads == 0)


def point(size: int, hits: np.ndarray) -> Point:
    share = float(hits.mean())
    half = 1.96 * float(hits.std(ddof=1)) / sqrt(len(hits))
    low, middle, high = (min(1.0, max(0.0, value)) for value in (share - half, share, share + half))
    return Point(size, middle, low, high)


def too_few(train: int, held_out: int) -> str:
    return (
        f"There is too little to say: {train} pairs to train on and {held_out} held out, where at least {FEWEST_PAIRS} "
        f"and {FEWEST_HELD_OUT} are needed. More judgements will tell."
    )


def say(gain: float, error: float) -> str:
    """Would more labels help?"""
    low, high = 100 * (gain - SURE * error), 100 * (gain + SURE * error)
    told = f"the last doubling of the judgements brought {100 * gain:+.1f} points (90 %: {low:+.1f} to {high:+.1f})"
    if low > 0:
        return f"Yes, more judgements would help: {told.replace('-', '−')}, and the next should bring nearly as much."
    if high < 1:
        return f"Hardly: {told.replace('-', '−')}. Better judgements, or a larger model, would bring more than many."
    return f"It cannot be told yet: {told.replace('-', '−')}. A larger held-out share would settle it."
