"""What an import would do, shown before it is done. Reads the beginning of the file and writes nothing."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from itertools import islice

from annotate.imports.readers import READERS
from annotate.imports.rows import FileRefused, PairRow, PromptRow, Refusal, Row
from annotate.models import Import
from annotate.services.pairs import find_said, place_pair
from annotate.services.prompts import match_prompts, match_responses
from annotate.services.uploads import BEGINNING_BYTES, author_of_file, interpret, job_options, open_upload, read_upload

ROWS_READ = 1_000
ROWS_SHOWN = 20


@dataclass
class PreviewRow:
    """A row as it will be stored."""

    number: int
    prompt: PromptRow
    pair: PairRow | None
    is_known: bool

    @property
    def excerpt(self) -> str:
        return " ".join(self.prompt.messages[-1]["content"].split())


@dataclass
class Preview:
    rows: list[PreviewRow] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    columns: list[str] = field(default_factory=list)
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


def preview_import(job: Import) -> Preview:
    """The file's beginning as it would be stored; `problem` is set when nothing of it could be."""
    preview = Preview()
    found: list[tuple[int, PromptRow | PairRow, str]] = []
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


def _read_beginning(job: Import, preview: Preview, found: list[tuple[int, PromptRow | PairRow, str]]) -> None:
    options = job_options(job)
    with open_upload(job, stop_after=BEGINNING_BYTES) as source:
        rows = read_upload(job, source)
        try:
            for row in islice(rows, ROWS_READ):
                if source.is_stopped:  # what is read now was cut by the stop
                    break
                if isinstance(row, Row) and isinstance(row.value, dict) and not preview.columns:
                    preview.columns = list(row.value)
                meaning = interpret(job, row, options)
                if isinstance(meaning, Refusal):
                    preview.refused.append(meaning)
                elif isinstance(row, Row):
                    found.append((row.number, meaning, row.raw))
            preview.is_complete = next(rows, None) is None and not source.is_stopped
        except FileRefused as error:
            preview.columns = preview.columns or _columns(job)
            raise error


def _columns(job: Import) -> list[str]:
    """The header of a CSV that was refused for want of the right column."""
    with open_upload(job, stop_after=BEGINNING_BYTES) as source:
        first = next((row for row in READERS[job.format](source) if isinstance(row, Row)), None)
    return list(first.value) if first and isinstance(first.value, dict) else []


def _match(job: Import, preview: Preview, found: list[tuple[int, PromptRow | PairRow, str]]) -> None:
    prompts = [row.prompt if isinstance(row, PairRow) else row for _, row, _ in found]
    outcomes = match_prompts(project=job.project, rows=prompts)
    match_responses(rows=prompts, outcomes=outcomes, author_name=author_of_file(job))
    pairs = [place_pair(row) for _, row, _ in found if isinstance(row, PairRow)]
    said = set(find_said(project=job.project, pairs=pairs)) if pairs else set()
    for (number, row, raw), prompt, outcome in zip(found, prompts, outcomes, strict=True):
        pair = row if isinstance(row, PairRow) else None
        if outcome.reason:
            preview.refused.append(Refusal(number, outcome.reason, raw))
            continue
        is_known = place_pair(pair).submission_id in said if pair else not outcome.is_new
        if pair:
            said.add(place_pair(pair).submission_id)
        preview.rows.append(PreviewRow(number, prompt, pair, is_known))
