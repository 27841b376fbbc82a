"""Argilla's records, of version 1 and 2, as their JSON export has them.

A record has fields: {name: text}, external_id or id, metadata, and responses. Version 1: responses is a list of
{user_id, status, values: {question: {value}}}. Version 2: {question: [{value, user_id}]}. Source: argilla-io/argilla,
FeedbackRecord and Record.to_dict. Suggestions are a model's and are left out, drafts and discarded responses too.

The prompt is the field named prompt, instruction, question, input, text or context; every other field of text is a
response under its own name. A ranking is a list of {value, rank} or of names, best first; a label that is the name of
a field, or tie, is a comparison; a number rates the one response, or that which its question's name ends with; text is
a demonstration, or the rationale where the question is named so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from annotate.imports.conversations import check_response, user_turn
from annotate.imports.presets.reading import annotator_in, conversation_in, object_in, prompt_of
from annotate.imports.rows import (
    JudgedRow,
    Options,
    ReadJudgement,
    ReadResponse,
    RowRefused,
    SaidComparison,
    SaidDemonstration,
    SaidRanking,
    SaidRating,
)
from annotate.kinds.options import Question

PROMPTS = ("prompt", "instruction", "question", "input", "text", "context")
REASONS = re.compile(r"rationale|reason|explanation|comment|feedback|critique")
MOST_POINTS = 10
Answers = dict[str, Any]  # {question: value}


def read_argilla(value: Any, options: Options) -> Sequence[JudgedRow]:
    row = object_in(value)
    fields = object_in(row.get("fields"))
    name = next((name for name in PROMPTS if fields.get(name)), None)
    if name is None:
        raise RowRefused(f"has no field for a prompt: it has {', '.join(fields)}; understood are {', '.join(PROMPTS)}")
    system, turns = conversation_in(fields, name) if isinstance(fields[name], list) else ("", user_turn(fields[name]))
    names = [field for field, text in fields.items() if field != name and isinstance(text, str) and text.strip()]
    responses = [ReadResponse(check_response(fields[field], field).strip(), field) for field in names]
    facts = {"id": row.get("external_id") or row.get("id") or row.get("_server_id")}
    judgements: list[ReadJudgement] = []
    for who, answers in _answered(row.get("responses") or []).items():
        judgements += _judged(who, answers, names, responses)
    return [JudgedRow(prompt_of(facts, turns, "Argilla record", system=system), tuple(responses), tuple(judgements))]


def _answered(responses: Any) -> dict[str, Answers]:
    """{annotator: {question: value}} of either version."""
    found: dict[str, Answers] = {}
    if isinstance(responses, dict):
        for question, entries in responses.items():
            for entry in map(object_in, entries):
                if entry.get("status", "submitted") == "submitted":
                    found.setdefault(annotator_in(entry), {})[question] = entry.get("value")
        return found
    for entry in map(object_in, responses):
        if entry.get("status", "submitted") == "submitted":
            values = object_in(entry.get("values") or {})
            found[annotator_in(entry)] = {name: object_in(said).get("value") for name, said in values.items()}
    return found


def _judged(who: str, answers: Answers, names: Sequence[str], responses: list[ReadResponse]) -> Iterator[ReadJudgement]:
    reasons = [value for question, value in answers.items() if isinstance(value, str) and REASONS.search(question)]
    rationale = "\n\n".join(reasons)[:20_000]
    scores: dict[int, dict[str, int]] = {}
    for question, value in answers.items():
        if isinstance(value, list):
            yield _ranked(who, value, names, rationale)
        elif isinstance(value, int) and not isinstance(value, bool):
            scores.setdefault(_place_of(question, names), {})[_key_of(question, names)] = value
        elif isinstance(value, str) and (value in names or value.lower() == "tie") and len(names) == 2:
            preference = 0 if value not in names else 2 * names.index(value) - 1
            said = SaidComparison(preference, first_on_left=True)
            yield ReadJudgement(said=said, about=(0, 1), annotator=who, rationale=rationale)
        elif isinstance(value, str) and value.strip() and not REASONS.search(question):
            responses.append(ReadResponse(check_response(value, question).strip(), who))
            yield ReadJudgement(said=SaidDemonstration(len(responses) - 1), about=(), annotator=who)
    if scores:
        yield _rated(who, scores, rationale)


def _ranked(who: str, value: list[Any], names: Sequence[str], rationale: str) -> ReadJudgement:
    places: dict[int, list[int]] = {}
    for number, entry in enumerate(value, 1):
        name = entry.get("value") if isinstance(entry, dict) else entry
        rank = entry.get("rank", number) if isinstance(entry, dict) else number
        if name not in names or not isinstance(rank, int):
            raise RowRefused(f"a ranking names “{name}”, which is none of its responses: {', '.join(names)}")
        places.setdefault(rank, []).append(names.index(name))
    tiers = tuple(tuple(places[rank]) for rank in sorted(places))
    about = tuple(sorted(place for tier in tiers for place in tier))
    return ReadJudgement(said=SaidRanking(tiers), about=about, annotator=who, rationale=rationale)


def _rated(who: str, scores: Mapping[int, Mapping[str, int]], rationale: str) -> ReadJudgement:
    keys = list(dict.fromkeys(key for said in scores.values() for key in said))
    most = max(5, *(value for said in scores.values() for value in said.values()))
    if most > MOST_POINTS:
        raise RowRefused(f"a rating of {most} is above {MOST_POINTS}, the highest that Argilla has")
    questions = tuple(Question(key=key, label=key, points=5 if most <= 5 else MOST_POINTS) for key in keys)
    about = tuple(sorted(scores))
    return ReadJudgement(said=SaidRating(scores, questions), about=about, annotator=who, rationale=rationale)


def _place_of(question: str, names: Sequence[str]) -> int:
    """The response a question is about: the only one, or that with its name or number at the question's end."""
    if len(names) == 1:
        return 0
    ending = _number(question)
    matches = [place for place, name in enumerate(names) if question.endswith(name)]
    matches = matches or [place for place, name in enumerate(names) if ending and _number(name) == ending]
    if len(matches) != 1:
        raise RowRefused(f"the question “{question}” does not say which response it rates: {', '.join(names)}")
    return matches[0]


def _key_of(question: str, names: Sequence[str]) -> str:
    """The question's name without the response's, so that all responses are scored on the same one."""
    if len(names) == 1:
        return question
    name = next((name for name in names if question.endswith(name)), _number(question))
    return question.removesuffix(name).rstrip("-_ .") or "rating"


def _number(name: str) -> str:
    match = re.search(r"\d+$", name)
    return match[0] if match else ""
