"""What passes between the readers of files, the shapes they hold and the services that store them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

MAX_ROW_BYTES = 8 * 1024 * 1024
MAX_PROMPT_CHARACTERS = 100_000
MAX_RESPONSE_CHARACTERS = 100_000
RAW_CHARACTERS = 10_000  # of a refused row, kept for its owner to mend


class RowRefused(Exception):
    """This row cannot be taken, for the reason it carries; the rows after it can."""


class FileRefused(Exception):
    """The file cannot be read, or not any further; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row as it stands in the file. `value` is text, or what the JSON or the columns said."""

    number: int
    value: Any
    raw: str


@dataclass(frozen=True, slots=True)
class Refusal:
    number: int
    reason: str
    raw: str


@dataclass(frozen=True, slots=True)
class ReadResponse:
    """A completion that came with its prompt. `author` is empty when the row names nobody."""

    text: str
    author: str = ""


@dataclass(frozen=True, slots=True)
class PromptRow:
    """A prompt ready to store. `messages` ends with a user turn; `shape` says how it was read."""

    messages: list[dict[str, str]]
    shape: str
    system: str = ""
    tags: tuple[str, ...] = ()
    source: str = ""
    external_id: str = ""
    responses: tuple[ReadResponse, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class PairRow:
    """Two responses to one prompt of which somebody preferred the first named."""

    prompt: PromptRow
    chosen: ReadResponse
    rejected: ReadResponse
    annotator: str = "imported"


@dataclass(frozen=True, slots=True)
class Options:
    """What the owner chose in the preview. `column` names the field with the prompt when it is none we know."""

    column: str = ""
    tags: list[str] = field(default_factory=list)
    source: str = ""
    id_prefix: str = ""
    keep_responses: bool = True
