"""How good players are, from who was preferred to whom: Bradley–Terry by maximum likelihood, with three words on ties.

A player's score θ is the logarithm of its strength; scores of a fit have mean 0. With d = θᵢ − θⱼ:

half        P(i ≻ j) = σ(d); a tie is half a win for each (Bradley & Terry 1952)
rao-kupper  P(i ≻ j) = σ(d − η), P(tie) = (e^{2η} − 1) σ(d − η) σ(−d − η) (Rao & Kupper 1967, JASA 62)
davidson    P(i ≻ j) = e^{d/2} / Z, P(tie) = ν / Z, Z = e^{d/2} + e^{−d/2} + ν (Davidson 1970, JASA 65)

All three log-likelihoods are concave in θ and η (or log ν), so Newton's method with halved steps finds the one maximum.
Nothing is added to it unless a `prior` is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from annotate.leaderboards.games import Floats, are_linked

HALF, RAO_KUPPER, DAVIDSON = "half", "rao-kupper", "davidson"
TIES = (RAO_KUPPER, DAVIDSON, HALF)
MOST_STEPS = 100
TOLERANCE = 1e-10  # of the largest step
NO_TIES = 1e-200  # Davidson's ν where nothing was tied


class Unbounded(ValueError):
    """Scores that have no finite estimate; the message says why."""


@dataclass(frozen=True)
class Fit:
    """`scores` (…, K) have mean 0; `tie` (…) is η of Rao & Kupper or log ν of Davidson, NaN where nothing was tied."""

    scores: Floats
    tie: Floats


class Slope(NamedTuple):
    """The log-likelihood with its first and second derivatives at a point, the last parameter the tie's."""

    value: Floats  # (B,)
    first: Floats  # (B, K + 1)
    second: Floats  # (B, K + 1, K + 1)


def fit_scores(wins: Floats, ties: Floats, *, model: str, prior: float = 0.0) -> Fit:
    """The scores under which what happened is likeliest.

    `prior` sets every player in so many further games, drawn and spread evenly over the others: with it, a player who
    won every game stays finite. Raises Unbounded when there is none and a player, or a set of them, never lost.

    wins, ties  # (…, K, K), as `games.tally` counts them
    """
    if model not in TIES:
        raise ValueError(f"There is no model of ties {model!r}. Choose from: {', '.join(TIES)}.")
    shape, k = wins.shape[:-2], wins.shape[-1]
    wins, ties = wins.reshape(-1, k, k), ties.reshape(-1, k, k)
    if prior:
        wins = wins + prior / (2 * (k - 1)) * (1 - np.eye(k))
    elif not are_linked(wins, ties).all():
        raise Unbounded(
            "A player, or a set of players, won or lost every comparison with the others, so that no score is large "
            "enough. Collect more comparisons, or allow a prior."
        )
    if model == HALF:
        wins, ties = wins + ties / 2, np.zeros_like(ties)
    points = climb(wins, ties, model)
    tied = ties.sum((1, 2)) > 0
    return Fit(points[:, :k].reshape(*shape, k), np.where(tied, points[:, k], np.nan).reshape(shape))


def climb(wins: Floats, ties: Floats, model: str) -> Floats:
    """Newton's method for B problems at once. -> (B, K + 1)"""
    count, k = wins.shape[:2]
    share = ties.sum((1, 2)) / 2 / (wins.sum((1, 2)) + ties.sum((1, 2)) / 2)
    share = np.clip(share, 0.0, 0.99)
    if model == DAVIDSON:
        start, slope_at = np.log(np.maximum(2 * share / (1 - share), NO_TIES)), davidson_slope
    else:
        start, slope_at = 2 * np.arctanh(share), rao_kupper_slope
    point = np.concatenate([np.zeros((count, k)), start[:, None]], axis=1)
    here = slope_at(point, wins, ties)
    for _ in range(MOST_STEPS):
        step = newton_step(here, has_tie=share > 0)
        point, here = step_uphill(point, step, here, wins, ties, model)
        if np.abs(step).max(initial=0.0) < TOLERANCE:
            break
    return point


def newton_step(here: Slope, *, has_tie: np.ndarray) -> Floats:
    """The step to the top of the parabola that fits here. Scores are free to move together: a term of their mean
    holds them, and changes nothing else. Where nothing was tied, the tie's parameter stays."""
    k = here.first.shape[1] - 1
    bend, first = -here.second, here.first.copy()
    bend[:, :k, :k] += np.ones((k, k)) * (np.trace(bend[:, :k, :k], axis1=1, axis2=2) / k**2)[:, None, None]
    still = ~has_tie
    bend[still, k, :], bend[still, :, k], bend[still, k, k], first[still, k] = 0.0, 0.0, 1.0, 0.0
    step: Floats = np.linalg.solve(bend, first[..., None])[..., 0].astype(np.float64)
    step[:, :k] -= step[:, :k].mean(1, keepdims=True)
    return step


def step_uphill(
    point: Floats, step: Floats, here: Slope, wins: Floats, ties: Floats, model: str
) -> tuple[Floats, Slope]:
    """Take each step whole, or the first half, quarter, … that climbs; η stays above 0."""
    slope_at = davidson_slope if model == DAVIDSON else rao_kupper_slope
    size = np.ones(len(point))
    if model == RAO_KUPPER:
        falling = step[:, -1] < 0
        size[falling] = np.minimum(1.0, 0.9 * point[falling, -1] / -step[falling, -1])
    for _ in range(40):
        there = slope_at(point + size[:, None] * step, wins, ties)
        worse = ~(there.value >= here.value - 1e-12 * np.abs(here.value))
        if not worse.any():
            break
        size[worse] /= 2
    return point + size[:, None] * step, there


def rao_kupper_slope(point: Floats, wins: Floats, ties: Floats) -> Slope:
    """Σ (wᵢⱼ + tᵢⱼ) log σ(d − η) + T log(e^{2η} − 1). With no ties and η = 0 it is Bradley & Terry's."""
    scores, eta = point[:, :-1], point[:, -1]
    counts = wins + ties
    gap = scores[:, :, None] - scores[:, None, :] - eta[:, None, None]
    lost = 1 / (1 + np.exp(np.clip(gap, -700, 700)))  # σ(−gap)
    pull, bend = counts * lost, counts * lost * (1 - lost)
    total = ties.sum((1, 2)) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        odds = -np.expm1(-2 * eta)  # 1 − e^{−2η}
        value = np.where(total > 0, total * (2 * eta + np.log(odds)), 0.0)
        slope = np.where(total > 0, total * 2 / odds, 0.0)
        curve = np.where(total > 0, total * 4 * np.exp(-2 * eta) / odds**2, 0.0)
    value = value - (counts * np.logaddexp(0, -gap)).sum((1, 2))
    first = np.concatenate([pull.sum(2) - pull.sum(1), (slope - pull.sum((1, 2)))[:, None]], axis=1)
    return Slope(value, first, bordered(bend, bend.sum(2) - bend.sum(1), -bend.sum((1, 2)) - curve))


def davidson_slope(point: Floats, wins: Floats, ties: Floats) -> Slope:
    """Σ wᵢⱼ d/2 + T log ν − Σ_{i<j} nᵢⱼ log Z."""
    scores, log_nu = point[:, :-1], np.clip(point[:, -1], -600, 600)
    gap = (scores[:, :, None] - scores[:, None, :]) / 2
    nu = np.exp(log_nu)[:, None, None]
    played = (wins + wins.transpose(0, 2, 1) + ties) / 2  # each pair stands twice
    grown = np.clip(gap, -300, 300)
    rise, whole = np.sinh(grown), 2 * np.cosh(grown) + nu
    pull = played * rise / whole
    bend = played * (np.cosh(grown) / 2 / whole - (rise / whole) ** 2)
    cross, tied = -played * rise * nu / whole**2, played * nu / whole
    total = ties.sum((1, 2)) / 2
    value = (wins * gap).sum((1, 2)) + total * log_nu - (played * np.log(whole)).sum((1, 2))
    won = (wins.sum(2) - wins.sum(1)) / 2
    first = np.concatenate([won - 2 * pull.sum(2), (total - tied.sum((1, 2)))[:, None]], axis=1)
    last = -(tied - played * (nu / whole) ** 2).sum((1, 2))
    return Slope(value, first, bordered(bend, -2 * cross.sum(2), last))


def bordered(bend: Floats, side: Floats, corner: Floats) -> Floats:
    """The matrix of second derivatives: −(row sums on the diagonal, −b off it) of both orders, bordered by the tie's.

    bend    # (B, K, K) of each ordered pair
    side    # (B, K) of each score with the tie's parameter
    corner  # (B,)
    """
    count, k = side.shape
    both = bend + bend.transpose(0, 2, 1)
    whole = np.zeros((count, k + 1, k + 1))
    whole[:, :k, :k] = both
    whole[:, range(k), range(k)] -= both.sum(2)
    whole[:, :k, k] = whole[:, k, :k] = side
    whole[:, k, k] = corner
    return whole
