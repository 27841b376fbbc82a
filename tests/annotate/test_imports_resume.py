"""Reading goes on in the middle of a file of any format, and an import that died there ends with exact counts."""

import csv
import gzip
import io
import json

import pyarrow as pa
import pytest
from pyarrow import parquet

from annotate.imports.readers import READERS
from annotate.imports.rows import BEGINNING, FileRefused, Row, Start
from annotate.imports.sources import Source
from annotate.models import Import, JobStatus, Judgement, Prompt
from annotate.services import import_runs
from annotate.services.import_runs import run_import
from annotate.services.imports import confirm_import, create_import
from annotate.services.recovery import recover_stalled_jobs
from tests.annotate.test_imports_services import counts, stop_beating

ROWS = [
    {"prompt": f"Why {number}, “é”,\nor \\not?", "chosen": f"Yes {number}.", "rejected": "No."} for number in range(30)
]


def as_jsonl(rows):
    return "\n\n".join(json.dumps(row) for row in rows).encode()


def as_json(rows):
    return json.dumps(rows, indent=1, ensure_ascii=False).encode() + b"\n"


def as_csv(rows):
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0])
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def as_parquet(rows):
    target = io.BytesIO()
    parquet.write_table(pa.Table.from_pylist(rows), target, row_group_size=7)
    return target.getvalue()


FORMATS = {"jsonl": as_jsonl, "json": as_json, "csv": as_csv, "parquet": as_parquet}


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize("kind", FORMATS)
def test_every_format_goes_on_after_any_row(tmp_path, kind, packed):
    content = FORMATS[kind](ROWS)
    path = tmp_path / "upload"
    path.write_bytes(gzip.compress(content) if packed else content)
    with Source(path, 2**31) as source:
        whole = list(READERS[kind](source, BEGINNING))
    assert [row.value for row in whole if isinstance(row, Row)] == ROWS
    for place in (0, 6, 13, 28, 29):
        with Source(path, 2**31) as source:
            rest = list(READERS[kind](source, Start(whole[place].number, whole[place].end)))
        assert rest == whole[place + 1 :]


def make_import(project, user, kind, rows, name):
    content = FORMATS[kind](rows)
    packed = gzip.compress(content) if name.endswith(".gz") else content
    return create_import(project=project, user=user, content=io.BytesIO(packed), filename=name)


@pytest.mark.parametrize("name", ["a.jsonl", "a.json.gz", "a.csv", "a.parquet", "a.parquet.gz"])
def test_an_import_that_dies_between_batches_ends_with_exact_counts(project, alice, monkeypatch, name):
    monkeypatch.setattr(import_runs, "BATCH_ROWS", 10)
    rows = [row if number % 7 else row | {"chosen": ""} for number, row in enumerate(ROWS)]
    job = make_import(project, alice, name.split(".")[1], rows, name)
    confirm_import(job=job, user=alice)
    dying = Import.objects.get(pk=job.pk)
    assert dying.take()
    with import_runs.open_upload(dying) as source:
        batches = import_runs._batches(dying, source)
        import_runs._store_batch(dying, next(batches), source.position)
        import_runs._store_batch(dying, next(batches), source.position)
    stop_beating(job)
    assert recover_stalled_jobs() == 1
    other = Import.objects.get(pk=job.pk)
    assert other.resume_at > 0
    assert run_import(other)
    other.refresh_from_db()
    assert (other.status, counts(other)) == (JobStatus.SUCCEEDED, (30, 25, 0, 5))
    assert (Judgement.objects.count(), Prompt.objects.count()) == (25, 25)


def test_parquet_holds_messages_and_numbers_and_says_what_it_cannot_hold(tmp_path):
    turns = [{"role": "user", "content": "Why?"}]
    table = pa.table({"prompt": [turns, None], "n": [1, 2], "raw": [b"ok", b"\xff\xfe"]})
    parquet.write_table(table, tmp_path / "upload")
    with Source(tmp_path / "upload", 2**31) as source:
        first, second = READERS["parquet"](source, BEGINNING)
    assert first.value == {"prompt": turns, "n": 1, "raw": "ok"}
    assert (second.number, second.reason) == (2, "holds bytes that are no text; leave that column out")


def test_a_damaged_parquet_file_is_refused_with_a_sentence(project, alice):
    content = as_parquet(ROWS)[:-20]
    with pytest.raises(FileRefused, match="The Parquet file cannot be read: .* Write it again."):
        create_import(project=project, user=alice, content=io.BytesIO(content), filename="a.parquet")


def test_a_gzip_bomb_ends_an_import_with_a_sentence(project, alice):
    bomb = gzip.compress(b'{"prompt": "a"}\n' + b" " * (40 * 1024 * 1024))
    job = create_import(project=project, user=alice, content=io.BytesIO(bomb), filename="bomb.jsonl.gz")
    confirm_import(job=job, user=alice)
    assert run_import(job)
    job.refresh_from_db()
    assert job.status == JobStatus.FAILED
    assert job.error.startswith("The gzip file unpacks to more than 250 times its size, which text does not.")
