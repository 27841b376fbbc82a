"""What is worth a look in a person's answers, each with its numbers and its chance. Pure functions, no database.

A flag asks a reviewer to look; it decides nothing. Each test is strict (one in a thousand), because many people are
looked at and each by several tests.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from annotate.quality.agreement import Share, measure_share
from annotate.quality.significance import binomial_p, longest_run, longest_run_p, p_in_words, runs_p, two_shares_p

UNLIKELY = 0.001
NEEDS = 20  # preferences, pairs or timed answers before any of them says something
GOLD_NEEDS = 5
QUICK_SHARE = 0.25  # of answers faster than their texts can be scanned
LONGER_SHARE = 0.7  # longer answers are often better; this much more often is a habit
STEADY_SHARE = 0.7  # of repeats with the sides turned, judged alike


@dataclass(frozen=True, kw_only=True)
class Figures:
    """Counts of one person's recent work. `lefts` says of each preference, oldest first, whether it was the left."""

    answers: int = 0
    timed: int = 0
    quick: int = 0
    median_seconds: float | None = None
    lefts: Sequence[bool] = field(default=())
    unlike: int = 0  # preferences between responses of clearly different length
    longer: int = 0  # of these, how often the longer was preferred
    gold: int = 0
    gold_right: int = 0
    repeats: int = 0
    repeats_same: int = 0
    shared: int = 0  # pairs of this person's answer and another's to the same task
    shared_same: int = 0

    @property
    def left(self) -> Share | None:
        return measure_share(sum(self.lefts), len(self.lefts))

    @property
    def side_p(self) -> float:
        return binomial_p(sum(self.lefts), len(self.lefts))

    @property
    def side_p_in_words(self) -> str:
        return p_in_words(self.side_p)

    @property
    def quick_share(self) -> Share | None:
        return measure_share(self.quick, self.timed)

    @property
    def longer_share(self) -> Share | None:
        return measure_share(self.longer, self.unlike)

    @property
    def gold_share(self) -> Share | None:
        return measure_share(self.gold_right, self.gold)

    @property
    def repeat_share(self) -> Share | None:
        return measure_share(self.repeats_same, self.repeats)

    @property
    def shared_share(self) -> Share | None:
        return measure_share(self.shared_same, self.shared)


@dataclass(frozen=True)
class Flag:
    name: str
    reason: str


def find_flags(figures: Figures, others: Figures, *, gold_warn_below: float) -> list[Flag]:
    """What is worth a look; `others` holds the counts of everybody else in the project together."""
    found = [
        flag_quick(figures),
        flag_side(figures),
        flag_pattern(figures),
        flag_length(figures, others),
        flag_gold(figures, gold_warn_below),
        flag_repeats(figures),
        flag_disagreement(figures, others),
    ]
    return [flag for flag in found if flag]


def flag_quick(figures: Figures) -> Flag | None:
    share = figures.quick_share
    if share is None or share.whole < NEEDS or share.value < QUICK_SHARE:
        return None
    return Flag("Too fast", f"{in_words(share)} answers came faster than their texts can be scanned.")


def flag_side(figures: Figures) -> Flag | None:
    share, p = figures.left, figures.side_p
    if share is None or share.whole < NEEDS or p >= UNLIKELY:
        return None
    side, part = ("left", share.part) if share.value > 0.5 else ("right", share.whole - share.part)
    return Flag("One side", f"Chose the {side} {part} of {share.whole} times; sides are drawn by lot. {chance(p)}")


def flag_pattern(figures: Figures) -> Flag | None:
    """The same side many times in a row, or sides that change too regularly."""
    whole = len(figures.lefts)
    if whole < NEEDS:
        return None
    longest = longest_run(figures.lefts)
    p = longest_run_p(longest, whole)
    if p < UNLIKELY:
        return Flag("Straight line", f"The same side {longest} times in a row, in {whole} preferences. {chance(p)}")
    p = runs_p(figures.lefts)
    if p < UNLIKELY:
        return Flag("Pattern", f"Left and right follow one another too regularly in {whole} preferences. {chance(p)}")
    return None


def flag_length(figures: Figures, others: Figures) -> Flag | None:
    """Longer may well be better, so the habit has to be strong, and stronger than the others'."""
    share, theirs = figures.longer_share, others.longer_share
    if share is None or share.whole < NEEDS or share.value < LONGER_SHARE:
        return None
    p = binomial_p(share.part, share.whole)
    apart = two_shares_p(share.part, share.whole, others.longer, others.unlike) if theirs else 0.0
    if max(p, apart) >= UNLIKELY or (theirs and share.value <= theirs.value):
        return None
    beside = f"; the others {percent(theirs.value)}" if theirs else ""
    return Flag("Longer is better", f"Preferred the longer response in {in_words(share)} pairs{beside}. {chance(p)}")


def flag_gold(figures: Figures, warn_below: float) -> Flag | None:
    share = figures.gold_share
    if share is None or share.whole < GOLD_NEEDS or share.value >= warn_below:
        return None
    return Flag("Gold", f"{in_words(share)} gold answers are right; the project asks for {percent(warn_below)}.")


def flag_repeats(figures: Figures) -> Flag | None:
    share = figures.repeat_share
    if share is None or share.whole < GOLD_NEEDS or share.high >= STEADY_SHARE:
        return None
    return Flag("Unsteady", f"Judged {in_words(share)} repeats as before, once the sides were turned.")


def flag_disagreement(figures: Figures, others: Figures) -> Flag | None:
    share, theirs = figures.shared_share, others.shared_share
    if share is None or theirs is None or share.whole < NEEDS or share.value >= theirs.value:
        return None
    p = two_shares_p(share.part, share.whole, theirs.part, theirs.whole)
    if p >= UNLIKELY:
        return None
    reason = (
        f"Agrees with others in {in_words(share)} shared answers; they among themselves in {percent(theirs.value)}."
    )
    return Flag("Apart from others", f"{reason} {chance(p)}")


def in_words(share: Share) -> str:
    return f"{share.part} of {share.whole} ({percent(share.value)})"


def percent(share: float) -> str:
    return f"{share * 100:.0f} %"


def chance(p: float) -> str:
    return "Chance does that less than once in a million." if p < 1e-6 else f"Chance does that {p:.2g} of the time."
