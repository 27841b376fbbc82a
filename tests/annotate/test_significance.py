"""Tests of significance against enumeration, and against figures of SciPy 1.17 where it has the same test."""

from itertools import product

import pytest

from annotate.quality.significance import (
    binomial_p,
    even_split,
    longest_run,
    longest_run_p,
    runs_p,
    two_shares_p,
)


def test_a_run_of_a_length_is_as_likely_as_enumeration_says():
    for whole in (1, 5, 10):
        for length in range(2, whole + 1):
            found = sum(longest_run(signs) >= length for signs in product((True, False), repeat=whole))
            assert longest_run_p(length, whole) == pytest.approx(found / 2**whole, abs=1e-12)


@pytest.mark.parametrize(
    ("part", "whole", "chance", "expected"),
    [(60, 100, 0.5, 0.05688793364098089), (3, 40, 0.5, 1.946500560734421e-08), (7, 9, 0.3, 0.004290894)],
)
def test_the_binomial_test_is_scipys(part, whole, chance, expected):
    assert binomial_p(part, whole, chance) == pytest.approx(expected, rel=1e-9)


def test_chi_square_of_two_counts_is_scipys():
    split = even_split(2600, 5000)
    assert (split.value, split.p) == (8.0, pytest.approx(0.004677734981047276, rel=1e-9))


def test_two_shares_differ_as_scipys_chi_square_without_correction_says():
    assert two_shares_p(36, 40, 216, 400) == pytest.approx(1.1416943010065848e-05, rel=1e-9)


def test_runs_that_are_too_few_or_too_many_are_found():
    """By SciPy's normal distribution from the published mean and variance."""
    assert runs_p([True] * 10 + [False] * 10 + [True] * 5) == pytest.approx(2.00786561242648e-05, rel=1e-9)
    assert runs_p([True, False] * 20) == pytest.approx(1.1513858065679468e-09, rel=1e-9)


def test_nothing_is_said_of_nothing():
    assert (runs_p([True] * 30), runs_p([True, False]), two_shares_p(0, 0, 1, 2)) == (1.0, 1.0, 1.0)
    assert (binomial_p(0, 0), even_split(0, 0).p, longest_run([]), longest_run_p(5, 0)) == (1.0, 1.0, 0, 0.0)
    with pytest.raises(ValueError, match="3 of 2 is no share"):
        binomial_p(3, 2)
