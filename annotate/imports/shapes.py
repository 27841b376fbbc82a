"""Shapes of a row: which of its fields are the prompt, the tags, the id and the responses.

Detected row by row, so that a file may mix them. A field the owner named comes before all.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from annotate.imports.conversations import check_prompt, check_response, parse_messages, user_turn
from annotate.imports.rows import FileRefused, Options, PromptRow, ReadResponse, RowRefused

PROMPT_FIELDS = ("messages", "turns", "instances", "instruction", "prompt", "question", "text")
PAIR_FIELDS = ("chosen", "rejected")
ID_FIELDS = ("id", "external_id", "question_id", "prompt_id", "idx")
TAG_FIELDS = ("category", "motivation_app", "tags")
RESPONSE_FIELDS = ("response", "completion", "output")
AUTHOR_FIELDS = ("model", "generator", "author")
REFERENCE = "reference"  # the author of answers that a data set gives as its own
MAX_TAG = 60
MAX_ID = 200
MAX_NAME = 120


def read_prompt(value: Any, options: Options) -> PromptRow:
    """The prompt in a row. Raises RowRefused with the reason."""
    if isinstance(value, str):
        row = PromptRow(messages=user_turn(value.strip()), shape="one prompt a line")
    elif isinstance(value, dict):
        row = _read_object(value, options.column)
    else:
        raise RowRefused("is neither an object nor text")
    check_prompt(row.system, row.messages, "prompt")
    return row


def find_field(names: list[str], column: str = "") -> str:
    """The field a prompt would be read from, or "" when there is none."""
    if column:
        return column if column in names else ""
    return next((name for name in PROMPT_FIELDS if name in names and name != "instances"), "")


def check_columns(names: list[str], *, is_pairs: bool, column: str = "") -> None:
    """Raise FileRefused when a CSV's header has no column to read from."""
    found = ", ".join(f"“{name}”" for name in names)
    if is_pairs and not set(PAIR_FIELDS) <= set(names):
        raise FileRefused(f"Judged pairs need the columns “chosen” and “rejected”. The file has {found}.")
    if not is_pairs and not find_field(names, column):
        wanted = f"no column “{column}”" if column else "no column that is known to hold prompts"
        raise FileRefused(
            f"The file has {wanted}. It has {found}; understood are “prompt”, “instruction”, “question” and “text”. "
            "Choose the column with the prompts, or rename it."
        )


def _read_object(value: dict[str, Any], column: str) -> PromptRow:
    if column:
        return facts_of(_read_text_or_messages(value, column), value)
    for name, read in SHAPES.items():
        if name in value:
            return facts_of(read(value), value)
    found = ", ".join(f"“{name}”" for name in list(value)[:12]) or "no field at all"
    raise RowRefused(f"has no field for a prompt: it has {found}; understood are {', '.join(SHAPES)}")


def _read_messages(value: dict[str, Any]) -> PromptRow:
    """OpenAI style. A last assistant turn is a response to what stands before it."""
    system, messages = parse_messages(value["messages"], "messages")
    responses: tuple[ReadResponse, ...] = ()
    if messages and messages[-1]["role"] == "assistant":
        text = check_response(messages.pop()["content"], "messages")
        responses = (ReadResponse(text, name_in(value, AUTHOR_FIELDS)),)
    return PromptRow(messages=messages, system=system, responses=responses, shape="messages")


def _read_turns(value: dict[str, Any]) -> PromptRow:
    """Vicuna and MT-Bench questions. What the user says next needs an answer in between, so the first turn is taken."""
    turns = value["turns"]
    if not isinstance(turns, list) or not turns or not all(isinstance(turn, str) for turn in turns):
        raise RowRefused("“turns” must be a list of texts with at least one in it")
    if len(turns) == 1:
        return PromptRow(messages=user_turn(turns[0].strip()), shape="turns")
    note = f"the first of {len(turns)} turns is the prompt; the next would need a reply before it."
    return PromptRow(messages=user_turn(turns[0].strip()), shape="turns", tags=("multi-turn",), note=note)


def _read_instances(value: dict[str, Any]) -> PromptRow:
    """Self-instruct: an instruction and instances of it, of which the first is taken."""
    instances = value["instances"]
    if not isinstance(instances, list) or not instances or not isinstance(instances[0], dict):
        raise RowRefused("“instances” must be a list of objects with input and output")
    text = _join_instruction(value.get("instruction"), instances[0].get("input", ""), "instances[0].input")
    output = instances[0].get("output", "")
    responses = (ReadResponse(output, REFERENCE),) if isinstance(output, str) and output.strip() else ()
    note = f"the first of {len(instances)} instances is taken." if len(instances) > 1 else ""
    return PromptRow(messages=user_turn(text), responses=responses, shape="self-instruct task", note=note)


def _read_instruction(value: dict[str, Any]) -> PromptRow:
    """Alpaca and self-instruct predictions: instruction, optional input, perhaps a response and a reference."""
    text = _join_instruction(value["instruction"], value.get("input", ""), "input")
    target = value.get("target", "")
    responses = (ReadResponse(target, REFERENCE),) if isinstance(target, str) and target.strip() else ()
    return PromptRow(messages=user_turn(text), responses=responses, shape="instruction and input")


def _read_prompt(value: dict[str, Any]) -> PromptRow:
    return _read_text_or_messages(value, "prompt")


def _read_question(value: dict[str, Any]) -> PromptRow:
    return _read_text_or_messages(value, "question")


def _read_text(value: dict[str, Any]) -> PromptRow:
    return _read_text_or_messages(value, "text")


SHAPES: dict[str, Callable[[dict[str, Any]], PromptRow]] = {
    "messages": _read_messages,
    "turns": _read_turns,
    "instances": _read_instances,
    "instruction": _read_instruction,
    "prompt": _read_prompt,
    "question": _read_question,
    "text": _read_text,
}


def _read_text_or_messages(value: dict[str, Any], field: str) -> PromptRow:
    """One field, text or messages. Here the last turn must be the user's."""
    content = value.get(field)
    if isinstance(content, list):
        system, messages = parse_messages(content, field)
        check_prompt(system, messages, field)
        return PromptRow(messages=messages, system=system, shape=f"{field} as messages")
    if not isinstance(content, str):
        raise RowRefused(f"“{field}” must be text or a list of messages" if field in value else f"has no “{field}”")
    return PromptRow(messages=user_turn(content.strip()), shape=field)


def _join_instruction(instruction: Any, extra: Any, extra_field: str) -> str:
    if not isinstance(instruction, str):
        raise RowRefused("“instruction” must be text")
    if not isinstance(extra, str):
        raise RowRefused(f"“{extra_field}” must be text")
    return "\n\n".join(part for part in (instruction.strip(), extra.strip()) if part)


def facts_of(row: PromptRow, value: dict[str, Any], *, with_responses: bool = True) -> PromptRow:
    """The row with what stands beside the prompt: id, tags, source, system text, and if wanted responses."""
    system = value.get("system")
    return PromptRow(
        messages=row.messages,
        shape=row.shape,
        system=row.system or (system if isinstance(system, str) else ""),
        tags=tuple(dict.fromkeys((*_tags(value), *row.tags))),
        source=name_in(value, ("source",)),
        external_id=_external_id(value),
        responses=(*row.responses, *(_responses(value) if with_responses else ())),
        note=row.note,
    )


def _responses(value: dict[str, Any]) -> list[ReadResponse]:
    author = name_in(value, AUTHOR_FIELDS)
    found = [(field, value[field]) for field in RESPONSE_FIELDS if value.get(field)]
    return [ReadResponse(check_response(text, field).strip(), author) for field, text in found]


def _tags(value: dict[str, Any]) -> list[str]:
    tags: list[str] = []
    for field in TAG_FIELDS:
        if not (content := value.get(field)):
            continue
        parts: list[Any] = content if isinstance(content, list) else [content]
        if isinstance(content, str) and field == "tags":
            parts = content.split(",")
        if not all(isinstance(part, str) for part in parts):
            raise RowRefused(f"“{field}” must be text or a list of texts")
        tags += [part.strip() for part in parts if part.strip()]
    if too_long := next((tag for tag in tags if len(tag) > MAX_TAG), ""):
        raise RowRefused(f"the tag “{too_long[:MAX_TAG]}…” has {len(too_long)} characters; the limit is {MAX_TAG}")
    return tags


def _external_id(value: dict[str, Any]) -> str:
    for field in ID_FIELDS:
        content = value.get(field)
        if content is None or content == "" or isinstance(content, bool):
            continue
        if not isinstance(content, str | int):
            raise RowRefused(f"“{field}” must be text or a whole number")
        if len(str(content)) > MAX_ID:
            raise RowRefused(f"“{field}” has {len(str(content))} characters; the limit is {MAX_ID}")
        return str(content)
    return ""


def name_in(value: dict[str, Any], fields: tuple[str, ...]) -> str:
    """The first of these fields that is text, cut to what a name may have."""
    texts = (value.get(field) for field in fields)
    return next((text.strip()[:MAX_NAME] for text in texts if isinstance(text, str) and text.strip()), "")
