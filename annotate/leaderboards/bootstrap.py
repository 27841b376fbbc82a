"""How sure a leaderboard is: scores of many samples drawn again from the same comparisons, whole prompts at a time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from annotate.leaderboards.bradley_terry import fit_scores
from annotate.leaderboards.games import Floats, Games, are_linked, tally

PRIOR = 1.0  # drawn games for each player of a sample in which somebody never lost


@dataclass(frozen=True)
class Intervals:
    """`low` and `high` (K,) of each score. `helped` is the share of samples that needed a prior to stay finite: when
    it is large, there are too few comparisons for the ends of the intervals to mean much."""

    low: Floats
    high: Floats
    helped: float


def bootstrap_scores(games: Games, *, model: str, prior: float, samples: int, seed: int) -> tuple[Floats, float]:
    """Scores of each sample (B, K), and the share of samples that needed a prior.

    A sample draws as many clusters as there are, with replacement (Davison & Hinkley 1997, section 2.4): answers about
    one prompt go together, because they are alike. A sample without a finite fit gets PRIOR, whatever `prior` is.
    """
    generator = np.random.default_rng(seed)
    count = int(games.clusters.max(initial=-1)) + 1
    draws = np.stack(
        [np.bincount(generator.integers(0, count, count), minlength=count) for _ in range(samples)]
    ).astype(np.int64)
    wins, ties = tally(games, draws=draws)
    linked = are_linked(wins, ties) if not prior else np.ones(samples, dtype=bool)
    scores = np.empty((samples, games.players))
    for rows, strength in ((linked, prior), (~linked, PRIOR)):
        if rows.any():
            scores[rows] = fit_scores(wins[rows], ties[rows], model=model, prior=strength).scores
    return scores, float((~linked).mean())


def bootstrap_intervals(
    games: Games, *, model: str, prior: float, samples: int, seed: int, level: float = 0.95
) -> Intervals:
    """Percentile intervals of every score."""
    scores, helped = bootstrap_scores(games, model=model, prior=prior, samples=samples, seed=seed)
    low, high = np.quantile(scores, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return Intervals(low, high, helped)
