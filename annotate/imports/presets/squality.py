"""SQuALITY's human evaluation: for each question three systems' summaries, scored, ranked and marked by reviewers.

A row is a passage: passage-id, questions: {number: {system: {response, reviews}}}. A review has worker_id,
correctness-rating, selection-rating and overall-rating (0 to 100, stored as 1 to 101), the same three as ranks, and
annotations: [{selection: words of the response, annotation: [remarks]}]. Source: nyu-mll/SQuALITY (Wang et al. 2022).

The file has neither the passages nor the questions: the prompt names them by their numbers. Marks without offsets are
put where their words first stand; words that do not stand there are left out. Of the ranks the overall one is kept: the
other two repeat the order of their ratings.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from annotate.imports.conversations import user_turn
from annotate.imports.presets.reading import annotator_in, object_in, prompt_of, response_in, whole_in
from annotate.imports.rows import (
    JudgedRow,
    Options,
    ReadJudgement,
    ReadResponse,
    RowRefused,
    Said,
    SaidRanking,
    SaidRating,
    SaidSpans,
)
from annotate.kinds.options import Question

QUESTIONS = tuple(
    Question(key=key, label=label, points=101, low="0 of 100", high="100 of 100")
    for key, label in (("overall", "Overall"), ("correctness", "Correctness"), ("selection", "Coverage"))
)
MARKED = "highlight"


def read_squality(value: Any, options: Options) -> Sequence[JudgedRow]:
    row = object_in(value)
    passage = str(row.get("passage-id", ""))
    questions = object_in(row.get("questions"))
    if not questions:
        raise RowRefused("has no question")
    return [_judged(passage, number, object_in(systems)) for number, systems in questions.items()]


def _judged(passage: str, number: str, systems: dict[str, Any]) -> JudgedRow:
    text = f"Answer question {number} about the story {passage} with a summary. (SQuALITY; the story is not here.)"
    prompt = prompt_of({}, user_turn(text), "SQuALITY", external_id=f"{passage}/{number}")
    entries = [object_in(entry) for entry in systems.values()]
    responses = tuple(response_in(entry, "response", name) for name, entry in zip(systems, entries, strict=True))
    reviews: dict[str, dict[int, dict[str, Any]]] = {}
    for place, entry in enumerate(entries):
        for review in map(object_in, entry.get("reviews") or []):
            reviews.setdefault(annotator_in(review), {})[place] = review
    judgements = [judgement for who, mine in reviews.items() for judgement in _reviewed(who, mine, responses)]
    return JudgedRow(prompt, responses, tuple(judgements))


def _reviewed(
    who: str, reviews: Mapping[int, dict[str, Any]], responses: Sequence[ReadResponse]
) -> Iterator[ReadJudgement]:
    about = tuple(sorted(reviews))
    scores = {
        place: {question.key: whole_in(review, f"{question.key}-rating") + 1 for question in QUESTIONS}
        for place, review in reviews.items()
    }
    yield _judgement(SaidRating(scores, QUESTIONS), about, who)
    if len(about) > 1:
        ranks = {place: whole_in(review, "overall-rank") for place, review in reviews.items()}
        tiers = tuple(tuple(place for place in about if ranks[place] == rank) for rank in sorted(set(ranks.values())))
        yield _judgement(SaidRanking(tiers), about, who)
    for place, review in sorted(reviews.items()):
        spans = tuple(_spans(review, responses[place].text))
        if spans:
            yield _judgement(SaidSpans(place, spans), (place,), who)


def _judgement(said: Said, about: tuple[int, ...], who: str) -> ReadJudgement:
    return ReadJudgement(said=said, about=about, annotator=who)


def _spans(review: Mapping[str, Any], text: str) -> Iterator[dict[str, Any]]:
    for mark in map(object_in, review.get("annotations") or []):
        words = str(mark.get("selection") or "")
        start = text.find(words)
        if words and start >= 0:
            notes = " ".join(str(note) for note in mark.get("annotation") or [])
            facts = {"start": start, "end": start + len(words), "text": words}
            yield facts | {"category": MARKED, "severity": "", "note": notes[:2_000]}
