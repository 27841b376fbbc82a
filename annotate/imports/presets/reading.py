"""Fields of a row in the type they should have. Every function raises RowRefused naming the field and what it holds.

A CSV has nothing but text, so a number and a yes may also come as text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from annotate.imports.conversations import (
    check_prompt,
    check_response,
    parse_messages,
    parse_transcript,
    user_turn,
)
from annotate.imports.rows import JudgedRow, PromptRow, ReadJudgement, ReadResponse, RowRefused, SaidDemonstration
from annotate.imports.shapes import facts_of, name_in

Turns = list[dict[str, str]]
SHAREGPT_ROLES = {
    "human": "user",
    "user": "user",
    "gpt": "assistant",
    "chatgpt": "assistant",
    "bing": "assistant",
    "bard": "assistant",
    "assistant": "assistant",
    "model": "assistant",
    "system": "system",
}
YES = ("true", "1", "yes", "good", "👍")
NO = ("false", "0", "no", "bad", "👎")
ANNOTATOR_FIELDS = ("annotator", "judge", "labeler", "worker_id", "user_id")
MAX_ANNOTATOR = 120


def object_in(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise RowRefused("is not an object with named fields")
    return value


def list_in(value: Mapping[str, Any], field: str) -> list[Any]:
    found = value.get(field)
    if not isinstance(found, list):
        raise RowRefused(f"“{field}” must be a list")
    return found


def text_in(value: Mapping[str, Any], field: str) -> str:
    """The text of a field that may be missing or null: then ""."""
    found = value.get(field)
    if found is None:
        return ""
    if not isinstance(found, str):
        raise RowRefused(f"“{field}” must be text")
    return found.strip()


def response_in(value: Mapping[str, Any], field: str, author: str = "") -> ReadResponse:
    if field not in value:
        raise RowRefused(f"has no “{field}”")
    if isinstance(value[field], str) and not value[field].strip():
        raise RowRefused(f"“{field}” is empty: there is no response to judge")
    return ReadResponse(check_response(value[field], field).strip(), author[:200])


def number_in(value: Mapping[str, Any], field: str) -> float | None:
    """The number in a field; None when it is missing, null, empty or N/A."""
    found = value.get(field)
    if found is None or (isinstance(found, str) and found.strip().lower() in ("", "n/a", "na", "none", "null")):
        return None
    try:
        if isinstance(found, bool) or not isinstance(found, str | int | float):
            raise ValueError
        number = float(found)
    except ValueError as error:
        raise RowRefused(f"“{field}” is {_shown(found)}; it must be a number") from error
    if number != number or number in (float("inf"), float("-inf")):
        raise RowRefused(f"“{field}” is {_shown(found)}; it must be a number")
    return number


def whole_in(value: Mapping[str, Any], field: str) -> int:
    number = number_in(value, field)
    if number is None or not number.is_integer():
        raise RowRefused(f"“{field}” is {_shown(value.get(field))}; it must be a whole number")
    return int(number)


def yes_in(value: Mapping[str, Any], field: str) -> bool:
    found = value.get(field)
    word = str(found).strip().lower()
    if word not in YES + NO:
        raise RowRefused(f"“{field}” is {_shown(found)}; it must be true or false")
    return word in YES


def annotator_in(value: Mapping[str, Any], fields: Sequence[str] = ANNOTATOR_FIELDS) -> str:
    """Who judged, as the file names them: text or a number; “imported” when it names nobody."""
    for field in fields:
        found = value.get(field)
        if isinstance(found, str | int) and not isinstance(found, bool) and str(found).strip():
            return str(found).strip()[:MAX_ANNOTATOR]
    return "imported"


def conversation_in(value: Mapping[str, Any], field: str) -> tuple[str, Turns]:
    """(system text, turns) of a field: text, an HH-RLHF transcript, messages with role and content or from, value."""
    found = value.get(field)
    if isinstance(found, str):
        if found.startswith("\n\nHuman:"):
            turns = parse_transcript(found, field)
            return "", turns[:-1] if turns[-1] == {"role": "assistant", "content": ""} else turns
        return "", user_turn(found.strip())
    if isinstance(found, list) and found and isinstance(found[0], dict) and "from" in found[0]:
        return parse_messages([_from_value(turn, f"{field}[{index}]") for index, turn in enumerate(found)], field)
    return parse_messages(found, field)


def split_reply(turns: Turns, field: str) -> tuple[Turns, str]:
    """(what was said before, the last turn, which must be the assistant's)."""
    if not turns or turns[-1]["role"] != "assistant":
        raise RowRefused(f"“{field}” must end with a turn of the assistant")
    return turns[:-1], check_response(turns[-1]["content"], field).strip()


def prompt_of(
    value: Mapping[str, Any], turns: Turns, shape: str, *, system: str = "", external_id: str | None = None
) -> PromptRow:
    """A checked prompt with what stands beside it in the row: id, tags, source, system text."""
    row = facts_of(PromptRow(messages=turns, system=system, shape=shape), dict(value), with_responses=False)
    check_prompt(row.system, row.messages, "prompt")
    return row if external_id is None else replace(row, external_id=external_id)


def demonstrated(prompt: PromptRow, response: ReadResponse, annotator: str = "imported") -> JudgedRow:
    """A prompt with the response that somebody gives as the ideal one."""
    said = ReadJudgement(said=SaidDemonstration(response=0), about=(), annotator=annotator)
    return JudgedRow(prompt, (response,), (said,))


def model_in(value: Mapping[str, Any], *fields: str) -> str:
    return name_in(dict(value), fields)


def _from_value(turn: Any, where: str) -> dict[str, Any]:
    if not isinstance(turn, dict) or not isinstance(turn.get("from"), str) or "value" not in turn:
        raise RowRefused(f"“{where}” is not an object with from and value")
    role = SHAREGPT_ROLES.get(turn["from"].lower())
    if role is None:
        raise RowRefused(f"“{where}.from” is “{turn['from']}”; understood are {', '.join(SHAREGPT_ROLES)}")
    return {"role": role, "content": turn["value"]}


def _shown(found: Any) -> str:
    return f"“{str(found)[:40]}”"
