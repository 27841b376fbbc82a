"""Edits over HTTP: the better text becomes a response beside its original, an unchanged one is refused."""

import uuid

import pytest
from django.urls import reverse

from annotate.models import Author, Draft, Edit, Judgement, Kind, Lease, Project
from tests.writing_factories import make_text_task, response_of

HTMX = {"HX-Request": "true"}
ORIGINAL = "Boil it for ten minutes.\r\nThen eat it."


@pytest.fixture
def client(signed_in, carol):
    return signed_in(carol)


@pytest.fixture
def lease(client, project):
    make_text_task(project, Kind.EDIT, ORIGINAL)
    client.get(url(project))
    return Lease.objects.get()


def url(project, name="judge"):
    return reverse(name, args=[project.pk])


def edited(lease, text, **more):
    return {"lease": lease.pk, "submission_id": str(uuid.uuid4()), "text": text, **more}


def test_the_copy_starts_as_the_original(client, project, lease):
    html = client.get(url(project)).content.decode()
    assert ">\nBoil it for ten minutes.\nThen eat it.</textarea>" in html


def test_an_edit_is_a_response_beside_its_original_with_its_distance_flags_and_reason(client, project, carol, lease):
    data = edited(
        lease, "Boil it for seven minutes.\r\nThen eat it.", rationale=" Ten is too long. ", flags_a=["unsafe"]
    )
    assert client.post(url(project), data).status_code == 302
    edit = Edit.objects.select_related("response__author", "judgement").get()
    original = response_of(ORIGINAL)
    assert (edit.original, edit.response.text) == (original, "Boil it for seven minutes.\nThen eat it.")
    assert (edit.response.author.kind, edit.response.author.user) == (Author.Kind.PERSON, carol)
    assert edit.distance == 1 / 8
    assert (edit.judgement.rationale, edit.judgement.flags) == ("Ten is too long.", {str(original.pk): ["unsafe"]})


@pytest.mark.parametrize(
    ("ask_reason", "wrong", "message"),
    [
        ("optional", {"text": ORIGINAL}, "Nothing is changed yet."),
        ("optional", {"text": ORIGINAL + "\r\n"}, "Nothing is changed yet."),
        ("optional", {"text": ""}, "The text is empty."),
        ("optional", {"text": " \r\n "}, "The text is empty."),
        ("optional", {"text": "x" * 100_001}, "at most 100000 characters (it has 100001)"),
        ("required", {"rationale": " "}, "Say in a sentence what you changed and why."),
        ("optional", {"flags_a": ["nonsense"]}, "nonsense is not one of the available choices."),
    ],
)
def test_an_edit_that_will_not_do_is_422_and_stays_as_typed(client, project, lease, ask_reason, wrong, message):
    Project.objects.update(kind_options={"edit": {"ask_reason": ask_reason}})
    data = edited(lease, "Seven minutes.", rationale="Shorter.", flags_a=["unsafe"]) | wrong
    reply = client.post(url(project), data, headers=HTMX)
    html = reply.content.decode()
    assert reply.status_code == 422
    assert message in html and f">\n{data['text']}</textarea>" in html
    assert data["rationale"].strip() in html
    assert "flags_a" in wrong or 'name="flags_a" value="unsafe" checked' in html
    assert not Judgement.objects.exists() and Lease.objects.get().state == "held"


@pytest.mark.parametrize(("ask_reason", "shown"), [("off", False), ("optional", True), ("required", True)])
def test_the_reason_follows_the_rule_for_edits_whatever_the_project_asks_elsewhere(
    client, project, lease, ask_reason, shown
):
    Project.objects.update(kind_options={"edit": {"ask_reason": ask_reason}}, rationale="required")
    assert ('name="rationale"' in client.get(url(project)).content.decode()) is shown
    client.post(url(project), edited(lease, "Seven minutes."))
    assert Edit.objects.exists() is (ask_reason != "required")


def test_the_same_submission_again_leaves_one_edit(client, project, lease):
    data = edited(lease, "Seven minutes.")
    assert [client.post(url(project), data, headers=HTMX).status_code for _ in range(3)] == [200, 200, 200]
    assert (Judgement.objects.count(), Edit.objects.count()) == (1, 1)


def test_a_page_closed_untouched_leaves_no_draft_and_a_touched_one_does(client, project, lease):
    client.post(url(project, "judge-return"), edited(lease, ORIGINAL))
    assert not Draft.objects.exclude(data={}).exists()
    client.get(url(project))
    client.post(url(project, "judge-return"), edited(lease, "Seven"))
    assert Draft.objects.get().data["text"] == "Seven"


def test_undo_brings_the_edited_text_back_and_the_history_says_how_much_changed(client, project, lease):
    client.post(url(project), edited(lease, "Boil it for seven minutes.\nThen eat it.", rationale="Ten is long."))
    assert "Edited, 12% changed" in client.get(url(project, "judgement-history")).content.decode()
    client.post(url(project, "judge-undo"), {"judgement": Judgement.objects.get().pk})
    html = client.get(url(project)).content.decode()
    assert "for seven minutes.\nThen eat it.</textarea>" in html and "Ten is long." in html
