"""A policy that has collapsed: how it is told from a better one, and that no round takes it by itself."""

import pytest

from annotate.models import Author
from tests.factories import make_author, make_response
from tests.training.round_factories import begin, finish, finish_step, step_of
from training.models import Evaluation
from training.monitoring.collapse import find_collapse
from training.services.policies import current_policy
from training.services.round_evaluation import take_by_hand
from training.services.rounds import advance_round

FINE, STUCK = "Boil it for seven.", "n" * 12
LOOP = "go to the shop and go to the shop and go to the shop"


def told(ours: list[str], before: list[str], chosen: tuple[float, float] = (-40.0, -40.0)) -> str:
    first, last = ({"logps/chosen": value} for value in chosen)
    verdict = find_collapse(ours, before, first=first, last=last)
    return verdict.message if verdict else ""


@pytest.mark.parametrize(
    ("broken", "of", "before", "is_told"),
    [
        (6, 10, 0, True),
        (3, 10, 0, False),  # 0.3 with an error of 0.16: may be chance
        (1, 1, 0, False),
        (30, 100, 0, True),
        (19, 100, 0, False),  # surely more, and still fewer than 20 points
        (60, 100, 50, False),
    ],
)
def test_more_empty_and_stuck_responses_than_before_are_told_once_that_is_sure(broken, of, before, is_told):
    ours, theirs = [STUCK] * broken + [FINE] * (of - broken), [STUCK] * before + [FINE] * (of - before)
    assert bool(told(ours, theirs)) == is_told


def test_the_figures_are_named():
    assert told([STUCK] * 5 + [""] * 4 + [FINE], [FINE] * 10) == (
        "90% of its 10 responses to held-out prompts are empty or one word over and over; of those by the policy "
        "before, 0%."
    )


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (10, "10.0 characters long on average; those by the policy before, 30.0."),
        (11, ""),
        (119, ""),
        (120, "120.0 characters long on average; those by the policy before, 30.0."),
    ],
)
def test_a_third_of_the_length_or_four_times_it_is_told(length, words):
    ours, before = ("abcdefghijklmnopqrstuvwxyz" * 5)[:length], "abcdefghijklmnopqrstuvwxyz1234"
    assert told([ours], [before]).endswith(words)
    assert bool(told([ours], [before])) == bool(words)


def test_responses_that_say_the_same_again_are_told():
    assert "were said before in the same response; by the policy before, 0%" in told([LOOP], ["a b c d e f g h i j k"])
    assert told([LOOP], [LOOP]) == ""


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        ((-40.0, -64.0), "less likely by 24.0 nats each (60% of their log-probability)."),
        ((-40.0, -63.0), ""),
        ((-5.0, -9.9), ""),  # a few nats of very short responses
        ((-40.0, -20.0), ""),
    ],
)
def test_chosen_responses_that_lost_most_of_their_probability_are_told(chosen, words):
    assert told([FINE], [FINE], chosen).endswith(words)
    assert bool(told([FINE], [FINE], chosen)) == bool(words)


@pytest.mark.django_db
@pytest.mark.parametrize("gate", ["rewards", "hand"])
def test_no_round_takes_a_mute_policy_that_the_reward_model_prefers_but_its_owner_may(project, alice, gate):
    round = finish(begin(project, alice, gate=gate, gate_alarms=False, evaluation_prompts=10), until="evaluate")
    somebody = make_author(project, "Somebody", Author.Kind.MODEL)
    for item in Evaluation.objects.get(round=round, baseline=round.policy_before).items.all():
        item.candidate_response = make_response(item.prompt, "", author=somebody)
        item.baseline_response = make_response(item.prompt, FINE, author=somebody)
        item.save()
    before = round.policy_before
    finish_step(step_of(round, "evaluate"), 0.8)
    advance_round(round_id=round.pk)
    round.refresh_from_db()
    assert round.decision == ("kept" if gate == "rewards" else "")
    assert "responses to held-out prompts are empty or one word over and over" in round.decision_reason
    assert current_policy(project) == before
    alarm = round.alarms.get()
    assert (alarm.kind, alarm.severity, alarm.run) == ("collapse", "stop", None)
    assert take_by_hand(round=round, user=alice)
    assert current_policy(project) != before
