"""The formats a form's lines can be written in."""

from __future__ import annotations

import csv
import io
import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from annotate.exports.columns import Columns
from annotate.exports.forms import Form, UnknownForm

Rows = Iterable[Mapping[str, Any]]
PIECE = 64 * 1024  # bytes handed on at once
GZIP = 16 + zlib.MAX_WBITS  # with a header that holds no time, so that the same lines are the same bytes
EXECUTED = ("=", "+", "-", "@", "\t", "\r")  # what a cell that a spreadsheet executes begins with (OWASP)
ESCAPES = {"\u2028".encode(): rb"\u2028", "\u2029".encode(): rb"\u2029", "\x85".encode(): rb"\u0085"}
LINE_ENDS = re.compile(b"|".join(ESCAPES))
BYTE_ORDER_MARK = "\ufeff"  # without it Excel reads UTF-8 as something else


@dataclass(frozen=True)
class Format:
    name: str
    label: str
    suffix: str
    content_type: str
    write: Callable[[Columns, Rows], Iterator[bytes]]
    is_flat: bool = False  # every cell a single value

    @property
    def is_text(self) -> bool:
        """Whether its pieces are whole lines of UTF-8."""
        return "charset" in self.content_type

    def takes(self, form: Form) -> bool:
        return form.is_flat or not self.is_flat


def write_jsonl(columns: Columns, rows: Rows) -> Iterator[bytes]:
    return gather(map(encode_line, rows))


def write_gzip(columns: Columns, rows: Rows) -> Iterator[bytes]:
    packer = zlib.compressobj(wbits=GZIP)
    for piece in write_jsonl(columns, rows):
        if packed := packer.compress(piece):
            yield packed
    yield packer.flush()


def write_csv(columns: Columns, rows: Rows) -> Iterator[bytes]:
    return gather(csv_lines(columns, rows))


def csv_lines(columns: Columns, rows: Rows) -> Iterator[bytes]:
    """A header and a line a row. Text that a spreadsheet would execute has an apostrophe in front."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    buffer.write(BYTE_ORDER_MARK)
    writer.writerow(columns)
    for row in rows:
        writer.writerow([neutralise(row[name]) for name in columns])
        yield buffer.getvalue().encode()
        buffer.seek(0)
        buffer.truncate()
    yield buffer.getvalue().encode()


def neutralise(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(EXECUTED) else value


def write_parquet(columns: Columns, rows: Rows) -> Iterator[bytes]:
    from annotate.exports import parquet  # loads pyarrow, which most processes never need

    return parquet.write_parquet(columns, rows)


def encode_line(row: Mapping[str, Any]) -> bytes:
    """Compact JSON that no reader can split: JSON escapes \\n, and we the line ends that only Unicode knows."""
    line = orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE)
    return line if line.isascii() else LINE_ENDS.sub(lambda found: ESCAPES[found[0]], line)


def gather(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Lines in pieces worth a write."""
    piece: list[bytes] = []
    size = 0
    for line in lines:
        piece.append(line)
        size += len(line)
        if size >= PIECE:
            yield b"".join(piece)
            piece, size = [], 0
    if piece:
        yield b"".join(piece)


FORMATS: dict[str, Format] = {
    each.name: each
    for each in (
        Format("jsonl", "JSON Lines", ".jsonl", "application/x-ndjson; charset=utf-8", write_jsonl),
        Format("jsonl.gz", "JSON Lines, gzip", ".jsonl.gz", "application/gzip", write_gzip),
        Format("parquet", "Parquet", ".parquet", "application/vnd.apache.parquet", write_parquet),
        Format("csv", "CSV", ".csv", "text/csv; charset=utf-8", write_csv, is_flat=True),
    )
}


def find_format(name: str | None, form: Form) -> Format:
    """The format of this name, JSON Lines without one. Raises UnknownForm."""
    found = FORMATS.get(name or "jsonl")
    if found is None:
        raise UnknownForm(f"There is no format {name!r}. Choose one of: {', '.join(FORMATS)}.")
    if not found.takes(form):
        fit = ", ".join(each.name for each in FORMATS.values() if each.takes(form))
        raise UnknownForm(f"The form {form.name} has lists in it, which {found.label} cannot hold. Choose from: {fit}.")
    return found
