"""The pictures of an evaluation, drawn from numbers."""

import pytest
from bs4 import BeautifulSoup
from django.urls import reverse

from training.algorithms.groups import EncodedGroup
from training.algorithms.labels import Pair, Tie
from training.algorithms.metrics import Evaluation
from training.algorithms.preference_metrics import summarise_preferences
from training.models import Run
from training.pictures import pictures_of

LEADS = [(2.0, 1.0), (1.0, 0.25), (-1.0, 0.25), (3.0, 1.0)]  # score, strength


def evaluate() -> dict[str, object]:
    groups = [
        EncodedGroup(id=str(lead), prompt=(1,), completions=((2, 2), (2,)), label=Pair(0, 1, strength))
        for lead, strength in LEADS
    ]
    tie = EncodedGroup(id="tie", prompt=(1,), completions=((2,), (2,)), label=Tie())
    scores = [*((lead, 0.0) for lead, _ in LEADS), (0.5, 0.0)]
    found = summarise_preferences(Evaluation([*groups, tie], [0.5] * 5, [1.0] * 5, {}, scores), rating_span=6.0)
    return {**found, "margin": 1.25}


def test_reliability_margins_strengths_and_length_are_drawn_where_the_numbers_put_them():
    reliability, margins, strengths, length = pictures_of(evaluate())
    assert [mark.words for mark in reliability.marks] == [
        "2 pairs: 73 % sure, 50 % right",
        "1 pair: 88 % sure, 100 % right",
        "1 pair: 95 % sure, 100 % right",
    ]
    assert (reliability.marks[0].x, reliability.marks[0].y) == ("134.3", "79.0")  # 40 + 204 · 0.462; half of 10 to 148
    assert [(mark.words, mark.wrong) for mark in margins.marks] == [
        ("−1 to −0.8: 1 pair", True),
        ("1 to 1.2: 1 pair", False),
        ("2 to 2.2: 1 pair", False),
        ("2.8 to 3: 1 pair", False),
    ]
    assert margins.zero == "91.0"  # a quarter of the way from −1 to 3
    assert [(mark.under, mark.y) for mark in strengths.marks] == [("0.25", "79.0"), ("1", "10.0")]
    assert strengths.words == "Ties: 1, whose two scores lie 0.50 apart on average; those of pairs, +1.25."
    assert length.words == "Correlation 0.64. Length alone would be right 100 % of the time, on the same pairs."


def test_strengths_stand_in_their_order_whatever_order_the_database_keeps_them_in():
    found = {"1": {"pairs": 1, "accuracy": 1.0}, "0.5": {"pairs": 2, "accuracy": 0.5}}
    (picture,) = pictures_of({"by_strength": found})
    assert [mark.under for mark in picture.marks] == ["0.5", "1"]


def test_what_has_no_pairs_has_no_pictures():
    assert pictures_of({}) == []
    assert pictures_of({"reward": 0.3, "kl": 2.0}) == []


@pytest.mark.django_db
def test_the_run_page_shows_them_without_javascript(launch, alice, signed_in):
    run = launch("reward_model")
    Run.objects.filter(pk=run.pk).update(metrics=evaluate())
    page = signed_in(alice).get(reverse("run-detail", args=[run.project_id, run.pk])).content
    drawn = BeautifulSoup(page, "html.parser").select("svg.picture")
    assert [one["aria-label"].split(":")[0] for one in drawn] == [
        "Reliability",
        "Margins",
        "Accuracy by strength",
        "Reward and length",
    ]
    assert len(drawn[1].select("rect.is-wrong")) == 1
