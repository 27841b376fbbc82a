"""Plumbline's own form “Everything” (annotate/exports/lossless.py), back in: nothing is trimmed, guessed or renamed.

A judgement keeps its id, a person the pseudonym of the file, a response its author and sampling, a task the order of
its responses. So a snapshot of what was imported, split the same way, has the same lines and the same hash. From
Parquet, what was said and the sampling come as JSON text.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from annotate.imports.conversations import check_prompt
from annotate.imports.rows import (
    JudgedRow,
    Options,
    PromptRow,
    ReadJudgement,
    ReadResponse,
    RowRefused,
    Said,
    SaidComparison,
    SaidDemonstration,
    SaidEdit,
    SaidRanking,
    SaidRating,
    SaidSpans,
)
from annotate.kinds.options import Question, read_question

TASK = "as exported"  # keeps the order of the responses; judgements of the same responses meet in one task
WORK = "work"  # the purpose of a task that is neither gold nor practice nor an evaluation
AUTHOR_KINDS = ("model", "person", "file", "remote")
FINISH_REASONS = ("stop", "length", "")
MAX_AUTHOR = 200
MAX_ANNOTATOR = 120


def read_lossless(value: Any, options: Options) -> Sequence[JudgedRow]:
    """The one judgement of a line. Raises RowRefused naming the field."""
    if not isinstance(value, dict):
        raise RowRefused("is not an object with named fields")
    kind = field(value, "kind", str)
    if kind not in SAID:
        raise RowRefused(f"“kind” is “{kind}”; known are {', '.join(SAID)}")
    if field(value, "purpose", str) != WORK:
        raise RowRefused(f"is of a task for {value['purpose']}; only judgements of work are taken")
    try:
        return [read_line(value, kind)]
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise RowRefused(f"what was said of the responses cannot be read: {error!r}") from error


def read_line(value: Mapping[str, Any], kind: str) -> JudgedRow:
    answer = unpacked(value, "answer")
    responses = field(value, "responses", list)
    judgement = ReadJudgement(
        said=SAID[kind](answer),
        about=tuple(place for place in range(len(responses)) if place != added_place(kind, answer)),
        annotator=short(value, "annotator", MAX_ANNOTATOR),
        kind=kind,
        submission_id=read_id(value),
        judged_at=read_time(value),
        rationale=field(value, "rationale", str),
        flags={place: response.get("flags") or [] for place, response in enumerate(responses)},
        active_seconds=optional(value, "active_seconds", float),
        guideline_version=optional(value, "guideline_version", int),
        is_adjudication=field(value, "adjudication", bool),
        is_surplus=field(value, "surplus", bool),
        task=TASK,
    )
    return JudgedRow(read_prompt(field(value, "prompt", dict)), read_responses(responses), (judgement,))


def read_prompt(value: Mapping[str, Any]) -> PromptRow:
    messages = [{"role": turn["role"], "content": turn["content"]} for turn in field(value, "messages", list)]
    system = field(value, "system", str)
    check_prompt(system, messages, "prompt.messages")
    return PromptRow(
        messages=messages,
        shape="a line of “Everything”",
        system=system,
        tags=tuple(field(value, "tags", list)),
        source=short(value, "source", 120),
        external_id=short(value, "external_id", 200),
    )


def read_responses(values: Sequence[Mapping[str, Any]]) -> tuple[ReadResponse, ...]:
    """Known by all that the file says of them; of several that are the same, the place counts too."""
    found: list[ReadResponse] = []
    for value in values:
        author = field(value, "author", dict)
        sampling = {name: part for name, part in unpacked(value, "sampling").items() if part is not None}
        facts = {name: value.get(name) for name in ("text", "author", "seed", "token_count", "finish_reason")}
        key = key_of({**facts, "sampling": sampling})
        same = sum(response.key.startswith(key) for response in found)
        found.append(
            ReadResponse(
                text=field(value, "text", str),
                author=short(author, "name", MAX_AUTHOR),
                author_kind=one_of(author, "kind", AUTHOR_KINDS),
                key=f"{key}-{same}" if same else key,
                sampling=sampling,
                seed=optional(value, "seed", int),
                token_count=optional(value, "token_count", int),
                finish_reason=one_of(value, "finish_reason", FINISH_REASONS),
            )
        )
    return tuple(found)


def key_of(facts: Mapping[str, Any]) -> str:
    digest = uuid.uuid5(uuid.NAMESPACE_OID, json.dumps(facts, sort_keys=True, ensure_ascii=False))
    return f"lossless-{digest.hex}"


def added_place(kind: str, answer: Mapping[str, Any]) -> int | None:
    """The response that the answer brought, which is none of the task's."""
    return int(answer["response"]) if kind in ("demonstration", "edit") else None


def field(value: Mapping[str, Any], name: str, kind: type) -> Any:
    found = value.get(name)
    if not isinstance(found, kind):
        raise RowRefused(f"“{name}” is {str(found)[:40]!r}; it must be {WORDS[kind]}")
    return found


def optional(value: Mapping[str, Any], name: str, kind: type) -> Any:
    """The number, or None."""
    found = value.get(name)
    if found is None or (type(found) in (int, float) and kind(found) == found):
        return None if found is None else kind(found)
    raise RowRefused(f"“{name}” is {str(found)[:40]!r}; it must be {WORDS[kind]} or null")


def short(value: Mapping[str, Any], name: str, most: int) -> str:
    text = str(field(value, name, str))
    if len(text) > most:
        raise RowRefused(f"“{name}” has {len(text):,} characters; the limit is {most}")
    return text


def one_of(value: Mapping[str, Any], name: str, choices: Sequence[str]) -> str:
    text = str(field(value, name, str))
    if text not in choices:
        raise RowRefused(f"“{name}” is “{text[:40]}”; known are {', '.join(filter(None, choices))}")
    return text


def unpacked(value: Mapping[str, Any], name: str) -> dict[str, Any]:
    """An object, or the JSON text of one."""
    found = value.get(name)
    try:
        found = json.loads(found) if isinstance(found, str) else found
    except ValueError as error:
        raise RowRefused(f"“{name}” is no JSON: {error}") from error
    if not isinstance(found, dict):
        raise RowRefused(f"“{name}” is {str(found)[:40]!r}; it must be an object")
    return found


WORDS = {
    str: "text",
    bool: "true or false",
    list: "a list",
    dict: "an object",
    int: "a whole number",
    float: "a number",
}


def read_id(value: Mapping[str, Any]) -> uuid.UUID:
    text = field(value, "id", str)
    try:
        return uuid.UUID(text)
    except ValueError as error:
        raise RowRefused(f"“id” is “{text[:40]}”, which is no UUID") from error


def read_time(value: Mapping[str, Any]) -> datetime:
    text = field(value, "created_at", str)
    try:
        time = datetime.fromisoformat(text)
    except ValueError as error:
        raise RowRefused(f"“created_at” is “{text[:40]}”, which is no ISO 8601 time") from error
    if time.tzinfo is None:
        raise RowRefused(f"“created_at” is “{text[:40]}”, which does not say in which time zone")
    return time


def say_comparison(answer: Mapping[str, Any]) -> Said:
    return SaidComparison(
        preference=answer["preference"],
        points=answer["points"],
        first_on_left=answer["first_on_left"],
        dimensions=answer["dimensions"],
    )


def say_ranking(answer: Mapping[str, Any]) -> Said:
    return SaidRanking(tiers=tuple(map(tuple, answer["tiers"])), shown=tuple(answer["shown"]))


def say_rating(answer: Mapping[str, Any]) -> Said:
    scores = {place: {k: v for k, v in said.items() if v is not None} for place, said in enumerate(answer["scores"])}
    questions: tuple[Question, ...] = tuple(map(read_question, answer["questions"]))
    return SaidRating(scores=scores, questions=questions, shown=tuple(answer["shown"]))


def say_demonstration(answer: Mapping[str, Any]) -> Said:
    return SaidDemonstration(response=answer["response"], suggestion=answer["suggestion"])


def say_edit(answer: Mapping[str, Any]) -> Said:
    return SaidEdit(original=answer["original"], response=answer["response"])


def say_spans(answer: Mapping[str, Any]) -> Said:
    return SaidSpans(response=answer["response"], spans=tuple(answer["spans"]), critique=answer["critique"])


SAID: dict[str, Callable[[Mapping[str, Any]], Said]] = {
    "comparison": say_comparison,
    "chat": say_comparison,
    "ranking": say_ranking,
    "rating": say_rating,
    "demonstration": say_demonstration,
    "edit": say_edit,
    "spans": say_spans,
}
