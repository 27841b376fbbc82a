"""What an evaluation says: calibration by hand, accuracy of comparisons, length."""

from dataclasses import replace
from math import isnan, log

import pytest

from training.algorithms.calibration import COLDEST, calibrate, fit_temperature, histogram, reliability
from training.algorithms.groups import EncodedGroup
from training.algorithms.labels import Pair, Ranking, Tie
from training.algorithms.metrics import Evaluation, correlation
from training.algorithms.preference_metrics import summarise_preferences


def test_temperature_by_hand():
    """Right three times of four by 2: σ(2/T) = 3/4."""
    assert fit_temperature([2, 2, 2, -2]) == pytest.approx(2 / log(3), abs=1e-6)
    assert fit_temperature([1.0, 2.0]) == pytest.approx(COLDEST)  # never wrong: as sure as may be


def test_reliability_by_hand():
    """Chance 3/4, right 2 of 3: ECE 1/12, Brier 11/48."""
    found = reliability([log(3), log(3), -log(3)])
    assert found["ece"] == pytest.approx(1 / 12)
    assert found["brier"] == pytest.approx(11 / 48)
    assert found["curve"] == [{"confidence": pytest.approx(0.75), "accuracy": pytest.approx(2 / 3), "pairs": 3}]


def test_a_model_that_is_too_sure_is_cooled_and_better_calibrated_on_pairs_it_was_not_cooled_by():
    differences = [8.0, 8.0, 8.0, 8.0, 8.0, 8.0, -8.0, -8.0] * 20
    found = calibrate(differences)
    assert found["temperature"] == pytest.approx(8 / log(3), rel=1e-3)
    assert found["ece"] == pytest.approx(0.25, abs=1e-3)
    assert found["ece_calibrated"] < 0.01
    assert found["brier_calibrated"] < found["brier"]


def test_each_half_is_judged_by_the_temperature_of_the_other():
    """The first half is right nine times of ten by 1, the second six times of ten: each is off by the other's rate."""
    halves = [[1.0] * 9 + [-1.0], [1.0] * 6 + [-1.0] * 4]
    found = calibrate([one for pair in zip(*halves, strict=True) for one in pair])
    assert found["ece_calibrated"] == pytest.approx(0.3, abs=1e-6)
    assert found["temperature"] == pytest.approx(1 / log(3), abs=1e-6)


def test_histogram_counts_everything_once():
    found = histogram([0.0, 1.0, 1.0, 2.0], bins=4)
    assert found == {"edges": [0.0, 0.5, 1.0, 1.5, 2.0], "counts": [1, 0, 2, 1]}
    assert histogram([3.0], bins=2)["counts"] == [1, 0]


def test_correlation():
    assert correlation([1, 2, 3], [2, 4, 6]) == pytest.approx(1.0)
    assert correlation([1, 2, 3], [3, 1, 2]) == pytest.approx(-0.5)
    assert isnan(correlation([1, 1], [1, 2]))


def group(label, *lengths: int) -> EncodedGroup:
    return EncodedGroup(id="g", prompt=(1,), completions=tuple((2,) * length for length in lengths), label=label)


def test_an_evaluation_counts_each_comparison_once_and_ties_apart():
    groups = [group(Ranking(((0,), (1,), (2,))), 3, 1, 2), group(Pair(1, 0, 0.5), 5, 4), group(Tie(), 1, 1)]
    scores = [(2.0, 0.0, 1.0), (0.0, 0.0), (1.0, -2.0)]
    found = summarise_preferences(Evaluation(groups, [1.0, 2.0, 6.0], [1.0] * 3, {}, scores), rating_span=6)
    assert (found["loss"], found["pairs"], found["ties"], found["tie_margin"]) == (3.0, 4, 1, 3.0)
    assert found["accuracy"] == pytest.approx((2 + 0.5) / 4)  # 0 ≻ 1 and 0 ≻ 2 right, 1 ≻ 2 wrong, a tie of scores half
    assert found["by_strength"] == {"0.5": {"pairs": 1, "accuracy": 0.5}}
    assert found["longer_wins"] == pytest.approx(2 / 4)
    assert found["length_correlation"] == pytest.approx(2 / (6.5 * 2.5) ** 0.5)
    assert sum(found["margin_histogram"]["counts"]) == 4


def test_without_a_pair_it_says_only_what_it_can():
    found = summarise_preferences(Evaluation([group(Tie(), 1, 2)], [0.7], [1.0], {}, [(0.0, 0.0)]), rating_span=6)
    assert isnan(found["accuracy"])
    assert (found["accuracy_low"], found["accuracy_high"]) == (0.0, 1.0)
    assert "temperature" not in found


def test_what_is_right_is_counted_by_person_and_ties_are_nobodys():
    groups = [replace(group(Pair(0, 1), 2, 3), annotator=name) for name in ("ann", "ann", "bea")]
    groups.append(replace(group(Tie(), 2, 3), annotator="bea"))
    scores = [(1.0, 0.0), (0.0, 1.0), (1.0, 1.0), (5.0, 0.0)]
    found = summarise_preferences(Evaluation(groups, [0.0] * 4, [1.0] * 4, {}, scores), rating_span=6.0)
    assert found["by_person"] == {"ann": {"pairs": 2, "right": 1.0}, "bea": {"pairs": 1, "right": 0.5}}
