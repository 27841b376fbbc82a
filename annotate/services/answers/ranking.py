"""Rankings: two to nine responses from best to worst, ties allowed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from annotate.models import Judgement, Ranking
from annotate.services.answers.answer import AnswerKind
from annotate.services.answers.shown import Shown


@dataclass(frozen=True)
class RankingAnswer:
    """Letters as the page showed them, best tier first: D > C > A = B is (("D",), ("C",), ("A", "B"))."""

    tiers: tuple[tuple[str, ...], ...]


def tiers_of_places(places: Mapping[str, int]) -> tuple[tuple[str, ...], ...]:
    """{letter: place} as tiers. Equal places tie; gaps mean nothing: 1, 1, 3 is 1, 1, 2."""
    return tuple(
        tuple(sorted(letter for letter, place in places.items() if place == rank))
        for rank in sorted(set(places.values()))
    )


def rank_field(letter: str) -> str:
    """The form's field for a response's place."""
    return f"rank_{letter.lower()}"


def row(judgement: Judgement, shown: Sequence[Shown], said: RankingAnswer) -> Ranking:
    ids = {entry.letter: entry.response.pk for entry in shown}
    tiers = [sorted(ids[letter] for letter in tier) for tier in said.tiers]
    return Ranking(judgement=judgement, tiers=tiers, shown=list(ids.values()))


def draft_of(judgement: Judgement, shown: Sequence[Shown]) -> dict[str, Any]:
    places = {response: str(place) for place, tier in enumerate(judgement.ranking.tiers, 1) for response in tier}
    return {rank_field(entry.letter): places[entry.response.pk] for entry in shown}


def describe(judgement: Judgement, names: Mapping[int, str]) -> str:
    """ "D > C > A = B"."""
    return " > ".join(" = ".join(sorted(names[pk] for pk in tier)) for tier in judgement.ranking.tiers)


def agreed(judgement: Judgement) -> dict[str, Any]:
    return {"tiers": judgement.ranking.tiers}


def matches(said: Any, known: Any) -> bool:
    """The same tiers in the same order."""
    return [sorted(tier) for tier in said["tiers"]] == [sorted(tier) for tier in known["tiers"]]


RANKING = AnswerKind(related="ranking", row=row, draft_of=draft_of, describe=describe, agreed=agreed, matches=matches)
