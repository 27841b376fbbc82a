"""What a snapshot takes, how it is split, and that it never changes afterwards."""

import hashlib
import uuid
from datetime import UTC, date, datetime, timedelta

import pytest
from django.utils import timezone

from annotate.exports.downloads import find_download
from annotate.exports.lines import export_lines
from annotate.models import AuditEvent, ClaimLost, JobStatus, Judgement, Snapshot, SnapshotFile, Task
from annotate.models.jobs import STALLED_AFTER
from annotate.services import snapshot_files, snapshots
from annotate.services.recovery import recover_stalled_jobs
from annotate.services.snapshot_files import path_of, prepare_file
from annotate.services.snapshot_filters import FilterError, matching_judgements, parse_filters
from annotate.services.snapshots import SnapshotError, build_snapshot, create_snapshot, hash_snapshot, retry_snapshot
from tests.factories import make_judgement, make_project, make_prompt, make_task
from tests.training.waiting import wait_until


@pytest.fixture
def freeze(project, alice):
    def snapshot(name="", **options):
        return create_snapshot(project=project, user=alice, name=name, **options)

    return snapshot


def taken(snapshot):
    return set(snapshot.items.values_list("judgement_id", flat=True))


def undo(judgement):
    """As the judging page does it: a newer row supersedes the answer."""
    Judgement.objects.filter(pk=judgement.pk).update(is_current=False)
    return Judgement.objects.create(
        project=judgement.project,
        task=judgement.task,
        kind=judgement.kind,
        annotator=judgement.annotator,
        outcome=Judgement.Outcome.UNDONE,
        submission_id=uuid.uuid4(),
        supersedes=judgement,
    )


def test_a_small_snapshot_is_built_at_once(project, carol, freeze):
    judgement = make_judgement(make_task(project), carol)
    snapshot = freeze()
    assert (snapshot.name, snapshot.status) == ("Snapshot 1", JobStatus.SUCCEEDED)
    assert taken(snapshot) == {judgement.pk}
    assert (snapshot.train_count, snapshot.test_count) == (1, 0)
    assert len(snapshot.content_hash) == 64
    stored = Snapshot.objects.get(pk=snapshot.pk)
    assert (stored.status, stored.content_hash, stored.total) == (JobStatus.SUCCEEDED, snapshot.content_hash, 1)
    assert AuditEvent.objects.get(action="snapshot.created").target == "Snapshot 1"


def test_only_answers_that_stand_in_this_project_are_taken(project, carol, bob, freeze, mallory):
    task = make_task(project, overlap=2)
    kept = make_judgement(task, carol)
    undo(make_judgement(task, bob))
    make_judgement(make_task(project), carol).delete()
    Judgement.objects.create(
        project=project,
        task=make_task(project),
        kind="comparison",
        annotator=carol,
        outcome="skip",
        submission_id=uuid.uuid4(),
    )
    make_judgement(make_task(make_project(mallory)), mallory)
    assert taken(freeze()) == {kept.pk}


def test_later_answers_corrections_and_undos_do_not_change_it(project, carol, bob, freeze):
    task = make_task(project, overlap=2)
    judgement = make_judgement(task, carol)
    snapshot = freeze()
    lines = list(export_lines(snapshot, "lossless"))
    make_judgement(task, bob)
    undo(judgement)
    assert list(export_lines(snapshot, "lossless")) == lines
    assert hash_snapshot(snapshot) == snapshot.content_hash
    assert taken(freeze()) != taken(snapshot)


def test_nothing_to_freeze_is_said_and_leaves_no_snapshot(freeze):
    with pytest.raises(SnapshotError, match="No judgement matches"):
        freeze()
    assert not Snapshot.objects.exists()


def test_asking_again_in_the_same_words_returns_the_same_snapshot(project, carol, freeze):
    make_judgement(make_task(project), carol)
    first = freeze("Pilot", filters={"tags": []})
    make_judgement(make_task(project), carol)
    again = freeze("Pilot")
    assert again == first
    assert taken(again) == taken(first)
    assert Snapshot.objects.count() == 1


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"filters": {"include_ties": False}}, "filters"),
        ({"test_fraction": 0.2}, "test fraction"),
        ({"split_seed": 1}, "split seed"),
    ],
)
def test_a_taken_name_cannot_stand_for_something_else(project, carol, freeze, options, field):
    make_judgement(make_task(project), carol)
    freeze("Pilot")
    with pytest.raises(SnapshotError, match=f"already a snapshot “Pilot” with another {field}"):
        freeze("Pilot", **options)


def test_names_are_numbered_past_those_that_are_taken(project, carol, freeze):
    make_judgement(make_task(project), carol)
    freeze("Snapshot 2")
    assert [freeze().name, freeze().name] == ["Snapshot 3", "Snapshot 4"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"test_fraction": 0.95}, "held-out share is 0.95; it must be from 0 to 0.9"),
        ({"test_fraction": -0.1}, "held-out share is -0.1"),
        ({"split_seed": -1}, "split seed is -1"),
        ({"split_seed": 2**31}, "split seed is 2147483648"),
    ],
)
def test_an_impossible_split_is_refused(project, carol, freeze, options, message):
    make_judgement(make_task(project), carol)
    with pytest.raises(SnapshotError, match=message):
        freeze(**options)


# The filter


@pytest.mark.parametrize(
    ("filters", "message"),
    [
        ({"mood": "good"}, "no snapshot filter 'mood'"),
        ({"kinds": ["essay"]}, "no kind of judgement 'essay'. Choose from: comparison"),
        ({"tags": "eggs"}, "filter tags is 'eggs'; it must be a list"),
        ({"annotators": ["carol"]}, "filter annotators holds 'carol'; its entries are int"),
        ({"annotators": [True]}, "filter annotators holds True"),
        ({"since": "yesterday"}, "filter since is 'yesterday'; write a day as 2026-03-31"),
        ({"include_ties": "no"}, "filter include_ties is 'no'; it must be true or false"),
        ({"since": "2026-03-02", "until": "2026-03-01"}, "starts on 2026-03-02 and ends before that, on 2026-03-01"),
    ],
)
def test_a_filter_that_makes_no_sense_names_its_field_and_value(filters, message):
    with pytest.raises(FilterError, match=message):
        parse_filters(filters)


def test_a_filter_survives_being_stored():
    chosen = parse_filters({"since": date(2026, 3, 1), "tags": ["b", "a", "b"], "include_surplus": False})
    assert chosen.to_json()["tags"] == ["a", "b"]
    assert parse_filters(chosen.to_json()) == chosen
    assert parse_filters({}).describe() == []
    assert chosen.describe() == ["from 1 March 2026", "prompts tagged a, b", "without surplus"]
    assert "include_evaluations" not in chosen.to_json()
    wide = parse_filters({"include_evaluations": True})
    assert parse_filters(wide.to_json()) == wide
    assert wide.describe() == ["with evaluations of models"]


def test_each_filter_takes_what_it_says(project, carol, bob):
    def judged(annotator, preference=-1, **fields):
        return make_judgement(make_task(project), annotator, preference, **fields)

    first_of_march = datetime(2026, 3, 1, tzinfo=UTC)
    plain = judged(carol, created_at=first_of_march)
    tie = judged(bob, 0, created_at=first_of_march + timedelta(days=1, seconds=-1))
    surplus = judged(carol, is_surplus=True, created_at=first_of_march + timedelta(days=1))
    imported = judged(None, external_annotator="imported", points=None, first_on_left=None)
    prompt = plain.task.prompt
    prompt.tags, prompt.source = ["eggs", "heat"], "kitchen.jsonl"
    prompt.save()
    evaluated = judged(carol, created_at=first_of_march)
    Task.objects.filter(pk=evaluated.task_id).update(key="evaluation-7:1-2")

    def found(**filters):
        return set(matching_judgements(project, parse_filters(filters)))

    assert found() == {plain, tie, surplus, imported}
    assert found(kinds=["comparison"]) == {plain, tie, surplus, imported}
    assert found(until="2026-03-01") == {plain, tie}
    assert found(since="2026-03-02", until="2026-03-02") == {surplus}
    assert found(until="9999-12-31") == {plain, tie, surplus, imported}
    assert found(tags=["heat", "cold"]) == {plain}
    assert found(sources=["kitchen.jsonl"]) == {plain}
    assert found(annotators=[bob.pk]) == {tie}
    assert found(include_ties=False) == {plain, surplus, imported}
    assert found(include_imported=False) == {plain, tie, surplus}
    assert found(include_surplus=False) == {plain, tie, imported}
    assert found(include_evaluations=True) == {plain, tie, surplus, imported, evaluated}


def test_leaving_ties_out_keeps_both_bad(project, carol):
    bad = make_judgement(make_task(project), carol, None)
    assert set(matching_judgements(project, parse_filters({"include_ties": False}))) == {bad}


# The split


def test_no_prompt_is_on_both_sides_and_the_side_is_a_hash_of_seed_and_prompt(project, carol, bob, freeze):
    for _ in range(40):
        task = make_task(project)
        make_judgement(task, carol)
        make_judgement(task, bob)
    snapshot = freeze(test_fraction=0.3, split_seed=7)
    sides = set(snapshot.items.values_list("judgement__task__prompt__content_hash", "split"))
    assert len(sides) == 40
    for content_hash, side in sides:
        bucket = int(hashlib.sha256(f"7:{content_hash}".encode()).hexdigest()[:8], 16)
        assert side == ("test" if bucket < 0.3 * 2**32 else "train")
    assert snapshot.test_count == 2 * sum(side == "test" for _, side in sides)
    assert snapshot.train_count + snapshot.test_count == 80


def test_a_prompt_stays_on_its_side_as_the_project_grows(project, carol, freeze):
    for number in range(30):
        make_judgement(make_task(project, prompt=make_prompt(project, f"prompt {number}")), carol)
    sides = "judgement__task__prompt__content_hash", "split"
    before = dict(freeze(test_fraction=0.3).items.values_list(*sides))
    for number in range(30, 60):
        make_judgement(make_task(project, prompt=make_prompt(project, f"prompt {number}")), carol)
    after = dict(freeze(test_fraction=0.3).items.values_list(*sides))
    assert before.items() <= after.items()
    assert len(after) == 60


@pytest.mark.parametrize(("share", "test"), [(0.0, 0), (1e-6, 1), (0.9, 1)])
def test_two_prompts_give_one_to_each_side_unless_nothing_is_held_out(project, carol, freeze, share, test):
    for number in range(2):
        make_judgement(make_task(project, prompt=make_prompt(project, f"prompt {number}")), carol)
    assert freeze(test_fraction=share).test_count == test


def test_a_single_prompt_is_trained_on(project, carol, freeze):
    make_judgement(make_task(project), carol)
    assert freeze(test_fraction=0.9).train_count == 1


# The hash


def judged_project(owner, annotator, order):
    """The same three judgements, made in this order, in a project of its own."""
    project = make_project(owner)
    for number in order:
        task = make_task(project, prompt=make_prompt(project, f"prompt {number}"))
        make_judgement(
            task,
            None,
            -number,
            external_annotator=annotator,
            submission_id=uuid.UUID(int=number),
            created_at=datetime(2026, 3, number, tzinfo=UTC),
        )
    return project


def test_the_hash_says_what_is_in_it_and_not_where_it_is_stored(alice):
    def hashed(*order, annotator="file", **options):
        project = judged_project(alice, annotator, order)
        return create_snapshot(project=project, user=alice, **options).content_hash

    first = hashed(1, 2, 3)
    assert hashed(3, 1, 2) == first
    assert hashed(1, 2) != first
    assert hashed(1, 2, 3, annotator="another") != first
    assert hashed(1, 2, 3, split_seed=5, test_fraction=0.4) != first


def test_the_hash_is_the_sha256_of_the_lossless_lines(project, carol, freeze):
    make_judgement(make_task(project), carol)
    snapshot = freeze()
    whole = "".join(export_lines(snapshot, "lossless"))
    assert hashlib.sha256(whole.encode()).hexdigest() == snapshot.content_hash


# The job


def test_a_build_is_done_once_and_one_that_died_is_done_again(project, carol, freeze):
    make_judgement(make_task(project), carol)
    snapshot = freeze()
    assert not build_snapshot(snapshot)
    Snapshot.objects.filter(pk=snapshot.pk).update(
        status=JobStatus.RUNNING, heartbeat_at=timezone.now() - STALLED_AFTER - timedelta(seconds=1), content_hash=""
    )
    snapshot.items.all().delete()
    assert recover_stalled_jobs() == 1
    assert recover_stalled_jobs() == 0
    again = Snapshot.objects.get(pk=snapshot.pk)
    assert again.status == JobStatus.QUEUED
    assert build_snapshot(again)
    assert again.content_hash == snapshot.content_hash


def test_a_worker_that_lost_its_claim_leaves_nothing_behind(project, carol, alice):
    make_judgement(make_task(project), carol)
    snapshot = Snapshot.objects.create(project=project, created_by=alice, name="Pilot")
    take = snapshot.take

    def take_and_lose_it():
        taken = take()
        Snapshot.objects.filter(pk=snapshot.pk).update(claim=uuid.uuid4())
        return taken

    snapshot.take = take_and_lose_it
    with pytest.raises(ClaimLost):
        build_snapshot(snapshot)
    assert not snapshot.items.exists()


def test_a_build_that_finds_nothing_fails_with_a_sentence_and_can_be_tried_again(project, carol, alice):
    snapshot = Snapshot.objects.create(project=project, created_by=alice, name="Pilot")
    assert build_snapshot(snapshot)
    failed = Snapshot.objects.get(pk=snapshot.pk)
    assert failed.status == JobStatus.FAILED
    assert failed.error.startswith("No judgement matches")
    make_judgement(make_task(project), carol)
    assert retry_snapshot(snapshot=failed, user=alice)
    assert Snapshot.objects.get(pk=snapshot.pk).status == JobStatus.SUCCEEDED
    assert not retry_snapshot(snapshot=failed, user=alice)


def test_a_job_that_wore_out_its_workers_fails(project, carol, freeze):
    make_judgement(make_task(project), carol)
    snapshot = freeze()
    Snapshot.objects.filter(pk=snapshot.pk).update(
        status=JobStatus.RUNNING, attempts=10, heartbeat_at=timezone.now() - STALLED_AFTER * 2
    )
    assert recover_stalled_jobs() == 0
    snapshot.refresh_from_db()
    assert snapshot.status == JobStatus.FAILED
    assert snapshot.error.startswith("10 workers have died")


def test_a_large_snapshot_and_a_file_of_it_are_made_by_a_worker(celery_worker, alice, project, bob, monkeypatch):
    make_judgement(make_task(project), bob)
    for module in (snapshots, snapshot_files):
        monkeypatch.setattr(module, "BUILT_AT_ONCE", 0)
    with celery_worker("default"):
        snapshot = create_snapshot(project=project, user=alice)
        assert snapshot.status == JobStatus.QUEUED
        wait_until(lambda: not Snapshot.objects.get(pk=snapshot.pk).is_active)
        snapshot.refresh_from_db()
        assert (snapshot.status, snapshot.train_count) == (JobStatus.SUCCEEDED, 1)
        assert snapshot.content_hash == hash_snapshot(snapshot)

        file = prepare_file(snapshot=snapshot, user=alice, form="trl")
        assert file.status == JobStatus.QUEUED
        wait_until(lambda: not SnapshotFile.objects.get(pk=file.pk).is_active)
    file.refresh_from_db()
    assert (file.status, file.progress) == (JobStatus.SUCCEEDED, 1)
    assert path_of(file).read_bytes() == b"".join(find_download(snapshot, "trl").pieces())
