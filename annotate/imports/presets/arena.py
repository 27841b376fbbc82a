"""Chatbot Arena and MT-Bench: two models answer, somebody says which answer is better.

With conversations: question_id, model_a, model_b, winner (model_a, model_b, tie, tie (bothbad)), judge, turn,
conversation_a, conversation_b (role and content). Source: lmsys/chatbot_arena_conversations and
lmsys/mt_bench_human_judgments (Zheng et al. 2023).
As lists of texts: id, model_a, model_b, prompt, response_a, response_b (JSON lists, a text a turn), winner_model_a,
winner_model_b, winner_tie. Source: lmsys/lmsys-arena-human-preference-55k.
Without texts (MT-Bench verdicts): question_id, turn, model_a, model_b, winner, judge. The answers come from another
file, imported first: question_id, model, messages (MT-Bench answers).

After the first turn each side has answered differently, so the replies that follow answer different conversations;
such a row is refused, since a comparison is of two responses to one prompt.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from annotate.imports.conversations import user_turn
from annotate.imports.presets.reading import (
    annotator_in,
    conversation_in,
    model_in,
    object_in,
    prompt_of,
    split_reply,
    text_in,
    whole_in,
)
from annotate.imports.rows import (
    JudgedRow,
    Options,
    PromptRow,
    ReadJudgement,
    ReadResponse,
    RowRefused,
    SaidComparison,
)

WINNERS = {
    "model_a": -1,
    "model_b": 1,
    "tie": 0,
    "tie (bothbad)": None,
    "tie (both bad)": None,
    "bothbad": None,
    "both_bad": None,
}
DIFFERENT = (
    "judges a reply that follows two different conversations; a comparison is of two responses to one prompt, "
    "so only replies with the same turns before them can be compared"
)


def read_arena(value: Any, options: Options) -> Sequence[JudgedRow]:
    row = object_in(value)
    sides = [conversation_in(row, field) for field in ("conversation_a", "conversation_b")]
    (history, first), (other, second) = (
        split_reply(turns, field) for (_, turns), field in zip(sides, ("conversation_a", "conversation_b"), strict=True)
    )
    if (sides[0][0], history) != (sides[1][0], other):
        raise RowRefused(DIFFERENT)
    prompt = prompt_of(row, history, "Chatbot Arena", system=sides[0][0])
    return [_compared(row, prompt, first, second, _winner(row))]


def read_arena_lists(value: Any, options: Options) -> Sequence[JudgedRow]:
    row = object_in(value)
    asked, first, second = (_texts(row, field) for field in ("prompt", "response_a", "response_b"))
    if len(asked) != 1:
        raise RowRefused(DIFFERENT)
    wins = {name: whole_in(row, f"winner_{name}") for name in ("model_a", "model_b", "tie")}
    if sum(wins.values()) != 1:
        raise RowRefused("“winner_model_a”, “winner_model_b” and “winner_tie” must be one 1 and two 0")
    winner = WINNERS[next(name for name, won in wins.items() if won)]
    prompt = prompt_of({**row, "prompt": None}, user_turn(asked[0]), "Chatbot Arena, lists of texts")
    return [_compared(row, prompt, first[0], second[0], winner)]


def read_verdict(value: Any, options: Options) -> Sequence[JudgedRow]:
    """A verdict on answers that the project has already, found by question and model."""
    row = object_in(value)
    if whole_in(row, "turn") != 1:
        raise RowRefused(DIFFERENT)
    prompt = PromptRow([], "MT-Bench verdict", external_id=str(whole_in(row, "question_id")))
    return [_compared(row, prompt, "", "", _winner(row))]


def read_answers(value: Any, options: Options) -> Sequence[JudgedRow]:
    """Every turn of one model's conversation: the first under the question's own id, the others under theirs."""
    row = object_in(value)
    system, turns = conversation_in(row, "messages")
    if len(turns) > 2 and not turns[-1]["content"].strip():
        turns = turns[:-2]  # the model said nothing at last; what it said before stands
    name, question = model_in(row, "model"), str(whole_in(row, "question_id"))
    rows = []
    for end in range(2, len(turns) + 1, 2):
        history, reply = split_reply(turns[:end], "messages")
        number = end // 2
        identity = question if number == 1 else f"{question}/{name}/{number}"
        prompt = prompt_of(row, history, "MT-Bench answers", system=system, external_id=identity)
        rows.append(JudgedRow(prompt, (ReadResponse(reply, name),)))
    return rows


def _compared(row: dict[str, Any], prompt: PromptRow, first: str, second: str, winner: int | None) -> JudgedRow:
    """The left side is model A's, as both sites show it."""
    said = SaidComparison(winner, first_on_left=True)
    sides = (ReadResponse(first, model_in(row, "model_a")), ReadResponse(second, model_in(row, "model_b")))
    prompt = replace(prompt, tags=tuple(filter(None, (*prompt.tags, text_in(row, "language")[:60]))))
    return JudgedRow(prompt, sides, (ReadJudgement(said=said, about=(0, 1), annotator=annotator_in(row)),))


def _winner(row: dict[str, Any]) -> int | None:
    winner = text_in(row, "winner").lower()
    if winner not in WINNERS:
        raise RowRefused(f"“winner” is “{winner[:40]}”; understood are {', '.join(WINNERS)}")
    return WINNERS[winner]


def _texts(row: dict[str, Any], field: str) -> list[str]:
    found = row.get(field)
    if isinstance(found, str):
        try:
            found = json.loads(found)
        except ValueError as error:
            raise RowRefused(f"“{field}” is not a JSON list of texts") from error
    if not isinstance(found, list) or not found or not all(isinstance(text, str) and text.strip() for text in found):
        raise RowRefused(f"“{field}” must be a list of texts, none of them empty")
    return [text.strip() for text in found]
