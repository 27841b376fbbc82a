"""Files in, numbered rows and refusals out: JSON Lines, a JSON list, CSV, plain text and Parquet."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any

from annotate.imports.rows import (
    BEGINNING,
    MAX_ROW_BYTES,
    RAW_CHARACTERS,
    FileRefused,
    Refusal,
    Row,
    RowRefused,
    Start,
)
from annotate.imports.sources import BOM, Piece, Source, read_elements, read_lines

NUL = "a NUL character at position {}, which the database cannot store. Remove it."
PARQUET_MAGIC = b"PAR1"
DELIMITERS = ",;\t|"
LONE_SURROGATE = re.compile("[\ud800-\udfff]")
HEADER_WORDS = {"prompt", "instruction", "question", "text", "messages", "chosen"}


def read_jsonl(source: Source, start: Start = BEGINNING) -> Iterator[Row | Refusal]:
    return _read_json_pieces(read_lines(source, start))


def read_json(source: Source, start: Start = BEGINNING) -> Iterator[Row | Refusal]:
    return _read_json_pieces(read_elements(source, start))


def read_text(source: Source, start: Start = BEGINNING) -> Iterator[Row | Refusal]:
    """One prompt a line; blank lines are passed over."""
    for piece in read_lines(source, start):
        if piece.data.strip():
            yield _row_or_refusal(piece, str)


def read_csv(source: Source, start: Start = BEGINNING) -> Iterator[Row | Refusal]:
    """Rows as {column: text}, numbered as a spreadsheet shows them: the header is row 1.

    The delimiter is the one of , ; tab and | that the header has most of. Raises FileRefused without a usable header.
    """
    csv.field_size_limit(MAX_ROW_BYTES)
    lines = RecordLines(source)
    try:
        first = next(lines)
        delimiter = max(DELIMITERS, key=first.count)
        records = csv.reader(chain([first], lines), delimiter=delimiter, strict=True)
        header = [name.strip() for name in next(records)]
    except StopIteration:
        return
    except (csv.Error, RowRefused) as error:
        raise FileRefused(f"The header, row 1 of the CSV, cannot be read: {error}.") from error
    _check_header(header)
    if start.offset:
        source.skip_to(start.offset)
    number = max(1, start.number)
    while True:
        number += 1
        lines.taken.clear()
        try:
            fields = next(records)
            if fields:
                yield Row(number, checked(_named(fields, header)), lines.raw(), source.unpacked)
        except StopIteration:
            return
        except RowRefused as error:
            yield Refusal(number, str(error), lines.raw(), source.unpacked)
        except csv.Error as error:
            yield Refusal(number, f"is not good CSV: {error}. Check its quotes.", lines.raw(), source.unpacked)


def read_parquet(source: Source, start: Start = BEGINNING) -> Iterator[Row | Refusal]:
    from annotate.imports.parquet import read_rows  # loads pyarrow, which most processes never need

    return read_rows(source, start)


READERS: dict[str, Callable[[Source, Start], Iterator[Row | Refusal]]] = {
    "jsonl": read_jsonl,
    "json": read_json,
    "csv": read_csv,
    "text": read_text,
    "parquet": read_parquet,
}


def detect_format(filename: str, head: bytes) -> str:
    """The key of READERS that fits: by content where it speaks for itself, else by the name.

    Raises FileRefused for one JSON object spread over several lines, which is neither a list nor a line each.
    """
    if head.startswith(PARQUET_MAGIC):
        return "parquet"
    text = head.removeprefix(BOM).decode("utf-8", errors="replace").lstrip()
    name = filename.lower().removesuffix(".gz")
    first = text.split("\n", 1)[0].strip()
    if name.endswith((".csv", ".tsv")):
        return "csv"
    if re.match(r"\[\s*[\[{\"\]]", text):
        return "json"
    if first == "{" and name.endswith((".json", ".jsonl", ".ndjson")):
        raise FileRefused(
            "The file is one JSON object over several lines. Write a list, [{…}, {…}], or one object a line."
        )
    if first.startswith("{") or name.endswith((".jsonl", ".ndjson", ".json")):
        return "jsonl"
    delimiter = max(DELIMITERS, key=first.count)
    words = {word.strip(' "').lower() for word in first.split(delimiter)}
    return "csv" if not name.endswith(".txt") and words & HEADER_WORDS else "text"


class RecordLines:
    """Decoded lines for csv.reader, which asks for as many as a quoted field needs.

    An iterator rather than a generator: it goes on after it has refused a line, and so does csv.reader. `taken` holds
    the lines of the record at hand.
    """

    def __init__(self, source: Source) -> None:
        self.pieces = read_lines(source)
        self.taken: list[str] = []
        self.size = 0

    def __iter__(self) -> RecordLines:
        return self

    def __next__(self) -> str:
        piece = next(self.pieces)
        self.size = piece.size + (self.size if self.taken else 0)
        self.taken.append(piece.data[:RAW_CHARACTERS].decode("utf-8", errors="replace") + "\n")
        if self.size > MAX_ROW_BYTES:
            raise RowRefused(_too_long(self.size))
        return _decoded(piece.data) + "\n"

    def raw(self) -> str:
        return "".join(self.taken).rstrip("\n")[:RAW_CHARACTERS]


def _read_json_pieces(pieces: Iterator[Piece]) -> Iterator[Row | Refusal]:
    for piece in pieces:
        if piece.is_cut_short:
            raw = piece.data.decode("utf-8", errors="replace")[:RAW_CHARACTERS]
            reason = "the file ends before its list is closed with ]: it may be cut short"
            yield Refusal(piece.number, reason, raw, piece.end)
        elif piece.data.strip():
            yield _row_or_refusal(piece, _parse_json)


def _row_or_refusal(piece: Piece, parse: Callable[[str], Any]) -> Row | Refusal:
    try:
        if piece.size > MAX_ROW_BYTES:
            raise RowRefused(_too_long(piece.size))
        text = _decoded(piece.data)
        value = parse(text)
        if "\\u" in text:  # an escape alone can bring what text of a file cannot
            checked(value)
        return Row(piece.number, value, text[:RAW_CHARACTERS], piece.end)
    except (RowRefused, RecursionError) as error:
        reason = "is JSON nested too deeply to read" if isinstance(error, RecursionError) else str(error)
        raw = piece.data[: 4 * RAW_CHARACTERS].decode("utf-8", errors="replace")[:RAW_CHARACTERS]
        return Refusal(piece.number, reason, raw, piece.end)


def _too_long(size: int) -> str:
    return f"is {size:,} bytes long; a row may have {MAX_ROW_BYTES:,}"


def _decoded(data: bytes) -> str:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise RowRefused(
            f"is not UTF-8: byte {error.start + 1} is 0x{data[error.start]:02x}. Save the file as UTF-8."
        ) from error
    if (position := text.find("\0")) >= 0:
        raise RowRefused(
            f"holds a NUL character at position {position + 1}, which the database cannot store. Remove it."
        )
    return text


def _parse_json(text: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_object_without_doubles)
    except json.JSONDecodeError as error:
        what = error.msg.removesuffix(" starting at")
        raise RowRefused(f"is broken JSON: {what} at character {error.pos + 1}") from error
    except ValueError as error:
        raise RowRefused(f"holds a value that cannot be read: {error}") from error


def _object_without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        names = [name for name, _ in pairs]
        double = next(name for name in names if names.count(name) > 1)
        raise RowRefused(f"names the field “{double}” twice; keep one")
    return value


def checked(value: Any, path: str = "") -> Any:
    """The value itself, when the database can hold every text in it. Raises RowRefused naming the field."""
    where = f"“{path}” holds" if path else "holds"
    if isinstance(value, str):
        if (position := value.find("\0")) >= 0:
            raise RowRefused(f"{where} " + NUL.format(position + 1))
        if not value.isascii() and (half := LONE_SURROGATE.search(value)):
            place = f"at position {half.start() + 1}"
            raise RowRefused(f"{where} half a character, U+{ord(half[0]):04X}, {place}. Remove it.")
    elif isinstance(value, dict):
        for name, inner in value.items():
            checked(name)
            checked(inner, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            checked(inner, f"{path}[{index}]")
    return value


def _check_header(header: list[str]) -> None:
    double = next((name for name in header if name and header.count(name) > 1), "")
    if double:
        raise FileRefused(f"The CSV has two columns named “{double}”. Rename one.")
    if not any(header):
        raise FileRefused("The first row of the CSV is empty. It must name the columns, one of them “prompt”.")


def _named(fields: list[str], header: list[str]) -> dict[str, str]:
    if len(fields) > len(header):
        raise RowRefused(
            f"has {len(fields)} fields, the header names {len(header)}. Put text with commas or line ends in quotes."
        )
    return dict(zip(header, fields, strict=False))
