"""Summaries of an evaluation: what is the same for every algorithm."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isnan, sqrt
from typing import Any

from training.algorithms.groups import EncodedGroup

Facts = dict[str, list[float]]  # name -> one value a group; NaN = says nothing about this group


@dataclass(frozen=True)
class Evaluation:
    """What one pass over the held-out groups found; the lists run side by side."""

    groups: list[EncodedGroup]
    losses: list[float]
    sizes: list[float]  # what each loss counts for: 1, or its tokens
    facts: Facts
    scores: list[tuple[float, ...]]  # of each group's completions, where the algorithm scores them


def extend_facts(facts: Facts, more: Facts) -> None:
    for name, values in more.items():
        facts.setdefault(name, []).extend(values)


def join_evaluations(parts: Sequence[Evaluation]) -> Evaluation:
    """One evaluation of what several processes found."""
    whole = Evaluation([], [], [], {}, [])
    for part in parts:
        whole.groups.extend(part.groups)
        whole.losses.extend(part.losses)
        whole.sizes.extend(part.sizes)
        whole.scores.extend(part.scores)
        extend_facts(whole.facts, part.facts)
    return whole


def summarise(evaluation: Evaluation) -> dict[str, Any]:
    """The weighted loss and the mean of each fact."""
    weights = [group.weight for group in evaluation.groups]
    counted = sum(size * weight for size, weight in zip(evaluation.sizes, weights, strict=True))
    total = sum(loss * weight for loss, weight in zip(evaluation.losses, weights, strict=True))
    return {"loss": total / (counted or 1.0)} | {name: mean(values) for name, values in evaluation.facts.items()}


def mean(values: list[float]) -> float:
    """Mean of what is not NaN; NaN when nothing is."""
    told = [value for value in values if not isnan(value)]
    return sum(told) / len(told) if told else float("nan")


def wilson_interval(right: float, total: int, *, z: float = 1.959964) -> tuple[float, float]:
    """95 % interval of a proportion (Wilson 1927). By hand: 8 of 10 -> 0.4902 to 0.9433.

    `right` may hold halves (a score tie is half right).
    """
    if total == 0:
        return 0.0, 1.0
    share, square = right / total, z * z / total
    centre = (share + square / 2) / (1 + square)
    half = z * sqrt(share * (1 - share) / total + square / (4 * total)) / (1 + square)
    return centre - half, centre + half


def correlation(first: list[float], second: list[float]) -> float:
    """Pearson's r; NaN where one of them does not vary."""
    a, b = mean(first), mean(second)
    covariance = sum((x - a) * (y - b) for x, y in zip(first, second, strict=True))
    spread = sqrt(sum((x - a) ** 2 for x in first) * sum((y - b) ** 2 for y in second))
    return covariance / spread if spread else float("nan")
