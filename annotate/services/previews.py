"""What an import would do, shown before it is done. Reads the beginning of the file and writes nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice

from annotate.imports.presets.table import PRESETS, find_preset
from annotate.imports.readers import READERS
from annotate.imports.rows import BEGINNING, FileRefused, JudgedRow, PromptRow, Refusal, Row
from annotate.models import Import
from annotate.services.judged_rows import match_judged
from annotate.services.prompts import Outcome, match_prompts
from annotate.services.references import resolve_references
from annotate.services.said_in_words import LETTERS, say_judgement
from annotate.services.uploads import BEGINNING_BYTES, author_of_file, interpret, job_options, open_upload, read_upload

ROWS_READ = 1_000
ROWS_SHOWN = 20
RESPONSES_SHOWN = 4
JUDGEMENTS_SHOWN = 3


@dataclass
class PreviewRow:
    """A row of the file as it will be stored: its first part, and how many more there are."""

    number: int
    part: JudgedRow
    more_parts: int
    is_known: bool

    @property
    def prompt(self) -> PromptRow:
        return self.part.prompt

    @property
    def excerpt(self) -> str:
        if not self.prompt.messages:
            return f"the prompt “{self.prompt.external_id}” of this project"
        return " ".join(self.prompt.messages[-1]["content"].split())

    @property
    def responses(self) -> list[tuple[str, str]]:
        """(who wrote it, the text) of the first ones."""
        return [(read.author, read.text) for read in self.part.responses[:RESPONSES_SHOWN]]

    @property
    def lettered(self) -> list[tuple[str, str, str]]:
        """The same, each with the letter that what was said calls it by."""
        return [(LETTERS[place], author, text) for place, (author, text) in enumerate(self.responses)]

    @property
    def more_responses(self) -> int:
        return max(0, len(self.part.responses) - RESPONSES_SHOWN)

    @property
    def said(self) -> list[tuple[str, str]]:
        """(who, what was said in words) of the first judgements."""
        return [(read.annotator, say_judgement(read)) for read in self.part.judgements[:JUDGEMENTS_SHOWN]]

    @property
    def more_said(self) -> int:
        return max(0, len(self.part.judgements) - JUDGEMENTS_SHOWN)


@dataclass
class Preview:
    rows: list[PreviewRow] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    columns: list[str] = field(default_factory=list)
    recognised: str = ""  # the key of the preset that the first row is of
    problem: str = ""  # why nothing could be taken
    is_complete: bool = False  # the whole file was read

    @property
    def shown(self) -> list[PreviewRow]:
        return self.rows[:ROWS_SHOWN]

    @property
    def refused_shown(self) -> list[Refusal]:
        return self.refused[:ROWS_SHOWN]

    @property
    def read_count(self) -> int:
        return len(self.rows) + len(self.refused)

    @property
    def new_count(self) -> int:
        return sum(not row.is_known for row in self.rows)

    @property
    def known_count(self) -> int:
        return sum(row.is_known for row in self.rows)

    @property
    def shapes(self) -> list[str]:
        return sorted({row.prompt.shape for row in self.rows})

    @property
    def notes(self) -> list[tuple[str, int]]:
        """What was left out on purpose, and in how many rows."""
        return Counter(row.prompt.note for row in self.rows if row.prompt.note).most_common()

    @property
    def recognised_fields(self) -> str:
        return PRESETS[self.recognised].fields if self.recognised else ""


Found = tuple[Row, Sequence[JudgedRow]]


def preview_import(job: Import) -> Preview:
    """The file's beginning as it would be stored; `problem` is set when nothing of it could be."""
    preview = Preview()
    found: list[Found] = []
    try:
        _read_beginning(job, preview, found)
    except FileRefused as error:
        preview.problem = str(error)
    _match(job, preview, found)
    preview.refused.sort(key=lambda refusal: refusal.number)
    if not preview.problem and not preview.rows and preview.is_complete:
        first = preview.refused[0]
        preview.problem = f"Every row is refused. Row {first.number}: {first.reason}"
    return preview


def _read_beginning(job: Import, preview: Preview, found: list[Found]) -> None:
    options = job_options(job)
    with open_upload(job, stop_after=BEGINNING_BYTES) as source:
        rows = read_upload(job, source)
        try:
            for row in islice(rows, ROWS_READ):
                if source.is_stopped:  # what is read now was cut by the stop
                    break
                if isinstance(row, Row) and not preview.recognised:
                    preview.recognised = find_preset(row.value)
                    preview.columns = list(row.value) if isinstance(row.value, dict) else []
                meaning = interpret(job, row, options)
                if isinstance(meaning, Refusal):
                    preview.refused.append(meaning)
                elif isinstance(row, Row):
                    found.append((row, meaning))
            preview.is_complete = next(rows, None) is None and not source.is_stopped
        except FileRefused as error:
            preview.columns = preview.columns or _columns(job)
            raise error


def _columns(job: Import) -> list[str]:
    """The header of a CSV that was refused for want of the right column."""
    with open_upload(job, stop_after=BEGINNING_BYTES) as source:
        first = next((row for row in READERS[job.format](source, BEGINNING) if isinstance(row, Row)), None)
    return list(first.value) if first and isinstance(first.value, dict) else []


def _match(job: Import, preview: Preview, found: list[Found]) -> None:
    parts, reasons = resolve_references(project=job.project, rows=[part for _, row in found for part in row])
    outcomes = match_prompts(project=job.project, rows=[part.prompt for part in parts])
    for outcome, reason in zip(outcomes, reasons, strict=True):
        if reason:
            outcome.prompt, outcome.is_new, outcome.reason = None, False, reason
    match_judged(project=job.project, rows=parts, outcomes=outcomes, author_name=author_of_file(job))
    ended = 0
    for row, meaning in found:
        mine: list[Outcome] = outcomes[ended : ended + len(meaning)]
        first, ended = parts[ended], ended + len(meaning)
        if reason := next((outcome.reason for outcome in mine if outcome.reason), ""):
            preview.refused.append(Refusal(row.number, reason, row.raw))
            continue
        is_known = not any(outcome.is_new for outcome in mine)
        preview.rows.append(PreviewRow(row.number, first, len(meaning) - 1, is_known))
