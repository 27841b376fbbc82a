"""Parquet files as numbered rows, a few at a time: a row group is never in memory as a whole."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet as pq

from annotate.imports.readers import checked
from annotate.imports.rows import MAX_ROW_BYTES, RAW_CHARACTERS, FileRefused, Refusal, Row, RowRefused, Start
from annotate.imports.sources import HEAD_BYTES, Source

BATCH_ROWS = 64
BUFFER_BYTES = 1024 * 1024  # of a column that is being read
MAX_GROUP_BYTES = 4 * 1024**3  # unpacked; a writer's usual row group has at most a few hundred million


def read_rows(source: Source, start: Start) -> Iterator[Row | Refusal]:
    """The rows, numbered from 1. Raises FileRefused when the file is damaged or unpacks to an absurd size."""
    with _seekable(source) as path:
        try:
            with pq.ParquetFile(path, buffer_size=BUFFER_BYTES, pre_buffer=False) as file:
                yield from _rows(file, source, start)
        except (pa.ArrowException, OSError) as error:
            raise FileRefused(f"The Parquet file cannot be read: {error}. Write it again.") from error


@contextmanager
def _seekable(source: Source) -> Iterator[Path]:
    """The file itself, or a gzip'd one unpacked beside it for as long as it is read: its index stands at its end.

    A bomb is refused as it grows.
    """
    if not source.is_gzip:
        yield source.path
        return
    with tempfile.NamedTemporaryFile(suffix=".parquet") as target:
        while chunk := source.read(HEAD_BYTES):
            target.write(chunk)
        target.flush()
        yield Path(target.name)


def _rows(file: pq.ParquetFile, source: Source, start: Start) -> Iterator[Row | Refusal]:
    passed, size = 0, source.path.stat().st_size
    for group in range(file.num_row_groups):
        facts = file.metadata.row_group(group)
        if passed + facts.num_rows <= start.offset:
            passed += facts.num_rows
            continue
        if facts.total_byte_size > MAX_GROUP_BYTES:
            raise FileRefused(
                f"Row group {group + 1} of the Parquet file unpacks to {facts.total_byte_size:,} bytes; "
                f"{MAX_GROUP_BYTES:,} are taken. Write it with smaller row groups."
            )
        for batch in file.iter_batches(batch_size=BATCH_ROWS, row_groups=[group], use_threads=False):
            for value in batch.to_pylist():
                passed += 1
                if passed > start.offset:
                    source.passed = int(size * passed / file.metadata.num_rows)
                    yield _row(passed, value)


def _row(number: int, value: dict[str, Any]) -> Row | Refusal:
    raw = ""
    try:
        plain = _plain(value)
        raw = json.dumps(plain, ensure_ascii=False)
        if len(raw) > MAX_ROW_BYTES:
            raise RowRefused(f"is {len(raw):,} characters long; a row may have {MAX_ROW_BYTES:,}")
        return Row(number, checked(plain), raw[:RAW_CHARACTERS], number)
    except RowRefused as error:
        return Refusal(number, str(error), raw[:RAW_CHARACTERS], number)


def _plain(value: Any) -> Any:
    """What JSON would have held. Raises RowRefused for bytes that are no text."""
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, bytes):
        try:
            return value.decode("utf-8")
        except UnicodeDecodeError as error:
            raise RowRefused("holds bytes that are no text; leave that column out") from error
    return value
