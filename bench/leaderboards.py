"""How honest the leaderboard's intervals and the sequential rule are, by simulation. No database.

    nice -n 15 python -m bench.leaderboards

Prints: how often a 95 % bootstrap interval holds the true score, for leaderboards of several sizes, with one and with
three answers to a prompt; how often the sequential rule calls two equal models different; how many it takes.
"""

from __future__ import annotations

import math
import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from annotate.leaderboards.bootstrap import bootstrap_intervals
from annotate.leaderboards.games import Games, make_games
from annotate.leaderboards.sequential import log_wealth

BOARDS, SAMPLES, TIE = 1000, 400, 0.3
SCORES = np.array([0.9, 0.5, 0.1, -0.1, -0.4, -1.0])
ALPHA = 0.05


def play(generator: np.random.Generator, prompts: int, answers: int) -> Games:
    """Rao and Kupper's games. Several answers to one prompt share how much the prompt favours the first."""
    k = len(SCORES)
    first = generator.integers(0, k, prompts)
    second = (first + generator.integers(1, k, prompts)) % k
    first, second = np.repeat(first, answers), np.repeat(second, answers)
    gap, lot = SCORES[first] - SCORES[second], generator.random(prompts * answers)
    if answers > 1:  # the same lot for all seven times of ten: answers to a prompt agree more than chance
        shared = np.repeat(generator.random(prompts), answers)
        lot = np.where(generator.random(len(lot)) < 0.7, shared, lot)
    wins, loses = 1 / (1 + np.exp(TIE - gap)), 1 / (1 + np.exp(TIE + gap))
    points = np.where(lot < wins, 1, np.where(lot < wins + loses, 0, 0.5))
    return make_games(k, first, second, points, clusters=np.repeat(np.arange(prompts), answers))


def coverage(prompts: int, answers: int) -> tuple[float, float]:
    """(share of intervals that hold the true score, share of samples that needed a prior)."""
    held, helped = [], []
    for seed in range(BOARDS):
        games = play(np.random.default_rng(seed), prompts, answers)
        found = bootstrap_intervals(games, model="rao-kupper", prior=0.0, samples=SAMPLES, seed=seed)
        held.append((found.low <= SCORES) & (found.high >= SCORES))
        helped.append(found.helped)
    return float(np.mean(held)), float(np.mean(helped))


def first_alarms(chance: float, ties: float, looks: int, runs: int) -> np.ndarray:
    """After how many comparisons each of `runs` evaluations first calls the two models different; 0 for never."""
    generator = np.random.default_rng(0)
    won = (generator.random((looks, runs)) < chance).astype(float)
    values = np.where(generator.random((looks, runs)) < ties, 0.5, won)
    alarms = np.zeros(runs, dtype=int)
    for count, wealth in enumerate(log_wealth(values, np.array([0.5]), alpha=ALPHA), start=1):
        alarms[(alarms == 0) & (wealth[:, 0] >= math.log(1 / ALPHA))] = count
    return alarms


def main() -> None:
    print(f"Bootstrap intervals, nominal 95 %, {BOARDS} leaderboards of {len(SCORES)} models, {SAMPLES} samples each")
    for prompts, answers in ((100, 1), (200, 1), (500, 1), (2000, 1), (200, 3)):
        held, helped = coverage(prompts, answers)
        print(
            f"  {prompts:5} prompts × {answers}: {held:.3f} hold the true score; {helped:.4f} of samples helped",
            flush=True,
        )
    print(f"Sequential rule, alpha {ALPHA}, looked at after each of 2,000 comparisons, 1,000 evaluations")
    for ties in (0.0, 0.2, 0.5):
        alarms = first_alarms(0.5, ties, 2000, 1000)
        print(f"  no difference, ties {ties:.0%}: false alarms {(alarms > 0).mean():.3f}")
    for chance in (0.55, 0.6, 0.65, 0.7, 0.8):
        alarms = first_alarms(chance, 0.0, 2000, 1000)
        found = alarms[alarms > 0]
        print(
            f"  wins {chance:.0%}: seen in {len(found) / 10:.0f} %, half of them by {np.median(found):.0f} comparisons"
        )


if __name__ == "__main__":
    main()
