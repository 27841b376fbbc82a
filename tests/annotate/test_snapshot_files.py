"""Files of a snapshot that are written first: in the background when large, and taken up where a download broke off."""

import os
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings as site
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from annotate.exports import stream
from annotate.exports.downloads import find_download
from annotate.exports.stream import ConnectionBusy
from annotate.models import JobStatus, Snapshot, SnapshotFile
from annotate.services import snapshot_files
from annotate.services.snapshot_files import KEPT, path_of, prepare_file, remove_old_files, write_file
from annotate.services.snapshots import SnapshotError, create_snapshot
from plumbline_client.downloads import fetch_in_parts
from tests.api import api_of
from tests.factories import make_judgement, make_task


@pytest.fixture(autouse=True)
def folder(settings, tmp_path):
    settings.EXPORTS_DIR = tmp_path / "exports"


@pytest.fixture
def snapshot(project, alice, carol):
    for _ in range(5):
        make_judgement(make_task(project), carol)
    return create_snapshot(project=project, user=alice, test_fraction=0.5)


@pytest.fixture
def alices(signed_in, alice):
    return signed_in(alice)


def download(client, snapshot, form="lossless", headers=None, **query):
    at = reverse("snapshot-download", args=[snapshot.project_id, snapshot.pk, form])
    return client.get(at, query, headers=headers or {})


def body(answer):
    return b"".join(answer.streaming_content)


def queued(snapshot, alice, monkeypatch):
    """A file that waits for a worker."""
    monkeypatch.setattr(snapshot_files, "BUILT_AT_ONCE", 0)
    return prepare_file(snapshot=snapshot, user=alice, form="lossless")


def test_a_file_is_written_and_sent_whole_or_from_where_it_broke_off(alices, snapshot):
    prepared = alices.post(
        reverse("snapshot-prepare", args=[snapshot.project_id, snapshot.pk]), {"form": "lossless", "format": "jsonl"}
    )
    assert prepared.status_code == 302
    file = SnapshotFile.objects.get()
    whole = b"".join(find_download(snapshot, "lossless").pieces())
    assert (file.status, file.size, path_of(file).read_bytes()) == (JobStatus.SUCCEEDED, len(whole), whole)

    answer = download(alices, snapshot)
    assert (body(answer), answer.headers["Content-Length"]) == (whole, str(len(whole)))
    rest = download(alices, snapshot, headers={"Range": "bytes=1000-", "If-Range": answer.headers["ETag"]})
    assert (rest.status_code, body(rest)) == (206, whole[1000:])
    assert rest.headers["Content-Range"] == f"bytes 1000-{len(whole) - 1}/{len(whole)}"
    assert download(alices, snapshot, headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304


@pytest.mark.parametrize(
    ("asked", "status", "part"),
    [
        ("bytes=0-9", 206, slice(0, 10)),
        ("bytes=-7", 206, slice(-7, None)),
        ("bytes=5-999999999", 206, slice(5, None)),
        ("bytes=999999999-", 416, None),
        ("bytes=-0", 416, None),
        ("bytes=9-5", 200, slice(None)),
        ("bytes=0-1,4-5", 200, slice(None)),
        ("lines=0-9", 200, slice(None)),
    ],
)
def test_ranges_are_taken_as_the_standard_says(alices, snapshot, alice, asked, status, part):
    whole = path_of(prepare_file(snapshot=snapshot, user=alice, form="trl")).read_bytes()
    answer = download(alices, snapshot, "trl", headers={"Range": asked})
    assert answer.status_code == status
    if part is None:
        assert answer.headers["Content-Range"] == f"bytes */{len(whole)}"
    else:
        assert body(answer) == whole[part]


def test_a_range_of_another_version_gets_the_file_whole(alices, snapshot, alice):
    size = prepare_file(snapshot=snapshot, user=alice, form="trl").size
    answer = download(alices, snapshot, "trl", headers={"Range": "bytes=5-", "If-Range": '"another"'})
    assert (answer.status_code, len(body(answer))) == (200, size)


def test_a_large_file_waits_for_a_worker_and_says_how_far_it_is(alices, snapshot, alice, monkeypatch):
    file = queued(snapshot, alice, monkeypatch)
    assert (file.status, prepare_file(snapshot=snapshot, user=alice, form="lossless")) == (JobStatus.QUEUED, file)
    page = alices.get(reverse("snapshot-detail", args=[snapshot.project_id, snapshot.pk])).content.decode()
    assert 'hx-trigger="every 2s"' in page
    monkeypatch.setattr(stream, "WINDOW", 2)
    monkeypatch.setattr(stream, "PAUSED_EVERY", 1)
    seen = []
    monkeypatch.setattr(SnapshotFile, "beat", lambda self, **changes: seen.append(changes.get("progress")))
    write_file(file)
    assert seen == [2, 4, 5, 5]


def test_a_file_that_is_cancelled_leaves_nothing(snapshot, alice, monkeypatch):
    file = queued(snapshot, alice, monkeypatch)
    monkeypatch.setattr(SnapshotFile, "beat", lambda self, **changes: True)
    write_file(file)
    assert (file.status, list(Path(site.EXPORTS_DIR).iterdir())) == (JobStatus.CANCELLED, [])


def test_a_folder_that_cannot_be_written_to_is_said_and_the_file_can_be_asked_for_again(snapshot, alice, settings):
    settings.EXPORTS_DIR.write_text("This is no folder.")
    file = prepare_file(snapshot=snapshot, user=alice, form="trl")
    assert (file.status, file.error[:43]) == (JobStatus.FAILED, "The file could not be written: File exists.")
    settings.EXPORTS_DIR.unlink()
    assert prepare_file(snapshot=snapshot, user=alice, form="trl").status == JobStatus.SUCCEEDED


def test_a_file_gone_from_the_disk_is_written_again(alices, snapshot, alice):
    path_of(prepare_file(snapshot=snapshot, user=alice, form="trl")).unlink()
    assert download(alices, snapshot, "trl").status_code == 200
    assert path_of(prepare_file(snapshot=snapshot, user=alice, form="trl")).exists()


def test_old_files_and_what_nobody_owns_are_removed(snapshot, alice):
    young, old = (prepare_file(snapshot=snapshot, user=alice, form=form) for form in ("trl", "hh"))
    long_ago = timezone.now() - KEPT - timedelta(hours=1)
    SnapshotFile.objects.filter(pk=old.pk).update(finished_at=long_ago)
    left_over = Path(site.EXPORTS_DIR) / "1-of-a-killed-worker"
    left_over.write_text("half")
    for path in (path_of(old), left_over):
        os.utime(path, (long_ago.timestamp(), long_ago.timestamp()))
    assert remove_old_files() == 2
    assert list(Path(site.EXPORTS_DIR).iterdir()) == [path_of(young)]


def test_what_cannot_be_written_is_said_beside_the_form(alices, snapshot, alice):
    at = reverse("snapshot-prepare", args=[snapshot.project_id, snapshot.pk])
    answer = alices.post(at, {"form": "lossless", "format": "csv"})
    assert answer.status_code == 422
    assert "The form lossless has lists in it" in answer.content.decode()
    Snapshot.objects.filter(pk=snapshot.pk).update(status=JobStatus.RUNNING)
    snapshot.refresh_from_db()
    with pytest.raises(SnapshotError, match="it has no files yet"):
        prepare_file(snapshot=snapshot, user=alice, form="trl")


def test_programs_ask_for_a_file_and_read_its_card(snapshot, alice, project):
    api = api_of(alice)
    at = f"projects/{project.pk}/snapshots/{snapshot.pk}"
    file = api.call("POST", f"{at}/files/", body={"form": "comparisons", "format": "csv"})
    assert (file["status"], file["total"], file["split"]) == ("succeeded", 5, "")
    assert api.ask("GET", f"{at}/card/").body.startswith(b"# Snapshot 1\n")


def test_a_program_goes_on_where_its_download_broke_off(snapshot, alice, project, tmp_path):
    whole = path_of(prepare_file(snapshot=snapshot, user=alice, form="lossless")).read_bytes()
    address, path, asked = f"projects/{project.pk}/snapshots/{snapshot.pk}/download/lossless/", tmp_path / "all", []

    def ask(headers):
        asked.append(headers["Range"])
        if len(asked) == 3:
            raise ConnectionResetError("The line is dead.")
        return api_of(alice).ask("GET", address, headers=headers)

    with pytest.raises(ConnectionResetError):
        fetch_in_parts(ask, path, part=1000)
    assert not path.exists()
    assert fetch_in_parts(ask, path, part=1000).read_bytes() == whole
    assert asked[:5] == ["bytes=0-999", "bytes=1000-1999", "bytes=2000-2999", "bytes=1999-2998", "bytes=2999-3998"]
    assert [left.name for left in tmp_path.glob("all*")] == ["all"]


def test_a_program_begins_again_when_the_file_is_another_now(snapshot, alice, project, tmp_path):
    whole = path_of(prepare_file(snapshot=snapshot, user=alice, form="trl")).read_bytes()
    path = tmp_path / "pairs.jsonl"
    (tmp_path / "pairs.jsonl.part").write_bytes(b"Something else.")
    (tmp_path / "pairs.jsonl.version").write_text('"another"')
    assert api_of(alice).save(project.pk, snapshot.pk, "trl", path).read_bytes() == whole
    streamed = api_of(alice).save(project.pk, snapshot.pk, "hh", tmp_path / "hh.jsonl")
    assert streamed.read_bytes() == b"".join(find_download(snapshot, "hh").pieces())


def test_the_connection_refuses_other_work_while_rows_come(snapshot):
    rows = stream.stream_rows(snapshot, None)
    next(rows)
    with pytest.raises(ConnectionBusy, match="cannot do this meanwhile: SELECT"):
        Snapshot.objects.get(pk=snapshot.pk)
    rows.close()
    assert connection.execute_wrappers == []
    assert Snapshot.objects.filter(pk=snapshot.pk).exists()
