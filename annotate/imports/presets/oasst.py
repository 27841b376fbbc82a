"""OpenAssistant's message trees: each reply to a turn of the user is a response; their ranks are a ranking.

Fields: message_tree_id, prompt: a message. A message has message_id, text, role (prompter or assistant), lang, rank (0
the best, null when nobody ranked it), model_name, deleted, replies: messages. Source: OpenAssistant/oasst1 and oasst2,
files *.trees.jsonl (Köpf et al. 2023).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from annotate.imports.conversations import check_response
from annotate.imports.presets.reading import Turns, model_in, object_in, prompt_of
from annotate.imports.rows import JudgedRow, Options, ReadJudgement, ReadResponse, RowRefused, SaidRanking

ROLES = {"prompter": "user", "assistant": "assistant"}
MOST_RANKED = 9


def read_tree(value: Any, options: Options) -> Sequence[JudgedRow]:
    row = object_in(value)
    rows = [
        _judged(row, message, turns)
        for message, turns in _messages(object_in(row.get("prompt")))
        if message["role"] == "prompter" and _replies(message)
    ]
    if not rows:
        raise RowRefused("is a tree in which nothing of the user has a reply")
    return rows


def _messages(root: dict[str, Any]) -> Iterator[tuple[dict[str, Any], Turns]]:
    """Each message with the conversation up to it, itself included."""
    waiting: list[tuple[dict[str, Any], Turns]] = [(root, [])]
    while waiting:
        message, before = waiting.pop()
        role, text = message.get("role"), message.get("text")
        if role not in ROLES or not isinstance(text, str):
            raise RowRefused(f"the message “{message.get('message_id')}” has no text by prompter or assistant")
        turns = [*before, {"role": ROLES[role], "content": text.strip()}]
        yield message, turns
        waiting += [(reply, turns) for reply in reversed(_replies(message))]


def _replies(message: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [reply for reply in map(object_in, message.get("replies") or []) if not reply.get("deleted")]


def _judged(tree: Mapping[str, Any], message: dict[str, Any], turns: Turns) -> JudgedRow:
    facts = {"id": message.get("message_id"), "tags": message.get("lang") or "", "source": tree.get("source")}
    replies = [reply for reply in _replies(message) if reply.get("role") == "assistant"]
    replies.sort(key=lambda reply: _rank(reply, len(replies)))
    responses = tuple(
        ReadResponse(check_response(reply.get("text"), "text").strip(), model_in(reply, "model_name"))
        for reply in replies
    )
    ranked = [place for place, reply in enumerate(replies) if reply.get("rank") is not None][:MOST_RANKED]
    prompt = prompt_of(facts, turns, "OpenAssistant tree")
    if len({responses[place].text for place in ranked}) < max(2, len(ranked)):
        return JudgedRow(prompt, responses)
    ranks = sorted({replies[place]["rank"] for place in ranked})
    tiers = tuple(tuple(place for place in ranked if replies[place]["rank"] == rank) for rank in ranks)
    return JudgedRow(prompt, responses, (ReadJudgement(said=SaidRanking(tiers), about=tuple(ranked)),))


def _rank(reply: Mapping[str, Any], last: int) -> int:
    rank = reply.get("rank")
    if rank is not None and (isinstance(rank, bool) or not isinstance(rank, int)):
        raise RowRefused(f"the rank of “{reply.get('message_id')}” is “{rank}”; it must be a whole number")
    return last if rank is None else rank
