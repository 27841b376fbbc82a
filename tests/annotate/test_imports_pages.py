"""Importing over HTTP: upload, preview, confirm, watch, download what was refused."""

import csv
import io
import json

import pytest

from annotate.models import AuditEvent, Comparison, Import, JobStatus, Prompt
from annotate.services.import_runs import run_import
from annotate.services.imports import confirm_import, create_import

GOOD = b'{"id": 1, "category": "art", "prompt": "Why <b>blue</b>?"}\n{"prompt": "How?"}\n'
MIXED = GOOD + b'{"prompt": ""}\nnot json\n'


@pytest.fixture
def job(project, alice):
    return create_import(project=project, user=alice, content=io.BytesIO(MIXED), filename="mixed.jsonl")


@pytest.fixture
def finished(job, alice):
    confirm_import(job=job, user=alice)
    run_import(job)
    job.refresh_from_db()
    return job


def run_confirmed(job, user):
    confirm_import(job=job, user=user)
    run_import(job)


def address(project, rest=""):
    return f"/projects/{project.pk}/imports/{rest}"


def upload(client, project, content, name="prompts.jsonl", **data):
    file = io.BytesIO(content)
    file.name = name
    return client.post(address(project, "new/"), {"file": file, **data})


def settings_of(job, **changes):
    """What the preview's form posts when nothing is touched, but for `changes`."""
    data = {"format": job.format, "contents": job.contents, "column": "", "tags": "", "source": "", "id_prefix": ""}
    return {**data, "keep_responses": "on", **changes}


def test_a_file_is_uploaded_looked_at_confirmed_and_read(project, alice, signed_in):
    client = signed_in(alice)
    answer = upload(client, project, MIXED, "mixed.jsonl")
    job = Import.objects.get()
    assert answer.status_code == 302
    assert answer["Location"] == address(project, f"{job.pk}/")
    page = client.get(answer["Location"]).content.decode()
    assert "Why &lt;b&gt;blue&lt;/b&gt;?" in page
    assert "the prompt is empty" in page
    assert "is broken JSON: Expecting value at character 1" in page
    assert (job.status, Prompt.objects.count()) == (JobStatus.DRAFT, 0)

    answer = client.post(address(project, f"{job.pk}/"), settings_of(job, tags="pilot, first", confirm="1"))
    assert answer.status_code == 302
    job.refresh_from_db()
    assert job.status == JobStatus.QUEUED
    assert run_import(job)
    page = client.get(address(project, f"{job.pk}/")).content.decode()
    assert "every 1s" not in page
    assert "Download refused rows" in page
    assert list(Prompt.objects.order_by("pk").values_list("tags", flat=True)) == [
        ["art", "pilot", "first"],
        ["pilot", "first"],
    ]


def test_pasted_text_is_imported_like_a_file(project, alice, signed_in):
    client = signed_in(alice)
    answer = client.post(address(project, "new/"), {"text": "Why?\nHow?\n"})
    assert answer.status_code == 302
    job = Import.objects.get()
    assert (job.format, job.filename) == ("text", "")
    assert "Pasted text" in client.get(answer["Location"]).content.decode()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({}, "Choose a file or paste some text."),
        ({"text": "  "}, "Choose a file or paste some text."),
        ({"text": "{\n"}, "is broken JSON"),
        ({"text": "Why?", "contents": "songs"}, "songs is not one of the available choices"),
    ],
)
def test_an_upload_that_says_nothing_is_explained(project, alice, signed_in, data, message):
    answer = signed_in(alice).post(address(project, "new/"), data, follow=True)
    assert message in answer.content.decode()


def test_a_file_that_is_not_text_gets_one_clear_message(project, alice, signed_in):
    answer = upload(signed_in(alice), project, b"\x89PNG\r\n\x1a\n\0\0", "photo.png")
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "“photo.png” is not UTF-8 text: it begins like a PNG picture." in page
    assert not Import.objects.exists()


def test_a_file_over_the_limit_is_dropped_while_it_comes_in(project, alice, signed_in, settings):
    settings.MAX_UPLOAD_BYTES = 300_000
    answer = upload(signed_in(alice), project, b"a" * 400_000)
    assert answer.status_code == 422
    assert (
        "The file has about 390.8\xa0KB; the largest that is taken has 293.0\xa0KB. Split it."
        in answer.content.decode()
    )


def test_a_csv_without_the_column_offers_a_choice_and_goes_on_with_it(project, alice, signed_in):
    client = signed_in(alice)
    upload(client, project, b"number,body\n1,Why?\n", "a.csv")
    job = Import.objects.get()
    page = client.get(address(project, f"{job.pk}/")).content.decode()
    assert "no column that is known to hold prompts. It has “number”, “body”" in page
    assert '<option value="body">body</option>' in page
    assert 'name="confirm"' not in page

    client.post(address(project, f"{job.pk}/"), settings_of(job, column="body"))
    page = client.get(address(project, f"{job.pk}/")).content.decode()
    assert 'name="confirm"' in page
    client.post(address(project, f"{job.pk}/"), settings_of(job, column="body", confirm="1"))
    job.refresh_from_db()
    assert job.status == JobStatus.QUEUED


def test_settings_that_make_no_sense_are_422_and_change_nothing(project, alice, signed_in, job):
    answer = signed_in(alice).post(
        address(project, f"{job.pk}/"), settings_of(job, format="xml", tags="t" * 61, confirm="1")
    )
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "xml is not one of the available choices" in page
    assert f"The tag “{'t' * 30}…” has 61 characters; the limit is 60." in page
    job.refresh_from_db()
    assert (job.status, job.format) == (JobStatus.DRAFT, "jsonl")


def test_progress_polls_as_a_fragment_until_the_end(project, alice, signed_in, job):
    client = signed_in(alice)
    confirm_import(job=job, user=alice)
    page = client.get(address(project, f"{job.pk}/"))
    assert 'hx-trigger="every 1s"' in page.content.decode()
    assert "HX-Request" in page["Vary"]
    fragment = client.get(address(project, f"{job.pk}/"), headers={"HX-Request": "true"}).content.decode()
    assert fragment.lstrip().startswith("<section")
    assert "<html" not in fragment
    run_import(job)
    assert "every 1s" not in client.get(address(project, f"{job.pk}/"), headers={"HX-Request": "true"}).content.decode()


def test_refused_rows_are_downloaded_with_row_reason_and_text(project, bob, signed_in, finished):
    answer = signed_in(bob).get(address(project, f"{finished.pk}/refused.jsonl"))
    lines = [json.loads(line) for line in b"".join(answer).decode().splitlines()]
    assert lines == [
        {"row": 3, "reason": "the prompt is empty", "raw": '{"prompt": ""}'},
        {"row": 4, "reason": "is broken JSON: Expecting value at character 1", "raw": "not json"},
    ]
    assert f'filename="import-{finished.pk}-refused.jsonl"' in answer["Content-Disposition"]


def test_a_draft_is_thrown_away_with_its_file(
    project, alice, signed_in, job, settings, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        assert signed_in(alice).post(address(project, f"{job.pk}/cancel/")).status_code == 302
    job.refresh_from_db()
    assert job.status == JobStatus.CANCELLED
    assert not (settings.UPLOADS_DIR / job.file).exists()
    page = signed_in(alice).post(address(project, f"{job.pk}/resume/"), follow=True).content.decode()
    assert "The uploaded file is no longer on the server. Upload it again." in page


def test_an_import_in_the_queue_is_stopped_and_goes_on(project, alice, signed_in, job):
    client = signed_in(alice)
    confirm_import(job=job, user=alice)
    client.post(address(project, f"{job.pk}/cancel/"))
    page = client.get(address(project, f"{job.pk}/")).content.decode()
    assert "Go on from row 1" in page
    client.post(address(project, f"{job.pk}/resume/"))
    job.refresh_from_db()
    assert job.status == JobStatus.QUEUED
    assert list(
        AuditEvent.objects.filter(action__startswith="import.").order_by("pk").values_list("action", flat=True)
    ) == [
        "import.confirmed",
        "import.cancelled",
        "import.confirmed",
    ]


def test_the_list_shows_what_came_of_each_import(project, bob, signed_in, finished):
    page = signed_in(bob).get(address(project)).content.decode()
    assert "mixed.jsonl" in page
    assert "Import prompts" not in page  # a reviewer reads


def test_an_empty_list_invites_the_owner(project, alice, signed_in):
    assert "Nothing imported yet" in signed_in(alice).get(address(project)).content.decode()


def test_the_list_takes_as_many_statements_for_fifty_imports_as_for_two(
    project, alice, signed_in, django_assert_max_num_queries
):
    Import.objects.bulk_create(
        Import(project=project, created_by=alice, contents="prompts", format="jsonl", file="x") for _ in range(120)
    )
    client = signed_in(alice)
    with django_assert_max_num_queries(6):
        page = client.get(address(project))
    assert page.context["older_url"]
    assert len(client.get(address(project) + page.context["older_url"]).context["imports"]) == 50


READS = ["", "{pk}/", "{pk}/refused.jsonl", "{pk}/refused.csv"]
WRITES = ["new/", "{pk}/", "{pk}/cancel/", "{pk}/resume/"]


@pytest.mark.parametrize("path", READS)
def test_members_who_review_read_and_others_do_not(project, bob, carol, mallory, stranger, signed_in, job, path):
    url = address(project, path.format(pk=job.pk))
    assert signed_in(bob).get(url).status_code == 200
    assert signed_in(carol).get(url).status_code == 403
    assert signed_in(mallory).get(url).status_code == 404
    assert signed_in(stranger).get(url).status_code == 404


@pytest.mark.parametrize("path", WRITES)
def test_only_owners_import(project, bob, carol, mallory, stranger, signed_in, job, path):
    url = address(project, path.format(pk=job.pk))
    assert signed_in(bob).post(url).status_code == 403
    assert signed_in(carol).post(url).status_code == 403
    assert signed_in(mallory).post(url).status_code == 404
    assert signed_in(stranger).post(url).status_code == 404


@pytest.mark.parametrize(
    ("path", "method"),
    [("", "post"), ("new/", "put"), ("{pk}/", "delete"), ("{pk}/cancel/", "get"), ("{pk}/resume/", "get")],
)
def test_other_methods_are_405(project, alice, signed_in, job, path, method):
    url = address(project, path.format(pk=job.pk))
    assert getattr(signed_in(alice), method)(url).status_code == 405


def test_an_import_is_not_reached_through_another_project(project, alice, mallory, signed_in, job):
    other = mallory.memberships.get().project
    assert signed_in(mallory).get(f"/projects/{other.pk}/imports/{job.pk}/").status_code == 404


def test_refused_rows_come_as_a_table_that_no_spreadsheet_executes(project, alice, signed_in):
    rows = b'{"prompt": ""}\n=HYPERLINK("x")\n{"prompt": "Why?"}'
    job = create_import(project=project, user=alice, content=io.BytesIO(rows), filename="a.jsonl")
    run_confirmed(job, alice)
    answer = signed_in(alice).get(address(project, f"{job.pk}/refused.csv"))
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    assert list(csv.reader(io.StringIO(text))) == [
        ["row", "reason", "raw"],
        ["1", "the prompt is empty", '{"prompt": ""}'],
        ["2", "is broken JSON: Expecting value at character 1", '\'=HYPERLINK("x")'],
    ]


def test_columns_are_chosen_in_the_preview_and_stored_as_what_they_were_called(project, alice, signed_in):
    client = signed_in(alice)
    upload(client, project, b"q,one,two,vote,who\nWhy?,Yes.,No.,-3,w1\nHow?,So.,Thus.,maybe,w1\n", "votes.csv")
    job = Import.objects.get()
    page = address(project, f"{job.pk}/")
    answer = client.post(page, settings_of(job, contents="mapped"))
    assert answer.status_code == 422
    assert "Choose the column with the prompts." in answer.content.decode()
    chosen = {"prompt": "q", "response_a": "one", "response_b": "two", "preference": "vote", "annotator": "who"}
    columns = {f"column-{role}": name for role, name in chosen.items()}
    assert client.post(page, settings_of(job, contents="mapped", points="8", **columns)).status_code == 302
    shown = client.get(page).content.decode()
    assert "A better" in shown
    assert "the preference “maybe” is none that is understood" in shown
    job.refresh_from_db()
    assert (job.options["columns"], job.options["points"]) == (chosen, 8)
    client.post(page, settings_of(job, contents="mapped", points="8", confirm="1", **columns))
    job.refresh_from_db()
    assert run_import(job)
    comparison = Comparison.objects.select_related("first", "judgement").get()
    better = comparison.first if comparison.preference < 0 else comparison.second
    assert (better.text, abs(comparison.preference), comparison.points) == ("Yes.", 3, 8)
    assert comparison.judgement.external_annotator == "w1"


def test_a_known_format_is_named_with_what_it_was_found_by(project, alice, signed_in):
    client = signed_in(alice)
    row = {"instruction": "Why?", "response1": "Yes.", "response2": "No.", "annotator1": 1, "annotator2": 2}
    answer = upload(client, project, json.dumps([row]).encode(), "pandalm.json")
    page = client.get(answer["Location"]).content.decode()
    assert "PandaLM test set" in page
    assert "Recognised by response1, response2, annotator1." in page
    assert "A better" in page
