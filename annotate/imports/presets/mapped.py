"""Rows of any other make: the owner says which column is what.

Roles: prompt, system, chosen, rejected, response_a, response_b, preference, model_a, model_b, annotator, rationale,
external_id, tags. With chosen and rejected, or with two responses and a preference, a row is a comparison; with one
response it is a prompt and its response.

A preference is a word for a side or a tie, or a number: with `points` a value of that scale, negative for A; without
it −1, 0 and 1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from annotate.imports.presets.reading import annotator_in, conversation_in, object_in, prompt_of, response_in, text_in
from annotate.imports.rows import (
    JudgedRow,
    Options,
    PromptRow,
    ReadJudgement,
    ReadResponse,
    RowRefused,
    SaidComparison,
)

ROLES = {
    "prompt": "Prompt",
    "system": "System text",
    "chosen": "Chosen response",
    "rejected": "Rejected response",
    "response_a": "Response A",
    "response_b": "Response B",
    "preference": "Preference",
    "model_a": "Model of A, or of chosen",
    "model_b": "Model of B, or of rejected",
    "annotator": "Who judged",
    "rationale": "Rationale",
    "external_id": "Id",
    "tags": "Tags",
}
FIRST = ("a", "left", "first", "model_a", "response_a", "answer_a", "chosen")
SECOND = ("b", "right", "second", "model_b", "response_b", "answer_b", "rejected")
LEVEL = ("tie", "equal", "same", "draw", "=")
NEITHER = ("both bad", "both_bad", "bothbad", "neither", "tie (bothbad)")
WORDS = dict.fromkeys(FIRST, -1) | dict.fromkeys(SECOND, 1) | dict.fromkeys(LEVEL, 0) | dict.fromkeys(NEITHER)


def read_mapped(value: Any, options: Options) -> Sequence[JudgedRow]:
    row = {role: object_in(value).get(column) for role, column in options.columns.items() if column}
    if row.get("prompt") is None:
        column = options.columns.get("prompt")
        raise RowRefused(f"has no “{column}”, the column of the prompt" if column else "no column is the prompt's yet")
    prompt = _prompt(row)
    if "chosen" in row and "rejected" in row:
        judged = (_side(row, "chosen", "model_a"), _side(row, "rejected", "model_b"))
        return [_compared(row, prompt, judged, SaidComparison(-1))]
    sides = tuple(
        _side(row, field, model)
        for field, model in (("response_a", "model_a"), ("response_b", "model_b"))
        if row.get(field) not in (None, "")
    )
    if "preference" not in row or row["preference"] in (None, "") or len(sides) < 2:
        return [JudgedRow(replace(prompt, external_id=_id(row)), sides)]
    said = SaidComparison(_preference(row, options), points=options.points, first_on_left=True)
    return [_compared(row, prompt, sides, said)]


def _prompt(row: Mapping[str, Any]) -> PromptRow:
    system, turns = conversation_in(row, "prompt")
    return prompt_of(
        {"tags": row.get("tags")}, turns, "columns you chose", system=system or text_in(row, "system"), external_id=""
    )


def _side(row: Mapping[str, Any], field: str, model: str) -> ReadResponse:
    return response_in(row, field, text_in(row, model))


def _compared(
    row: Mapping[str, Any], prompt: PromptRow, sides: tuple[ReadResponse, ...], said: SaidComparison
) -> JudgedRow:
    """A row's id is then the judgement's: several people may judge one prompt."""
    judgement = ReadJudgement(
        said=said,
        about=(0, 1),
        annotator=annotator_in(row, ("annotator",)),
        external_id=_id(row),
        rationale=text_in(row, "rationale"),
    )
    return JudgedRow(prompt, sides, (judgement,))


def _id(row: Mapping[str, Any]) -> str:
    found = row.get("external_id")
    return "" if found is None else str(found).strip()[:200]


def _preference(row: Mapping[str, Any], options: Options) -> int | None:
    word = str(row["preference"]).strip().lower()
    if word in WORDS:
        return WORDS[word]
    try:
        number = float(word)
    except ValueError as error:
        raise RowRefused(
            f"the preference “{word[:40]}” is none that is understood: a, b, tie, both bad, or a number"
        ) from error
    if not number.is_integer():
        raise RowRefused(f"the preference {word[:40]} is no whole number")
    return int(number)
