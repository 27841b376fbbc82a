"""Demonstrations: the ideal response, written by a person, perhaps out of a suggestion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from annotate.models import Demonstration, Judgement
from annotate.services.answers.answer import AnswerKind
from annotate.services.answers.shown import Shown
from annotate.services.answers.text_distance import word_distance
from annotate.services.answers.written import store_written


@dataclass(frozen=True)
class DemonstrationAnswer:
    """`suggestion` is the letter of the response the text was started from, "" for none."""

    text: str
    suggestion: str = ""


def row(judgement: Judgement, shown: Sequence[Shown], said: DemonstrationAnswer) -> Demonstration:
    """The text, stored as a response of its own, and how far it is from its suggestion."""
    suggestion = next((entry.response for entry in shown if entry.letter == said.suggestion), None)
    return Demonstration(
        judgement=judgement,
        response=store_written(judgement, said.text),
        suggestion=suggestion,
        distance=word_distance(suggestion.text, said.text) if suggestion else None,
    )


def draft_of(judgement: Judgement, shown: Sequence[Shown]) -> dict[str, Any]:
    demonstration = judgement.demonstration
    letters: dict[int | None, str] = {entry.response.pk: entry.letter for entry in shown}
    return {"text": demonstration.response.text, "suggestion": letters.get(demonstration.suggestion_id, "")}


def describe(judgement: Judgement, names: Mapping[int, str]) -> str:
    """ "Wrote a response", "Wrote a response from A, 25 % changed"."""
    demonstration = judgement.demonstration
    if demonstration.suggestion_id is None:
        return "Wrote a response"
    return f"Wrote a response from {names[demonstration.suggestion_id]}, {demonstration.distance:.0%} changed"


DEMONSTRATION = AnswerKind(related="demonstration", row=row, draft_of=draft_of, describe=describe)
