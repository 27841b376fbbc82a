"""What passes between the readers of files, the shapes they hold and the services that store them."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from annotate.kinds.options import Question

MAX_ROW_BYTES = 8 * 1024 * 1024
MAX_PROMPT_CHARACTERS = 100_000
MAX_RESPONSE_CHARACTERS = 100_000
MAX_RATIONALE_CHARACTERS = 20_000
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
    end: int = field(default=0, compare=False)  # where reading may go on: Start.offset


@dataclass(frozen=True, slots=True)
class Refusal:
    number: int
    reason: str
    raw: str
    end: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Start:
    """Where reading begins: after row `number`, at `offset`. An offset is in bytes of the unpacked file; in a Parquet
    file it is in rows."""

    number: int = 0
    offset: int = 0


BEGINNING = Start()


@dataclass(frozen=True, slots=True)
class ReadResponse:
    """A completion that came with its prompt. `author` is empty when the row names nobody.

    A `key` that is set is what the response is known by; without one it is known by its author and text.
    """

    text: str
    author: str = ""
    author_kind: str = "file"  # a value of Author.Kind
    key: str = ""
    sampling: Mapping[str, Any] = field(default_factory=dict)
    seed: int | None = None
    token_count: int | None = None
    finish_reason: str = ""


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
class SaidComparison:
    """Of two: `preference` < 0 prefers the first, 0 is a tie, None both bad; `points` None without a known scale.

    `first_on_left` None when the file does not say who saw what on which side.
    """

    preference: int | None
    points: int | None = None
    first_on_left: bool | None = None
    dimensions: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SaidRanking:
    """Places of the row's responses, best tier first, those of a tier tied."""

    tiers: tuple[tuple[int, ...], ...]
    shown: tuple[int, ...] = ()  # the order on the page; empty when not known


@dataclass(frozen=True, slots=True)
class SaidRating:
    """{place: {question key: value}}, and the questions that were asked."""

    scores: Mapping[int, Mapping[str, int]]
    questions: tuple[Question, ...]
    shown: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class SaidDemonstration:
    """Places of what was written, and of the suggestion it was made from."""

    response: int
    suggestion: int | None = None


@dataclass(frozen=True, slots=True)
class SaidEdit:
    """Places of a response, and of what it was made into."""

    original: int
    response: int


@dataclass(frozen=True, slots=True)
class SaidSpans:
    """Passages of one response: dicts with start, end, text, category, severity and note."""

    response: int
    spans: tuple[Mapping[str, Any], ...] = ()
    critique: str = ""


Said = SaidComparison | SaidRanking | SaidRating | SaidDemonstration | SaidEdit | SaidSpans


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadJudgement:
    """What somebody said of a row's responses. `about` holds the places of those the task is about.

    Judgements of the same responses are of one task, whose own order of them comes from a hash, unless `task` names
    it: then the order of `about` is kept, and tasks of other names stay apart. A judgement is known by its
    `submission_id`, else by its `external_id`, else by its task and annotator.
    """

    said: Said
    about: tuple[int, ...]
    annotator: str = "imported"
    kind: str = ""  # chat for the turn of a live chat; else what was said tells
    external_id: str = ""
    submission_id: uuid.UUID | None = None
    judged_at: datetime | None = None
    rationale: str = ""
    flags: Mapping[int, Sequence[str]] = field(default_factory=dict)  # {place: flags}
    active_seconds: float | None = None
    guideline_version: int | None = None  # as the file counts them: this project's own are other texts
    is_adjudication: bool = False
    is_surplus: bool = False
    task: str = ""


@dataclass(frozen=True, slots=True)
class JudgedRow:
    """A prompt, responses to it, and what was said of them: nothing of it, or by one person, or by several.

    A prompt without messages refers to the one in the project that has its external id; its responses then have no
    text and are found by their authors.
    """

    prompt: PromptRow
    responses: tuple[ReadResponse, ...] = ()
    judgements: tuple[ReadJudgement, ...] = ()


@dataclass(frozen=True, slots=True)
class Options:
    """What the owner chose in the preview. `column` names the field with the prompt when it is none we know.

    `columns` is {role: column} for rows of no known format, and `points` the scale of their preferences.
    """

    column: str = ""
    tags: list[str] = field(default_factory=list)
    source: str = ""
    id_prefix: str = ""
    keep_responses: bool = True
    columns: Mapping[str, str] = field(default_factory=dict)
    points: int | None = None
