"""Scores with the way a response looks taken out: its length, headings, lists and bold type.

Li, Angelopoulos & Chiang 2024, "Does style matter? Disentangling style and substance in Chatbot Arena": a logistic
regression in which every player has a score and every feature of style a coefficient. Left out on purpose: their
centring of the features, after which swapping the two sides of a game would change the result.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from annotate.leaderboards.games import Floats, Games

FEATURES = ("length", "headings", "lists", "bold")
HEADING = re.compile(r"^#{1,6}\s", re.MULTILINE)
ITEM = re.compile(r"^\s*(?:[-*+]|\d+[.)])\s", re.MULTILINE)
BOLD = re.compile(r"\*\*[^*\n]+\*\*|__[^_\n]+__")
MOST_STEPS, TOLERANCE, TOO_LARGE = 50, 1e-9, 10.0  # odds of 22,000 to 1: it runs away
SINGULAR = 1e-10  # of the largest eigenvalue: two features that always go together share their weight


def style_of(text: str) -> tuple[int, int, int, int]:
    """Characters, headings, list items and bold passages of a Markdown text."""
    return len(text), len(HEADING.findall(text)), len(ITEM.findall(text)), len(BOLD.findall(text))


def style_gaps(first: Sequence[Sequence[int]], second: Sequence[Sequence[int]]) -> Floats:
    """How much more of each feature the first has: (a − b)/(a + b) of the length, (a − b)/(a + b + 1) of counts, which
    may be 0. (N, 4) in −1 … 1"""
    one, other = np.asarray(first, dtype=float).reshape(-1, 4), np.asarray(second, dtype=float).reshape(-1, 4)
    whole = one + other + np.array([0.0, 1.0, 1.0, 1.0])
    return np.divide(one - other, whole, out=np.zeros_like(one), where=whole > 0)


@dataclass(frozen=True)
class Controlled:
    """`scores` (K,) have mean 0; `errors` are their standard errors, robust to what answers about one prompt share.
    `weights` (F,) is how far each feature moves the logarithm of the odds when it differs by as much as it typically
    does; NaN for a feature that never differs."""

    scores: Floats
    errors: Floats
    weights: Floats
    weight_errors: Floats


def fit_controlled(games: Games, gaps: Floats) -> Controlled | None:
    """Scores and coefficients of style by maximum likelihood, a tie half a win for each; None when they have no finite
    estimate: too few comparisons to tell substance from style.

    gaps  # (N, F) from `style_gaps`, of the first against the second
    """
    k = games.players
    typical = np.sqrt(np.average(gaps**2, axis=0, weights=games.weights)) if len(gaps) else np.zeros(gaps.shape[1])
    used = typical > 1e-9
    table = np.zeros((len(gaps), k + int(used.sum())))
    table[np.arange(len(gaps)), games.first] = 1.0
    table[np.arange(len(gaps)), games.second] = -1.0
    table[:, k:] = gaps[:, used] / typical[used]
    point = climb(table, games, k)
    if point is None:
        return None
    errors = robust_errors(table, games, point, k)
    weights, weight_errors = np.full(len(used), np.nan), np.full(len(used), np.nan)
    weights[used], weight_errors[used] = point[k:], errors[k:]
    return Controlled(point[:k], errors[:k], weights, weight_errors)


def climb(table: Floats, games: Games, k: int) -> Floats | None:
    """Newton's method with halved steps; None when it runs away."""
    point = np.zeros(table.shape[1])
    for _ in range(MOST_STEPS):
        first, bend = slope(table, games, point, k)
        step = np.linalg.pinv(bend, rcond=SINGULAR, hermitian=True) @ first
        size, here = 1.0, likelihood(table, games, point)
        while size > 1e-6 and likelihood(table, games, point + size * step) < here - 1e-12 * abs(here):
            size /= 2
        point = point + size * step
        if np.abs(point).max() > TOO_LARGE:
            return None
        if np.abs(step).max() < TOLERANCE:
            point[:k] -= point[:k].mean()
            return point
    return None


def likelihood(table: Floats, games: Games, point: Floats) -> float:
    odds = table @ point
    return float((games.weights * (games.points * odds - np.logaddexp(0, odds))).sum())


def slope(table: Floats, games: Games, point: Floats, k: int) -> tuple[Floats, Floats]:
    """The gradient, and minus the matrix of second derivatives, the mean of the scores held."""
    chance = 1 / (1 + np.exp(-(table @ point)))
    first = table.T @ (games.weights * (games.points - chance))
    bend = (table * (games.weights * chance * (1 - chance))[:, None]).T @ table
    bend[:k, :k] += np.trace(bend[:k, :k]) / k**2
    return first, bend


def robust_errors(table: Floats, games: Games, point: Floats, k: int) -> Floats:
    """Standard errors by the sandwich of Liang & Zeger 1986, one slice of bread a cluster."""
    chance = 1 / (1 + np.exp(-(table @ point)))
    rows = table * (games.weights * (games.points - chance))[:, None]
    count = int(games.clusters.max()) + 1
    sums = np.zeros((count, table.shape[1]))
    np.add.at(sums, games.clusters, rows)
    bread = np.linalg.pinv(slope(table, games, point, k)[1], rcond=SINGULAR, hermitian=True)
    whole = bread @ (sums.T @ sums) @ bread * count / max(count - 1, 1)
    return np.sqrt(np.diag(whole))
