"""Rankings over HTTP: the form by place, the row it leaves, ties, what is missing, and its versions."""

import re
import uuid

import pytest
from django.urls import reverse

from annotate.models import Draft, Judgement, Lease, Project, Ranking
from annotate.services.answers.ranking import matches
from tests.kinds_factories import letter_ids, make_ranking_task

HTMX = {"HX-Request": "true"}
D_C_AB = {"rank_a": "3", "rank_b": "3", "rank_c": "2", "rank_d": "1"}


@pytest.fixture
def client(signed_in, carol):
    return signed_in(carol)


@pytest.fixture
def task(project):
    return make_ranking_task(project)


def url(project, name="judge"):
    return reverse(name, args=[project.pk])


def answer(**more):
    return {"lease": Lease.objects.get(state="held").pk, "submission_id": str(uuid.uuid4()), **more}


def test_the_page_shows_every_response_and_a_select_for_its_place(client, project, task):
    html = client.get(url(project)).content.decode()
    assert re.findall(r'name="(rank_.)" data-letter="(.)"', html) == [(f"rank_{x.lower()}", x) for x in "ABCD"]
    assert re.findall(r'<option value="(\d)"', html) == ["1", "2", "3", "4"] * 4
    assert all(f"Answer {position}" in html for position in range(4))


@pytest.mark.parametrize("order", [[0, 1, 2, 3], [2, 0, 3, 1]])
def test_a_ranking_is_stored_as_tiers_of_responses_whatever_order_was_shown(client, project, task, order):
    client.get(url(project))
    Lease.objects.update(order=order)
    ids = letter_ids(task)
    reply = client.post(url(project), answer(**D_C_AB, rationale="Clear.", flags_c=["unsafe"]))
    assert reply.status_code == 302
    ranking = Ranking.objects.select_related("judgement").get()
    assert ranking.tiers == [[ids["D"]], [ids["C"]], sorted([ids["A"], ids["B"]])]
    assert ranking.shown == [ids[letter] for letter in "ABCD"]
    assert (ranking.judgement.kind, ranking.judgement.rationale) == ("ranking", "Clear.")
    assert ranking.judgement.flags == {str(ids["C"]): ["unsafe"]}


def test_gaps_between_places_mean_nothing(client, project, task):
    client.get(url(project))
    ids = letter_ids(task)
    client.post(url(project), answer(rank_a="2", rank_b="4", rank_c="2", rank_d="4"))
    tied = [sorted([ids["A"], ids["C"]]), sorted([ids["B"], ids["D"]])]
    assert Ranking.objects.get().tiers == tied


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"rank_c": ""}, "Give response C a place."),
        ({"rank_a": "5"}, "“5” is no place for response A. Choose from 1 to 4."),
        ({"rank_b": "best"}, "“best” is no place for response B."),
    ],
)
def test_what_is_missing_or_wrong_is_422_by_response_with_everything_typed_kept(client, project, task, wrong, message):
    client.get(url(project))
    reply = client.post(url(project), answer(**D_C_AB | wrong, rationale="Because."), headers=HTMX)
    html = reply.content.decode()
    assert reply.status_code == 422 and message in html and ">Because.</textarea>" in html
    assert re.search(r'name="rank_d".*?<option value="1" selected', html, re.S)
    assert not Judgement.objects.exists()


def test_without_ties_two_in_one_place_are_422_but_a_draft(client, project, task):
    Project.objects.update(kind_options={"ranking": {"allow_ties": False}})
    assert "Tie the next" not in client.get(url(project)).content.decode()
    reply = client.post(url(project), answer(**D_C_AB), headers=HTMX)
    assert reply.status_code == 422 and "A and B have the same place." in reply.content.decode()
    assert client.post(url(project, "judge-draft"), answer(**D_C_AB)).status_code == 204
    assert Draft.objects.get().data["rank_a"] == "3"
    assert client.post(url(project), answer(**D_C_AB | {"rank_b": "4"})).status_code == 302


def test_history_says_the_order_and_a_correction_supersedes_it(client, project, task):
    client.get(url(project))
    client.post(url(project), answer(**D_C_AB))
    assert "D &gt; C &gt; A = B" in client.get(url(project, "judgement-history")).content.decode()
    judged = reverse("judgement-open", args=[project.pk, Lease.objects.get().pk])
    html = client.get(judged).content.decode()
    assert re.search(r'name="rank_b".*?<option value="3" selected', html, re.S)
    client.post(judged, {"submission_id": str(uuid.uuid4()), **D_C_AB, "rank_b": "4"})
    older, newer = Judgement.objects.order_by("pk")
    assert (newer.supersedes, older.is_current) == (older, False)
    assert [len(row.tiers) for row in Ranking.objects.order_by("judgement")] == [3, 4]


def test_a_ranking_is_right_when_its_tiers_are_those_agreed(client, project, task):
    client.get(url(project))
    ids = letter_ids(task)
    task.agreed_answer = {"tiers": [[ids["D"]], [ids["C"]], [ids["B"], ids["A"]]]}
    task.save(update_fields=["agreed_answer"])
    client.post(url(project), answer(**D_C_AB))
    assert Judgement.objects.get().matches_agreed is True
    assert not matches({"tiers": [[1], [2]]}, {"tiers": [[2], [1]]})
    assert not matches({"tiers": [[1], [2]]}, {"tiers": [[1, 2]]})
