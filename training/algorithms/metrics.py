"""Summaries of per-example facts."""

from math import isnan, sqrt

from training.algorithms.groups import EncodedGroup, Pair

Facts = dict[str, list[float]]  # name -> one value a group; NaN = says nothing about this group


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


def summarise(groups: list[EncodedGroup], losses: list[float], facts: Facts) -> dict[str, object]:
    """One evaluation: weighted loss, accuracy with its interval and by strength, ties apart, the mean of each fact."""
    told = [value for value in facts["accuracy"] if not isnan(value)]
    low, high = wilson_interval(sum(told), len(told))
    weights = [group.weight for group in groups]
    ties = [
        abs(margin) for group, margin in zip(groups, facts["margin"], strict=True) if not isinstance(group.label, Pair)
    ]
    return {
        "loss": sum(loss * weight for loss, weight in zip(losses, weights, strict=True)) / (sum(weights) or 1.0),
        **{name: mean(values) for name, values in facts.items()},
        "accuracy_low": low,
        "accuracy_high": high,
        "pairs": len(told),
        "ties": len(ties),
        "tie_margin": mean(ties),
        "by_strength": by_strength(groups, facts["accuracy"]),
    }


def by_strength(groups: list[EncodedGroup], accuracy: list[float]) -> dict[str, dict[str, float]]:
    """Accuracy of each known strength, weakest first."""
    found: dict[float, list[float]] = {}
    for group, right in zip(groups, accuracy, strict=True):
        if isinstance(group.label, Pair) and group.label.strength is not None:
            found.setdefault(round(group.label.strength, 3), []).append(right)
    return {
        f"{strength:g}": {"pairs": len(found[strength]), "accuracy": mean(found[strength])}
        for strength in sorted(found)
    }
