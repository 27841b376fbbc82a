"""Uploaded files under UPLOADS_DIR, named by us, and what is in them as rows."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from django.conf import settings

from annotate.imports.pairs import read_pair
from annotate.imports.readers import READERS, detect_format
from annotate.imports.rows import FileRefused, Options, PairRow, PromptRow, Refusal, Row, RowRefused
from annotate.imports.shapes import PAIR_FIELDS, check_columns, read_prompt
from annotate.imports.sources import Source, refuse_binary
from annotate.models import Import

BEGINNING_BYTES = 4 * 1024 * 1024  # how far a file is looked into before it is confirmed
CHUNK_BYTES = 1024 * 1024
DISK_FULL = "The file could not be kept: {}. Free some space on the server's disk and upload it again."


@contextmanager
def kept_upload(content: BinaryIO) -> Iterator[str]:
    """Copy `content` under UPLOADS_DIR, at most MAX_UPLOAD_BYTES of it; yields its new name there.

    The file is removed again when the block fails. Raises FileRefused when it is too large or the disk is full.
    """
    settings.UPLOADS_DIR.mkdir(parents=True, exist_ok=True)
    path = settings.UPLOADS_DIR / secrets.token_hex(16)
    try:
        try:
            _copy(content, path)
        except OSError as error:
            raise FileRefused(DISK_FULL.format(error.strerror)) from error
        yield path.name
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _copy(content: BinaryIO, path: Path) -> None:
    size = 0
    with path.open("xb") as target:
        while chunk := content.read(CHUNK_BYTES):
            size += len(chunk)
            if size > settings.MAX_UPLOAD_BYTES:
                raise FileRefused(
                    f"The file has more than {settings.MAX_UPLOAD_BYTES:,} bytes, the largest that is taken. Split it."
                )
            target.write(chunk)
    if not size:
        raise FileRefused("The file is empty. Choose one with a prompt in it.")


def remove_upload(job: Import) -> None:
    upload_path(job).unlink(missing_ok=True)


def upload_path(job: Import) -> Path:
    return Path(settings.UPLOADS_DIR) / job.file


def open_upload(job: Import, *, stop_after: int | None = None) -> Source:
    return Source(upload_path(job), settings.MAX_UPLOAD_BYTES, stop_after=stop_after)


def inspect_upload(name: str, filename: str) -> tuple[str, str]:
    """(format, contents) of the file `name` under UPLOADS_DIR. Raises FileRefused when it holds no readable row."""
    path = Path(settings.UPLOADS_DIR) / name
    with Source(path, settings.MAX_UPLOAD_BYTES, stop_after=BEGINNING_BYTES) as source:
        head = source.head()
        refuse_binary(head, filename)
        found = detect_format(filename, head)
        rows = READERS[found](source)
        any_row = row = next(rows, None)
        while isinstance(row, Refusal):
            row = next(rows, None)
    if any_row is None:
        raise FileRefused("The file has no rows: nothing but blank lines, or a header alone.")
    is_pairs = row is not None and isinstance(row.value, dict) and set(PAIR_FIELDS) <= set(row.value)
    return found, Import.Contents.PAIRS if is_pairs else Import.Contents.PROMPTS


def job_options(job: Import) -> Options:
    return Options(**job.options)


def read_upload(job: Import, source: Source) -> Iterator[Row | Refusal]:
    """The rows of the job's file, in the format its owner chose.

    Raises FileRefused, before the first row, when a CSV has no column to read from.
    """
    is_unchecked = job.format == Import.Format.CSV
    for row in READERS[job.format](source):
        if is_unchecked and isinstance(row, Row):
            is_pairs = job.contents == Import.Contents.PAIRS
            check_columns(list(row.value), is_pairs=is_pairs, column=job_options(job).column)
            is_unchecked = False
        yield row


def interpret(job: Import, row: Row | Refusal, options: Options) -> PromptRow | PairRow | Refusal:
    """What a row of the file means in this import, with the owner's tags, source and prefix put on."""
    if isinstance(row, Refusal):
        return row
    try:
        if job.contents == Import.Contents.PAIRS:
            pair = read_pair(row.value, options)
            return PairRow(_stamped(pair.prompt, job, options), pair.chosen, pair.rejected, pair.annotator)
        return _stamped(read_prompt(row.value, options), job, options)
    except RowRefused as error:
        return Refusal(row.number, str(error), row.raw)


def author_of_file(job: Import) -> str:
    """Who wrote the responses of a file that names nobody: the file, without its endings."""
    return job.filename.split(".")[0][:200] or "pasted text"


def _stamped(row: PromptRow, job: Import, options: Options) -> PromptRow:
    return PromptRow(
        messages=row.messages,
        shape=row.shape,
        system=row.system,
        tags=tuple(dict.fromkeys((*row.tags, *options.tags))),
        source=row.source or options.source or job.filename[:120],
        external_id=(options.id_prefix + row.external_id)[:200] if row.external_id else "",
        responses=row.responses if options.keep_responses else (),
        note=row.note,
    )
