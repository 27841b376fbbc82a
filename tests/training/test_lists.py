"""Long lists come in pages, the newest first, each beginning after the last id of the one before."""

import pytest
from bs4 import BeautifulSoup
from django.urls import reverse

from annotate.paging import read_number
from tests.training.factories import make_policy, make_reward_model
from tests.training.round_factories import make_recipe
from training.models import Evaluation, ModelVersion, Round
from training.recipes import Plan, to_json

pytestmark = pytest.mark.django_db


def named(client, address: str) -> tuple[list[str], dict[str, str]]:
    """The first column, and where the links of the pages lead."""
    page = BeautifulSoup(client.get(address).content, "html.parser")
    links = {link.text: address.split("?")[0] + link["href"] for link in page.select("nav.pagination a")}
    return [row.a.text for row in page.select("tbody th")], links


def test_models_come_in_pages_that_lead_on_and_back(project, alice, signed_in):
    row = {"project": project, "kind": ModelVersion.Kind.BACKBONE, "origin": "x", "created_by": alice}
    ModelVersion.objects.bulk_create(ModelVersion(name=f"encoder {number}", **row) for number in range(1, 61))
    client = signed_in(alice)
    first, links = named(client, reverse("project-models", args=[project.pk]))
    assert len(first) == 50 and list(links) == ["Older"]
    second, back = named(client, links["Older"])
    assert second[-1] == "encoder 1" and len(set(first) | set(second)) == len(first) + len(second)
    assert list(back) == ["Newer"] and named(client, back["Newer"])[0] == first


def test_evaluations_come_in_pages(project, alice, signed_in):
    new, old = make_policy(project, "new"), make_policy(project, "old", seed=1, is_default=False)
    row = {"project": project, "candidate": new, "baseline": old, "by": "rewards", "judge": make_reward_model(project)}
    Evaluation.objects.bulk_create(Evaluation(**row, created_by=alice) for _ in range(51))
    client = signed_in(alice)
    rows, links = named(client, reverse("project-evaluations", args=[project.pk]))
    assert (len(rows), len(named(client, links["Older"])[0])) == (50, 1)


@pytest.mark.parametrize(
    ("said", "number"), [("12", 12), ("", 0), (None, 0), ("-1", 0), ("1e3", 0), ("9" * 18, 10**18 - 1), ("9" * 5000, 0)]
)
def test_a_number_in_an_address_is_read_or_nothing(said, number):
    assert read_number(said) == number


def test_rounds_come_in_pages_and_the_older_ones_stand_still(project, alice, signed_in):
    row = {"project": project, "recipe": make_recipe(project), "plan": to_json(Plan()), "started_by": alice}
    row["policy_before"] = make_policy(project)
    Round.objects.bulk_create(Round(number=number, status="succeeded", **row) for number in range(1, 52))
    Round.objects.create(number=52, status="running", **row)
    client = signed_in(alice)
    address = reverse("project-rounds", args=[project.pk])
    first, links = named(client, address)
    assert (len(first), first[0]) == (50, "Round 52")
    assert named(client, links["Older"])[0] == ["Round 2", "Round 1"]
    assert 'hx-trigger="every 3s"' in client.get(address).content.decode()
    assert 'hx-trigger="every 3s"' not in client.get(links["Older"]).content.decode()


@pytest.mark.parametrize(
    "name", ["project-imports", "project-snapshots", "project-audit", "judgement-history", "project-known"]
)
def test_a_page_after_no_number_that_could_be_is_the_first(name, project, alice, signed_in):
    address = reverse(name, args=[project.pk])
    assert signed_in(alice).get(address, {"before": "9" * 5000}).status_code == 200
