"""Conversations as files write them: lists of role and content, and HH-RLHF transcripts.

Every function raises RowRefused with the reason a person can act on.
"""

from __future__ import annotations

import re
from typing import Any

from annotate.imports.rows import MAX_PROMPT_CHARACTERS, MAX_RESPONSE_CHARACTERS, RowRefused

SYSTEM_ROLES = ("system", "developer")
TURN_MARK = re.compile(r"\n\n(Human|Assistant):")
TRANSCRIPT_ROLES = {"Human": "user", "Assistant": "assistant"}


def parse_messages(value: Any, field: str) -> tuple[str, list[dict[str, str]]]:
    """(system text, turns) of a list of {"role", "content"}; turns alternate and begin with the user's."""
    if not isinstance(value, list) or not value:
        raise RowRefused(f"“{field}” is {_kind(value)}; it must be a list of messages with role and content")
    messages = [_parse_message(message, f"{field}[{index}]") for index, message in enumerate(value)]
    system = ""
    if messages[0]["role"] in SYSTEM_ROLES:
        system = messages.pop(0)["content"]
    skipped = len(value) - len(messages)
    for index, message in enumerate(messages):
        expected = "user" if index % 2 == 0 else "assistant"
        if message["role"] != expected:
            raise RowRefused(
                f"“{field}[{index + skipped}]” is from “{message['role']}” where a turn of “{expected}” is due: "
                "user and assistant take turns, the user begins, and system text stands first"
            )
    return system, messages


def parse_transcript(text: str, field: str) -> list[dict[str, str]]:
    r"""The turns of "\n\nHuman: …\n\nAssistant: …", without the blanks around each. The last may be empty."""
    marks = list(TURN_MARK.finditer(text))
    if not marks or text[: marks[0].start()].strip() or marks[0][1] != "Human":
        raise RowRefused(f"“{field}” does not begin with “\\n\\nHuman:”, as an HH-RLHF transcript does")
    ends = [mark.start() for mark in marks[1:]] + [len(text)]
    turns = []
    for index, (mark, end) in enumerate(zip(marks, ends, strict=True)):
        expected = "Human" if index % 2 == 0 else "Assistant"
        if mark[1] != expected:
            raise RowRefused(
                f"“{field}” has “{mark[1]}:” as turn {index + 1} where “{expected}:” is due: "
                "a turn is missing, or a role marker stands inside a text"
            )
        turns.append({"role": TRANSCRIPT_ROLES[mark[1]], "content": text[mark.end() : end].strip()})
    return turns


def check_prompt(system: str, messages: list[dict[str, str]], field: str) -> None:
    """A prompt ends with a user turn, has text in every turn and keeps to the limit."""
    if not messages or messages[-1]["role"] != "user":
        last = messages[-1]["role"] if messages else "system"
        raise RowRefused(f"“{field}” ends with a turn of “{last}”; a prompt ends with a user turn")
    for index, message in enumerate(messages):
        if not message["content"].strip():
            raise RowRefused("the prompt is empty" if len(messages) == 1 else f"turn {index + 1} of “{field}” is empty")
    length = len(system) + sum(len(message["content"]) for message in messages)
    if length > MAX_PROMPT_CHARACTERS:
        raise RowRefused(f"the prompt has {length:,} characters; the limit is {MAX_PROMPT_CHARACTERS:,}")


def check_response(text: Any, field: str) -> str:
    """The text of a response: not empty, within the limit."""
    if not isinstance(text, str):
        raise RowRefused(f"“{field}” is {_kind(text)}; it must be text")
    if not text.strip():
        raise RowRefused(f"“{field}” has no assistant text at its end")
    if len(text) > MAX_RESPONSE_CHARACTERS:
        raise RowRefused(
            f"“{field}” has {len(text):,} characters; the limit for a response is {MAX_RESPONSE_CHARACTERS:,}"
        )
    return text


def user_turn(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}]


def _parse_message(message: Any, where: str) -> dict[str, str]:
    if not isinstance(message, dict) or "role" not in message or "content" not in message:
        raise RowRefused(f"“{where}” is not an object with role and content")
    role, content = message["role"], message["content"]
    if not isinstance(content, str):
        raise RowRefused(f"“{where}.content” is {_kind(content)}; it must be text")
    if not isinstance(role, str) or role not in (*SYSTEM_ROLES, "user", "assistant"):
        raise RowRefused(f"“{where}.role” is {role!r}; it must be system, user or assistant")
    return {"role": role, "content": content}


def _kind(value: Any) -> str:
    names = {type(None): "null", bool: "true or false", int: "a number", float: "a number", list: "a list"}
    if isinstance(value, str):
        return "text"
    return names.get(type(value), "an object") if not isinstance(value, list) or value else "an empty list"
