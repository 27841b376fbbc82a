"""Runs side by side: what differs, where they ended, what they write to the same prompts."""

import pytest
from bs4 import BeautifulSoup
from django.urls import reverse

from annotate.models import Snapshot
from training.comparison import overlaid_charts
from training.models import ModelVersion, Run, RunEvent

pytestmark = pytest.mark.django_db


@pytest.fixture
def runs(project, alice):
    """Three DPO runs that differ in beta alone; the last was not evaluated."""
    policy = ModelVersion.objects.create(project=project, kind="policy", name="tiny", origin="tiny", created_by=alice)
    snapshot = Snapshot.objects.create(project=project, name="All so far", created_by=alice)
    made = []
    for number, beta in enumerate((0.1, 0.3, 0.3), start=1):
        run = Run.objects.create(
            project=project,
            name=f"DPO {number}",
            algorithm="dpo",
            config={"beta": beta, "epochs": 2},
            snapshot=snapshot,
            base_model=policy,
            metrics={"accuracy": 0.5 + number / 10, "loss": 0.6} if number < 3 else {},
            status="succeeded",
            created_by=alice,
        )
        made.append(run)
    for run, text in zip(made[:2], ("Seven.", ""), strict=True):
        old, new = ({"samples": [{"prompt": ask(word), "text": word}]} for word in ("before", text))
        new["samples"] = [{"prompt": ask("How long?"), "text": text}, {"prompt": ask(run.name), "text": "mine"}]
        RunEvent.objects.create(run=run, kind="sample", step=1, data=old)
        RunEvent.objects.create(run=run, kind="sample", step=9, data=new)
        RunEvent.objects.create(run=run, kind="train", step=1, data={"loss": 0.9, "accuracy": 0.1})
        RunEvent.objects.create(run=run, kind="train", step=9, data={"loss": 0.7, "seconds": "no number"})
        RunEvent.objects.create(run=run, kind="eval", step=9, data={"loss": -0.5})
    return made


def ask(text):
    return [{"role": "user", "content": text}]


def compare(client, project, runs, *, status=200):
    answer = client.get(reverse("run-compare", args=[project.pk]), {"run": [run.pk for run in runs]})
    assert answer.status_code == status
    return BeautifulSoup(answer.content, "html.parser")


def cells(row):
    return [" ".join(cell.text.split()) for cell in row.find_all(["th", "td"])]


def test_the_page_shows_what_differs_and_folds_away_what_does_not(signed_in, bob, project, runs):
    page = compare(signed_in(bob), project, runs)
    assert [cells(row) for row in page.select("tr.is-different")] == [["Beta", "0.1", "0.3", "0.3"]]
    assert page.select_one("details.panel-footer dt").text == "Epochs"
    tables = [[cells(row) for row in table.select("tbody tr")] for table in page.select("table.compare")]
    assert tables[1] == [["Held-out accuracy", "60 %", "70 %", "–"], ["Held-out loss", "0.600", "0.600", "–"]]
    assert tables[2] == [["loss", "−0.5", "−0.5", "–"]]  # the held-out one, at the last step


def test_samples_stand_side_by_side_the_shared_prompts_first(signed_in, bob, project, runs):
    page = compare(signed_in(bob), project, runs[:2])
    told = [
        (article.h3.text, [sample.select_one(".pre").text.strip() for sample in article.select(".run-sample")])
        for article in page.select("article")
    ]
    assert told == [
        ("How long?", ["Seven.", "(nothing)"]),
        ("DPO 1", ["mine", "not asked"]),
        ("DPO 2", ["not asked", "mine"]),
    ]


def test_fewer_than_two_or_more_than_four_are_refused_with_the_choice_kept(signed_in, bob, mallory, project, runs):
    page = compare(signed_in(bob), project, runs[:1], status=422)
    assert "Only “DPO 1” was chosen." in page.select_one(".callout").text
    assert [box["value"] for box in page.select("input[checked]")] == [str(runs[0].pk)]
    more = [Run.objects.create(**values(runs[0], name=f"more {number}")) for number in range(2)]
    assert "5 runs were chosen." in compare(signed_in(bob), project, [*runs, *more], status=422).text
    assert len(compare(signed_in(bob), project, []).select("input[name=run]")) == 5
    theirs = mallory.memberships.get().project
    assert "There is nothing to compare yet" in compare(signed_in(mallory), theirs, runs, status=422).text


def values(run, **changes):
    names = ("project", "algorithm", "config", "snapshot", "base_model", "created_by")
    return {**{name: getattr(run, name) for name in names}, **changes}


def test_the_list_of_runs_leads_to_the_comparison_in_few_statements(
    signed_in, bob, project, runs, django_assert_max_num_queries
):
    client = signed_in(bob)
    page = BeautifulSoup(client.get(reverse("project-runs", args=[project.pk])).content, "html.parser")
    assert page.select_one("main form")["action"] == reverse("run-compare", args=[project.pk])
    assert len(page.select("input[type=checkbox][name=run]")) == 3
    with django_assert_max_num_queries(8):
        compare(client, project, runs)


def test_each_figure_has_one_chart_under_the_name_of_its_series(runs):
    titles = {chart["key"]: chart["title"] for chart in overlaid_charts(runs)}
    assert titles["loss"] == "Loss"
    assert titles["logps/chosen"] == "Log-probabilities: chosen"
