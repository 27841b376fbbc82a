"""The run of a confirmed import. It may die anywhere: what is stored and how far it got change in one transaction."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from itertools import islice

from django.db import DataError, IntegrityError, connection, transaction

from annotate.imports.rows import FileRefused, JudgedRow, Refusal, Row, Start
from annotate.imports.sources import Source
from annotate.many_rows import few_collections
from annotate.models import Import, JobStatus, Judgement, Prompt, RefusedRow, Response, Task, TaskResponse
from annotate.models.jobs import HEARTBEAT_SECONDS
from annotate.services.judged_answers import ANSWER_MODELS
from annotate.services.judged_rows import add_judged
from annotate.services.prompts import Outcome
from annotate.services.table_statistics import analyse_grown
from annotate.services.uploads import author_of_file, interpret, job_options, open_upload, read_upload, remove_upload

BATCH_ROWS = 1_000
BATCH_BYTES = 4 * 1024 * 1024
MAX_REASON = 500
WRITTEN = (Prompt, Response, Task, TaskResponse, Judgement, *ANSWER_MODELS.values())


@few_collections()
def run_import(job: Import) -> bool:
    """Claim the import and read its file from where it stopped; returns whether it was free. Its row says how it ended.

    Raises ClaimLost when another worker took it over: then nothing more was written.
    """
    if not job.take():
        return False
    try:
        is_cancelled = _read_all(job)
    except (FileRefused, DataError, IntegrityError) as error:
        job.end(JobStatus.FAILED, error=str(error))
        return True
    analyse_grown(*WRITTEN)
    job.end(JobStatus.CANCELLED if is_cancelled else JobStatus.SUCCEEDED)
    if not is_cancelled:
        remove_upload(job)
    return True


def _read_all(job: Import) -> bool:
    """Store the rest of the file batch by batch; True when somebody asked to cancel."""
    with open_upload(job) as source:
        for batch in _batches(job, source):
            if _store_batch(job, batch, source.position):
                return True
    return False


def _batches(job: Import, source: Source) -> Iterator[list[Row | Refusal]]:
    """The rows not yet read, some hundred at a time; says the worker is alive while it looks for them."""
    batch: list[Row | Refusal] = []
    start = Start(job.resume_number, job.resume_at)
    rows = _beating(job, read_upload(job, source, start))
    started = max(source.unpacked, job.resume_at)
    for row in rows if start.offset else islice(rows, job.rows_read, None):
        batch.append(row)
        if len(batch) == BATCH_ROWS or source.unpacked - started > BATCH_BYTES:
            yield batch
            batch, started = [], source.unpacked
    if batch:
        yield batch


def _beating(job: Import, rows: Iterator[Row | Refusal]) -> Iterator[Row | Refusal]:
    last_beat = time.monotonic()
    for row in rows:
        if time.monotonic() - last_beat > HEARTBEAT_SECONDS:
            job.beat()
            last_beat = time.monotonic()
        yield row


@transaction.atomic
def _store_batch(job: Import, batch: list[Row | Refusal], position: int) -> bool:
    """Store a batch and the place it ends; True when somebody asked to cancel. Raises ClaimLost, storing nothing.

    Its commit does not wait for the disk: what a crash of the database would lose is lost with the place, and the end
    of the import waits for all before it.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = off")
    options = job_options(job)
    meanings = [interpret(job, row, options) for row in batch]
    taken = [(row, meaning) for row, meaning in zip(batch, meanings, strict=True) if not isinstance(meaning, Refusal)]
    refused = [meaning for meaning in meanings if isinstance(meaning, Refusal)]
    added = 0
    for (row, _), outcomes in zip(taken, _store_rows(job, [meaning for _, meaning in taken]), strict=True):
        if reason := _reason(outcomes):
            refused.append(Refusal(row.number, reason, row.raw))
        else:
            added += any(outcome.is_new for outcome in outcomes)
    RefusedRow.objects.bulk_create(
        RefusedRow(job=job, row_number=row.number, reason=row.reason[:MAX_REASON], raw=row.raw.replace("\0", "␀"))
        for row in refused
    )
    return job.beat(
        rows_read=job.rows_read + len(batch),
        rows_added=job.rows_added + added,
        rows_known=job.rows_known + len(batch) - added - len(refused),
        rows_refused=job.rows_refused + len(refused),
        progress=position,
        resume_at=batch[-1].end,
        resume_number=batch[-1].number,
    )


def _store_rows(job: Import, rows: Sequence[Sequence[JudgedRow]]) -> list[list[Outcome]]:
    """What became of all that each row holds."""
    parts = [part for row in rows for part in row]
    stored = iter(add_judged(project=job.project, rows=parts, author_name=author_of_file(job)))
    return [list(islice(stored, len(row))) for row in rows]


def _reason(outcomes: Sequence[Outcome]) -> str:
    """Why a row is refused: "" when nothing of it was. Of a row that holds more, what could be stored is."""
    reasons = [outcome.reason for outcome in outcomes if outcome.reason]
    if not reasons or len(outcomes) == 1:
        return "".join(reasons)
    return f"{len(reasons)} of its {len(outcomes)} parts: {reasons[0]}"
