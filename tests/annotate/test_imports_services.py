"""Imports from file to rows: what is stored, what is known, what is refused, and a worker that dies in between."""

import gzip
import io
import json
import random
from concurrent.futures import ThreadPoolExecutor

import pytest
from celery import Celery
from django.conf import settings
from django.db import connection
from django.utils import timezone

from annotate.imports.rows import FileRefused, PromptRow
from annotate.models import (
    AuditEvent,
    Author,
    ClaimLost,
    Comparison,
    Import,
    JobStatus,
    Judgement,
    Prompt,
    Response,
    Task,
)
from annotate.models.jobs import STALLED_AFTER
from annotate.services import import_runs, previews, queue
from annotate.services.import_runs import run_import
from annotate.services.imports import cancel_import, confirm_import, create_import
from annotate.services.previews import preview_import
from annotate.services.prompts import add_prompts
from annotate.services.recovery import recover_stalled_jobs
from tests.training.waiting import wait_until


def make_import(project, user, content, filename="prompts.jsonl", **kwargs):
    if not isinstance(content, bytes):
        content = "\n".join(json.dumps(row) for row in content).encode()
    return create_import(project=project, user=user, content=io.BytesIO(content), filename=filename, **kwargs)


def import_now(project, user, content, filename="prompts.jsonl", **options):
    job = make_import(project, user, content, filename)
    Import.objects.filter(pk=job.pk).update(options=job.options | options)
    job.refresh_from_db()
    confirm_import(job=job, user=user)
    run_import(job)
    job.refresh_from_db()
    return job


@pytest.fixture
def broker_away(monkeypatch):
    """Messages go to a broker that does not answer."""
    lonely = Celery("lonely")
    lonely.config_from_object("django.conf:settings", namespace="CELERY")
    lonely.conf.broker_url = lonely.conf.broker_write_url = "redis+socket:///nowhere/valkey.sock"
    monkeypatch.setattr(queue, "app", lonely)


def counts(job):
    return job.rows_read, job.rows_added, job.rows_known, job.rows_refused


def pair(number, *, chosen="Yes.", rejected="No."):
    start = f"\n\nHuman: Question {number}?\n\nAssistant:"
    return {"chosen": f"{start} {chosen}", "rejected": f"{start} {rejected}"}


def test_an_import_stores_prompts_with_what_stands_beside_them(project, alice):
    rows = [
        {"id": 1, "category": "art", "prompt": "Why?", "system": "Be brief.", "response": "So.", "model": "m"},
        {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]},
    ]
    job = import_now(project, alice, rows, tags=["pilot"], id_prefix="x-")
    assert (job.status, counts(job)) == (JobStatus.SUCCEEDED, (2, 2, 0, 0))
    first, second = Prompt.objects.order_by("pk")
    assert (first.system, first.tags, first.source, first.external_id) == (
        "Be brief.",
        ["art", "pilot"],
        "prompts.jsonl",
        "x-1",
    )
    assert second.messages == [{"role": "user", "content": "a"}]
    authors = [
        (response.text, response.author.name, response.author.kind) for response in Response.objects.order_by("pk")
    ]
    assert authors == [("So.", "m", "file"), ("b", "prompts", "file")]
    assert list(settings.UPLOADS_DIR.glob(job.file)) == []


def test_importing_twice_adds_nothing(project, alice):
    rows = [{"id": number, "prompt": f"q{number}", "response": "r"} for number in range(3)] + [{"prompt": "q1"}]
    assert counts(import_now(project, alice, rows)) == (4, 3, 1, 0)
    assert counts(import_now(project, alice, rows)) == (4, 0, 4, 0)
    assert (Prompt.objects.count(), Response.objects.count()) == (3, 3)


def test_new_responses_to_a_known_prompt_are_added(project, alice):
    import_now(project, alice, [{"prompt": "q", "response": "one"}], "system-a.jsonl")
    assert counts(import_now(project, alice, [{"prompt": "q", "response": "two"}], "system-b.jsonl")) == (1, 1, 0, 0)
    assert list(Author.objects.order_by("pk").values_list("name", flat=True)) == ["system-a", "system-b"]


def test_an_id_that_stands_for_another_prompt_is_refused(project, alice):
    import_now(project, alice, [{"id": 7, "prompt": "the first"}])
    job = import_now(project, alice, [{"id": 7, "prompt": "another"}, {"id": 8, "prompt": "fine"}])
    assert counts(job) == (2, 1, 0, 1)
    assert list(job.refused.values_list("row_number", "reason")) == [
        (
            1,
            (
                "the id “7” already belongs to another prompt, “the first”. "
                "Change the id, or set a prefix for the ids of this file."
            ),
        )
    ]


def test_the_same_prompt_may_be_in_two_projects(project, alice, mallory):
    other = mallory.memberships.get().project
    import_now(project, alice, [{"prompt": "q"}])
    assert counts(import_now(other, mallory, [{"prompt": "q"}])) == (1, 1, 0, 0)


def test_bad_rows_are_kept_with_reason_and_text_and_the_good_ones_are_stored(project, alice):
    content = (
        b'{"prompt": "one"}\n{"prompt": \n{"prompt": "a\0b"}\n{"prompt": "' + b"x" * 200_000 + b'"}\n{"prompt": "five"}'
    )
    job = import_now(project, alice, content)
    assert counts(job) == (5, 2, 0, 3)
    refused = list(job.refused.order_by("row_number").values_list("row_number", "reason"))
    assert refused == [
        (2, "is broken JSON: Expecting value at character 12"),
        (3, "holds a NUL character at position 14, which the database cannot store. Remove it."),
        (4, "the prompt has 200,000 characters; the limit is 100,000"),
    ]
    assert job.refused.get(row_number=3).raw == '{"prompt": "a␀b"}'
    assert len(job.refused.get(row_number=4).raw) == 10_000


def test_judged_pairs_become_a_task_that_needs_nobody_and_a_judgement_without_strength(project, alice):
    job = import_now(project, alice, [pair(1)], "hh.jsonl")
    assert (job.contents, counts(job)) == ("hh", (1, 1, 0, 0))
    judgement = Judgement.objects.get()
    task = Task.objects.get()
    assert (task.required_judgements, task.remaining, judgement.task) == (1, 0, task)
    assert (judgement.annotator, judgement.external_annotator, judgement.outcome) == (None, "imported", "answer")
    comparison = judgement.comparison
    assert (comparison.points, comparison.first_on_left) == (None, None)
    assert [place.response for place in task.places.order_by("position")] == [comparison.first, comparison.second]
    better = comparison.first if comparison.preference == -1 else comparison.second
    assert (abs(comparison.preference), better.text) == (1, "Yes.")
    assert Author.objects.get().name == "hh"


def test_the_place_of_the_chosen_response_says_nothing(project, alice):
    import_now(project, alice, [pair(number) for number in range(200)])
    first_is_better = Comparison.objects.filter(preference=-1).count()
    assert 60 < first_is_better < 140  # 5.7 standard deviations of a fair coin
    import_now(project, alice, [pair(number, chosen="No.", rejected="Yes.") | {"judge": "w"} for number in range(200)])
    mirrored = Comparison.objects.filter(judgement__external_annotator="w", preference=1).count()
    assert mirrored == first_is_better
    assert Task.objects.count() == 200


def test_pairs_imported_twice_add_nothing_and_a_contradiction_is_refused(project, alice):
    rows = [pair(1), pair(2), pair(1)]
    assert counts(import_now(project, alice, rows)) == (3, 2, 1, 0)
    job = import_now(project, alice, [*rows, pair(2, chosen="No.", rejected="Yes.")], "renamed.jsonl")
    assert counts(job) == (4, 0, 3, 1)
    assert job.refused.get().reason == "“imported” judged this very task otherwise before"
    assert (Judgement.objects.count(), Response.objects.count()) == (2, 4)


def test_several_people_may_judge_one_pair(project, alice):
    rows = [pair(1) | {"judge": "a"}, pair(1) | {"judge": "b"}]
    assert counts(import_now(project, alice, rows)) == (2, 2, 0, 0)
    import_now(project, alice, [pair(1, chosen="No.", rejected="Yes.") | {"judge": "c"}])
    task = Task.objects.get()
    assert (task.required_judgements, task.remaining, task.judgements.count()) == (3, 0, 3)


def test_the_number_of_statements_does_not_grow_with_the_rows(project, alice, django_assert_max_num_queries):
    for count in (5, 400):
        job = make_import(project, alice, [pair(f"{count}-{number}") for number in range(count)])
        confirm_import(job=job, user=alice)
        with django_assert_max_num_queries(35):
            run_import(job)


def test_a_csv_with_another_column_is_explained_and_imports_once_it_is_chosen(project, alice):
    job = make_import(project, alice, b"id,body\n1,Why?\n", "a.csv")
    preview = preview_import(job)
    assert preview.problem.startswith("The file has no column that is known to hold prompts. It has “id”, “body”;")
    assert preview.columns == ["id", "body"]
    with pytest.raises(FileRefused, match="no column that is known"):
        confirm_import(job=job, user=alice)
    assert counts(import_now(project, alice, b"id,body\n1,Why?\n", "a.csv", column="body")) == (1, 1, 0, 0)


def test_a_preview_tells_what_the_import_will_do_and_writes_nothing(project, alice):
    import_now(project, alice, [{"prompt": "known"}, {"prompt": "with", "response": "there"}])
    rows = [
        {"prompt": "known"},
        {"prompt": "new"},
        {"prompt": "new"},
        {"prompt": ""},
        {"prompt": "with", "response": "there"},
        {"prompt": "with", "response": "another"},
    ]
    job = make_import(project, alice, rows)
    preview = preview_import(job)
    assert (preview.new_count, preview.known_count, preview.is_complete) == (2, 3, True)
    assert [(row.number, row.reason) for row in preview.refused] == [(4, "the prompt is empty")]
    assert Prompt.objects.count() == 2
    confirm_import(job=job, user=alice)
    run_import(job)
    job.refresh_from_db()
    assert counts(job) == (6, 2, 3, 1)


def test_a_preview_of_a_long_file_reads_its_beginning_alone(project, alice, monkeypatch):
    preview = preview_import(make_import(project, alice, [{"prompt": f"q{number}"} for number in range(1_500)]))
    assert (preview.read_count, preview.is_complete, len(preview.shown)) == (1_000, False, 20)
    monkeypatch.setattr(previews, "BEGINNING_BYTES", 10_000)
    blank = b'{"prompt": "a"}\n' + b"\n" * 20_000 + b'{"prompt": "b"}'
    preview = preview_import(make_import(project, alice, blank))
    assert (preview.read_count, preview.is_complete) == (1, False)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "The file is empty. Choose one with a prompt in it."),
        (b"\n\n \n", "The file has no rows: nothing but blank lines, or a header alone."),
        (b"\x89PNG\r\n\x1a\n", "“a.txt” is not UTF-8 text: it begins like a PNG picture."),
    ],
)
def test_a_file_that_cannot_be_read_leaves_nothing_behind(project, alice, content, message):
    before = set(settings.UPLOADS_DIR.glob("*"))
    with pytest.raises(FileRefused) as caught:
        make_import(project, alice, content, "a.txt")
    assert str(caught.value).startswith(message)
    assert Import.objects.count() == 0
    assert set(settings.UPLOADS_DIR.glob("*")) == before


def test_an_upload_over_the_limit_leaves_nothing_behind(project, alice, settings):
    settings.MAX_UPLOAD_BYTES = 1_000
    before = set(settings.UPLOADS_DIR.glob("*"))
    with pytest.raises(FileRefused, match="more than 1,000 bytes, the largest that is taken"):
        make_import(project, alice, b"a" * 1_001)
    assert set(settings.UPLOADS_DIR.glob("*")) == before


def test_the_name_of_an_upload_leads_nowhere(project, alice):
    job = make_import(project, alice, b"why", "../../etc/passwd")
    assert job.filename == "passwd"
    assert (settings.UPLOADS_DIR / job.file).parent == settings.UPLOADS_DIR


def test_confirming_and_cancelling_are_audited(project, alice):
    job = make_import(project, alice, b"why", "a.txt")
    assert confirm_import(job=job, user=alice)
    assert not confirm_import(job=job, user=alice)
    assert cancel_import(job=job, user=alice)
    assert list(AuditEvent.objects.order_by("pk").values_list("action", flat=True)) == [
        "import.confirmed",
        "import.cancelled",
    ]


def test_a_gzip_file_cut_short_fails_with_its_reason_and_keeps_what_was_read(project, alice):
    words = random.Random(1)
    whole = gzip.compress(b"".join(b'{"prompt": "%x"}\n' % words.getrandbits(800) for _ in range(3_000)))
    job = make_import(project, alice, whole[: len(whole) // 2], "a.jsonl.gz")
    confirm_import(job=job, user=alice)
    run_import(job)
    job.refresh_from_db()
    assert job.status == JobStatus.FAILED
    assert job.error.startswith("The gzip file is damaged or cut short: nothing after")
    assert Prompt.objects.count() == job.rows_added > 0


def test_a_run_that_dies_between_batches_goes_on_exactly_there(project, alice, monkeypatch):
    monkeypatch.setattr(import_runs, "BATCH_ROWS", 10)
    rows = [{"prompt": f"q{number}"} if number % 7 else {"prompt": ""} for number in range(45)]
    job = make_import(project, alice, rows)
    confirm_import(job=job, user=alice)
    assert job.take()
    with import_runs.open_upload(job) as source:
        batches = import_runs._batches(job, source)
        import_runs._store_batch(job, next(batches), 0)
        import_runs._store_batch(job, next(batches), 0)
    assert Prompt.objects.count() == 17  # of 20 rows, those not 0, 7 and 14

    assert not run_import(Import.objects.get(pk=job.pk))  # its worker may still be alive
    stop_beating(job)
    assert recover_stalled_jobs() == 1
    other = Import.objects.get(pk=job.pk)
    assert run_import(other)
    other.refresh_from_db()
    assert (other.status, counts(other)) == (JobStatus.SUCCEEDED, (45, 38, 0, 7))
    assert list(other.refused.order_by("row_number").values_list("row_number", flat=True)) == [1, 8, 15, 22, 29, 36, 43]


def test_a_worker_that_lost_its_claim_writes_nothing_more(project, alice, monkeypatch):
    monkeypatch.setattr(import_runs, "BATCH_ROWS", 10)
    job = make_import(project, alice, [{"prompt": f"q{number}"} for number in range(30)])
    confirm_import(job=job, user=alice)
    slow = Import.objects.get(pk=job.pk)
    assert slow.take()
    with import_runs.open_upload(slow) as source:
        batches = import_runs._batches(slow, source)
        import_runs._store_batch(slow, next(batches), 0)
        stop_beating(job)
        assert run_import(Import.objects.get(pk=job.pk))
        stored = set(Prompt.objects.values_list("pk", flat=True))
        with pytest.raises(ClaimLost):
            import_runs._store_batch(slow, [*next(batches)], 0)
    assert set(Prompt.objects.values_list("pk", flat=True)) == stored
    job.refresh_from_db()
    assert counts(job) == (30, 30, 0, 0)


def test_a_cancelled_run_stops_after_the_batch_and_can_go_on(project, alice, monkeypatch):
    monkeypatch.setattr(import_runs, "BATCH_ROWS", 10)
    job = make_import(project, alice, [{"prompt": f"q{number}"} for number in range(30)])
    confirm_import(job=job, user=alice)
    running = Import.objects.get(pk=job.pk)
    assert running.take()
    assert cancel_import(job=job, user=alice)
    Import.objects.filter(pk=job.pk).update(status=JobStatus.QUEUED)
    assert run_import(Import.objects.get(pk=job.pk))
    job.refresh_from_db()
    assert (job.status, counts(job)) == (JobStatus.CANCELLED, (10, 10, 0, 0))
    assert confirm_import(job=job, user=alice)
    assert run_import(job)
    job.refresh_from_db()
    assert (job.status, counts(job)) == (JobStatus.SUCCEEDED, (30, 30, 0, 0))


def test_two_imports_of_the_same_rows_at_once_wait_for_each_other(project, alice, transactional_db):
    rows = [PromptRow(messages=[{"role": "user", "content": f"q{number}"}], shape="") for number in range(300)]

    def store(rows):
        try:
            return sum(outcome.is_new for outcome in add_prompts(project=project, rows=rows))
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as threads:
        added = list(threads.map(store, [rows, rows[::-1]] * 4))
    assert (sum(added), Prompt.objects.count()) == (300, 300)


def test_a_real_worker_reads_the_file(project, alice, celery_worker):
    with celery_worker("default", PLUMBLINE_VAR=str(settings.VAR_DIR)):
        job = make_import(project, alice, [pair(number) for number in range(50)])
        confirm_import(job=job, user=alice)
        wait_until(lambda: job.refresh_from_db() or job.has_ended)
    assert (job.status, counts(job)) == (JobStatus.SUCCEEDED, (50, 50, 0, 0))


def stop_beating(job):
    """As if the worker had been killed a while ago."""
    Import.objects.filter(pk=job.pk).update(heartbeat_at=timezone.now() - 2 * STALLED_AFTER)


def test_an_import_confirmed_while_the_broker_is_away_waits_in_the_queue(
    project, alice, transactional_db, broker_away, caplog
):
    job = make_import(project, alice, b"why", "a.txt")
    assert confirm_import(job=job, user=alice)
    job.refresh_from_db()
    assert job.status == JobStatus.QUEUED
    assert "Error calling" in caplog.text
