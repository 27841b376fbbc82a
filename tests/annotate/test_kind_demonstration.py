"""Demonstrations over HTTP: the text becomes a response, its suggestion is kept, too little is refused."""

import uuid

import pytest
from django.urls import reverse

from annotate.models import Author, Demonstration, Draft, Judgement, Kind, Lease, Project, Response
from annotate.services.answers.text_distance import split_words, word_distance
from tests.writing_factories import make_text_task

HTMX = {"HX-Request": "true"}
SUGGESTIONS = ["Boil it for ten minutes.", "Ask your mother."]


@pytest.fixture
def client(signed_in, carol):
    return signed_in(carol)


@pytest.fixture
def lease(client, project):
    """A demonstration in Carol's hands, whose first suggestion is shown as B."""
    make_text_task(project, Kind.DEMONSTRATION, *SUGGESTIONS)
    client.get(url(project))
    Lease.objects.update(order=[1, 0])
    return Lease.objects.get()


def url(project, name="judge"):
    return reverse(name, args=[project.pk])


def written(lease, text, **more):
    return {"lease": lease.pk, "submission_id": str(uuid.uuid4()), "text": text, **more}


def test_the_text_becomes_a_response_by_the_person_who_wrote_it(client, project, carol):
    task = make_text_task(project, Kind.DEMONSTRATION)
    client.get(url(project))
    reply = client.post(url(project), written(Lease.objects.get(), "Seven minutes,\r\nno more.\r\n"))
    assert (reply.status_code, reply["Location"]) == (302, url(project))
    demonstration = Demonstration.objects.select_related("response__author", "judgement").get()
    response = demonstration.response
    assert (response.text, response.prompt) == ("Seven minutes,\nno more.", task.prompt)
    assert (response.author.kind, response.author.user) == (Author.Kind.PERSON, carol)
    assert (demonstration.suggestion, demonstration.distance) == (None, None)
    assert (demonstration.judgement.kind, demonstration.judgement.rationale) == ("demonstration", "")


def test_the_suggestion_and_the_share_of_words_that_moved_from_it_are_kept(client, project, lease):
    client.post(url(project), written(lease, "Boil it for seven minutes. Then peel it.", suggestion="B"))
    demonstration = Demonstration.objects.get()
    assert demonstration.suggestion.text == SUGGESTIONS[0]
    assert demonstration.distance == 0.5  # one word replaced and three added, of eight


def test_the_same_submission_again_leaves_one_response(client, project, lease):
    data = written(lease, "Seven minutes.", suggestion="A")
    assert [client.post(url(project), data, headers=HTMX).status_code for _ in range(3)] == [200, 200, 200]
    assert (Judgement.objects.count(), Demonstration.objects.count(), Response.objects.count()) == (1, 1, 3)


@pytest.mark.parametrize(
    ("least", "wrong", "message"),
    [
        (1, {"text": ""}, "Write the response you would like to have read."),
        (1, {"text": " \r\n"}, "Write the response you would like to have read."),
        (6, {"text": "Boil it for seven minutes."}, "This has 5 of the 6 words that this project asks for."),
        (1, {"text": "x" * 100_001}, "at most 100000 characters (it has 100001)"),
        (1, {"text": "Seven.\x00"}, "Null characters are not allowed."),
        (1, {"text": "Seven.", "suggestion": "C"}, "C is not one of the available choices."),
    ],
)
def test_a_text_that_will_not_do_is_422_and_stays_as_typed(client, project, lease, least, wrong, message):
    Project.objects.update(kind_options={"demonstration": {"least_words": least}})
    reply = client.post(url(project), written(lease, "", suggestion="A") | wrong, headers=HTMX)
    html = reply.content.decode()
    assert reply.status_code == 422
    assert message in html and f">\n{wrong['text']}</textarea>" in html
    assert wrong.get("suggestion") or 'value="A" data-key="1" checked' in html
    assert not Judgement.objects.exists() and Lease.objects.get().state == "held"


def test_a_draft_may_be_shorter_than_the_project_asks_for_and_comes_back(client, project, lease):
    Project.objects.update(kind_options={"demonstration": {"least_words": 50}})
    reply = client.post(url(project, "judge-draft"), written(lease, "Seven\r\n", suggestion="B"))
    assert (reply.status_code, Draft.objects.get().data["text"]) == (204, "Seven\n")
    html = client.get(url(project)).content.decode()
    assert ">\nSeven\n</textarea>" in html and 'value="B" data-key="2" checked' in html


def test_undo_brings_the_text_and_its_suggestion_back(client, project, lease):
    client.post(url(project), written(lease, "Seven minutes.", suggestion="B"))
    client.post(url(project, "judge-undo"), {"judgement": Judgement.objects.get().pk})
    html = client.get(url(project)).content.decode()
    assert ">\nSeven minutes.</textarea>" in html and 'value="B" data-key="2" checked' in html


def test_a_correction_from_the_history_is_a_response_of_its_own(client, project, lease):
    client.post(url(project), written(lease, "Seven minutes.", suggestion="B"))
    page = reverse("judgement-open", args=[project.pk, lease.pk])
    assert "Wrote a response from B, 80% changed" in client.get(page).content.decode()
    client.post(page, written(lease, "Eight minutes."))
    assert list(Demonstration.objects.order_by("pk").values_list("response__text", "suggestion")) == [
        ("Seven minutes.", Response.objects.get(text=SUGGESTIONS[0]).pk),
        ("Eight minutes.", None),
    ]
    assert "Wrote a response" in client.get(url(project, "judgement-history")).content.decode()


def test_suggestions_are_not_on_the_page_of_a_project_that_shows_none(client, project, lease):
    Project.objects.update(kind_options={"demonstration": {"show_suggestions": False}})
    html = client.get(url(project)).content.decode()
    assert SUGGESTIONS[0] not in html and 'name="suggestion"' not in html
    client.post(url(project), written(lease, "Seven minutes.", suggestion="B"))
    assert Demonstration.objects.get().suggestion is None


def test_the_preview_is_sanitised_markdown_and_keeps_nothing(client, project):
    reply = client.post(url(project, "judge-preview"), {"text": "**Seven** <script>alert(1)</script>"})
    assert reply.content.decode() == "<p><strong>Seven</strong> &lt;script&gt;alert(1)&lt;/script&gt;</p>\n"
    assert client.post(url(project, "judge-preview"), {"text": "x" * 100_001}).status_code == 422
    assert client.get(url(project, "judge-preview")).status_code == 405


@pytest.mark.parametrize(
    ("before", "after", "distance"),
    [
        ("a b c d", "a b c d", 0),
        ("a  b\nc d", "a b c d", 0),
        ("a b c d", "a x c", 0.5),  # b → x, d gone: 2 of 4
        ("a b", "c d e f", 1),
        ("", "", 0),
        ("", "a", 1),
        ("茹でる", "茹だる", 1 / 3),
    ],
)
def test_the_distance_is_words_changed_over_words_of_the_longer_text(before, after, distance):
    assert word_distance(before, after) == pytest.approx(distance, abs=1e-12)


def test_a_word_is_what_spaces_divide_or_one_chinese_or_japanese_character():
    assert split_words("It's 7-minute  eggs,\n煮蛋 ok") == ["It's", "7-minute", "eggs,", "煮", "蛋", "ok"]
