"""The leaderboard and the pages of evaluations: figures, filters, the rows behind, rights, what an owner may start."""

import re

import pytest
from bs4 import BeautifulSoup
from django.urls import reverse

from annotate.models import JobStatus, Prompt, Ranking, Task, TaskResponse
from annotate.services.compared import PEOPLE, Choice, read_compared
from annotate.services.leaderboards import make_leaderboard
from annotate.services.questionnaires import add_item, save_answers
from tests.factories import add_member, make_author, make_judgement, make_prompt, make_response, make_task, make_user
from tests.training.factories import make_policy, make_reward_model
from training.models import Evaluation, ResponseScore, Scoring
from training.services.evaluation_people import ask_people, follow_evaluation
from training.services.evaluations import start_evaluation
from training.services.reward_rates import measure_rewards

pytestmark = pytest.mark.django_db


def compare(project, user, first, second, preference=-4, *, tags=(), texts=("Seven.", "Nine.")) -> Task:
    """One judged comparison of two authors' responses to a prompt of its own; negative prefers the first."""
    prompt = make_prompt(project)
    Prompt.objects.filter(pk=prompt.pk).update(tags=list(tags))
    task = Task.objects.create(
        project=project, prompt=prompt, key=f"pair-{prompt.pk}", required_judgements=1, remaining=0
    )
    for position, (author, text) in enumerate(zip((first, second), texts, strict=True)):
        TaskResponse.objects.create(task=task, response=make_response(prompt, text, author=author), position=position)
    make_judgement(task, user, preference)
    return task


@pytest.fixture
def authors(project):
    return [make_author(project, name) for name in ("Ada", "Bea", "Cyd")]


@pytest.fixture
def judged(project, carol, authors):
    """Ada beats Bea 6 of 8, Bea beats Cyd 6 of 8, Ada and Cyd tie twice; and a pair of Ada's own."""
    ada, bea, cyd = authors
    for better, worse in ((ada, bea), (bea, cyd)):
        for number in range(8):
            compare(project, carol, better, worse, -4 if number < 6 else 4, tags=["maths"] if number % 2 else [])
    for _ in range(2):
        compare(project, carol, ada, cyd, 0)
    compare(project, carol, ada, ada)
    return project


def rows_of(page) -> list[list[str]]:
    table = BeautifulSoup(page.content, "html.parser").find("table")
    return [[re.sub(r"\s+", " ", cell.text).strip() for cell in row.find_all(["th", "td"])] for row in table("tr")]


def test_a_leaderboard_is_worked_out_once_and_again_after_one_more_judgement(
    judged, carol, authors, django_assert_num_queries
):
    first = make_leaderboard(project=judged, choice=Choice(), ties="rao-kupper")
    with django_assert_num_queries(1):
        assert make_leaderboard(project=judged, choice=Choice(), ties="rao-kupper") == first
    compare(judged, carol, authors[0], authors[2], 4)
    again = make_leaderboard(project=judged, choice=Choice(), ties="rao-kupper")
    assert (len(first.rows), len(again.rows)) == (18, 19)
    assert again.leagues[0].standings != first.leagues[0].standings


def test_the_table_ranks_by_score_and_counts_ties_as_half(judged, bob, signed_in, django_assert_max_num_queries):
    url = reverse("project-leaderboard", args=[judged.pk])
    client = signed_in(bob)
    with django_assert_max_num_queries(22):
        page = client.get(url)
    rows = rows_of(page)
    assert [row[1] for row in rows] == ["Model", "Ada", "Bea", "Cyd"]
    assert [row[5] for row in rows[1:]] == ["70 % of 10", "50 % of 16", "30 % of 10"]
    scores = [float(row[2]) for row in rows[1:]]
    assert scores[0] > 1000 > scores[2]
    assert sum(scores) == pytest.approx(3000, abs=2)
    assert "1 comparison of a model with itself is left out." in page.content.decode()


def test_every_word_for_ties_gives_a_table_and_an_unknown_one_422(judged, bob, signed_in):
    url, client = reverse("project-leaderboard", args=[judged.pk]), signed_in(bob)
    for ties in ("", "davidson", "half"):
        assert [row[1] for row in rows_of(client.get(url, {"ties": ties}))][1:] == ["Ada", "Bea", "Cyd"]
    assert client.get(url, {"ties": "coin"}).status_code == 422


def test_a_category_narrows_the_table_and_has_a_column(judged, bob, signed_in):
    url, client = reverse("project-leaderboard", args=[judged.pk]), signed_in(bob)
    page = client.get(url, {"tag": "maths"})
    assert [row[5] for row in rows_of(page)[1:]] == ["75 % of 4", "50 % of 8", "25 % of 4"]
    assert "By category" in client.get(url).content.decode()
    assert client.get(url, {"tag": "<script>"}).status_code == 422


def test_a_figure_leads_to_its_comparisons(judged, bob, signed_in, authors):
    url, client = reverse("leaderboard-games", args=[judged.pk]), signed_in(bob)
    page = client.get(url, {"author": authors[0].pk})
    rows = rows_of(page)
    assert [row[1:] for row in rows[1:3]] == [["Cyd", "a tie"], ["Cyd", "a tie"]]
    assert [row[2] for row in rows].count("preferred") == 6
    assert reverse("task-detail", args=[judged.pk, Task.objects.order_by("-pk")[1].pk]) in page.content.decode()
    narrowed = client.get(url, {"author": authors[0].pk, "tag": "maths"})
    assert len(rows_of(narrowed)) == 5
    assert "Nobody has compared" in client.get(url, {"author": "x"}).content.decode()


def test_models_never_compared_with_the_rest_stand_apart_and_a_clean_sheet_is_held(judged, carol, bob, signed_in):
    compare(judged, carol, make_author(judged, "Dot"), make_author(judged, "Eve"))
    page = signed_in(bob).get(reverse("project-leaderboard", args=[judged.pk])).content.decode()
    assert page.count("Never compared with the above") == 1
    assert "one drawn comparison was added for each model" in page


def test_a_group_of_at_least_five_people_can_be_looked_at_alone(judged, alice, authors, bob, signed_in):
    item = add_item(actor=alice, project=judged, question="First language?", options=["Welsh", "Other"])
    people = [make_user(name) for name in ("Fay", "Gil", "Hal", "Ivy", "Jay")]
    url, client = reverse("project-leaderboard", args=[judged.pk]), signed_in(bob)
    for number, person in enumerate(people):
        assert "Welsh" not in client.get(url).content.decode(), f"{number} people could be recognised"
        save_answers(membership=add_member(judged, person, "annotator"), answers={item.pk: "Welsh"})
        compare(judged, person, authors[2], authors[0])
    page = client.get(url, {"group": f"{item.pk}:Welsh"})
    assert [row[5] for row in rows_of(page)[1:]] == ["100 % of 5", "0 % of 5"]
    assert "First language? Welsh (5)" in page.content.decode()


def test_a_ranking_is_all_its_pairs_and_people_are_one_author(project, carol, authors):
    prompt = make_prompt(project)
    task = Task.objects.create(
        project=project, prompt=prompt, kind="ranking", key="r", required_judgements=1, remaining=0
    )
    person = make_author(project, "Carol", "person")
    responses = [make_response(prompt, author.name, author=author) for author in (*authors[:2], person)]
    judgement = project.judgements.create(
        task=task, kind="ranking", annotator=carol, outcome="answer", submission_id="0" * 32
    )
    tiers = [[responses[2].pk], [responses[0].pk, responses[1].pk]]
    Ranking.objects.create(judgement=judgement, tiers=tiers, shown=[response.pk for response in responses])
    rows, _ = read_compared(project, Choice())
    ada, bea = authors[0].pk, authors[1].pk
    assert [(row.first_author, row.second_author, row.points, row.weight) for row in rows] == [
        (ada, bea, 0.5, 1 / 3),
        (ada, PEOPLE, 0.0, 1 / 3),
        (bea, PEOPLE, 0.0, 1 / 3),
    ]
    board = make_leaderboard(project=project, choice=Choice(), ties="half")
    assert board.leagues[0].standings[0].name == "What people wrote"


def test_the_reward_models_win_rate_stands_beside_peoples(judged, alice, bob, signed_in):
    judge = make_reward_model(judged)
    url, client = reverse("project-leaderboard", args=[judged.pk]), signed_in(alice)
    assert "has scored none of these responses yet" in client.get(url).content.decode()
    score = reverse("leaderboard-score", args=[judged.pk])
    assert client.post(score, {"judge": judge.pk}).status_code == 302
    assert Scoring.objects.get().model == judge
    assert "It is scoring now" in client.get(url).content.decode()
    rows, _ = read_compared(judged, Choice())
    longest = {response: 1.0 for row in rows for response in (row.first,)}  # it likes whatever came first
    ids = {response for row in rows for response in (row.first, row.second)}
    ResponseScore.objects.bulk_create(
        ResponseScore(model=judge, response_id=pk, mean=longest.get(pk, 0.0), heads=[0.0]) for pk in ids
    )
    side = measure_rewards(judge, rows)
    assert (side.scored, side.missing, side.agreement.part, side.agreement.whole) == (18, 0, 12, 16)
    page = client.get(url)
    assert [row[6:] for row in rows_of(page)[1:]] == [
        ["100 % of 10", "+30"],
        ["50 % of 16", "0"],
        ["0 % of 10", "−30"],
    ]
    assert signed_in(bob).post(score, {"judge": judge.pk}).status_code == 403
    ResponseScore.objects.filter(response__in=[row.first for row in rows[:6]]).delete()
    assert rows_of(client.get(url))[1][5:] == ["70 % of 10", "100 % of 4", "+75"], "its gap is on the same four"


def test_an_empty_project_says_what_to_do(project, alice, bob, signed_in):
    for name in ("project-leaderboard", "project-evaluations"):
        url = reverse(name, args=[project.pk])
        assert reverse("evaluation-create", args=[project.pk]) in signed_in(alice).get(url).content.decode()
        assert "An owner of the project sets" in signed_in(bob).get(url).content.decode()


ANSWERS = {
    "by": "people",
    "prompts": 5,
    "overlap": 1,
    "margin": 0.1,
    "temperature": 0.8,
    "top_p": 0.95,
    "max_tokens": 16,
    "seed": 0,
}


def test_an_owner_starts_an_evaluation_and_mistakes_come_back(project, alice, signed_in):
    new, old = make_policy(project, "new"), make_policy(project, "old", seed=1, is_default=False)
    make_prompt(project)
    url, client = reverse("evaluation-create", args=[project.pk]), signed_in(alice)
    assert client.get(url, {"candidate": old.pk}).status_code == 200
    refused = client.post(url, {**ANSWERS, "candidate": new.pk, "baseline": new.pk, "max_tokens": 17})
    assert refused.status_code == 422
    assert "“new” cannot be compared with itself" in refused.content.decode()
    assert 'value="17"' in refused.content.decode()
    answer = client.post(url, {**ANSWERS, "candidate": new.pk, "baseline": old.pk})
    evaluation = Evaluation.objects.get()
    assert (answer.status_code, answer.url) == (302, reverse("evaluation-detail", args=[project.pk, evaluation.pk]))
    assert (evaluation.created_by, evaluation.items.count()) == (alice, 1)
    page = client.get(answer.url).content.decode()
    assert "Waiting for an inference worker" in page
    assert 'hx-trigger="every 3s"' in client.get(answer.url, headers={"HX-Request": "true"}).content.decode()
    assert client.post(reverse("evaluation-cancel", args=[project.pk, evaluation.pk])).status_code == 302
    assert "Go on" in client.get(answer.url).content.decode()
    assert client.post(reverse("evaluation-retry", args=[project.pk, evaluation.pk])).status_code == 302
    assert Evaluation.objects.get().status == JobStatus.QUEUED


def test_the_page_says_the_verdict_and_shows_every_pair(project, alice, carol, signed_in):
    new, old = make_policy(project, "new"), make_policy(project, "old", seed=1, is_default=False)
    for number in range(12):
        make_prompt(project, f"Question {number}")
    evaluation = start_evaluation(
        project=project, candidate=new, baseline=old, started_by=alice, prompts=12, by="people"
    )
    for item in evaluation.items.all():
        item.candidate_response = make_response(item.prompt, "Seven.", author=new.author)
        item.baseline_response = make_response(item.prompt, "No.", author=old.author)
        item.save()
    evaluation.take()
    ask_people(evaluation)
    url, client = reverse("evaluation-detail", args=[project.pk, evaluation.pk]), signed_in(alice)
    assert "0 of 12 pairs judged" in client.get(url).content.decode()
    for task in Task.objects.filter(evaluated__evaluation=evaluation):
        first = task.places.get(position=0).response
        make_judgement(task, carol, -4 if first.author == new.author else 4)
    assert follow_evaluation(evaluation)
    page = client.get(url).content.decode()
    assert "“new” is better" in page
    assert page.count('class="nowrap">Won') == 12
    assert "<polygon" in page
    assert "hx-trigger" not in page.split("</main>")[0].split('id="live"')[1][:200]
    assert "Better" in client.get(reverse("project-evaluations", args=[project.pk])).content.decode()
    assert make_task(project).pk  # other tasks are none of its business
    assert client.get(url).content.decode().count('class="nowrap">Won') == 12
