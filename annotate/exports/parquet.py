"""Lines as a Parquet file, written group by group: memory holds one group, not the snapshot."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from annotate.exports.columns import Columns, Type

BATCH_ROWS = 500
GROUP_BYTES = 8 * 1024 * 1024  # of values in memory, before they are compressed
LEAVES = {
    "text": pa.string(),
    "integer": pa.int64(),
    "number": pa.float64(),
    "boolean": pa.bool_(),
    "json": pa.string(),
}


class Pieces(io.RawIOBase):
    """A file that is written to and taken from, and keeps nothing."""

    def __init__(self) -> None:
        self.waiting: list[bytes] = []
        self.position = 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self.position

    def write(self, data: Any) -> int:
        piece = bytes(data)
        self.waiting.append(piece)
        self.position += len(piece)
        return len(piece)

    def take(self) -> bytes:
        piece = b"".join(self.waiting)
        self.waiting.clear()
        return piece


def write_parquet(columns: Columns, rows: Iterable[Mapping[str, Any]]) -> Iterator[bytes]:
    """The bytes of the file, a row group at a time. Fields of the type `json` are their JSON text."""
    schema = pa.schema([(name, arrow_type(kind)) for name, kind in columns.items()])
    file, iterator = Pieces(), iter(rows)
    with pq.ParquetWriter(file, schema, compression="zstd") as writer:
        group: list[pa.RecordBatch] = []
        while batch := list(islice(iterator, BATCH_ROWS)):
            group.append(pa.RecordBatch.from_pylist([fit(row, columns) for row in batch], schema=schema))
            if sum(part.nbytes for part in group) >= GROUP_BYTES:
                writer.write_table(pa.Table.from_batches(group, schema))
                group = []
                yield file.take()
        if group:
            writer.write_table(pa.Table.from_batches(group, schema))
    yield file.take()


def arrow_type(kind: Type) -> pa.DataType:
    if isinstance(kind, str):
        return LEAVES[kind]
    if isinstance(kind, list):
        return pa.list_(arrow_type(kind[0]))
    return pa.struct([(name, arrow_type(part)) for name, part in kind.items()])


def fit(value: Any, kind: Type) -> Any:
    """The value with what is `json` in it as text."""
    if value is None or kind == "json":
        return None if value is None else orjson.dumps(value).decode()
    if isinstance(kind, str):
        return value
    if isinstance(kind, list):
        return value if isinstance(kind[0], str) else [fit(part, kind[0]) for part in value]
    return {name: fit(value[name], part) for name, part in kind.items()}
