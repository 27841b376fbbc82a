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
