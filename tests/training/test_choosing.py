"""Pairs of stored responses chosen by stored scores, and the tasks made of them."""

from collections import Counter

import pytest

from annotate.models import Task
from tests.factories import make_author, make_prompt, make_response
from training.models import ChosenTask, ModelVersion, ResponseScore
from training.services.choosing import choose_pairs, queue_chosen

pytestmark = pytest.mark.django_db


@pytest.fixture
def responses(project):
    """Two models, two responses each, to six prompts."""
    authors = [make_author(project, name) for name in ("old", "new")]
    prompts = [make_prompt(project, f"What is question {number} about?") for number in range(6)]
    return [
        make_response(prompt, f"{author.name} {draw} thinks of {prompt.pk}", author=author)
        for prompt in prompts
        for author in authors
        for draw in ("alpha", "beta")
    ]


def score(model, response, heads):
    ResponseScore.objects.create(model=model, response=response, mean=sum(heads) / 2, spread=0, heads=heads)


def test_the_pair_whose_heads_disagree_most_is_chosen_and_its_reason_is_kept(project, alice, responses):
    model = ModelVersion.objects.create(
        project=project,
        kind=ModelVersion.Kind.REWARD,
        name="judge",
        origin="judge",
        metrics={"temperature": 2.0},
        created_by=alice,
    )
    for place, response in enumerate(responses):
        score(model, response, [4.0, -4.0] if place == 8 else [1.0, 1.0])
    pairs = choose_pairs(project, responses, count=3, mix={"uncertain": 1}, seed=5)
    assert pairs == choose_pairs(project, responses, count=3, mix={"uncertain": 1}, seed=5)
    unsure = [pair for pair in pairs if pair.strategy == "uncertain"]
    assert {responses[8] in (pair.first, pair.second) for pair in unsure} == {True, False}  # one a prompt
    assert max(pair.value for pair in unsure) == pytest.approx(8 / 2 / 2**0.5)  # heads 1.5 and −2.5: their deviation
    assert queue_chosen(project=project, pairs=pairs, overlap=2, key_prefix="choice-1", user=alice) == 3
    assert queue_chosen(project=project, pairs=pairs, overlap=2, key_prefix="choice-1", user=alice) == 0
    kept = ChosenTask.objects.select_related("task")
    assert {row.reason for row in kept} == {pair.reason for pair in pairs}
    assert {(row.model, row.task.required_judgements, row.facts["pool"]) for row in kept} == {(model, 2, 36)}
    assert Task.objects.count() == kept.count() == 3


def test_a_pair_that_was_asked_about_is_not_asked_about_again(project, responses):
    first = choose_pairs(project, responses, count=20, mix={}, seed=1)
    queue_chosen(project=project, pairs=first, overlap=1, key_prefix="round-1")
    rest = choose_pairs(project, responses, count=99, mix={}, seed=1)
    assert (len(first), len(rest)) == (20, 16)
    assert not {frozenset((pair.first, pair.second)) for pair in first} & {
        frozenset((pair.first, pair.second)) for pair in rest
    }


def test_models_and_temperatures_are_set_against_each_other(project, responses):
    for response in responses[:4]:  # one prompt: two authors, each at two temperatures
        response.sampling = {"temperature": 0.2 if "alpha" in response.text else 1.0}
        response.save(update_fields=["sampling"])
    pairs = choose_pairs(project, responses[:4], count=6, mix={"contrast": 9}, seed=0)
    reasons = Counter(pair.reason for pair in pairs if pair.strategy == "contrast")
    possible = {
        "“new” against “old”.",
        "“old” at temperature 0.2 against 1.",
        "“new” at temperature 0.2 against 1.",
    }
    assert sum(reasons.values()) == 5
    assert set(reasons) == possible


def test_without_scores_the_lot_decides_and_other_projects_are_left_alone(project, mallory, responses):
    theirs = make_prompt(mallory.memberships.get().project)
    strange = [make_response(theirs, text) for text in ("One.", "Two.")]
    pairs = choose_pairs(project, [*responses, *strange], count=99, mix={"information": 1}, seed=0)
    assert {(pair.strategy, pair.model) for pair in pairs} == {("random", None)}
    assert theirs not in {pair.first.prompt for pair in pairs}


def test_choosing_reads_as_often_for_many_as_for_few(project, responses, django_assert_max_num_queries):
    with django_assert_max_num_queries(4):
        choose_pairs(project, responses, count=10, mix={"information": 1}, seed=0)
