"""What must be true of a judged row before it is stored, whatever format it was read from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from annotate.imports.rows import (
    MAX_RATIONALE_CHARACTERS,
    JudgedRow,
    ReadJudgement,
    RowRefused,
    SaidComparison,
    SaidDemonstration,
    SaidEdit,
    SaidRanking,
    SaidRating,
    SaidSpans,
)
from annotate.models import Kind
from annotate.models.projects import SCALE_MAXIMUM
from annotate.services.tasks import SIZES

KINDS: dict[type, Kind] = {
    SaidComparison: Kind.COMPARISON,
    SaidRanking: Kind.RANKING,
    SaidRating: Kind.RATING,
    SaidDemonstration: Kind.DEMONSTRATION,
    SaidEdit: Kind.EDIT,
    SaidSpans: Kind.SPANS,
}


def kind_of(judgement: ReadJudgement) -> str:
    return judgement.kind or KINDS[type(judgement.said)]


def check_judged(row: JudgedRow) -> JudgedRow:
    """The row itself, when all that is said in it can be stored. Raises RowRefused with the reason."""
    for judgement in row.judgements:
        _check_about(row, judgement)
        CHECKS[type(judgement.said)](row, judgement, judgement.said)
        if len(judgement.rationale) > MAX_RATIONALE_CHARACTERS:
            raise RowRefused(
                f"a rationale has {len(judgement.rationale):,} characters; the limit is {MAX_RATIONALE_CHARACTERS:,}"
            )
    return row


def _check_about(row: JudgedRow, judgement: ReadJudgement) -> None:
    kind, about = kind_of(judgement), judgement.about
    wanted = SIZES[Kind(KINDS[type(judgement.said)])]
    if len(about) not in wanted:
        count = f"{wanted[0]}" if len(wanted) == 1 else f"{wanted[0]} to {wanted[-1]}"
        raise RowRefused(f"a {kind} is about {len(about)} responses; it may be about {count}")
    names = [(row.responses[place].key, row.responses[place].author, row.responses[place].text) for place in about]
    if len(set(names)) < len(names):
        raise RowRefused("two of the responses are identical, and by the same author: there is nothing to tell apart")


def _check_comparison(row: JudgedRow, judgement: ReadJudgement, said: SaidComparison) -> None:
    first, second = (row.responses[place] for place in judgement.about)
    if first.text and not first.key and first.text.strip() == second.text.strip():
        raise RowRefused("the two responses are identical: there is nothing to prefer")
    if said.points is not None and said.points not in SCALE_MAXIMUM:
        raise RowRefused(f"a scale of {said.points} points is none of {', '.join(map(str, SCALE_MAXIMUM))}")
    most = SCALE_MAXIMUM[said.points or 2]
    for name, value in (("preference", said.preference or 0), *said.dimensions.items()):
        if abs(value) > most:
            raise RowRefused(f"“{name}” is {value}; the scale ends at {most}")


def _check_ranking(row: JudgedRow, judgement: ReadJudgement, said: SaidRanking) -> None:
    placed = [place for tier in said.tiers for place in tier]
    if sorted(placed) != sorted(judgement.about) or not all(said.tiers):
        raise RowRefused("the ranking does not name every response once")


def _check_rating(row: JudgedRow, judgement: ReadJudgement, said: SaidRating) -> None:
    points = {question.key: question.points for question in said.questions}
    if not points:
        raise RowRefused("the rating has no question")
    if not any(said.scores.get(place) for place in judgement.about):
        raise RowRefused("the rating gives no response a score")
    for place in judgement.about:
        _check_scores(said.scores.get(place, {}), points)


def _check_scores(scores: Mapping[str, int], points: Mapping[str, int]) -> None:
    for key, value in scores.items():
        if key not in points:
            raise RowRefused(f"a score for “{key}” answers no question of the rating")
        if not 1 <= value <= points[key]:
            raise RowRefused(f"the score {value} for “{key}” is not on its scale from 1 to {points[key]}")


def _check_demonstration(row: JudgedRow, judgement: ReadJudgement, said: SaidDemonstration) -> None:
    if said.response in judgement.about:
        raise RowRefused("what was written is among its own suggestions")


def _check_edit(row: JudgedRow, judgement: ReadJudgement, said: SaidEdit) -> None:
    if row.responses[said.original].text == row.responses[said.response].text:
        raise RowRefused("the edit changes nothing")


def _check_spans(row: JudgedRow, judgement: ReadJudgement, said: SaidSpans) -> None:
    text = row.responses[said.response].text
    for span in said.spans:
        start, end = span["start"], span["end"]
        if not 0 <= start < end <= len(text):
            raise RowRefused(f"a passage goes from {start} to {end}, which is not in a text of {len(text)} characters")
        if text[start:end] != span["text"]:
            raise RowRefused(f"the passage from {start} to {end} is not what stands there")


CHECKS: dict[type, Callable[[JudgedRow, ReadJudgement, Any], None]] = {
    SaidComparison: _check_comparison,
    SaidRanking: _check_ranking,
    SaidRating: _check_rating,
    SaidDemonstration: _check_demonstration,
    SaidEdit: _check_edit,
    SaidSpans: _check_spans,
}
