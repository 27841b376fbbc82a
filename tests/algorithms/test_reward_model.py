"""Reward models beyond pairs: rankings, ratings, ties, length, ensembles; what is noted beside the model."""

from dataclasses import replace
from json import dumps, loads
from math import log
from pathlib import Path

import pytest
import torch

from tests.algorithms.runs import encoded, events, make_rows, make_run
from training.algorithms import reward_model
from training.algorithms.groups import EncodedGroup
from training.algorithms.labels import Pair, Ranking, Rating, Tie
from training.algorithms.models import load_reward_model, lower_bound, read_notes, score
from training.algorithms.options.reward_model import RewardModelConfig
from training.algorithms.packing import collate
from training.algorithms.rankings import plackett_luce
from training.algorithms.trainer import DONE, run_trainer

PLAIN = RewardModelConfig(strength="ignore", centring=0.0, ties="half")
QUICK = {"lora": False, "learning_rate": 5e-3, "checkpoint_every": 0, "eval_every": 0, "epochs": 4}


def four(tokenizer) -> EncodedGroup:
    """One prompt with four responses."""
    first, second = encoded(tokenizer, 2)
    return replace(first, completions=(*first.completions, *second.completions))


def loss_of(model, group: EncodedGroup, config: RewardModelConfig, **settings) -> float:
    with torch.no_grad():
        return reward_model.outcome(model, collate([group], "tree"), [group], config, **settings).losses.item()


def test_a_ranking_of_four_is_the_mean_of_its_six_pairs_or_one_likelihood(policy_folder):
    model = load_reward_model(policy_folder)
    group, tiers = four(model.tokenizer), ((2,), (0, 1), (3,))
    ranked = replace(group, label=Ranking(tiers))
    (rewards,) = score(model, [group])
    pairs = [(2, 0), (2, 1), (2, 3), (0, 3), (1, 3)]
    one_by_one = [loss_of(model, replace(group, label=Pair(*pair)), PLAIN) for pair in pairs]
    tie = loss_of(model, replace(group, label=Tie()), PLAIN)
    assert loss_of(model, ranked, PLAIN) == pytest.approx((sum(one_by_one) + tie) / 6, abs=1e-5)
    assert loss_of(model, ranked, replace(PLAIN, ties="drop")) == pytest.approx(sum(one_by_one) / 6, abs=1e-5)
    whole = plackett_luce(torch.tensor(rewards), tiers, ties="half").item()
    assert loss_of(model, ranked, replace(PLAIN, rankings="plackett_luce")) == pytest.approx(whole, abs=1e-5)


def test_ratings_are_predicted_in_standard_deviations_and_unknown_ones_left_out(policy_folder):
    model = load_reward_model(policy_folder)
    group = replace(four(model.tokenizer), label=Rating((5.0, 2.0, None, 2.0)))
    (rewards,) = score(model, [group])
    wanted = ((rewards[0] - 1) ** 2 + rewards[1] ** 2 + rewards[3] ** 2) / 3
    config = replace(PLAIN, ratings="regress")
    assert loss_of(model, group, config, scale=(2.0, 3.0)) == pytest.approx(wanted, abs=1e-5)
    assert reward_model.rating_scale([group]) == pytest.approx((3.0, 2**0.5))
    assert reward_model.rating_scale([]) == (0.0, 1.0)


def test_each_head_has_its_own_loss_and_its_own_draw_of_the_groups(policy_folder):
    model = load_reward_model(policy_folder, heads=3)
    (group,) = encoded(model.tokenizer, 1)
    with torch.no_grad():
        rewards = model(collate([group], "tree"))
    assert rewards.shape == (2, 3)
    lead = rewards[group.label.chosen] - rewards[group.label.rejected]
    each = torch.nn.functional.softplus(-lead)
    assert loss_of(model, group, PLAIN) == pytest.approx(each.mean().item(), abs=1e-6)
    drawn = loss_of(model, group, PLAIN, draws={group.id: (2.0, 0.0, 1.0)})
    assert drawn == pytest.approx(((2 * each[0] + each[2]) / 3).item(), abs=1e-6)
    assert score(model, [group])[0] == pytest.approx(rewards.mean(1).tolist(), abs=1e-6)
    assert score(model, [group], pessimism=1.0)[0] == pytest.approx(
        (rewards.mean(1) - rewards.std(1)).tolist(), abs=1e-6
    )


def test_the_lower_bound_by_hand():
    """Heads 1 and 3: mean 2, standard deviation √2."""
    assert lower_bound(torch.tensor([[1.0, 3.0]]), 1.0).item() == pytest.approx(2 - 2**0.5)
    assert lower_bound(torch.tensor([[1.5]]), 1.0).item() == 1.5


def test_draws_are_a_function_of_seed_head_and_group_with_mean_and_variance_one():
    drawn = torch.tensor([reward_model.draw(0, 1, f"g{number}") for number in range(4000)])
    assert drawn.mean().item() == pytest.approx(1.0, abs=0.05)
    assert drawn.var().item() == pytest.approx(1.0, abs=0.08)
    assert reward_model.draw(0, 1, "g0") == drawn[0]


def test_an_existing_ensemble_keeps_its_heads_and_a_classifier_is_refused(policy_folder, tmp_path):
    model = load_reward_model(policy_folder, heads=2)
    model.model.save_pretrained(tmp_path / "two")
    model.tokenizer.save_pretrained(tmp_path / "two")
    assert load_reward_model(tmp_path / "two").model.config.num_labels == 2
    with pytest.raises(ValueError, match="a reward model with 2 heads: set Heads to 2"):
        load_reward_model(tmp_path / "two", heads=1)
    settings = loads((tmp_path / "two" / "config.json").read_text())
    (tmp_path / "two" / "config.json").write_text(dumps(settings | {"reward_heads": 1}))
    with pytest.raises(ValueError, match="a classifier with 2 labels, not a reward model"):
        load_reward_model(tmp_path / "two")


def run_of(folder: Path, model: Path, rows: list[dict], **config) -> Path:
    run = make_run(folder, model, "reward_model", QUICK | config, train=len(rows) - 8, rows=rows)
    assert run_trainer(run, should_stop=lambda: False) == DONE, events(run)[-1]
    return run


def ranked_rows(count: int) -> list[dict]:
    """Four responses a prompt: more "yes" is better."""
    rows = make_rows(count)
    for number, row in enumerate(rows):
        row["completions"] = ["no a", "yes yes b", "yes c", "no d"]
        row["label"] = {"kind": "ranking", "tiers": [[1], [2], [0, 3]]}
        row["prompt"][0]["content"] += str(number)
    return rows


@pytest.mark.parametrize("rankings", ["pairs", "plackett_luce"])
def test_rankings_are_learnt(rankings, policy_folder, tmp_path):
    run = run_of(tmp_path / "run", policy_folder, ranked_rows(40), rankings=rankings)
    final = events(run)[-1]["data"]["metrics"]
    assert final["accuracy"] == 1.0
    assert (final["pairs"], final["ties"]) == (8 * 5, 8)


@pytest.mark.parametrize("ratings", ["pairs", "regress"])
def test_ratings_are_learnt(ratings, policy_folder, tmp_path):
    rows = ranked_rows(40)
    for row in rows:
        row["label"] = {"kind": "rating", "scores": [1, 6, 4, None]}
    run = run_of(tmp_path / "run", policy_folder, rows, ratings=ratings, epochs=12)
    final = events(run)[-1]["data"]["metrics"]
    assert final["accuracy"] == 1.0
    assert read_notes(run / "model")["rating_scale"] == pytest.approx([11 / 3, (38 / 9) ** 0.5])


def longer_rows(count: int) -> list[dict]:
    """People prefer "yes" but also what is long, and the longer response is mostly the "no"."""
    rows = make_rows(count)
    for number, row in enumerate(rows):
        long_yes = number % 4 == 0
        row["completions"] = ["yes" + " a" * (30 if long_yes else 3), "no" + " b" * (3 if long_yes else 30)]
        row["label"] = {"kind": "pair", "chosen": 0 if long_yes else 1, "rejected": 1 if long_yes else 0}
        row["prompt"][0]["content"] += str(number)
    return rows


def test_length_is_paid_for_in_the_loss_and_not_in_the_score(policy_folder):
    """Half a point for every ten tokens: Δ grows by 0.5·(difference of lengths)/10."""
    model = load_reward_model(policy_folder)
    (group,) = encoded(model.tokenizer, 1)
    (rewards,) = score(model, [group])
    chosen, rejected = group.label.chosen, group.label.rejected
    longer = len(group.completions[chosen]) - len(group.completions[rejected])
    model.numbers["length"] = torch.nn.Parameter(torch.tensor(0.5))
    lead = torch.tensor(rewards[chosen] - rewards[rejected] + 0.5 * longer / 10)
    assert longer != 0
    assert loss_of(model, group, PLAIN, unit=10.0) == pytest.approx(
        torch.nn.functional.softplus(-lead).item(), abs=1e-5
    )
    assert score(model, [group]) == [rewards]


def test_length_control_learns_what_length_is_worth_and_leaves_it_out_of_the_score(encoder_folder, tmp_path):
    found, settings = {}, {"epochs": 12, "learning_rate": 3e-4}
    for control in (False, True):
        run = run_of(tmp_path / str(control), encoder_folder, longer_rows(48), length_control=control, **settings)
        found[control] = events(run)[-1]["data"]["metrics"]
        noted = read_notes(run / "model")
        assert ("reward_of_a_token_left_out" in noted) == control
    assert found[True]["longer_wins"] == 1.0
    assert found[True]["margin"] < 0.9 * found[False]["margin"]


@pytest.mark.parametrize("ties", ["rao_kupper", "davidson"])
def test_the_tie_parameter_finds_the_share_of_ties_among_equals(ties, policy_folder, tmp_path):
    """Two responses that no model can tell apart tie half of the time: θ = 3 and ν = 2."""
    rows = make_rows(64)
    for number, row in enumerate(rows):
        row["completions"], row["weight"] = ["same", "same"], 1.0
        pair = {"kind": "pair", "chosen": number % 4 // 2, "rejected": 1 - number % 4 // 2, "strength": None}
        row["label"] = {"kind": "tie"} if number % 2 else pair
    run = run_of(tmp_path / "run", policy_folder, rows, ties=ties, centring=0.0)
    noted = read_notes(run / "model")["tie"]
    assert noted == {"model": ties, "value": pytest.approx({"rao_kupper": 3.0, "davidson": 2.0}[ties], rel=0.05)}
    assert events(run)[-1]["data"]["metrics"]["loss"] == pytest.approx(log(2) + log(2) / 2, abs=0.01)


def test_a_reward_run_tells_how_sure_it_may_be_and_notes_the_temperature(policy_folder, tmp_path):
    run = run_of(tmp_path / "run", policy_folder, make_rows(40), heads=2)
    final = events(run)[-1]["data"]["metrics"]
    assert read_notes(run / "model")["temperature"] == final["temperature"]
    assert sum(part["pairs"] for part in final["reliability"]) == final["pairs"]
    assert sum(final["margin_histogram"]["counts"]) == final["pairs"]
    assert {"ece", "brier", "ece_calibrated", "length_correlation", "longer_wins", "spread"} <= final.keys()
    assert load_reward_model(run / "model").model.config.num_labels == 2
