"""How sure a model of preferences is, against how often it is right. Plain Python: held-out sets are small."""

from collections.abc import Sequence
from math import exp
from typing import Any

BINS = 10
COLDEST, HOTTEST = 0.02, 50.0


def fit_temperature(differences: Sequence[float]) -> float:
    """The T that makes σ(Δ/T) likeliest (Guo et al. 2017, section 4.2); above 1 the model was too sure of itself.

    The likelihood is concave in 1/T, so its slope Σ Δ σ(−Δ/T) is halved to its root; kept within COLDEST and HOTTEST.
    By hand, differences 2, 2, 2, −2: right three times of four, σ(2/T) = 3/4, T = 2/ln 3 = 1.82048.

    differences  # score of the chosen less score of the rejected
    """
    low, high = 1 / HOTTEST, 1 / COLDEST
    for _ in range(60):
        middle = (low + high) / 2
        slope = sum(difference * sigmoid(-difference * middle) for difference in differences)
        low, high = (middle, high) if slope > 0 else (low, middle)
    return 2 / (low + high)


def reliability(differences: Sequence[float], *, temperature: float = 1.0) -> dict[str, Any]:
    """Expected calibration error, Brier score and the reliability curve of "the higher score wins".

    ECE: Naeini et al. 2015, over BINS equal bins of the winner's chance from 1/2 to 1; Brier 1950: mean squared error
    of the chance of the chosen. Ties of scores are half right. By hand, Δ = ln 3, ln 3, −ln 3 (chance 3/4): right 2/3,
    ECE 1/12, Brier (1/16 + 1/16 + 9/16)/3 = 0.22917.
    """
    told: list[list[tuple[float, float]]] = [[] for _ in range(BINS)]
    for difference in differences:
        chance = sigmoid(abs(difference) / temperature)
        right = 0.5 if difference == 0 else float(difference > 0)
        told[min(BINS - 1, int((chance - 0.5) * 2 * BINS))].append((chance, right))
    curve = [
        {
            "confidence": sum(chance for chance, _ in found) / len(found),
            "accuracy": sum(right for _, right in found) / len(found),
            "pairs": len(found),
        }
        for found in told
        if found
    ]
    total = len(differences) or 1
    brier = sum((1 - sigmoid(difference / temperature)) ** 2 for difference in differences) / total
    error = sum(bin["pairs"] * abs(bin["confidence"] - bin["accuracy"]) for bin in curve) / total
    return {"ece": error, "brier": brier, "curve": curve}


def calibrate(differences: Sequence[float]) -> dict[str, Any]:
    """The fitted temperature, and calibration before and after it.

    "After" is told by halves: each half of the pairs is judged by the temperature of the other, so that no pair judges
    the number that it made.
    """
    halves = differences[0::2], differences[1::2]
    before = reliability(differences)
    after = before
    if all(halves):
        crossed = [[one / fit_temperature(other) for one in half] for half, other in (halves, halves[::-1])]
        after = reliability([*crossed[0], *crossed[1]])
    return {
        "temperature": fit_temperature(differences),
        "ece": before["ece"],
        "brier": before["brier"],
        "ece_calibrated": after["ece"],
        "brier_calibrated": after["brier"],
        "reliability": before["curve"],
    }


def histogram(values: Sequence[float], *, bins: int = 20) -> dict[str, Any]:
    """Counts in equal bins from the least to the greatest value; `edges` has one more entry than `counts`."""
    low, high = min(values), max(values)
    width = (high - low) / bins or 1.0
    counts = [0] * bins
    for value in values:
        counts[min(bins - 1, int((value - low) / width))] += 1
    return {"edges": [low + width * edge for edge in range(bins + 1)], "counts": counts}


def sigmoid(value: float) -> float:
    return 1 / (1 + exp(-value)) if value >= 0 else exp(value) / (1 + exp(value))
