"""The form of fine-grained feedback: a list of passages as JSON, or without JavaScript as rows of quotes."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from django import forms

from annotate.forms.answers.answer_form import AnswerForm
from annotate.kinds.options import SpansOptions, read_options
from annotate.models import Kind, Project
from annotate.services.answers.passages import Passage, PassageError, find_quote, read_passage
from annotate.services.answers.spans import SpansAnswer

MOST_PASSAGES = 200
FREE_ROWS = 5
ROW = ("quote", "start", "category", "severity", "note")


@dataclass(frozen=True)
class QuoteRow:
    """A passage as plain fields; `start` remembers which of several equal quotes was meant."""

    number: int
    quote: str = ""
    start: str = ""
    category: str = ""
    severity: str = ""
    note: str = ""


class SpansForm(AnswerForm):
    has_rationale: ClassVar[bool] = False  # the critique is

    def add_fields(self) -> None:
        self.options: SpansOptions = read_options(Kind.SPANS, self.project.kind_options)
        self.passages: list[Passage] = []
        self.fields["spans"] = forms.CharField(required=False, strip=False, max_length=1_000_000)
        if self.options.ask_critique != Project.Rationale.OFF:
            self.fields["critique"] = forms.CharField(
                required=self.options.ask_critique == Project.Rationale.REQUIRED,
                max_length=20_000,
                error_messages={"required": "Write a critique in a sentence or two. This project asks for it."},
            )

    def text(self) -> str:
        return self.shown[0].response.text

    def clean(self) -> dict[str, Any]:
        data = self.cleaned_data
        if self.lenient:
            return data
        if row_field("quote", 1) in self.data:
            self._take([row for row in self.posted_rows() if row.quote.strip()], self._entry_of)
        elif "spans" in data:
            self._take(self._parsed(data["spans"]), lambda entry: entry)
        if not self.errors and not self.passages and not data.get("critique", "").strip():
            instead = "write a critique" if "critique" in self.fields else "skip this task"
            self.add_error(None, f"Nothing is marked yet. Mark at least one passage, or {instead}.")
        return data

    def _parsed(self, spans: str) -> list[Any]:
        entries = parse_entries(spans)
        if entries is None:
            self.add_error("spans", "The list of passages cannot be read. Reload the page, and mark them again.")
            return []
        return entries

    def _take(self, entries: list[Any], prepare: Callable[[Any], Any]) -> None:
        """Keep what is right, and name what is wrong."""
        if len(entries) > MOST_PASSAGES:
            self.add_error("spans", f"{len(entries)} passages are marked; leave at most {MOST_PASSAGES}.")
            return
        for number, entry in enumerate(entries, 1):
            try:
                self.passages.append(read_passage(prepare(entry), text=self.text(), options=self.options))
            except PassageError as error:
                self.add_error("spans", f"Passage {number} {error}")

    def _entry_of(self, row: QuoteRow) -> dict[str, Any]:
        near = int(row.start) if row.start.isascii() and row.start.isdigit() and len(row.start) < 8 else None
        start, end = find_quote(row.quote, text=self.text(), near=near)
        return {"start": start, "end": end, "category": row.category, "severity": row.severity, "note": row.note}

    def posted_rows(self) -> list[QuoteRow]:
        numbers = (n for n in range(1, MOST_PASSAGES + FREE_ROWS + 1) if row_field("quote", n) in self.data)
        return [QuoteRow(n, *(str(self.data.get(row_field(name, n), "")) for name in ROW)) for n in numbers]

    def rows(self) -> list[QuoteRow]:
        """The quotes as typed, or those of the draft, and a few empty ones."""
        if self.is_bound and row_field("quote", 1) in self.data:
            rows = [row for row in self.posted_rows() if row.quote]
        else:
            drafted = parse_entries(self["spans"].value() or "") or []
            rows = [row_of(entry) for entry in drafted[:MOST_PASSAGES] if isinstance(entry, dict)]
        filled = [QuoteRow(n, *(getattr(row, name) for name in ROW)) for n, row in enumerate(rows, 1)]
        return filled + [QuoteRow(len(filled) + n) for n in range(1, FREE_ROWS + 1)]

    def said(self) -> SpansAnswer:
        return SpansAnswer(self.passages, self.cleaned_data.get("critique", "").strip())

    def draft(self) -> dict[str, Any]:
        """Nothing, as long as nothing is marked."""
        if self.cleaned_data.get("spans") == "[]":
            self.cleaned_data["spans"] = ""
        return super().draft()


def parse_entries(spans: str) -> list[Any] | None:
    """The list in a JSON text, "" for none; None for what is no list, or text that no database stores."""
    try:
        entries = json.loads(spans or "[]")
        json.dumps(entries, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return None
    return entries if isinstance(entries, list) else None


def row_of(entry: dict[str, Any]) -> QuoteRow:
    values = (entry.get(name) for name in ("text", "start", "category", "severity", "note"))
    return QuoteRow(0, *("" if value is None else str(value) for value in values))


def row_field(name: str, number: int) -> str:
    return f"{name}_{number}"
