"""Instructions with what to answer: Alpaca, self-instruct and ShareGPT. Their answers are demonstrations.

Alpaca: instruction, input (may be empty), output; source: tatsu-lab/stanford_alpaca.
Self-instruct: id, instruction, instances: a list of {input, output}; source: yizhongw/self-instruct.
ShareGPT: conversations: a list of {from: human, gpt or system, value}; source: the files FastChat trains on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from annotate.imports.conversations import user_turn
from annotate.imports.presets.reading import (
    conversation_in,
    demonstrated,
    list_in,
    model_in,
    object_in,
    prompt_of,
    response_in,
    split_reply,
    text_in,
)
from annotate.imports.rows import JudgedRow, Options, ReadResponse, RowRefused
from annotate.imports.shapes import REFERENCE


def read_alpaca(value: Any, options: Options) -> Sequence[JudgedRow]:
    row = object_in(value)
    prompt = prompt_of(row, user_turn(_joined(row, row)), "Alpaca")
    return [demonstrated(prompt, response_in(row, "output", model_in(row, "generator", "model")))]


def read_self_instruct(value: Any, options: Options) -> Sequence[JudgedRow]:
    """Every instance of the task; the second and later ones have their number behind the id."""
    row = object_in(value)
    instances = [object_in(instance) for instance in list_in(row, "instances")]
    if not instances:
        raise RowRefused("“instances” is empty; there is nothing to ask")
    rows = []
    for number, instance in enumerate(instances, 1):
        prompt = prompt_of(row, user_turn(_joined(row, instance)), "self-instruct task")
        if number > 1 and prompt.external_id:
            prompt = prompt_of(row, prompt.messages, prompt.shape, external_id=f"{prompt.external_id}-{number}")
        if text_in(instance, "output"):
            rows.append(demonstrated(prompt, response_in(instance, "output", REFERENCE)))
        else:
            rows.append(JudgedRow(prompt))
    return rows


def read_sharegpt(value: Any, options: Options) -> Sequence[JudgedRow]:
    """The last turn of the assistant, with all that stands before it as its prompt."""
    row = object_in(value)
    system, turns = conversation_in(row, "conversations")
    if turns and turns[-1]["role"] == "user":
        return [JudgedRow(prompt_of(row, turns, "ShareGPT", system=system))]
    history, reply = split_reply(turns, "conversations")
    prompt = prompt_of(row, history, "ShareGPT", system=system)
    return [demonstrated(prompt, ReadResponse(reply, model_in(row, "model")))]


def _joined(task: Mapping[str, Any], instance: Mapping[str, Any]) -> str:
    return "\n\n".join(filter(None, (text_in(task, "instruction"), text_in(instance, "input"))))
