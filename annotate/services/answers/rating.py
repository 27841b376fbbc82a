"""Ratings: each response scored on the project's questions, without looking for a winner."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from annotate.kinds.options import Question
from annotate.models import Judgement, Rating
from annotate.services.answers.answer import AnswerKind
from annotate.services.answers.shown import Shown

EXACT_UP_TO = 4  # points: there a neighbouring answer says something else


@dataclass(frozen=True)
class RatingAnswer:
    """{letter: {question key: value}}; a question that was left out is not there."""

    scores: Mapping[str, Mapping[str, int]]
    questions: tuple[Question, ...]


def score_field(letter: str, key: str) -> str:
    """The form's field for one cell of the grid."""
    return f"score-{letter.lower()}-{key}"


def row(judgement: Judgement, shown: Sequence[Shown], said: RatingAnswer) -> Rating:
    return Rating(
        judgement=judgement,
        scores={str(entry.response.pk): dict(said.scores[entry.letter]) for entry in shown},
        questions=[{**asdict(question), "names": list(question.names)} for question in said.questions],
        shown=[entry.response.pk for entry in shown],
    )


def draft_of(judgement: Judgement, shown: Sequence[Shown]) -> dict[str, Any]:
    return {
        score_field(entry.letter, key): str(value)
        for entry in shown
        for key, value in judgement.rating.scores[str(entry.response.pk)].items()
    }


def describe(judgement: Judgement, names: Mapping[int, str]) -> str:
    """ "A: Overall quality 6, Made-up facts No; B: …"."""
    rating = judgement.rating
    return "; ".join(
        f"{names[pk]}: {_say(rating.scores[str(pk)], rating.questions) or 'nothing'}"
        for pk in sorted(rating.shown, key=lambda pk: names[pk])
    )


def _say(scores: Mapping[str, int], questions: Sequence[Mapping[str, Any]]) -> str:
    answered = [question for question in questions if question["key"] in scores]
    return ", ".join(f"{question['label']} {_name(question, scores[question['key']])}" for question in answered)


def _name(question: Mapping[str, Any], value: int) -> str:
    return str(question["names"][value - 1]) if question["names"] else str(value)


def agreed(judgement: Judgement) -> dict[str, Any]:
    """The scores, and how many points each required question has."""
    rating = judgement.rating
    points = {question["key"]: question["points"] for question in rating.questions if question["required"]}
    return {"scores": rating.scores, "points": points}


def matches(said: Any, known: Any) -> bool:
    """Every required score within one point of the agreed one, and the very same where there are few points."""
    return all(
        _is_near(said["scores"].get(response, {}).get(key), scores[key], points)
        for response, scores in known["scores"].items()
        for key, points in known["points"].items()
        if key in scores
    )


def _is_near(value: int | None, known: int, points: int) -> bool:
    return value is not None and abs(value - known) <= (0 if points <= EXACT_UP_TO else 1)


RATING = AnswerKind(related="rating", row=row, draft_of=draft_of, describe=describe, agreed=agreed, matches=matches)
