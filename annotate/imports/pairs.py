"""Judged pairs: HH-RLHF's two transcripts, and TRL's prompt, chosen, rejected as text or messages."""

from __future__ import annotations

from typing import Any

from annotate.imports.conversations import check_response, parse_transcript
from annotate.imports.presets.reading import Turns, annotator_in, conversation_in, model_in, prompt_of, split_reply
from annotate.imports.rows import JudgedRow, Options, ReadJudgement, ReadResponse, RowRefused, SaidComparison

Conversation = tuple[str, Turns]  # system text, turns


def read_pair(value: Any, options: Options) -> JudgedRow:
    """The pair in a row, the chosen response first. Raises RowRefused with the reason.

    Two scores that are equal (UltraFeedback, binarised: score_chosen, score_rejected) make it a tie.
    """
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
    scores = value.get("score_chosen"), value.get("score_rejected")
    is_tie = scores[0] is not None and scores[0] == scores[1]
    return JudgedRow(
        prompt=prompt_of(value, messages, _shape(value), system=system),
        responses=(
            ReadResponse(chosen[1], model_in(value, "chosen_model")),
            ReadResponse(rejected[1], model_in(value, "rejected_model")),
        ),
        judgements=(
            ReadJudgement(said=SaidComparison(0 if is_tie else -1), about=(0, 1), annotator=annotator_in(value)),
        ),
    )


def _read_side(value: dict[str, Any], field: str, options: Options) -> tuple[Conversation, str]:
    """(the conversation before it, the response) of one side."""
    side, prompt = value[field], options.column or "prompt"
    has_prompt = value.get(prompt) is not None
    if isinstance(side, list | dict):
        system, turns = _join_messages(value, prompt, side, field)
    elif has_prompt:
        return _read_prompt(value, prompt), check_response(side, field).strip()
    elif isinstance(side, str):
        system, turns = "", parse_transcript(side, field)
    else:
        raise RowRefused(f"“{field}” must be text or a list of messages")
    if turns and turns[-1]["role"] != "assistant":
        raise RowRefused(f"“{field}” ends with a turn of the user; it must end with assistant text")
    history, reply = split_reply(turns, field)
    return (system, history), reply


def _join_messages(value: dict[str, Any], prompt: str, side: list[Any] | dict[str, Any], field: str) -> Conversation:
    """A side of messages, whole or only its last turn after the prompt's (which ShareGPT calls conversations)."""
    turns = side if isinstance(side, list) else [side]
    before = prompt if value.get(prompt) is not None else "conversations"
    is_reply = len(turns) == 1 and isinstance(turns[0], dict) and _role(turns[0]) not in ("user", "human", "system")
    if value.get(before) is None or not is_reply:
        return conversation_in({field: turns}, field)
    system, history = _read_prompt(value, before)
    reply = turns[0].get("content", turns[0].get("value"))
    return system, [*history, {"role": "assistant", "content": check_response(reply, field)}]


def _role(turn: dict[str, Any]) -> Any:
    return turn.get("role", turn.get("from"))


def _read_prompt(value: dict[str, Any], field: str) -> Conversation:
    if not isinstance(value[field], str | list):
        raise RowRefused(f"“{field}” must be text or a list of messages")
    return conversation_in(value, field)


def _shape(value: dict[str, Any]) -> str:
    if isinstance(value["chosen"], list | dict):
        return "chosen and rejected as messages"
    return "prompt, chosen, rejected" if value.get("prompt") is not None else "HH-RLHF transcripts"
