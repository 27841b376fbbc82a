"""Which pairs people judge next: strategies mixed by weights, a share always by lot."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, isfinite

import numpy as np
import numpy.typing as npt

from annotate.choosing.duplicates import Signatures, alike, find_repeats, sign
from annotate.choosing.worth import information_gain, win_chance

RANDOM, UNCERTAIN, INFORMATION, CONTRAST = STRATEGIES = ("random", "uncertain", "information", "contrast")
LEAST_RANDOM = 0.1
Ranks = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """Two responses to a prompt. `mean` and `deviation` are of the difference of their rewards in logits, None where
    no model has scored both; `contrast` says in what the two differ beside their text, empty where in nothing."""

    prompt: int
    prompt_text: str
    first_text: str
    second_text: str
    mean: float | None = None
    deviation: float | None = None
    contrast: str = ""


@dataclass(frozen=True, kw_only=True)
class Pick:
    """A candidate by its place, which strategy took it, by what value, and why in words. `chance` is the probability
    of a lot, None where no lot decided."""

    place: int
    strategy: str
    reason: str
    value: float | None = None
    chance: float | None = None


def choose(candidates: Sequence[Candidate], *, count: int, mix: Mapping[str, float], seed: int) -> list[Pick]:
    """At most `count` picks, none twice, in an order that tells nothing. The same seed chooses the same.

    Pairs too alike to be told apart, and repeats of a pair, are left out first. Then the lot draws its share from all
    that is left, so that it is a fair sample of it; the other strategies take the best of the rest, few a prompt, and
    what a strategy cannot fill goes to the lot. Raises ValueError for a mix that means nothing.
    """
    generator = np.random.default_rng(seed)
    pool = different_pairs(candidates, generator.permutation(len(candidates)).tolist())
    picks = pick_from(pool, candidates, share_out(mix, count))
    return [picks[place] for place in generator.permutation(len(picks))]


def pick_from(pool: Sequence[int], candidates: Sequence[Candidate], shares: dict[str, int]) -> list[Pick]:
    """Picks from the places of a pool in the lot's order, strategy by strategy."""
    count = sum(shares.values())
    ranks = {name: rank(name, candidates, pool) for name in STRATEGIES if shares.get(name) and name != RANDOM}
    lots = count - sum(shares[name] for name, values in ranks.items() if values is not None)
    picks = draw(pool, lots)
    most = max(1, ceil(2 * count / max(1, len({candidates[place].prompt for place in pool}))))
    for name, values in ranks.items():
        if values is not None:
            picks += best(name, candidates, pool, values, picks, shares[name], most)
    return picks + fill(pool, picks, count - len(picks))


def share_out(mix: Mapping[str, float], count: int) -> dict[str, int]:
    """How many of `count` each strategy takes, the lot at least a tenth, rounded up. By hand, {"information": 1}, 25:
    random 3, information 22. An empty mix is all by lot."""
    for name, weight in mix.items():
        if name not in STRATEGIES:
            raise ValueError(f"There is no strategy {name!r}. Choose among {', '.join(STRATEGIES)}.")
        if not (isfinite(weight) and weight >= 0):
            raise ValueError(f"The weight of {name} is {weight}: give it a number that is not negative.")
    whole = sum(mix.values()) or 1.0
    others = {name: weight / whole for name, weight in mix.items() if name != RANDOM and weight}
    least = ceil(LEAST_RANDOM * count - 1e-9)
    room = min(count - least, round(count * sum(others.values())))
    shares = apportion(others, room)
    return {RANDOM: count - sum(shares.values()), **shares}


def apportion(weights: Mapping[str, float], count: int) -> dict[str, int]:
    """`count` by weight in whole numbers, by largest remainders."""
    whole = sum(weights.values())
    exact = {name: count * weight / whole for name, weight in weights.items()}
    shares = {name: int(number) for name, number in exact.items()}
    left = sorted(exact, key=lambda name: (shares[name] - exact[name], STRATEGIES.index(name)))
    for name in left[: count - sum(shares.values())]:
        shares[name] += 1
    return shares


def different_pairs(candidates: Sequence[Candidate], order: Sequence[int]) -> list[int]:
    """Places in `order`, without pairs whose two texts are alike and without repeats of an earlier pair."""
    texts = {
        getattr(candidates[place], part) for place in order for part in ("prompt_text", "first_text", "second_text")
    }
    rows = {text: row for row, text in enumerate(sorted(texts))}
    signatures = sign(list(rows))

    def signed(part: str, places: Sequence[int]) -> Signatures:
        return signatures[[rows[getattr(candidates[place], part)] for place in places]]

    twins = alike(signed("first_text", order), signed("second_text", order))
    chosen = [place for place, same in zip(order, twins, strict=True) if not same]
    repeats = find_repeats(signed("prompt_text", chosen), signed("first_text", chosen), signed("second_text", chosen))
    return [place for place, repeat in zip(chosen, repeats, strict=True) if not repeat]


def rank(name: str, candidates: Sequence[Candidate], pool: Sequence[int]) -> Ranks | None:
    """What a strategy values each place of the pool at, −inf where it would not take it; None where it can tell
    nothing apart: no scores, one head, nothing to contrast."""
    if name == CONTRAST:
        return rank_contrasts([candidates[place].contrast for place in pool])
    mean = np.array([np.nan if (found := candidates[place].mean) is None else found for place in pool], dtype=float)
    deviation = np.array([candidates[place].deviation or 0.0 for place in pool], dtype=float)
    known = ~np.isnan(mean)
    if not known.any():
        return None
    values = np.full(len(pool), -np.inf)
    if deviation[known].max() > 0:
        worth = information_gain if name == INFORMATION else lambda _, spread: spread
        values[known] = worth(mean[known], deviation[known])
    elif name == UNCERTAIN:  # one head cannot disagree with itself: then the nearest to even
        values[known] = -np.abs(win_chance(mean[known], deviation[known]) - 0.5)
    else:
        return None
    return values


def rank_contrasts(contrasts: Sequence[str]) -> Ranks | None:
    """Every contrast in turn: −1 for the first pair of each, −2 for the second, and so on."""
    turns: Counter[str] = Counter()
    values = np.full(len(contrasts), -np.inf)
    for row, contrast in enumerate(contrasts):
        if contrast:
            turns[contrast] += 1
            values[row] = -turns[contrast]
    return values if turns else None


def draw(pool: Sequence[int], count: int) -> list[Pick]:
    """The first of the pool, whose order is the lot's."""
    chance = min(1.0, count / len(pool)) if pool else None
    reason = f"Drawn by lot, {min(count, len(pool)):,} of {len(pool):,} pairs."
    return [Pick(place=place, strategy=RANDOM, reason=reason, chance=chance) for place in pool[:count]]


def best(
    name: str,
    candidates: Sequence[Candidate],
    pool: Sequence[int],
    values: Ranks,
    picks: Sequence[Pick],
    count: int,
    most: int,
) -> list[Pick]:
    """The `count` most valued of the rest, at most `most` a prompt as long as other prompts have some."""
    taken = {pick.place for pick in picks}
    used = Counter(candidates[pick.place].prompt for pick in picks if pick.strategy != RANDOM)
    order = [int(row) for row in np.argsort(-values, kind="stable") if values[row] > -np.inf]
    rows = [row for row in order if pool[row] not in taken]
    chosen, later = [], []
    for row in rows:
        prompt = candidates[pool[row]].prompt
        if used[prompt] < most:
            used[prompt] += 1
            chosen.append(row)
        else:
            later.append(row)
    return [
        Pick(
            place=pool[row],
            strategy=name,
            value=None if name == CONTRAST else float(values[row]),
            reason=explain(name, candidates[pool[row]], float(values[row])),
        )
        for row in (chosen + later)[:count]
    ]


def fill(pool: Sequence[int], picks: Sequence[Pick], count: int) -> list[Pick]:
    taken = {pick.place for pick in picks}
    left = [place for place in pool if place not in taken]
    reason = "Taken to fill the count: no other pair fitted better."
    return [Pick(place=place, strategy=RANDOM, reason=reason) for place in left[: max(0, count)]]


def explain(name: str, candidate: Candidate, value: float) -> str:
    if name == CONTRAST:
        return f"{candidate.contrast}."
    mean, deviation = candidate.mean or 0.0, candidate.deviation or 0.0
    chance = float(win_chance(np.array([mean]), np.array([deviation]))[0])
    if name == INFORMATION:
        return f"An answer is expected to tell {value:.3f} nats; the model gives one side {percent(chance)}."
    if deviation > 0:
        return f"The model's heads disagree: the difference is {abs(mean):.2f} ± {deviation:.2f}."
    return f"Nearly even: the model gives one side {percent(chance)}. It has one head, which cannot disagree."


def percent(chance: float) -> str:
    return f"{100 * max(chance, 1 - chance):.0f} %"
