"""What people said about the completions of one prompt, and the comparisons it amounts to."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb
from typing import Any, NamedTuple


@dataclass(frozen=True)
class Pair:
    """`chosen` and `rejected` are places in the completions; strength is in (0, 1], None when unknown."""

    chosen: int
    rejected: int
    strength: float | None = None


@dataclass(frozen=True)
class Tie:
    """The first two completions are equally good."""


@dataclass(frozen=True)
class Ranking:
    """Tie groups of places, best first; each completion is in exactly one."""

    tiers: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Rating:
    """A score for each completion, None where nobody gave one."""

    scores: tuple[float | None, ...]


@dataclass(frozen=True)
class Demonstration:
    """The first completion is how a person would answer."""


@dataclass(frozen=True)
class Unpaired:
    """Whether each completion is good enough, told one by one."""

    desirable: tuple[bool, ...]


Label = Pair | Tie | Ranking | Rating | Demonstration | Unpaired


class Comparison(NamedTuple):
    """Two places of a group; in a tie their order means nothing. The shares of a group's comparisons add up to 1."""

    chosen: int
    rejected: int
    strength: float | None
    tie: bool
    share: float


def comparisons(label: Label, *, rating_span: float) -> list[Comparison]:
    """Every pair the label decides, in a fixed order.

    A ranking of K gives all K(K−1)/2 pairs, each of weight 1/(K choose 2) (Ouyang et al. 2022, section 3.5); ratings
    give a pair for every two scores, whose strength is their gap over `rating_span`.
    """
    match label:
        case Pair(chosen, rejected, strength):
            return [Comparison(chosen, rejected, strength, False, 1.0)]
        case Tie():
            return [Comparison(0, 1, None, True, 1.0)]
        case Ranking(tiers):
            tier = {place: number for number, places in enumerate(tiers) for place in places}
            order, share = [place for places in tiers for place in places], 1 / comb(len(tier), 2)
            return [Comparison(a, b, None, tier[a] == tier[b], share) for a, b in combinations(order, 2)]
        case Rating(scores):
            return compare_ratings(scores, rating_span)
    return []


def compare_ratings(scores: Sequence[float | None], span: float) -> list[Comparison]:
    known = {place: score for place, score in enumerate(scores) if score is not None}
    found = []
    for first, second in combinations(sorted(known, key=lambda place: -known[place]), 2):
        gap = known[first] - known[second]
        found.append(Comparison(first, second, min(1.0, gap / span) if gap else None, gap == 0, 0.0))
    return [comparison._replace(share=1 / len(found)) for comparison in found]


def parse_label(label: Any, completions: int) -> Label:
    """Read a group's label. Raises ValueError with a sentence that shows it."""
    kind = label.get("kind") if isinstance(label, dict) else None
    if kind not in READERS:
        raise ValueError(f"'label' is {label!r}: its kind must be one of {', '.join(READERS)}.")
    return READERS[kind](label, completions)


def parse_pair(label: dict[str, Any], completions: int) -> Pair:
    chosen: Any = label.get("chosen")
    rejected: Any = label.get("rejected")
    strength = label.get("strength")
    known = is_place(chosen, completions) and is_place(rejected, completions)
    if not known or chosen == rejected:
        raise ValueError(
            f"'label' is {label!r}: chosen and rejected must be two different places among {completions} completions."
        )
    if strength is not None and not (is_number(strength) and 0 < strength <= 1):
        raise ValueError(f"'label' is {label!r}: the strength must be above 0 and at most 1, or null.")
    return Pair(chosen, rejected, None if strength is None else float(strength))


def parse_tie(label: dict[str, Any], completions: int) -> Tie:
    if completions < 2:
        raise ValueError(f"'label' is {label!r}: a tie needs two completions.")
    return Tie()


def parse_ranking(label: dict[str, Any], completions: int) -> Ranking:
    tiers = label.get("tiers")
    lists = tiers if isinstance(tiers, list) and all(isinstance(tier, list) and tier for tier in tiers) else []
    places = [place for tier in lists for place in tier if is_place(place, completions)]
    whole = len(places) == sum(map(len, lists)) and sorted(places) == list(range(completions))
    if not whole or completions < 2:
        raise ValueError(
            f"'label' is {label!r}: tiers must be lists that hold each place of the {completions} completions once, "
            "and there must be at least two."
        )
    return Ranking(tuple(tuple(tier) for tier in lists))


def parse_rating(label: dict[str, Any], completions: int) -> Rating:
    scores = label.get("scores")
    if not isinstance(scores, list) or len(scores) != completions:
        raise ValueError(f"'label' is {label!r}: scores must have one entry for each of {completions} completions.")
    if not all(score is None or is_number(score) for score in scores) or not any(is_number(score) for score in scores):
        raise ValueError(f"'label' is {label!r}: scores are numbers or null, and at least one is a number.")
    return Rating(tuple(None if score is None else float(score) for score in scores))


def parse_unpaired(label: dict[str, Any], completions: int) -> Unpaired:
    desirable = label.get("desirable")
    if not isinstance(desirable, list) or [type(flag) for flag in desirable] != [bool] * completions:
        raise ValueError(f"'label' is {label!r}: desirable is true or false for each of {completions} completions.")
    return Unpaired(tuple(desirable))


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value - value == 0


def is_place(value: Any, completions: int) -> bool:
    return type(value) is int and 0 <= value < completions


READERS: dict[str, Callable[[dict[str, Any], int], Label]] = {
    "pair": parse_pair,
    "tie": parse_tie,
    "ranking": parse_ranking,
    "rating": parse_rating,
    "demonstration": lambda label, completions: Demonstration(),
    "unpaired": parse_unpaired,
}
