"""How surprising a count is: pure functions, no database, nothing but the standard library."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import erfc, exp, lgamma, log, sqrt


def binomial_p(part: int, whole: int, chance: float = 0.5) -> float:
    """Two-sided exact binomial test: how likely a count at least as unlikely as `part` of `whole` is; 1 of nothing.

    Clopper & Pearson 1934; "as unlikely" is by the probability of the count, as in R's binom.test.
    """
    if not 0 <= part <= whole:
        raise ValueError(f"{part} of {whole} is no share.")
    if not 0 < chance < 1:
        raise ValueError(f"chance is {chance}; it lies between 0 and 1.")
    chances = [_binomial(n, whole, chance) for n in range(whole + 1)]
    limit = chances[part] * (1 + 1e-7)  # equal ones differ in the last digits
    return min(1.0, sum(value for value in chances if value <= limit))


def _binomial(part: int, whole: int, chance: float) -> float:
    ways = lgamma(whole + 1) - lgamma(part + 1) - lgamma(whole - part + 1)
    return exp(ways + part * log(chance) + (whole - part) * log(1 - chance))


@dataclass(frozen=True)
class ChiSquare:
    value: float
    p: float

    @property
    def p_in_words(self) -> str:
        return p_in_words(self.p)


def p_in_words(p: float) -> str:
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def even_split(part: int, whole: int) -> ChiSquare:
    """Pearson's chi-square of two counts against half and half, one degree of freedom; 0 of nothing."""
    value = (2 * part - whole) ** 2 / whole if whole else 0.0
    return ChiSquare(value=value, p=erfc(sqrt(value / 2)))


def runs_p(signs: Sequence[bool]) -> float:
    """Two-sided test of Wald & Wolfowitz 1940 for too few or too many runs, by its normal approximation.

    1 where one value never occurs or fewer than 20 are there: then the approximation says nothing.
    """
    whole, first = len(signs), sum(signs)
    second = whole - first
    if whole < 20 or not first or not second:
        return 1.0
    runs = count_runs(signs)
    expected = 2 * first * second / whole + 1
    variance = (expected - 1) * (expected - 2) / (whole - 1)
    return erfc(abs(runs - expected) / sqrt(variance) / sqrt(2)) if variance else 1.0


def count_runs(signs: Sequence[bool]) -> int:
    return sum(1 for place, sign in enumerate(signs) if place == 0 or sign != signs[place - 1])


def longest_run(signs: Sequence[bool]) -> int:
    longest = length = 0
    for place, sign in enumerate(signs):
        length = length + 1 if place and sign == signs[place - 1] else 1
        longest = max(longest, length)
    return longest


def longest_run_p(length: int, whole: int) -> float:
    """How likely `whole` tosses of a fair coin hold a run of at least `length` heads or tails; exact.

    Sequences without one: f(n) = f(n−1) + … + f(n−length+1), f(0) = 1 (Feller 1968, XIII.7), halved at each step; two
    steps of that sum differ by its first and last terms alone.
    """
    if length <= 1:
        return 1.0 if whole else 0.0
    # steps[n]: the chance that n tosses hold no run of `length` and end where a run of the first side ends
    steps = [1.0, 0.5]
    for tosses in range(2, whole + 1):
        steps.append(steps[-1] - (steps[tosses - length] * 0.5**length if tosses >= length else 0.0))
    # A sequence is a chain of runs; the first may be of either side and each next is the other, so runs of r tosses
    # weigh 2^-r and the whole is doubled.
    return max(0.0, 1 - 2 * steps[whole]) if whole else 0.0


def two_shares_p(part: int, whole: int, other_part: int, other_whole: int) -> float:
    """Two-sided z test of two shares with the pooled variance; 1 where either is a share of nothing."""
    if not whole or not other_whole:
        return 1.0
    pooled = (part + other_part) / (whole + other_whole)
    variance = pooled * (1 - pooled) * (1 / whole + 1 / other_whole)
    return erfc(abs(part / whole - other_part / other_whole) / sqrt(variance) / sqrt(2)) if variance else 1.0
