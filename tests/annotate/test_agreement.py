"""Agreement against numbers worked out by hand and a published example."""

import pytest

from annotate.quality.agreement import measure_agreement, measure_share


def test_alpha_of_krippendorffs_own_example():
    """Four observers, twelve units, nominal alpha 0.743 (Krippendorff, Computing Krippendorff's Alpha-Reliability,
    2011, section C). Answers per unit and category 1 to 5; the twelfth unit has one answer and does not count."""
    units = [
        (3, 0, 0, 0, 0),
        (0, 3, 1, 0, 0),
        (0, 0, 4, 0, 0),
        (0, 0, 4, 0, 0),
        (0, 4, 0, 0, 0),
        (1, 1, 1, 1, 0),
        (0, 0, 0, 4, 0),
        (3, 1, 0, 0, 0),
        (0, 4, 0, 0, 0),
        (0, 0, 0, 0, 3),
        (2, 0, 0, 0, 0),
        (0, 0, 1, 0, 0),
    ]
    measured = measure_agreement([(unit, 1) for unit in units])
    assert measured.alpha == pytest.approx(0.743, abs=5e-4)
    assert (measured.tasks, measured.answers) == (11, 40)


def test_two_people_by_hand():
    """Two tasks A A, one A B. Pairs alike: 2 of 3. Coincidences: AA 4, AB 1, BA 1; marginals A 5, B 1, n = 6.
    D_observed = 2/6, D_expected = (36 − 26)/(6·5) = 1/3, so alpha = 0."""
    measured = measure_agreement([((2, 0), 2), ((1, 1), 1)])
    assert measured.observed == pytest.approx(2 / 3)
    assert measured.alpha == pytest.approx(0.0)


def test_the_percentage_weighs_every_pair_of_answers_alike():
    """A task of four (3 and 1) has 3 of 6 pairs alike, a task of two has 1 of 1: 4 of 7."""
    assert measure_agreement([((3, 1), 1), ((2, 0), 1)]).observed == pytest.approx(4 / 7)


def test_tallies_of_many_tasks_equal_the_tasks_one_by_one():
    once = measure_agreement([((2, 0), 1), ((2, 0), 1), ((1, 1), 1), ((0, 2), 1)])
    assert measure_agreement([((2, 0), 2), ((1, 1), 1), ((0, 2), 1)]) == once


def test_perfect_agreement_on_several_categories_is_one():
    assert measure_agreement([((2, 0), 3), ((0, 2), 3)]).alpha == pytest.approx(1.0)


def test_alpha_is_undefined_where_nobody_ever_answered_otherwise():
    measured = measure_agreement([((2, 0), 3)])
    assert (measured.observed, measured.alpha) == (1.0, None)


def test_tasks_with_one_answer_say_nothing_of_agreement():
    assert measure_agreement([]) is None
    assert measure_agreement([((1, 0), 50)]) is None


def test_the_interval_of_a_share_by_hand():
    """8 of 10, z = 1.96: centre (0.8 + 0.1921)/(1.3841), Wilson 0.4902 to 0.9433 (as in Newcombe 1998's formula)."""
    share = measure_share(8, 10)
    assert (share.low, share.high) == (pytest.approx(0.4902, abs=1e-4), pytest.approx(0.9433, abs=1e-4))
    assert not share.differs_from_half
    assert measure_share(80, 100).differs_from_half
    assert measure_share(20, 100).differs_from_half


def test_shares_at_the_ends_stay_between_zero_and_one():
    assert measure_share(0, 5).low == 0.0
    assert measure_share(5, 5).high == 1.0
    assert measure_share(0, 0) is None
    with pytest.raises(ValueError, match="6 of 5 is no share"):
        measure_share(6, 5)
