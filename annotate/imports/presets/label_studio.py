"""Label Studio's JSON export: tasks with data and what people annotated.

A task has id, data: {name: text}, annotations: a list of {completed_by (a number, or an object with email), created_at,
lead_time, was_cancelled, result}. A result has type and value: pairwise {selected: left or right}, choices {choices:
[…]}, rating {rating}, ranker {ranker: {name: [ids, best first]}}, textarea {text}. Source: labelstud.io, "Label Studio
JSON format of annotated tasks". Predictions are a model's and are left out, cancelled annotations too.

The prompt is the datum named prompt, instruction, question, input, query or text; every other text is a response, the
first on the left. Choices that name a side or a tie are a comparison; other choices are flags on the response. A text
is the comment of what else was said.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from annotate.imports.conversations import check_response, user_turn
from annotate.imports.presets.reading import conversation_in, list_in, number_in, object_in, prompt_of, whole_in
from annotate.imports.rows import (
    JudgedRow,
    Options,
    ReadJudgement,
    ReadResponse,
    RowRefused,
    Said,
    SaidComparison,
    SaidRanking,
    SaidRating,
)
from annotate.kinds.options import Question

PROMPTS = ("prompt", "instruction", "question", "input", "query", "text")
LEFT = {"left", "a", "1", "first", "answer1", "answer 1", "response 1", "response a", "model a", "text1"}
RIGHT = {"right", "b", "2", "second", "answer2", "answer 2", "response 2", "response b", "model b", "text2"}
LEVEL = {"tie", "equal", "same", "both good", "no difference", "both"}
NEITHER = {"both bad", "neither", "both_bad"}
VERDICTS = dict.fromkeys(LEFT, -1) | dict.fromkeys(RIGHT, 1) | dict.fromkeys(LEVEL, 0) | dict.fromkeys(NEITHER)
STARS = 5


def read_label_studio(value: Any, options: Options) -> Sequence[JudgedRow]:
    row = object_in(value)
    data = object_in(row.get("data"))
    name = next((name for name in PROMPTS if data.get(name)), None)
    if name is None:
        raise RowRefused(f"has no datum for a prompt: it has {', '.join(data)}; understood are {', '.join(PROMPTS)}")
    system, turns = conversation_in(data, name) if isinstance(data[name], list) else ("", user_turn(data[name].strip()))
    responses = _responses(data, name)
    judgements = tuple(
        judgement
        for annotation in map(object_in, list_in(row, "annotations"))
        if not annotation.get("was_cancelled") and (judgement := _judged(annotation, responses))
    )
    prompt = prompt_of({"id": row.get("id")}, turns, "Label Studio task", system=system)
    return [JudgedRow(prompt, tuple(responses.values()), judgements)]


def _responses(data: Mapping[str, Any], prompt: str) -> dict[str, ReadResponse]:
    """{name: response}: each text beside the prompt, and each item of a list for the ranker, under its id."""
    found: dict[str, ReadResponse] = {}
    for name, value in data.items():
        if name == prompt:
            continue
        if isinstance(value, str) and value.strip():
            found[name] = ReadResponse(check_response(value, name).strip(), name)
        elif isinstance(value, list) and all(isinstance(item, dict) and "id" in item for item in value):
            for item in value:
                text = item.get("body") or item.get("html") or item.get("text") or item.get("title")
                found[str(item["id"])] = ReadResponse(check_response(text, f"{name}.body").strip(), str(item["id"]))
    return found


def _judged(annotation: Mapping[str, Any], responses: Mapping[str, ReadResponse]) -> ReadJudgement | None:
    """What one person said of the task; None when the result is empty."""
    said: Said | None = None
    comments: list[str] = []
    flags: list[str] = []
    for result in map(object_in, annotation.get("result") or []):
        kind, value = str(result.get("type")), object_in(result.get("value"))
        if kind == "textarea":
            texts = value.get("text") or []
            comments += [texts] if isinstance(texts, str) else [str(text) for text in texts]
        elif kind == "choices" and str((value.get("choices") or [""])[0]).strip().lower() not in VERDICTS:
            flags += [str(choice)[:60] for choice in value.get("choices") or []]
        elif kind in READ_RESULT:
            said = READ_RESULT[kind](value, responses)
    if said is None:
        if flags or comments:
            raise RowRefused("has choices or text, but nothing that compares, ranks or rates the responses")
        return None
    places = tuple(range(len(responses)))
    return ReadJudgement(
        said=said,
        about=places,
        annotator=_who(annotation.get("completed_by")),
        judged_at=_time(annotation.get("created_at")),
        rationale="\n\n".join(comments)[:20_000],
        flags=dict.fromkeys(places, flags) if flags else {},
        active_seconds=number_in(annotation, "lead_time"),
    )


def _pairwise(value: Mapping[str, Any], responses: Mapping[str, ReadResponse]) -> Said:
    return _verdict(value.get("selected"))


def _choices(value: Mapping[str, Any], responses: Mapping[str, ReadResponse]) -> Said:
    return _verdict((value.get("choices") or [""])[0])


def _verdict(word: Any) -> SaidComparison:
    key = str(word).strip().lower()
    if key not in VERDICTS:
        raise RowRefused(f"“{word}” is no side of a comparison; understood are left, right, tie and both bad")
    return SaidComparison(VERDICTS[key], first_on_left=True)


def _rating(value: Mapping[str, Any], responses: Mapping[str, ReadResponse]) -> Said:
    score = whole_in(value, "rating")
    question = Question(key="rating", label="Rating", points=max(STARS, score))
    return SaidRating({0: {"rating": score}}, (question,))


def _ranker(value: Mapping[str, Any], responses: Mapping[str, ReadResponse]) -> Said:
    lists = object_in(value.get("ranker")).values()
    names, order = list(responses), [str(name) for found in lists for name in found]
    if strange := next((name for name in order if name not in names), None):
        raise RowRefused(f"a ranking names “{strange}”, which is none of its items: {', '.join(names)}")
    return SaidRanking(tuple((names.index(name),) for name in order))


READ_RESULT = {"pairwise": _pairwise, "choices": _choices, "rating": _rating, "ranker": _ranker}


def _who(completed_by: Any) -> str:
    if isinstance(completed_by, dict):
        completed_by = completed_by.get("email") or completed_by.get("id")
    return str(completed_by)[:120] if completed_by not in (None, "") else "imported"


def _time(value: Any) -> datetime | None:
    try:
        moment = datetime.fromisoformat(str(value)) if value else None
    except ValueError as error:
        raise RowRefused(f"“created_at” is “{str(value)[:40]}”; it must be a date and time") from error
    return moment.replace(tzinfo=UTC) if moment and moment.tzinfo is None else moment
