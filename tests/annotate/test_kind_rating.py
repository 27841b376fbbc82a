"""Ratings over HTTP: the grid, the row it leaves, what is missing by response and question, and its versions."""

import re
import uuid

import pytest
from django.urls import reverse

from annotate.kinds.options import RATING_PRESETS, RatingOptions, read_options, write_options
from annotate.models import Judgement, Lease, Project, Rating
from annotate.services.answers.rating import matches
from tests.kinds_factories import letter_ids, make_rating_task

HTMX = {"HX-Request": "true"}
QUESTIONS = [
    {"key": "overall", "label": "Overall quality", "points": 7, "low": "terrible", "high": "excellent"},
    {"key": "invented", "label": "Makes things up", "points": 2, "names": ["Yes", "No"]},
    {"key": "tone", "label": "Tone", "points": 5, "required": False},
]
SCORES = {"score-a-overall": "6", "score-a-invented": "2", "score-b-overall": "1", "score-b-invented": "1"}


@pytest.fixture
def client(signed_in, carol):
    return signed_in(carol)


@pytest.fixture
def task(project):
    Project.objects.update(kind_options={"rating": {"questions": QUESTIONS}})
    return make_rating_task(project)


def url(project, name="judge"):
    return reverse(name, args=[project.pk])


def answer(**more):
    return {"lease": Lease.objects.get(state="held").pk, "submission_id": str(uuid.uuid4()), **more}


def test_the_page_shows_a_row_of_points_for_each_question_under_each_response(client, project, task):
    html = client.get(url(project)).content.decode()
    rows = [f"score-{letter}-{key}" for letter in "ab" for key in ("overall", "invented", "tone")]
    assert re.findall(r'data-name="(score-[^"]+)"', html) == rows
    assert re.findall(r'name="score-b-tone" value="(\d)"', html) == list("12345")
    assert "terrible" in html and "excellent" in html and "</kbd>Yes" in html


def test_one_question_of_seven_points_is_asked_by_default(client, project):
    make_rating_task(project, responses=1)
    html = client.get(url(project)).content.decode()
    assert re.findall(r'name="(score-[^"]+)" value="(\d)"', html) == [("score-a-overall", str(n)) for n in range(1, 8)]


@pytest.mark.parametrize("order", [[0, 1], [1, 0]])
def test_scores_are_stored_by_response_with_the_questions_that_were_asked(client, project, task, order):
    client.get(url(project))
    Lease.objects.update(order=order)
    ids = letter_ids(task)
    reply = client.post(url(project), answer(**SCORES, **{"score-b-tone": "3"}, rationale="Clear.", flags_b=["unsafe"]))
    assert reply.status_code == 302
    rating = Rating.objects.select_related("judgement").get()
    assert rating.scores == {
        str(ids["A"]): {"overall": 6, "invented": 2},
        str(ids["B"]): {"overall": 1, "invented": 1, "tone": 3},
    }
    assert rating.shown == [ids["A"], ids["B"]]
    assert [question["key"] for question in rating.questions] == ["overall", "invented", "tone"]
    assert rating.questions[1]["names"] == ["Yes", "No"]
    assert (rating.judgement.kind, rating.judgement.flags) == ("rating", {str(ids["B"]): ["unsafe"]})


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"score-b-invented": ""}, "Response B: answer “Makes things up”."),
        ({"score-a-overall": "8"}, "Response A: “8” is no answer to “Overall quality”. Choose from 1 to 7."),
        ({"score-a-tone": "0"}, "Response A: “0” is no answer to “Tone”. Choose from 1 to 5."),
    ],
)
def test_an_invalid_rating_is_422_by_response_and_question_with_everything_typed_kept(
    client, project, task, wrong, message
):
    client.get(url(project))
    reply = client.post(url(project), answer(**SCORES | wrong, rationale="Because."), headers=HTMX)
    html = reply.content.decode()
    assert reply.status_code == 422 and message in html and ">Because.</textarea>" in html
    assert re.search(r'name="score-b-overall" value="1"[^>]*checked', html)
    assert not Judgement.objects.exists()


def test_history_says_the_scores_in_words_and_a_correction_starts_from_them(client, project, task):
    client.get(url(project))
    client.post(url(project), answer(**SCORES))
    said = "A: Overall quality 6, Makes things up No; B: Overall quality 1, Makes things up Yes"
    assert said in client.get(url(project, "judgement-history")).content.decode()
    judged = reverse("judgement-open", args=[project.pk, Lease.objects.get().pk])
    assert re.search(r'name="score-a-overall" value="6"[^>]*checked', client.get(judged).content.decode())
    client.post(judged, {"submission_id": str(uuid.uuid4()), **SCORES, "score-a-overall": "5"})
    assert Judgement.objects.filter(is_current=True).get().supersedes is not None
    assert Rating.objects.count() == 2


def test_a_rating_is_right_within_a_point_and_exactly_where_there_are_few(client, project, task):
    client.get(url(project))
    ids = letter_ids(task)
    known = {str(ids["A"]): {"overall": 5, "invented": 2}, str(ids["B"]): {"overall": 2, "invented": 1, "tone": 5}}
    task.agreed_answer = {"scores": known, "points": {"overall": 7, "invented": 2}}
    task.save(update_fields=["agreed_answer"])
    client.post(url(project), answer(**SCORES))
    assert Judgement.objects.get().matches_agreed is True
    points = {"points": {"overall": 7, "invented": 2}}
    said = {"scores": {"1": {"overall": 6, "invented": 2}}}
    assert matches(said, {"scores": {"1": {"overall": 7, "invented": 2}}, **points})
    assert not matches(said, {"scores": {"1": {"overall": 4, "invented": 2}}, **points})
    assert not matches(said, {"scores": {"1": {"overall": 6, "invented": 1}}, **points})
    assert not matches(said, {"scores": {"2": {"overall": 6}}, **points})


@pytest.mark.parametrize("preset", RATING_PRESETS)
def test_every_preset_survives_being_stored(preset):
    options = RatingOptions(questions=RATING_PRESETS[preset])
    assert read_options("rating", {"rating": write_options(options)}) == options
