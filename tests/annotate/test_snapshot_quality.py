"""Filters that ask something of the answers, and one comparison that stands for all of its task."""

import json

import numpy as np
import pytest

from annotate.exports.lines import export_lines
from annotate.quality.reliability import weigh_verdicts
from annotate.services.snapshot_filters import FilterError, SnapshotFilter, matching_judgements, parse_filters
from annotate.services.snapshots import create_snapshot
from tests.factories import make_author, make_judgement, make_task, make_user


@pytest.fixture
def people():
    return [make_user(f"Person {number}") for number in range(4)]


@pytest.fixture
def judged(project, people):
    """`judged(-1, -1, 2)` is a task's judgements, each by the next person."""

    def judge(*preferences, **fields):
        task = make_task(project)
        return [make_judgement(task, person, said, **fields) for person, said in zip(people, preferences, strict=False)]

    return judge


def taken(project, **filters):
    return set(matching_judgements(project, parse_filters(filters)))


def test_a_task_needs_so_many_answers_and_a_comparison_so_much_agreement(project, judged):
    clear, split, alone = judged(-1, -4, 2), judged(-1, 1), judged(0)
    assert taken(project, min_answers=2) == {*clear, *split}
    assert taken(project, min_agreement=0.67) == {*clear, *alone}
    assert taken(project, min_agreement=0.67, min_answers=2) == set(clear)
    assert taken(project, min_agreement=0.5) == {*clear, *split, *alone}


def test_what_was_flagged_can_be_left_out(project, judged):
    plain, flagged, other = judged(-1)[0], judged(-1)[0], judged(-1)[0]
    for judgement, flag in ((flagged, 'un"safe'), (other, "made up facts")):
        judgement.flags = {str(judgement.comparison.first_id): ["dull", flag]}
        judgement.save()
    assert taken(project, without_flags=['un"safe']) == {plain, other}
    assert taken(project, without_flags=['un"safe', "made up facts"]) == {plain}


def test_judgements_about_an_author_can_be_chosen(project, judged):
    mine, _ = judged(-1)[0], judged(-1)[0]
    author = make_author(project, "another model")
    mine.comparison.second.author = author
    mine.comparison.second.save()
    assert taken(project, authors=[author.pk]) == {mine}


def test_people_who_get_gold_wrong_can_be_left_out_and_gold_taken_in(project, judged, people):
    right, wrong, unknown = judged(-1, -1, -1)
    gold = judged(-4, 4)
    gold[0].task.purpose, gold[0].task.agreed_answer = "gold", {}
    gold[0].task.save()
    for judgement, is_right in zip(gold, (True, False), strict=True):
        judgement.matches_agreed = is_right
        judgement.save()
    assert taken(project) == {right, wrong, unknown}
    assert taken(project, include_gold=True) == {right, wrong, unknown, *gold}
    assert taken(project, min_gold=0.5) == {right, unknown}


def test_the_majority_is_one_judgement_a_task_and_a_draw_is_left_out(project, alice, judged):
    clear, _, alone = judged(-1, 2, -4), judged(-1, 1), judged(None)
    snapshot = create_snapshot(project=project, user=alice, filters={"consensus": "majority"})
    first = min((clear[0], clear[2]), key=lambda judgement: judgement.submission_id)
    assert set(snapshot.items.values_list("judgement_id", "weight")) == {(first.pk, 1.0), (alone[0].pk, 1.0)}
    assert snapshot.total == snapshot.train_count + snapshot.test_count == 2


def test_the_most_probable_answer_has_its_probability_as_weight(project, alice, people, judged):
    """Persons 0 and 1 agree on ten tasks against person 2; on the last, person 0 stands alone against person 2."""
    for _ in range(10):
        judged(-1, -1, 2)
    task = make_task(project)
    draw = [make_judgement(task, people[0], -1), make_judgement(task, people[2], 2)]
    snapshot = create_snapshot(project=project, user=alice, filters={"consensus": "posterior"}, test_fraction=0.0)
    lines = [json.loads(line) for line in export_lines(snapshot, "lossless")]
    assert len(lines) == 11
    assert all(0.5 < line["weight"] <= 1.0 for line in lines)
    assert snapshot.items.filter(judgement=draw[0]).exists()
    again = create_snapshot(
        project=project, user=alice, filters={"consensus": "posterior"}, test_fraction=0.0, name="Again"
    )
    assert again.content_hash == snapshot.content_hash


def test_the_posterior_is_bayes_rule_over_the_skills():
    """Three people, two tasks, two verdicts: persons 0 and 1 say 0 and 1, person 2 says 0 and 0."""
    tasks, people = np.array([0, 0, 0, 1, 1, 1]), np.array([0, 1, 2, 0, 1, 2])
    posterior, skill = weigh_verdicts(tasks, people, np.array([0, 0, 0, 1, 1, 0]), classes=2)
    odds = np.log(skill / (1 - skill))
    assert posterior[0, 0] == pytest.approx(1 / (1 + np.exp(-odds.sum())), abs=1e-6)
    assert posterior[1, 1] == pytest.approx(1 / (1 + np.exp(-(odds[0] + odds[1] - odds[2]))), abs=1e-6)
    assert skill[0] == pytest.approx((1 + posterior[0, 0] + posterior[1, 1]) / 4, abs=1e-3)  # it moves on, ever less
    assert skill[2] < skill[0] == skill[1]


def test_skills_that_were_put_in_are_found_again():
    draw = np.random.default_rng(1)
    skills, truth = np.array([0.95, 0.9, 0.8, 0.6, 0.25]), draw.integers(0, 4, 2000)
    tasks, people = np.repeat(np.arange(2000), 5), np.tile(np.arange(5), 2000)
    is_right = draw.random(10_000) < skills[people]
    wrong = (truth[tasks] + draw.integers(1, 4, 10_000)) % 4
    posterior, found = weigh_verdicts(tasks, people, np.where(is_right, truth[tasks], wrong), classes=4)
    assert np.abs(found - skills).max() < 0.03
    assert (posterior.argmax(axis=1) == truth).mean() > 0.97


@pytest.mark.parametrize(
    ("filters", "message"),
    [
        ({"consensus": "all"}, "consensus is 'all'; it must be majority, posterior or empty"),
        ({"min_agreement": 67}, "min_agreement is 67; it must be a share from 0 to 1"),
        ({"min_answers": -1}, "min_answers is -1; it must be a whole number"),
        ({"authors": ["GPT"]}, "authors holds 'GPT'; its entries are int"),
        ({"without_flags": "unsafe"}, "without_flags is 'unsafe'; it must be a list"),
    ],
)
def test_a_filter_that_means_nothing_is_refused(filters, message):
    with pytest.raises(FilterError, match=message):
        parse_filters(filters)


def test_a_filter_says_what_it_asks_and_older_ones_are_stored_as_before():
    chosen = SnapshotFilter(min_agreement=0.67, min_gold=0.8, consensus="majority", without_flags=("unsafe",))
    assert chosen.describe() == [
        "without what was flagged unsafe",
        "comparisons that at least 67% agree on",
        "people who get at least 80% of gold right",
        "the majority of each task",
    ]
    assert "consensus" not in SnapshotFilter().to_json()
    assert parse_filters(chosen.to_json()) == chosen
