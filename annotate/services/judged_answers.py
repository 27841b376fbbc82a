"""What a file says that somebody said, as the unsaved row that its kind of judgement keeps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
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
from annotate.models import Comparison, Demonstration, Edit, Kind, Ranking, Rating, Response, SpanFeedback
from annotate.services.answers.text_distance import word_distance

StoredAnswer = Comparison | Ranking | Rating | Demonstration | Edit | SpanFeedback
ANSWER_MODELS: dict[str, type[StoredAnswer]] = {
    Kind.COMPARISON: Comparison,
    Kind.CHAT: Comparison,
    Kind.RANKING: Ranking,
    Kind.RATING: Rating,
    Kind.DEMONSTRATION: Demonstration,
    Kind.EDIT: Edit,
    Kind.SPANS: SpanFeedback,
}
UNCOMPARED = {"judgement", "first_on_left", "shown"}  # how it was shown is not what was said


def build_answer(read: ReadJudgement, order: Sequence[int], responses: Sequence[Response]) -> StoredAnswer:
    """The answer's row without its judgement. `order` is the task's own, as places of the row's responses."""
    return BUILDERS[type(read.said)](read, order, responses, read.said)


def is_same_answer(one: StoredAnswer, other: StoredAnswer) -> bool:
    """Whether both say the same, whatever side or order it was said in."""
    names = [field.attname for field in one._meta.concrete_fields if field.name not in UNCOMPARED]
    return type(one) is type(other) and all(getattr(one, name) == getattr(other, name) for name in names)


def _comparison(
    read: ReadJudgement, order: Sequence[int], responses: Sequence[Response], said: SaidComparison
) -> Comparison:
    is_kept = tuple(order) == tuple(read.about)
    side = 1 if is_kept else -1
    left = said.first_on_left
    return Comparison(
        first=responses[order[0]],
        second=responses[order[1]],
        first_on_left=left if left is None or is_kept else not left,
        points=said.points,
        preference=None if said.preference is None else side * said.preference,
        both_bad=said.preference is None,
        dimensions={name: side * value for name, value in said.dimensions.items()},
    )


def _ranking(read: ReadJudgement, order: Sequence[int], responses: Sequence[Response], said: SaidRanking) -> Ranking:
    tiers = [sorted(responses[place].pk for place in tier) for tier in said.tiers]
    return Ranking(tiers=tiers, shown=[responses[place].pk for place in said.shown or read.about])


def _rating(read: ReadJudgement, order: Sequence[int], responses: Sequence[Response], said: SaidRating) -> Rating:
    return Rating(
        scores={str(responses[place].pk): dict(said.scores.get(place, {})) for place in order},
        questions=[{**asdict(question), "names": list(question.names)} for question in said.questions],
        shown=[responses[place].pk for place in said.shown or read.about],
    )


def _demonstration(
    read: ReadJudgement, order: Sequence[int], responses: Sequence[Response], said: SaidDemonstration
) -> Demonstration:
    written = responses[said.response]
    suggestion = None if said.suggestion is None else responses[said.suggestion]
    distance = word_distance(suggestion.text, written.text) if suggestion else None
    return Demonstration(response=written, suggestion=suggestion, distance=distance)


def _edit(read: ReadJudgement, order: Sequence[int], responses: Sequence[Response], said: SaidEdit) -> Edit:
    original, written = responses[said.original], responses[said.response]
    return Edit(original=original, response=written, distance=word_distance(original.text, written.text))


def _spans(read: ReadJudgement, order: Sequence[int], responses: Sequence[Response], said: SaidSpans) -> SpanFeedback:
    spans = sorted((dict(span) for span in said.spans), key=lambda span: (span["start"], span["end"]))
    return SpanFeedback(response=responses[said.response], spans=spans, critique=said.critique)


BUILDERS: dict[type, Callable[[ReadJudgement, Sequence[int], Sequence[Response], Any], StoredAnswer]] = {
    SaidComparison: _comparison,
    SaidRanking: _ranking,
    SaidRating: _rating,
    SaidDemonstration: _demonstration,
    SaidEdit: _edit,
    SaidSpans: _spans,
}
