"""An evaluation of scores against what people preferred: accuracy by strength and tie, calibration, length."""

from math import isfinite
from typing import Any, NamedTuple

from training.algorithms.calibration import calibrate, histogram
from training.algorithms.groups import EncodedGroup
from training.algorithms.labels import comparisons
from training.algorithms.metrics import Evaluation, correlation, mean, summarise, wilson_interval

MOST_PEOPLE = 200


class Margin(NamedTuple):
    """One held-out comparison: the chosen one's lead in score and in tokens."""

    score: float
    tokens: int
    strength: float | None
    tie: bool

    @property
    def right(self) -> float:
        return float(self.score > 0) + 0.5 * (self.score == 0)


def summarise_preferences(evaluation: Evaluation, *, rating_span: float) -> dict[str, Any]:
    """The loss and the facts; accuracy with its interval, by strength, ties apart; calibration; what length explains.

    Each comparison counts once. The mean over groups of a fact of the same name gives way.
    """
    told = [
        (group.annotator, margin)
        for group, scores in zip(evaluation.groups, evaluation.scores, strict=True)
        for margin in margins(group, scores, rating_span)
    ]
    found = [margin for _, margin in told]
    pairs, ties = [one for one in found if not one.tie], [abs(one.score) for one in found if one.tie]
    right = sum(one.right for one in pairs)
    low, high = wilson_interval(right, len(pairs))
    return {
        **summarise(evaluation),
        "accuracy": mean([one.right for one in pairs]),
        "accuracy_low": low,
        "accuracy_high": high,
        "pairs": len(pairs),
        "ties": len(ties),
        "tie_margin": mean(ties),
        "by_strength": by_strength(pairs),
        "by_person": by_person(told),
        "length_correlation": length_correlation(evaluation),
        "longer_wins": mean([float(one.tokens > 0) + 0.5 * (one.tokens == 0) for one in pairs]),
        **shape_of([one.score for one in pairs]),
    }


def shape_of(differences: list[float]) -> dict[str, Any]:
    """Calibration and histogram; nothing where there is no pair, or a score that is no number."""
    if not all(map(isfinite, differences)) or not differences:
        return {}
    return {**calibrate(differences), "margin_histogram": histogram(differences)}


def margins(group: EncodedGroup, scores: tuple[float, ...], rating_span: float) -> list[Margin]:
    lengths = [len(completion) for completion in group.completions]
    return [
        Margin(scores[chosen] - scores[rejected], lengths[chosen] - lengths[rejected], strength, tie)
        for chosen, rejected, strength, tie, _ in comparisons(group.label, rating_span=rating_span)
    ]


def by_strength(pairs: list[Margin]) -> dict[str, dict[str, float]]:
    """Accuracy of each known strength, weakest first."""
    found: dict[float, list[float]] = {}
    for one in pairs:
        if one.strength is not None:
            found.setdefault(round(one.strength, 3), []).append(one.right)
    return {
        f"{strength:g}": {"pairs": len(found[strength]), "accuracy": mean(found[strength])}
        for strength in sorted(found)
    }


def by_person(told: list[tuple[str, Margin]]) -> dict[str, dict[str, float]]:
    """How many pairs each annotator judged and how many of them are right; nothing of more people than can be shown."""
    found: dict[str, list[float]] = {}
    for name, margin in told:
        if name and not margin.tie:
            found.setdefault(name, []).append(margin.right)
    if len(found) > MOST_PEOPLE:
        return {}
    return {name: {"pairs": len(rights), "right": sum(rights)} for name, rights in sorted(found.items())}


def length_correlation(evaluation: Evaluation) -> float:
    """Correlation of score and length in tokens within a prompt: both as differences from their group's mean."""
    score_leads, length_leads = [], []
    for group, scores in zip(evaluation.groups, evaluation.scores, strict=True):
        lengths = [len(completion) for completion in group.completions]
        for score, length in zip(scores, lengths, strict=True):
            score_leads.append(score - sum(scores) / len(scores))
            length_leads.append(length - sum(lengths) / len(lengths))
    return correlation(score_leads, length_leads)
