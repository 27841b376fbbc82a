"""Judged pairs: HH-RLHF's two transcripts, and TRL's prompt, chosen, rejected as text or messages."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from annotate.imports.conversations import check_prompt, check_response, parse_messages, parse_transcript, user_turn
from annotate.imports.rows import Options, PairRow, PromptRow, ReadResponse, RowRefused
from annotate.imports.shapes import facts_of, name_in

ANNOTATOR_FIELDS = ("annotator", "judge", "labeler", "worker_id")
Conversation = tuple[str, list[dict[str, str]]]  # system text, turns


def read_pair(value: Any, options: Options) -> PairRow:
    """The pair in a row. Raises RowRefused with the reason."""
    if not isinstance(value, dict):
        raise RowRefused("is not an object with “chosen” and “rejected”")
    missing = [field for field in ("chosen", "rejected") if field not in value]
    if missing:
        found = ", ".join(f"“{name}”" for name in list(value)[:12])
        raise RowRefused(f"has no “{missing[0]}”: it has {found}")
    chosen, rejected = _read_side(value, "chosen", options), _read_side(value, "rejected", options)
    if chosen[0] != rejected[0]:
        raise RowRefused("“chosen” and “rejected” do not share a prompt: they differ before the last assistant turn")
    if chosen[1] == rejected[1]:
        raise RowRefused("“chosen” and “rejected” are identical: there is nothing to prefer")
    system, messages = chosen[0]
    check_prompt(system, messages, "prompt")
    prompt = facts_of(PromptRow(messages=messages, system=system, shape=_shape(value)), value)
    return PairRow(
        prompt=replace(prompt, responses=()),
        chosen=ReadResponse(chosen[1], name_in(value, ("chosen_model",))),
        rejected=ReadResponse(rejected[1], name_in(value, ("rejected_model",))),
        annotator=name_in(value, ANNOTATOR_FIELDS) or "imported",
    )


def _read_side(value: dict[str, Any], field: str, options: Options) -> tuple[Conversation, str]:
    """(the conversation before it, the response) of one side."""
    side, prompt = value[field], value.get(options.column or "prompt")
    if isinstance(side, list):
        system, turns = _join_messages(prompt, side, field)
    elif prompt is not None:
        system, turns = _read_prompt(prompt)
        return (system, turns), check_response(side, field).strip()
    elif isinstance(side, str):
        system, turns = "", parse_transcript(side, field)
    else:
        raise RowRefused(f"“{field}” must be text or a list of messages")
    if turns and turns[-1]["role"] != "assistant":
        raise RowRefused(f"“{field}” ends with a turn of the user; it must end with assistant text")
    text = check_response(turns[-1]["content"] if turns else "", field).strip()
    return (system, turns[:-1]), text


def _join_messages(prompt: Any, side: list[Any], field: str) -> Conversation:
    """A side of messages, whole or only its last turn after the prompt's."""
    is_reply = len(side) == 1 and isinstance(side[0], dict) and side[0].get("role") == "assistant"
    if prompt is None or not is_reply:
        return parse_messages(side, field)
    system, turns = _read_prompt(prompt)
    reply = side[0].get("content")
    return system, [*turns, {"role": "assistant", "content": check_response(reply, field)}]


def _read_prompt(prompt: Any) -> Conversation:
    if isinstance(prompt, list):
        return parse_messages(prompt, "prompt")
    if not isinstance(prompt, str):
        raise RowRefused("“prompt” must be text or a list of messages")
    if prompt.startswith("\n\nHuman:"):
        turns = parse_transcript(prompt, "prompt")
        return "", turns[:-1] if turns[-1] == {"role": "assistant", "content": ""} else turns
    return "", user_turn(prompt.strip())


def _shape(value: dict[str, Any]) -> str:
    if isinstance(value["chosen"], list):
        return "chosen and rejected as messages"
    return "prompt, chosen, rejected" if value.get("prompt") is not None else "HH-RLHF transcripts"
