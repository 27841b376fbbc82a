"""The page that chooses what to label next: its pairs, its refusals, its queue, its scores."""

import csv

import pytest
from bs4 import BeautifulSoup
from django.urls import reverse

from annotate.models import Task
from tests.factories import make_author, make_prompt, make_response
from training.models import ChosenTask, ModelVersion, ResponseScore, Scoring

pytestmark = pytest.mark.django_db


@pytest.fixture
def responses(project):
    authors = [make_author(project, name) for name in ("old", "new")]
    prompts = [make_prompt(project, f"What is question {number} about?") for number in range(15)]
    return [
        make_response(prompt, f"{author.name} {draw} thinks of {prompt.pk}", author=author)
        for prompt in prompts
        for author in authors
        for draw in ("alpha", "beta")
    ]


@pytest.fixture
def reward(project, alice):
    return ModelVersion.objects.create(project=project, kind="reward", name="judge", origin="judge", created_by=alice)


@pytest.fixture
def address(project):
    return reverse("tasks-choose", args=[project.pk])


def read(answer, status=200):
    assert answer.status_code == status
    return BeautifulSoup(answer.content, "html.parser")


def fields(page):
    form = page.select_one("form.choosing")
    named = {box["name"]: box.get("value", "") for box in form.select("input[name]")}
    chosen = {box["name"]: box.select_one("[selected]") for box in form.select("select")}
    return named | {name: option["value"] if option else "" for name, option in chosen.items()}


def test_the_page_shows_twenty_of_its_pairs_with_a_reason_each_and_queues_all_of_them_once(
    signed_in, alice, project, address, responses
):
    client = signed_in(alice)
    page = read(client.get(address))
    assert page.select_one("#pairs h2").text == "50 pairs, the first 20"
    assert {line.get_text(" ", strip=True) for line in page.select(".chosen-why")} == {
        "random Drawn by lot, 50 of 90 pairs."
    }
    answers = {**fields(page), "contrast": "1", "random": "1", "count": "30", "overlap": "2"}
    for _ in range(2):  # a second press of the same page
        assert client.post(address, answers).url == reverse("project-tasks", args=[project.pk])
    assert Task.objects.count() == ChosenTask.objects.count() == 30
    assert set(Task.objects.values_list("required_judgements", flat=True)) == {2}
    assert sorted(set(ChosenTask.objects.values_list("strategy", flat=True))) == ["contrast", "random"]
    assert project.audit_events.get(action="tasks.chosen").data["tasks"] == 30
    assert read(client.get(address)).select_one("#pairs h2").text == "50 pairs, the first 20"  # of the other 60


def test_what_those_who_judge_see_says_nothing_of_why(signed_in, alice, carol, address, project, responses):
    client = signed_in(alice)
    client.post(address, {**fields(read(client.get(address))), "count": "5", "contrast": "3"})
    shown = signed_in(carol).get(reverse("judge", args=[project.pk])).content.decode()
    assert "thinks of" in shown
    assert not [row.reason for row in ChosenTask.objects.all() if row.reason in shown]


def test_the_reasons_come_as_a_file_with_the_chance_of_every_lot(signed_in, alice, project, address, responses):
    client = signed_in(alice)
    client.post(address, {**fields(read(client.get(address))), "count": "9", "contrast": "1", "seed": "4"})
    answer = client.get(reverse("tasks-chosen", args=[project.pk]))
    rows = list(csv.DictReader(b"".join(answer).decode().splitlines()))
    assert [int(row["task"]) for row in rows] == sorted(Task.objects.values_list("pk", flat=True))
    assert {(row["strategy"], row["chance"]) for row in rows} == {("random", str(5 / 90)), ("contrast", "")}
    assert {row["mix"] for row in rows} == {"random=1 uncertain=0 information=0 contrast=1"}
    assert {(row["seed"], row["pool"]) for row in rows} == {("4", "90")}


def test_bad_numbers_are_refused_with_what_was_typed_and_htmx_gets_the_pairs_alone(
    signed_in, alice, address, responses
):
    client = signed_in(alice)
    sent = {**fields(read(client.get(address))), "count": "0", "information": "-1"}
    page = read(client.post(address, sent), 422)
    assert [error.text for error in page.select(".errorlist li")] == [
        "Ensure this value is greater than or equal to 0.",
        "Ensure this value is greater than or equal to 1.",
    ]
    assert fields(page)["count"] == "0"
    assert Task.objects.count() == 0
    part = read(client.get(address, sent, headers={"HX-Request": "true"}))
    assert "Tasks: Ensure this value is greater than or equal to 1." in part.text
    assert part.select_one("form") is None


def test_without_responses_the_page_says_what_to_do(signed_in, alice, address):
    assert read(signed_in(alice).get(address)).select_one(".empty h2").text == "No pair to ask about"


def test_a_reward_model_that_has_not_scored_all_is_asked_to_from_the_page(
    signed_in, alice, project, address, responses, reward
):
    for response in responses[:10]:
        heads = [float(response.pk), 1.0]
        ResponseScore.objects.create(model=reward, response=response, mean=1, spread=0, heads=heads)
    client = signed_in(alice)
    page = read(client.get(address, {**fields(read(client.get(address))), "uncertain": "1", "random": "0"}))
    assert "has scored 10 of the 60 responses looked at" in page.select_one(".callout").text
    strategies = [pill.text for pill in page.select(".chosen-why .pill")]
    assert {"uncertain", "random"} == set(strategies)
    answer = client.post(reverse("tasks-score", args=[project.pk]), fields(page))
    assert answer.url.startswith(f"{address}?")
    assert "uncertain=1" in answer.url
    assert (Scoring.objects.get().model, Scoring.objects.get().total) == (reward, 50)
    client.post(reverse("tasks-score", args=[project.pk]), fields(page))
    assert Scoring.objects.count() == 1
    assert "and is at it: 0 of 50." in read(client.get(address)).select_one("#pairs .callout").text


def test_only_owners_choose_and_only_reward_models_score(signed_in, bob, alice, project, address, responses):
    assert signed_in(bob).get(address).status_code == 403
    policy = ModelVersion.objects.create(project=project, kind="policy", name="p", origin="p", created_by=alice)
    client = signed_in(alice)
    client.post(reverse("tasks-score", args=[project.pk]), {"model": policy.pk})
    assert Scoring.objects.count() == 0
    assert client.post(reverse("tasks-score", args=[project.pk]), {"model": "none"}).status_code == 404


def test_the_page_reads_as_often_for_many_as_for_few(
    signed_in, alice, address, responses, reward, django_assert_max_num_queries
):
    client = signed_in(alice)
    with django_assert_max_num_queries(17):
        client.get(address)
