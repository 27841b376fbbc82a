"""Fine-grained feedback over HTTP: passages with exact offsets, by list or by quote, and what is refused and why."""

import json
import uuid

import pytest
from django.urls import reverse

from annotate.models import Draft, Judgement, Kind, Lease, Project, SpanFeedback
from annotate.services.answers.spans import matches
from tests.writing_factories import make_text_task, response_of

HTMX = {"HX-Request": "true"}
TEXT = "Boil 🥚 it for ten minutes.\r\nThen boil it again. Enjoy!"


@pytest.fixture
def client(signed_in, carol):
    return signed_in(carol)


@pytest.fixture
def lease(client, project):
    make_text_task(project, Kind.SPANS, TEXT)
    client.get(url(project))
    return Lease.objects.get()


def url(project, name="judge"):
    return reverse(name, args=[project.pk])


def passage(text, category="factual error", severity="minor", **more):
    start = TEXT.index(text)
    span = {"start": start, "end": start + len(text), "text": text, "category": category, "severity": severity}
    return {**span, "note": "", **more}


def marked(lease, *spans, **more):
    return {"lease": lease.pk, "submission_id": str(uuid.uuid4()), "spans": json.dumps(spans), **more}


def test_passages_are_stored_in_the_order_of_the_text_overlaps_and_all(client, project, lease):
    spans = [
        passage("ten minutes.\r\nThen boil", "unclear", "major"),
        passage("🥚 it"),
        passage("minutes", note=" Seven. "),
    ]
    data = marked(lease, *spans, critique=" Twice? ", flags_a=["unsafe"])
    assert client.post(url(project), data).status_code == 302
    feedback = SpanFeedback.objects.select_related("judgement").get()
    assert feedback.response == response_of(TEXT)
    assert feedback.spans == [
        {"start": 5, "end": 9, "text": "🥚 it", "category": "factual error", "severity": "minor", "note": ""},
        {**passage("ten minutes.\r\nThen boil", "unclear", "major"), "start": 14, "end": 37},
        {**passage("minutes"), "start": 18, "end": 25, "note": "Seven."},
    ]
    assert all(TEXT[span["start"] : span["end"]] == span["text"] for span in feedback.spans)
    assert feedback.critique == "Twice?"
    assert feedback.judgement.flags == {str(feedback.response_id): ["unsafe"]}


@pytest.mark.parametrize(
    ("spans", "message"),
    [
        ([], "Nothing is marked yet. Mark at least one passage, or write a critique."),
        (
            [passage("ten"), passage("ten", start=9)],
            "Passage 2 says “ten” where the text has “for ten”; mark it again.",
        ),
        ([passage("ten", end=400)], "Passage 1 goes from 14 to 400, which is not in this text of 54 characters."),
        ([passage("ten", start=17)], "Passage 1 goes from 17 to 17, which is not in this text"),
        ([passage("ten", start="14")], "Passage 1 goes from 14 to 17, which is not in this text"),
        ([passage("ten", "ugly")], "Passage 1 “ten” has the category “ugly”, which this project does not have"),
        ([passage("ten", "")], "Passage 1 “ten” has no category; choose from: factual error, unclear,"),
        ([passage("ten", severity="fatal")], "has the severity “fatal”, which this project does not have"),
        ([passage("ten", note="x" * 2_001)], "Passage 1 “ten” has a note of 2001 characters; keep it under 2000."),
        (["ten"], "Passage 1 is not a passage; mark it again."),
        ([passage("ten")] * 201, "201 passages are marked; leave at most 200."),
    ],
)
def test_a_wrong_list_is_422_names_the_passage_and_stays(client, project, lease, spans, message):
    data = marked(lease, *spans, critique="" if not spans else "Hm.")
    reply = client.post(url(project), data, headers=HTMX)
    html = reply.content.decode()
    assert (reply.status_code, message in html) == (422, True), html[html.find("errorlist") :][:400]
    assert f'name="spans" id="spans" value="{data["spans"].replace(chr(34), "&quot;")}"' in html
    assert not Judgement.objects.exists() and Lease.objects.get().state == "held"


@pytest.mark.parametrize("spans", ["{", "{}", '["\\ud800"]', "[" * 100_000])
def test_a_list_that_cannot_be_read_is_422(client, project, lease, spans):
    reply = client.post(url(project), {**marked(lease), "spans": spans}, headers=HTMX)
    assert reply.status_code == 422
    assert "The list of passages cannot be read." in reply.content.decode()


def test_quotes_in_plain_fields_are_found_in_the_text_whatever_their_spaces(client, project, lease):
    rows = {
        "quote_1": "minutes. Then\r\nboil",
        "category_1": "unclear",
        "severity_1": "major",
        "quote_2": "boil it",
        "category_2": "irrelevant",
        "severity_2": "minor",
        "note_2": "Again?",
        "quote_3": "",
        "category_3": "",
    }
    client.post(url(project), {**marked(lease), **rows})
    assert SpanFeedback.objects.get().spans == [
        {**passage("minutes.\r\nThen boil", "unclear", "major")},
        {**passage("boil it", "irrelevant", note="Again?")},
    ]


def test_a_quote_that_is_not_there_is_named_and_every_row_comes_back_as_typed(client, project, lease):
    rows = {"quote_1": "ten", "category_1": "unclear", "severity_1": "major", "note_1": "Too long"}
    rows |= {"quote_2": "eleven minutes", "category_2": "unclear", "severity_2": "minor"}
    reply = client.post(url(project), {**marked(lease), **rows, "critique": "Hm."})
    html = reply.content.decode()
    assert reply.status_code == 422
    assert "Passage 2 “eleven minutes” is not in the response; copy the words as they stand there." in html
    assert ">\nten</textarea>" in html and ">\neleven minutes</textarea>" in html and ">\nHm.</textarea>" in html
    assert 'value="Too long"' in html and html.count("<option selected>unclear") == 2
    assert html.count('name="quote_') == 7


@pytest.mark.parametrize(
    ("ask_critique", "critique", "status"),
    [("off", "Unheard", 422), ("optional", "Good.", 302), ("required", "", 422), ("required", "Good.", 302)],
)
def test_a_critique_alone_is_enough_where_the_project_asks_for_one(
    client, project, lease, ask_critique, critique, status
):
    Project.objects.update(kind_options={"spans": {"ask_critique": ask_critique}})
    assert client.post(url(project), marked(lease, critique=critique)).status_code == status


def test_a_project_without_severities_stores_none(client, project, lease):
    Project.objects.update(kind_options={"spans": {"categories": ["odd"], "severities": []}})
    assert 'name="severity_1"' not in client.get(url(project)).content.decode()
    client.post(url(project), marked(lease, passage("ten", "odd", "")))
    assert SpanFeedback.objects.get().spans[0]["severity"] == ""


def test_the_same_submission_again_leaves_one_row(client, project, lease):
    data = marked(lease, passage("ten"))
    assert [client.post(url(project), data, headers=HTMX).status_code for _ in range(3)] == [200, 200, 200]
    assert (Judgement.objects.count(), SpanFeedback.objects.count()) == (1, 1)


def test_undo_and_the_history_bring_the_marks_back_also_as_quotes(client, project, lease):
    client.post(url(project), marked(lease, passage("ten"), passage("minutes"), critique="Hm."))
    page = client.get(reverse("judgement-open", args=[project.pk, lease.pk])).content.decode()
    assert "Marked factual error × 2; with a critique" in page
    assert ">\nten</textarea>" in page and 'name="start_2" value="18"' in page
    client.post(url(project, "judge-undo"), {"judgement": Judgement.objects.get().pk})
    assert json.loads(Draft.objects.get().data["spans"]) == [passage("ten"), passage("minutes")]


def test_a_quote_keeps_the_place_it_was_marked_at(client, project, lease):
    again = TEXT.index("it", 20)
    rows = {"quote_1": "it", "start_1": str(again), "category_1": "unclear", "severity_1": "minor"}
    client.post(reverse("judgement-open", args=[project.pk, lease.pk]), {**marked(lease), **rows})
    assert SpanFeedback.objects.get().spans[0]["start"] == again


def test_a_page_closed_untouched_leaves_no_draft(client, project, lease):
    client.post(url(project, "judge-return"), marked(lease))
    assert not Draft.objects.exclude(data={}).exists()


@pytest.mark.parametrize(
    ("said", "known", "same"),
    [
        ([(0, 5, "unclear")], [(4, 9, "unclear")], True),
        ([(0, 5, "unclear")], [(5, 9, "unclear")], False),
        ([(0, 5, "unclear")], [(0, 5, "unsafe")], False),
        ([(0, 5, "unclear"), (6, 9, "unsafe")], [(0, 5, "unclear")], False),
        ([], [], True),
        ([], [(0, 5, "unclear")], False),
    ],
)
def test_an_agreed_answer_is_met_when_each_passage_overlaps_one_of_its_category(said, known, same):
    said, known = (
        [dict(zip(("start", "end", "category"), span, strict=True)) for span in spans] for spans in (said, known)
    )
    assert matches(said, known) is same
