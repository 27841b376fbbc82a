"""Uploaded files under UPLOADS_DIR, named by us, and what is in them as rows."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from django.conf import settings

from annotate.imports.cells import unpack_cells
from annotate.imports.presets.table import PRESETS, find_preset
from annotate.imports.readers import READERS, detect_format
from annotate.imports.rows import BEGINNING, FileRefused, JudgedRow, Options, PromptRow, Refusal, Row, RowRefused, Start
from annotate.imports.shapes import check_columns
from annotate.imports.sources import Source, refuse_binary
from annotate.models import Import
from annotate.services.judged_checks import check_judged

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
        found = detect_format(filename, head)
        if found != Import.Format.PARQUET:
            refuse_binary(head, filename)
        rows = READERS[found](source, BEGINNING)
        any_row = row = next(rows, None)
        while isinstance(row, Refusal):
            row = next(rows, None)
    if any_row is None:
        raise FileRefused("The file has no rows: nothing but blank lines, or a header alone.")
    return found, find_preset(
        unpack_cells(row.value) if found == Import.Format.CSV else row.value
    ) if row else "prompts"


def job_options(job: Import) -> Options:
    return Options(**job.options)


def read_upload(job: Import, source: Source, start: Start = BEGINNING) -> Iterator[Row | Refusal]:
    """The rows of the job's file from `start` on, in the format its owner chose.

    Raises FileRefused, before the first row, when a CSV has no column to read from.
    """
    is_unchecked = job.format == Import.Format.CSV
    for row in READERS[job.format](source, start):
        if is_unchecked and isinstance(row, Row):
            _check_columns(job, list(row.value))
            is_unchecked = False
        yield row


def _check_columns(job: Import, names: list[str]) -> None:
    if job.contents in (Import.Contents.PAIRS, Import.Contents.HH):
        check_columns(names, is_pairs=True)
    elif job.contents == Import.Contents.PROMPTS:
        check_columns(names, is_pairs=False, column=job_options(job).column)


def interpret(job: Import, row: Row | Refusal, options: Options) -> Sequence[JudgedRow] | Refusal:
    """What a row of the file means in this import, with the owner's tags, source and prefix put on."""
    if isinstance(row, Refusal):
        return row
    value = unpack_cells(row.value) if job.format == Import.Format.CSV else row.value
    try:
        found = PRESETS[job.contents].read(value, options)
        return [check_judged(_stamped(judged, job, options)) for judged in found]
    except RowRefused as error:
        return Refusal(row.number, str(error), row.raw)


def author_of_file(job: Import) -> str:
    """Who wrote the responses of a file that names nobody: the file, without its endings."""
    return job.filename.split(".")[0][:200] or "pasted text"


def _stamped(row: JudgedRow, job: Import, options: Options) -> JudgedRow:
    prefix = options.id_prefix
    return JudgedRow(
        prompt=_stamped_prompt(row.prompt, job, options),
        responses=row.responses if options.keep_responses or row.judgements else (),
        judgements=tuple(
            replace(judgement, external_id=prefix + judgement.external_id if judgement.external_id else "")
            for judgement in row.judgements
        ),
    )


def _stamped_prompt(prompt: PromptRow, job: Import, options: Options) -> PromptRow:
    name = "" if job.contents == Import.Contents.LOSSLESS else job.filename[:120]  # there, no source says there is none
    return replace(
        prompt,
        tags=tuple(dict.fromkeys((*prompt.tags, *options.tags))),
        source=prompt.source or options.source or name,
        external_id=(options.id_prefix + prompt.external_id)[:200] if prompt.external_id else "",
        responses=(),
    )
