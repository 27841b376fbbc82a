"""How far two answers to one task are apart, from 0 (the same) to 1 (opposite): pure functions, no database.

Answers are as `AnswerKind.agreed` gives them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from typing import Any

Said = Mapping[str, Any]


def compare_comparisons(one: Said, other: Said) -> float:
    """Half for a tie against a preference; all for opposite sides, and for “both bad” against anything else."""
    if one == other:
        return 0.0
    ties = [said["better"] is None and not said["both_bad"] for said in (one, other)]
    return 0.5 if any(ties) and not (one["both_bad"] or other["both_bad"]) else 1.0


def compare_rankings(one: Said, other: Said) -> float:
    """The share of pairs put the other way round, a tie against an order counting half (Kendall 1938; Fagin 2006)."""
    first, second = ranks(one), ranks(other)
    pairs = list(combinations(sorted(first.keys() & second.keys()), 2))
    apart = sum(abs(sign(first[a] - first[b]) - sign(second[a] - second[b])) / 2 for a, b in pairs)
    return apart / len(pairs) if pairs else 0.0


def ranks(said: Said) -> dict[int, int]:
    return {response: rank for rank, tier in enumerate(said["tiers"]) for response in tier}


def sign(number: int) -> int:
    return (number > 0) - (number < 0)


def compare_ratings(one: Said, other: Said) -> float:
    """The mean gap over the required questions that both answered, as a share of each question's whole scale."""
    gaps = [
        abs(score - other["scores"][response][key]) / (one["points"][key] - 1)
        for response, scores in one["scores"].items()
        for key, score in scores.items()
        if key in one["points"] and key in other["points"] and key in other["scores"].get(response, {})
    ]
    return sum(gaps) / len(gaps) if gaps else 0.0


def widest(compare: Callable[[Said, Said], float], answers: Sequence[Said]) -> float:
    """Between the two answers that are furthest apart; 0 for fewer than two."""
    return max((compare(one, other) for one, other in combinations(answers, 2)), default=0.0)
