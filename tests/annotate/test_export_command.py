"""`manage.py export_preferences`."""

import json
from io import StringIO

import pyarrow.parquet as pq
import pytest
from django.core.management import CommandError, call_command

from annotate.exports.lines import export_lines
from annotate.models import Snapshot
from annotate.services.snapshots import create_snapshot
from tests.factories import make_judgement, make_project, make_task


@pytest.fixture
def snapshot(project, carol, alice):
    for preference in (-1, 0, 2):
        make_judgement(make_task(project), carol, preference)
    return create_snapshot(project=project, user=alice, test_fraction=0.5)


def run(source, **options):
    out, err = StringIO(), StringIO()
    call_command("export_preferences", str(source), stdout=out, stderr=err, **options)
    return out.getvalue(), err.getvalue()


def test_a_project_by_id_or_name_gives_its_newest_finished_snapshot(snapshot, project):
    whole = "".join(export_lines(snapshot, "trl-conversational"))
    out, err = run(project.pk)
    assert out == whole
    assert err == "“Snapshot 1” as trl-conversational: 2 rows, 1 tie left out: this form has no line for them.\n"
    assert run(project.name)[0] == whole


def test_a_snapshot_a_form_and_a_split_can_be_named(snapshot):
    out, err = run(f"snapshot:{snapshot.pk}", form="lossless", split="test")
    assert out == "".join(export_lines(snapshot, "lossless", "test"))
    assert {json.loads(line)["split"] for line in out.splitlines()} == {"test"}
    assert "nothing left out" in err


def test_a_file_is_written_whole(snapshot, project, tmp_path):
    target = tmp_path / "pairs.jsonl"
    out, _ = run(project.pk, output=str(target), form="hh")
    assert out == ""
    assert target.read_text() == "".join(export_lines(snapshot, "hh"))
    assert list(tmp_path.iterdir()) == [target]


def test_new_freezes_what_there_is_now(project, carol):
    make_judgement(make_task(project), carol)
    out, _ = run(project.pk, new="Tonight")
    assert len(out.splitlines()) == 1
    assert Snapshot.objects.get().name == "Tonight"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("Nowhere", "There is no project 'Nowhere'"),
        ("999999", "There is no project '999999'"),
        ("snapshot:999999", "There is no snapshot:999999"),
        ("snapshot:x", "There is no snapshot:x"),
    ],
)
def test_what_does_not_exist_is_said(snapshot, source, message):
    with pytest.raises(CommandError, match=message):
        run(source)


def test_a_project_without_a_snapshot_says_how_to_make_one(project):
    with pytest.raises(CommandError, match="has no finished snapshot"):
        run(project.pk)
    with pytest.raises(CommandError, match="No judgement matches"):
        run(project.pk, new="Empty")


def test_two_projects_of_one_name_are_told_apart_by_id(snapshot, project, alice):
    make_project(alice, name=project.name)
    with pytest.raises(CommandError, match="Several projects"):
        run(project.name)


def test_a_folder_that_is_not_there_is_said(snapshot, project, tmp_path):
    with pytest.raises(CommandError, match="could not be written: No such file or directory"):
        run(project.pk, output=str(tmp_path / "missing" / "pairs.jsonl"))


def test_the_ending_of_the_file_chooses_its_format(snapshot, project, tmp_path):
    target = tmp_path / "pairs.parquet"
    run(project.pk, output=str(target), form="trl")
    assert pq.read_table(target).num_rows == 2
    with pytest.raises(CommandError, match="Parquet is no text for a terminal"):
        run(project.pk, format="parquet")
    with pytest.raises(CommandError, match="The form sft has lists in it"):
        run(project.pk, form="sft", format="csv")
