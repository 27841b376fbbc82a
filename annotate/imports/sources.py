"""An uploaded file as bounded pieces of bytes, whatever its size: lines, or the elements of a JSON list.

Memory stays constant: a piece longer than MAX_ROW_BYTES is cut and the rest of it passed over. A gzip'd file is
unpacked as it is read, up to the size that an upload may have, so that a bomb ends in a sentence.
"""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from annotate.imports.rows import BEGINNING, MAX_ROW_BYTES, FileRefused, Start

GZIP_MAGIC = b"\x1f\x8b"
GZIP_MAX_RATIO = 250  # of text; deflate itself ends near 1030
GZIP_RATIO_FROM = 16 * 1024 * 1024  # bytes unpacked before the ratio counts
LINE_END = b"\r\n"
BOM = b"\xef\xbb\xbf"
HEAD_BYTES = 65_536
BINARY_SHARE = 0.1
KNOWN_BINARIES = {
    b"PK\x03\x04": "a ZIP archive or an Excel workbook",
    b"%PDF-": "a PDF",
    b"\x89PNG": "a PNG picture",
    b"\xff\xd8\xff": "a JPEG picture",
    b"GIF8": "a GIF picture",
    b"BZh": "a bzip2 archive",
    b"\xfd7zXZ": "an xz archive",
    b"\x28\xb5\x2f\xfd": "a Zstandard archive",
    b"SQLite format": "a SQLite database",
    b"\xff\xfe": "UTF-16 text",
    b"\xfe\xff": "UTF-16 text",
    GZIP_MAGIC: "a gzip file inside a gzip file",
}
WHAT_IS_READ = "Plumbline reads UTF-8 text: JSON Lines, JSON, CSV or plain text, and Parquet; each also gzip'd."


@dataclass(frozen=True, slots=True)
class Piece:
    """A line or a list element. `size` is its whole length; `data` holds at most MAX_ROW_BYTES of it."""

    number: int
    data: bytes
    size: int
    end: int = 0  # where what follows it begins
    is_cut_short: bool = False  # the file ended inside it


class Source:
    """A file open for reading: unpacked, counted, and refused past `max_bytes` of unpacked text.

    With `stop_after` it looks as if it ended after about as many bytes; `is_stopped` then says that it went on.
    """

    def __init__(self, path: Path, max_bytes: int, *, stop_after: int | None = None) -> None:
        try:
            self.file: IO[bytes] = path.open("rb")
        except FileNotFoundError as error:
            raise FileRefused("The uploaded file is no longer on the server. Upload it again.") from error
        self.path = path
        self.is_gzip = self.file.read(2) == GZIP_MAGIC
        self.file.seek(0)
        self.stream: IO[bytes] | gzip.GzipFile = gzip.GzipFile(fileobj=self.file) if self.is_gzip else self.file
        self.max_bytes = max_bytes
        self.stop_after = stop_after
        self.is_stopped = False
        self.unpacked = 0
        self.passed: int | None = None  # set by a reader that finds its own way in the file

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.file.close()

    @property
    def position(self) -> int:
        """Bytes of the uploaded file passed so far, for a progress bar."""
        return self.file.tell() if self.passed is None else self.passed

    def head(self) -> bytes:
        """The first bytes, unpacked; reading starts at the beginning again."""
        data = self._checked(lambda: self.stream.read(HEAD_BYTES))
        self.stream.seek(0)
        self.unpacked = 0
        return data

    def skip_to(self, offset: int) -> None:
        """Go on from this unpacked byte. A gzip'd file is unpacked up to there again, which is quick, and not kept."""

        def seek() -> bytes:
            self.stream.seek(offset)
            return b""

        self._checked(seek)
        self.unpacked = offset

    def read(self, size: int) -> bytes:
        return self._checked(lambda: self.stream.read(size))

    def readline(self, size: int) -> bytes:
        return self._checked(lambda: self.stream.readline(size))

    def _checked(self, read: Callable[[], bytes]) -> bytes:
        if self.stop_after is not None and self.unpacked >= self.stop_after:
            self.is_stopped = True
            return b""
        try:
            data = read()
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise FileRefused(
                f"The gzip file is damaged or cut short: nothing after {self.unpacked:,} unpacked bytes can be read. "
                "Pack it again and upload it; rows that are already there are not added twice."
            ) from error
        self.unpacked += len(data)
        self._refuse_bomb()
        return data

    def _refuse_bomb(self) -> None:
        if not self.is_gzip:
            return
        if self.unpacked > self.max_bytes:
            raise FileRefused(
                f"The gzip file unpacks to more than {self.max_bytes:,} bytes, the largest file taken. Split it."
            )
        if self.unpacked > GZIP_RATIO_FROM and self.unpacked > GZIP_MAX_RATIO * self.position:
            raise FileRefused(
                f"The gzip file unpacks to more than {GZIP_MAX_RATIO} times its size, which text does not. "
                "Upload it unpacked if it is what you mean to import."
            )


def refuse_binary(head: bytes, filename: str) -> None:
    """Raise FileRefused when the file's first bytes are not text.

    A stray NUL or a wrong byte is a matter of its row; a file that begins like another format, or of which more than
    a tenth is control characters and bytes that are no UTF-8, is refused as a whole.
    """
    name = f"“{filename}”" if filename else "The text"
    for magic, kind in KNOWN_BINARIES.items():
        if head.startswith(magic):
            raise FileRefused(f"{name} is not UTF-8 text: it begins like {kind}. {WHAT_IS_READ}")
    text = head.decode("utf-8", errors="replace")
    odd = sum(1 for character in text if character == "\ufffd" or (character < " " and character not in "\t\n\r\f"))
    if len(text) >= 32 and odd > BINARY_SHARE * len(text):
        raise FileRefused(
            f"{name} is not UTF-8 text: {odd:,} of its first {len(text):,} characters cannot be read. {WHAT_IS_READ}"
        )


def read_lines(source: Source, start: Start = BEGINNING) -> Iterator[Piece]:
    """The file's lines without their ends, numbered from 1, blank ones too."""
    number = start.number
    if start.offset:
        source.skip_to(start.offset)
    while line := source.readline(MAX_ROW_BYTES + len(LINE_END)):
        number += 1
        size, rest = len(line), line
        while not rest.endswith(b"\n") and (rest := source.readline(MAX_ROW_BYTES)):
            size += len(rest)
        size -= len(rest) - len(rest.rstrip(LINE_END))
        if number == 1:
            line = line.removeprefix(BOM)
        yield Piece(number, line.rstrip(LINE_END)[:MAX_ROW_BYTES], size, source.unpacked)


OUTSIDE_STRING = re.compile(rb'["\[\]{},]')
INSIDE_STRING = re.compile(rb'["\\]')


class ArrayScanner:
    """Finds the elements of a top-level JSON list in chunks of bytes, without building any of them.

    Only quotes, escapes and brackets are understood; whether an element is good JSON is its parser's business, so
    that a broken one costs no other. The bytes it looks for never occur inside a UTF-8 character.
    """

    def __init__(self, start: Start = BEGINNING) -> None:
        self.depth = 1 if start.offset else 0
        self.passed = start.offset  # bytes fed before the chunk at hand
        self.in_string = False
        self.carry = 0  # 1 when an escape's second byte begins the next chunk
        self.number = start.number
        self.element = bytearray()
        self.size = 0

    def feed(self, chunk: bytes) -> Iterator[Piece]:
        start, position = 0, self.carry
        while match := (INSIDE_STRING if self.in_string else OUTSIDE_STRING).search(chunk, position):
            mark, position = match[0], match.end()
            if self.in_string:
                position += mark == b"\\"
                self.in_string = mark == b"\\"
                continue
            self.in_string = mark == b'"'
            self.depth += (mark in b"[{") - (mark in b"]}")
            if mark in b"[{" and self.depth == 1:
                start = position
            elif (mark in b"]}" and self.depth == 0) or (mark == b"," and self.depth == 1):
                self._keep(chunk[start : match.start()])
                # An offset after the closing bracket would look like the middle of a list; one before it does not.
                end = self.passed + (match.start() if self.depth == 0 else position)
                yield from self.flush(is_last=self.depth == 0, end=end)
                start = position
                if self.depth == 0:
                    return
        self.carry = max(0, position - len(chunk))
        self.passed += len(chunk)
        self._keep(chunk[start:])

    def flush(self, *, is_last: bool, end: int, is_cut_short: bool = False) -> Iterator[Piece]:
        """The element gathered so far; blank space before the closing bracket is none."""
        if self.element.strip() or not is_last:
            self.number += 1
            yield Piece(self.number, bytes(self.element).strip(), self.size, end, is_cut_short)
        self.element, self.size = bytearray(), 0

    def _keep(self, data: bytes) -> None:
        self.element += data[: max(0, MAX_ROW_BYTES - len(self.element))]
        self.size += len(data)


def read_elements(source: Source, start: Start = BEGINNING) -> Iterator[Piece]:
    """The elements of a file that is one JSON list, numbered from 1. A list that is never closed says so at its end."""
    scanner = ArrayScanner(start)
    if start.offset:
        source.skip_to(start.offset)
    while chunk := source.read(HEAD_BYTES):
        yield from scanner.feed(chunk)
        if scanner.depth == 0 and (scanner.number or start.offset):
            return
    if scanner.depth and scanner.passed > start.offset:
        yield from scanner.flush(is_last=False, end=scanner.passed, is_cut_short=True)
