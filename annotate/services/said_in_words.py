"""What a file says that somebody said, in a line of a preview. Responses are A, B, C in the order of the row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from annotate.imports.rows import (
    ReadJudgement,
    SaidComparison,
    SaidDemonstration,
    SaidEdit,
    SaidRanking,
    SaidRating,
    SaidSpans,
)
from annotate.services.answers.comparison import say

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def say_judgement(read: ReadJudgement) -> str:
    """ "A much better", "C > A = B", "A: overall 4"."""
    return WORDS[type(read.said)](read, read.said)


def _letter(place: int) -> str:
    return LETTERS[place] if place < len(LETTERS) else str(place + 1)


def _comparison(read: ReadJudgement, said: SaidComparison) -> str:
    return "Both bad" if said.preference is None else say(said.preference, said.points, [*map(_letter, read.about)])


def _ranking(read: ReadJudgement, said: SaidRanking) -> str:
    return " > ".join(" = ".join(map(_letter, tier)) for tier in said.tiers)


def _rating(read: ReadJudgement, said: SaidRating) -> str:
    return "; ".join(
        f"{_letter(place)}: {', '.join(f'{key} {value}' for key, value in scores.items())}"
        for place, scores in said.scores.items()
    )


def _demonstration(read: ReadJudgement, said: SaidDemonstration) -> str:
    return f"{_letter(said.response)} is the response to imitate"


def _edit(read: ReadJudgement, said: SaidEdit) -> str:
    return f"{_letter(said.response)} is an edit of {_letter(said.original)}"


def _spans(read: ReadJudgement, said: SaidSpans) -> str:
    return f"{len(said.spans)} passages of {_letter(said.response)} marked"


WORDS: dict[type, Callable[[ReadJudgement, Any], str]] = {
    SaidComparison: _comparison,
    SaidRanking: _ranking,
    SaidRating: _rating,
    SaidDemonstration: _demonstration,
    SaidEdit: _edit,
    SaidSpans: _spans,
}
