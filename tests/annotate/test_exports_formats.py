"""The formats of exported files: the same rows in each, nothing a spreadsheet would execute, the same bytes twice."""

import csv
import gzip
import io
import json

import pyarrow.parquet as pq
import pytest

from annotate.exports import parquet
from annotate.exports.downloads import find_download
from annotate.exports.formats import FORMATS, neutralise
from annotate.exports.forms import FORMS, UnknownForm
from annotate.services.snapshots import create_snapshot
from tests.factories import make_judgement, make_prompt, make_response, make_task


@pytest.fixture
def snapshot(project, alice, carol):
    for number, preference in enumerate((-4, 0, 2, None, 1)):
        task = make_task(project, prompt=make_prompt(project, f"Egg {number}, “boiled”?", system="=1+1"))
        make_judgement(task, carol, preference, rationale="@SUM(A1)\nReally.")
    return create_snapshot(project=project, user=alice, test_fraction=0.0)


def read(snapshot, form, format):
    return b"".join(find_download(snapshot, form, None, format).pieces())


def rows_of(data):
    return pq.read_table(io.BytesIO(data)).to_pylist()


def test_parquet_holds_what_the_lines_hold(snapshot, monkeypatch):
    monkeypatch.setattr(parquet, "BATCH_ROWS", 2)
    monkeypatch.setattr(parquet, "GROUP_BYTES", 1)
    for form in FORMS.values():
        lines = [json.loads(line) for line in read(snapshot, form.name, "jsonl").splitlines()]
        data = read(snapshot, form.name, "parquet")
        assert rows_of(data) == [parquet.fit(line, form.columns) for line in lines]
        assert pq.ParquetFile(io.BytesIO(data)).num_row_groups == (len(lines) + 1) // 2


def test_gzip_holds_the_same_lines(snapshot):
    assert gzip.decompress(read(snapshot, "lossless", "jsonl.gz")) == read(snapshot, "lossless", "jsonl")


def test_the_same_file_twice_is_the_same_bytes(snapshot):
    for format in FORMATS:
        assert read(snapshot, "comparisons", format) == read(snapshot, "comparisons", format)


def test_a_table_opens_in_a_spreadsheet_and_nothing_in_it_is_executed(snapshot):
    text = read(snapshot, "comparisons", "csv").decode()
    assert text[0] == "\ufeff"
    rows = list(csv.DictReader(io.StringIO(text[1:], newline="")))
    assert {row["rationale"] for row in rows} == {"'@SUM(A1)\nReally."}
    assert all(row["prompt"].startswith("'=1+1\n\nHuman: Egg") for row in rows)
    assert sorted(row["preference"] for row in rows) == ["", "-4", "0", "1", "2"]


@pytest.mark.parametrize("beginning", ["=", "+", "-", "@", "\t", "\r"])
def test_a_cell_that_would_be_executed_has_an_apostrophe(beginning):
    assert neutralise(f"{beginning}1") == f"'{beginning}1"
    assert (neutralise(f"1{beginning}"), neutralise(-1), neutralise(None)) == (f"1{beginning}", -1, None)


def test_lists_do_not_go_into_a_table(snapshot):
    with pytest.raises(UnknownForm, match="The form lossless has lists in it.*Choose from: jsonl, jsonl.gz, parquet"):
        find_download(snapshot, "lossless", None, "csv")
    with pytest.raises(UnknownForm, match="no format 'xlsx'. Choose one of: jsonl, jsonl.gz, parquet, csv"):
        find_download(snapshot, "lossless", None, "xlsx")


def test_a_long_text_begins_a_new_piece_and_no_line_is_lost(project, alice, carol):
    for number in range(3):
        prompt = make_prompt(project)
        task = make_task(project, prompt=prompt)
        task.places.filter(position=0).update(response=make_response(prompt, f"{number}" * 70_000))
        make_judgement(task, carol)
    snapshot = create_snapshot(project=project, user=alice, test_fraction=0.0)
    pieces = list(find_download(snapshot, "trl").pieces())
    assert len(pieces) == 3
    assert [len(json.loads(piece)["chosen"]) for piece in pieces] == [70_001] * 3
