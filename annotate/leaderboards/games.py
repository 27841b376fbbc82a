"""Comparisons of players as parallel arrays, and what they add up to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Games:
    """N comparisons of K players. `points` are the first's: 1 won, 0 lost, ½ a tie. `clusters` names what belongs
    together, such as the prompt: a bootstrap draws whole clusters."""

    players: int
    first: Ints  # (N,) in 0 … K − 1
    second: Ints  # (N,) another one
    points: Floats  # (N,)
    weights: Floats  # (N,)
    clusters: Ints  # (N,) in 0 … C − 1

    def where(self, kept: NDArray[np.bool_]) -> Games:
        """Those of these games, the clusters counted anew."""
        _, clusters = np.unique(self.clusters[kept], return_inverse=True)
        return replace(
            self,
            first=self.first[kept],
            second=self.second[kept],
            points=self.points[kept],
            weights=self.weights[kept],
            clusters=clusters.astype(np.int64),
        )


def make_games(
    players: int,
    first: Sequence[int],
    second: Sequence[int],
    points: Sequence[float],
    *,
    weights: Sequence[float] | None = None,
    clusters: Sequence[int] | None = None,
) -> Games:
    """Games from plain lists: weight 1 and a cluster of its own each, if not said. Raises ValueError."""
    count = len(first)
    games = Games(
        players=players,
        first=np.asarray(first, dtype=np.int64),
        second=np.asarray(second, dtype=np.int64),
        points=np.asarray(points, dtype=float),
        weights=np.ones(count) if weights is None else np.asarray(weights, dtype=float),
        clusters=np.arange(count) if clusters is None else np.unique(clusters, return_inverse=True)[1].astype(np.int64),
    )
    if (games.first == games.second).any():
        place = int(np.flatnonzero(games.first == games.second)[0])
        raise ValueError(f"game {place} sets player {first[place]} against itself; it says nothing.")
    if not np.isin(games.points, (0.0, 0.5, 1.0)).all():
        place = int(np.flatnonzero(~np.isin(games.points, (0.0, 0.5, 1.0)))[0])
        raise ValueError(f"game {place} gives {points[place]} points; a game gives 0, 0.5 or 1.")
    return games


def tally(games: Games, *, draws: NDArray[np.int64] | None = None) -> tuple[Floats, Floats]:
    """Wins of i over j, (K, K), and ties between i and j, (K, K) and symmetric; with `draws`, how often each cluster
    counts in each of B bootstrap samples (B, C), both (B, K, K)."""
    k = games.players
    tied, won = games.points == 0.5, games.points == 1
    winner, loser = np.where(won, games.first, games.second), np.where(won, games.second, games.first)
    low, high = np.minimum(winner, loser), np.maximum(winner, loser)
    cells = np.where(tied, k * k + low * k + high, winner * k + loser)
    table, place = np.unique(games.clusters * 2 * k * k + cells, return_inverse=True)
    sums = np.bincount(place, weights=games.weights, minlength=len(table))
    owners, cells = table // (2 * k * k), table % (2 * k * k)
    times = np.ones((1, int(games.clusters.max(initial=-1)) + 1)) if draws is None else draws
    counts = np.stack([np.bincount(cells, weights=sums * row[owners], minlength=2 * k * k) for row in times])
    wins = counts[:, : k * k].reshape(-1, k, k).astype(np.float64)
    ties = counts[:, k * k :].reshape(-1, k, k).astype(np.float64)
    ties = ties + ties.transpose(0, 2, 1)
    return (wins[0], ties[0]) if draws is None else (wins, ties)


def are_linked(wins: Floats, ties: Floats) -> NDArray[np.bool_]:
    """Whether every player can be reached from every other along "was not beaten outright by": only then do scores
    without a prior stay finite (Ford 1957, "Solution of a ranking problem from binary comparisons"). (…, K, K) -> (…)
    """
    reach = ((wins + ties) > 0) | np.eye(wins.shape[-1], dtype=bool)
    for _ in range(max(1, int(np.ceil(np.log2(wins.shape[-1] + 1))))):
        reach = np.matmul(reach.astype(np.float32), reach.astype(np.float32)) > 0
    return np.asarray(reach.all(axis=(-2, -1)))


def leagues(games: Games) -> list[list[int]]:
    """Players who were ever compared, directly or through others, together; the largest league first."""
    league = list(range(games.players))

    def find(player: int) -> int:
        while league[player] != player:
            player = league[player]
        return player

    for one, other in {*zip(games.first.tolist(), games.second.tolist(), strict=True)}:
        league[find(one)] = find(other)
    found: dict[int, list[int]] = {}
    for player in range(games.players):
        found.setdefault(find(player), []).append(player)
    return sorted((players for players in found.values() if len(players) > 1), key=len, reverse=True)
