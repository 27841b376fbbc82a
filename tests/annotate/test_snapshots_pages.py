"""The pages of snapshots over HTTP: who may see and make what, the live count, the download."""

import json

import pytest
from django.urls import reverse

from annotate.exports.lines import export_lines
from annotate.models import JobStatus, Snapshot
from annotate.services.snapshot_facts import describe_snapshot
from annotate.services.snapshots import create_snapshot
from tests.api import make_token
from tests.factories import make_judgement, make_prompt, make_task

HTMX = {"HX-Request": "true"}


@pytest.fixture
def judged(project, carol):
    return [make_judgement(make_task(project), carol, preference) for preference in (-4, 0, 2, None)]


@pytest.fixture
def snapshot(judged, project, alice):
    return create_snapshot(project=project, user=alice)


@pytest.fixture
def alices(signed_in, alice):
    return signed_in(alice)


def address(name, project, *args):
    return reverse(name, args=[project.pk, *args])


def chosen(**changes):
    form = {"name": "Pilot", "held_out": 25, "split_seed": 3, "include_ties": "on", "include_imported": "on"}
    return {**form, "include_surplus": "on", **changes}


def download(client, project, snapshot, form, **options):
    return client.get(address("snapshot-download", project, snapshot.pk, form), **options)


# Who


@pytest.mark.parametrize("name", ["project-snapshots", "snapshot-create"])
def test_the_roles_of_the_list_and_the_form(signed_in, project, alice, bob, carol, mallory, stranger, name):
    at = address(name, project)
    assert signed_in(alice).get(at).status_code == 200
    assert signed_in(bob).get(at).status_code == (200 if name == "project-snapshots" else 403)
    assert signed_in(carol).get(at).status_code == 403
    assert signed_in(mallory).get(at).status_code == 404
    assert signed_in(stranger).get(at).status_code == 404


def test_the_roles_of_a_snapshot_and_its_files(signed_in, project, snapshot, alice, bob, carol, mallory):
    for at in (
        address("snapshot-detail", project, snapshot.pk),
        address("snapshot-download", project, snapshot.pk, "trl"),
    ):
        statuses = [signed_in(user).get(at).status_code for user in (alice, bob, carol, mallory)]
        assert statuses == [200, 200, 403, 404]


def test_a_snapshot_is_not_found_through_another_project(signed_in, snapshot, mallory):
    own = mallory.memberships.get().project
    assert signed_in(mallory).get(address("snapshot-detail", own, snapshot.pk)).status_code == 404
    assert download(signed_in(mallory), own, snapshot, "lossless").status_code == 404


def test_a_reviewer_cannot_make_one(signed_in, project, judged, bob):
    assert signed_in(bob).post(address("snapshot-create", project), chosen()).status_code == 403
    assert not Snapshot.objects.exists()


def test_wrong_methods_are_refused(alices, project, snapshot):
    assert alices.post(address("snapshot-detail", project, snapshot.pk)).status_code == 405
    assert alices.get(address("snapshot-retry", project, snapshot.pk)).status_code == 405
    assert alices.post(address("snapshot-download", project, snapshot.pk, "trl")).status_code == 405


# The form


def test_an_owner_freezes_what_the_form_says(alices, project, judged):
    answer = alices.post(address("snapshot-create", project), chosen(include_ties=""))
    snapshot = Snapshot.objects.get()
    assert answer.status_code == 302
    assert answer.url == address("snapshot-detail", project, snapshot.pk)
    assert (snapshot.name, snapshot.test_fraction, snapshot.split_seed, snapshot.total) == (
        "Pilot",
        0.25,
        3,
        4 - 1 + 1 - 1,
    )
    assert snapshot.filters["include_ties"] is False


def test_a_second_click_on_the_same_form_makes_nothing_more(alices, project, judged):
    first = alices.post(address("snapshot-create", project), chosen())
    second = alices.post(address("snapshot-create", project), chosen())
    assert first.url == second.url
    assert Snapshot.objects.count() == 1


def test_a_name_that_is_taken_keeps_the_form_and_says_so(alices, project, judged, snapshot):
    answer = alices.post(address("snapshot-create", project), chosen(name=snapshot.name))
    assert answer.status_code == 422
    assert "already a snapshot “Snapshot 1” with another test fraction" in answer.content.decode()


def test_an_impossible_form_is_returned_with_its_errors(alices, project, judged):
    answer = alices.post(
        address("snapshot-create", project), chosen(held_out=95, since="2026-03-02", until="2026-03-01", tags=["no"])
    )
    text = answer.content.decode()
    assert answer.status_code == 422
    assert "less than or equal to 90" in text
    assert "This day is before the first one" in text
    assert "no is not one of the available choices" in text
    assert not Snapshot.objects.exists()


def test_nothing_judged_is_said_and_offers_judging(alices, project):
    page = alices.get(address("snapshot-create", project)).content.decode()
    assert "No judgement matches. Widen the filter" in page
    answer = alices.post(address("snapshot-create", project), chosen())
    assert answer.status_code == 422
    assert "No judgement matches: nothing has been judged yet" in answer.content.decode()


def test_the_count_follows_the_form(alices, project, judged, carol):
    tagged = make_prompt(project, "tagged")
    tagged.tags, tagged.source = ["eggs"], "kitchen.jsonl"
    tagged.save()
    make_judgement(make_task(project, prompt=tagged), carol)

    def counted(**fields):
        answer = alices.get(address("snapshot-create", project), chosen(**fields), headers=HTMX)
        assert b"<html" not in answer.content
        return " ".join(answer.content.decode().split()).split("</strong>")[0].rpartition(">")[2]

    assert counted() == "5"
    assert counted(include_ties="") == "4"
    assert counted(tags=["eggs"], sources=["kitchen.jsonl"], annotators=[carol.pk]) == "1"
    assert counted(held_out=95) == "5"
    unreadable = alices.get(address("snapshot-create", project), chosen(since="soon"), headers=HTMX)
    assert "Mend what is marked" in unreadable.content.decode()


def test_the_count_works_without_javascript(alices, project, judged):
    page = alices.get(address("snapshot-create", project), chosen(include_ties="")).content.decode()
    assert "<html" in page
    assert '<strong class="num">3</strong> judgements match.' in page


# Looking


def test_the_list_shows_each_with_its_hash_and_has_an_empty_state(alices, project, signed_in, bob, judged, alice):
    assert "No snapshots yet" in alices.get(address("project-snapshots", project)).content.decode()
    assert (
        "An owner of the project makes them."
        in signed_in(bob).get(address("project-snapshots", project)).content.decode()
    )
    snapshot = create_snapshot(project=project, user=alice)
    page = alices.get(address("project-snapshots", project)).content.decode()
    assert snapshot.content_hash[:12] in page


def test_the_list_costs_the_same_for_many(alices, project, judged, alice, django_assert_num_queries):
    create_snapshot(project=project, user=alice)
    for number in range(5):
        create_snapshot(project=project, user=alice, split_seed=number)
    with django_assert_num_queries(4):
        alices.get(address("project-snapshots", project))


def test_a_snapshot_shows_its_counts_and_what_each_form_leaves_out(alices, project, snapshot):
    page = alices.get(address("snapshot-detail", project, snapshot.pk))
    facts = page.context["facts"]
    assert [(bar.label, bar.total) for bar in facts.kinds] == [("Comparison", 4)]
    assert (facts.people, facts.prompts) == (1, 4)
    assert [(bar.label, bar.total) for bar in facts.bars] == [
        ("4 of 4", 1),
        ("2 of 4", 1),
        ("Tie", 1),
        ("Both bad", 1),
    ]
    text = page.content.decode()
    assert "1 tie and 1 “both bad”" in text
    assert snapshot.content_hash in text


def test_strengths_on_two_scales_are_told_apart(project, carol, alice):
    for preference, points in ((-4, 8), (2, 4), (-1, None)):
        make_judgement(make_task(project), carol, preference, points=points)
    facts = describe_snapshot(create_snapshot(project=project, user=alice))
    assert [bar.label for bar in facts.bars] == ["2 of 2 (4 points)", "4 of 4 (8 points)", "Strength not known"]


def test_a_snapshot_in_the_making_polls_and_a_failed_one_can_be_tried_again(alices, project, snapshot):
    at = address("snapshot-detail", project, snapshot.pk)
    Snapshot.objects.filter(pk=snapshot.pk).update(status=JobStatus.RUNNING)
    assert 'hx-trigger="every 2s"' in alices.get(at).content.decode()
    fragment = alices.get(at, headers=HTMX).content.decode()
    assert "<html" not in fragment
    assert download(alices, project, snapshot, "trl").status_code == 409
    Snapshot.objects.filter(pk=snapshot.pk).update(status=JobStatus.FAILED, error="The disk is full.")
    snapshot.items.all().delete()
    page = alices.get(at).content.decode()
    assert "The disk is full." in page
    assert "every 2s" not in page
    alices.post(address("snapshot-retry", project, snapshot.pk))
    assert Snapshot.objects.get(pk=snapshot.pk).status == JobStatus.SUCCEEDED


# Downloading


def test_a_download_streams_the_lines_under_a_plain_name(alices, project, snapshot):
    answer = download(alices, project, snapshot, "groups")
    assert answer.streaming
    assert b"".join(answer.streaming_content).decode() == "".join(export_lines(snapshot, "groups"))
    assert answer.headers["Content-Disposition"] == 'attachment; filename="kitchen-advice-snapshot-1-groups.jsonl"'
    assert answer.headers["Content-Type"] == "application/x-ndjson; charset=utf-8"
    assert (answer.headers["X-Rows"], answer.headers["X-Rows-Left-Out"]) == ("3", "1")


def test_one_side_of_the_split_can_be_downloaded(alices, project, snapshot):
    answer = download(alices, project, snapshot, "lossless", data={"split": "test"})
    lines = [json.loads(line) for line in b"".join(answer.streaming_content).splitlines()]
    held_out = snapshot.items.filter(split="test").values_list("judgement__submission_id", flat=True)
    assert {line["id"] for line in lines} == {str(submission) for submission in held_out}
    assert 1 <= len(lines) == snapshot.test_count < 4
    assert answer.headers["Content-Disposition"].endswith('-lossless-test.jsonl"')


def test_a_file_that_is_already_there_is_not_sent_again(alices, project, snapshot):
    etag = download(alices, project, snapshot, "trl").headers["ETag"]
    assert etag == f'"{snapshot.content_hash}-trl-all-jsonl"'
    again = download(alices, project, snapshot, "trl", headers={"If-None-Match": etag})
    assert again.status_code == 304
    assert download(alices, project, snapshot, "hh", headers={"If-None-Match": etag}).status_code == 200


def test_a_name_without_latin_letters_still_makes_a_file_name(alices, project, snapshot):
    type(project).objects.filter(pk=project.pk).update(name="台所")
    Snapshot.objects.filter(pk=snapshot.pk).update(name='../"x\r\n')
    disposition = download(alices, project, snapshot, "trl").headers["Content-Disposition"]
    assert disposition == f'attachment; filename="project-{project.pk}-x-trl.jsonl"'


def test_an_unknown_form_or_split_is_not_found_and_names_those_there_are(alices, project, snapshot):
    assert b"Choose one of: trl-conversational" in download(alices, project, snapshot, "csv").content
    answer = download(alices, project, snapshot, "trl", data={"split": "dev"})
    assert answer.status_code == 404
    assert b"Choose one of: train, test" in answer.content


def test_another_format_can_be_asked_for_by_page_and_by_api(alices, alice, project, snapshot):
    answer = download(alices, project, snapshot, "comparisons", data={"format": "csv"})
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"].endswith('-comparisons.csv"')
    table = b"".join(answer.streaming_content)
    refused = download(alices, project, snapshot, "trl-conversational", data={"format": "csv"})
    assert b"Choose from: jsonl" in refused.content
    at = f"/api/v1/projects/{project.pk}/snapshots/{snapshot.pk}/download/comparisons/"
    again = alices.get(at, {"format": "csv"}, headers={"Authorization": f"Bearer {make_token(alice)}"})
    assert b"".join(again.streaming_content) == table
