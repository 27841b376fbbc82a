"""The loop: how a step is cut does not matter, weights and strength do, and each algorithm learns."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import torch
from accelerate import Accelerator

from tests.algorithms.runs import encoded, events
from training.algorithms import dpo, reward_model
from training.algorithms.events import EventWriter
from training.algorithms.groups import normalise_weights
from training.algorithms.labels import Pair, Tie
from training.algorithms.loop import Job, Tools, TrainingError, train
from training.algorithms.models import load_policy, load_reward_model
from training.algorithms.options.dpo import DPOConfig
from training.algorithms.options.reward_model import RewardModelConfig
from training.algorithms.packing import collate, cost
from training.algorithms.preference_metrics import summarise_preferences
from training.algorithms.reference import attach_reference
from training.algorithms.schedule import build_optimizer, learning_rate


def make_job(run: Path, algorithm: str, folder: Path, config, groups=None, test=()) -> Job:
    run.mkdir(parents=True, exist_ok=True)
    tools = Tools(Accelerator(cpu=True), EventWriter(run / "events.jsonl"), lambda: False)
    model = load_policy(folder, trainable=True) if algorithm == "dpo" else load_reward_model(folder)
    groups = normalise_weights(groups or encoded(model.tokenizer, 8))
    if algorithm == "dpo":
        groups = attach_reference(
            model, groups, cache=run / "reference", digest="test", budget=512, should_stop=lambda: False
        )
    compute = dpo.outcome if algorithm == "dpo" else reward_model.outcome
    return Job(
        run=run,
        model=model,
        compute=compute,
        train=groups,
        test=list(test),
        config=config,
        tools=tools,
        summarise=partial(summarise_preferences, rating_span=config.rating_span),
    )


CONFIGS = {
    "reward_model": RewardModelConfig(learning_rate=1e-3, strength="soft", checkpoint_every=0),
    "dpo": DPOConfig(learning_rate=1e-3, strength="margin", ties="half", checkpoint_every=0),
}


@pytest.mark.parametrize("algorithm", CONFIGS)
def test_a_step_of_eight_is_the_same_whether_taken_as_eight_or_four_twos_or_one(algorithm, policy_folder, tmp_path):
    """Sums over a global denominator: 1×8 = 2×4 = 8×1, although groups differ in length and weight."""
    found = []
    longest = max(cost(group, "tree") for group in encoded(load_policy(policy_folder).tokenizer, 8))
    for name, tokens in (("eight", 10_000), ("two", 2 * longest), ("one", 8)):
        config = replace(CONFIGS[algorithm], epochs=3, micro_batch_tokens=tokens)
        job = make_job(tmp_path / name, algorithm, policy_folder, config)
        train(job)
        losses = [event["data"]["loss"] for event in events(job.run) if event["kind"] == "train"]
        found.append((losses, torch.cat([p.detach().flatten() for p in job.model.parameters()])))
    for losses, weights in found[1:]:
        assert losses == pytest.approx(found[0][0], abs=1e-5)
        torch.testing.assert_close(weights, found[0][1], atol=1e-5, rtol=0)


def outcome_of(algorithm: str, folder: Path, label, **settings) -> float:
    """Loss of one group under this label."""
    model = load_policy(folder) if algorithm == "dpo" else load_reward_model(folder)
    (group,) = encoded(model.tokenizer, 1)
    group = replace(group, label=label, reference=(-60.0, -50.0))
    config = replace(CONFIGS[algorithm], **settings)
    compute = dpo.outcome if algorithm == "dpo" else reward_model.outcome
    return compute(model, collate([group], "tree"), [group], config).losses.item()


@pytest.mark.parametrize("algorithm", CONFIGS)
def test_strength_and_ties_change_the_loss_as_the_settings_say(algorithm, policy_folder):
    """A margin subtracts m·s from Δ; a soft target mixes both sides by 0.5 + 0.45·s; a tie mixes them equally."""

    bare = {"centring": 0.0} if algorithm == "reward_model" else {}

    def loss(label, **settings):
        return outcome_of(algorithm, policy_folder, label, **bare, **settings)

    weak, strong, unknown = Pair(0, 1, 0.25), Pair(0, 1, 1.0), Pair(0, 1, None)
    wins, loses = loss(unknown, strength="ignore"), loss(Pair(1, 0, None), strength="ignore")
    difference = loses - wins
    assert loss(strong, strength="ignore") == loss(weak, strength="ignore") == wins
    softplus = torch.nn.functional.softplus
    assert loss(weak, strength="margin", margin=2.0) == pytest.approx(
        softplus(torch.tensor(0.5 - difference)).item(), abs=1e-5
    )
    assert loss(unknown, strength="margin", margin=2.0) == pytest.approx(wins, abs=1e-6)
    assert loss(strong, strength="soft", soft_top=0.95) == pytest.approx(0.95 * wins + 0.05 * loses, abs=1e-5)
    assert loss(weak, strength="soft", soft_top=0.9) == pytest.approx(0.6 * wins + 0.4 * loses, abs=1e-5)
    assert loss(Tie(), strength="margin") == pytest.approx((wins + loses) / 2, abs=1e-5)
    if algorithm == "dpo":
        assert loss(unknown, label_smoothing=0.1) == pytest.approx(0.9 * wins + 0.1 * loses, abs=1e-5)


def test_a_group_of_weight_three_counts_three_times(policy_folder, tmp_path):
    """Weights 3 and 1 (mean 1: 3/2 and 1/2): the step's loss is (3·l₁ + l₂)/4."""
    tokenizer = load_policy(policy_folder).tokenizer
    first, second = encoded(tokenizer, 2)
    config = replace(CONFIGS["reward_model"], batch_size=2)
    losses = []
    for number, pair in enumerate(([first], [second], [replace(first, weight=3.0), replace(second, weight=1.0)])):
        job = make_job(tmp_path / str(number), "reward_model", policy_folder, config, groups=pair)
        train(job)
        losses += [event["data"]["loss"] for event in events(job.run) if event["kind"] == "train"]
    assert losses[2] == pytest.approx((3 * losses[0] + losses[1]) / 4, abs=1e-6)


def test_dpo_begins_at_ln_2_with_no_drift(policy_folder, tmp_path):
    job = make_job(tmp_path, "dpo", policy_folder, replace(CONFIGS["dpo"], strength="ignore", max_steps=1))
    train(job)
    (first,) = [event["data"] for event in events(tmp_path) if event["kind"] == "train"]
    assert first["loss"] == pytest.approx(0.693147, abs=1e-5)
    for name in ("rewards/chosen", "rewards/rejected", "rewards/margins", "drift/chosen", "drift/rejected"):
        assert first[name] == pytest.approx(0.0, abs=1e-4)


@pytest.mark.parametrize("algorithm", CONFIGS)
def test_it_learns_a_rule_and_tells_held_out_pairs_by_it(algorithm, policy_folder, tmp_path):
    tokenizer = load_policy(policy_folder).tokenizer
    groups = encoded(tokenizer, 60)
    config = replace(CONFIGS[algorithm], epochs=8, learning_rate=5e-3, strength="ignore", ties="half")
    job = make_job(tmp_path, algorithm, policy_folder, config, groups=groups[:48])
    test = groups[48:]
    if algorithm == "dpo":
        test = attach_reference(
            job.model, test, cache=tmp_path / "reference", digest="test", budget=512, should_stop=lambda: False
        )
    job.test = test
    final = train(job)
    before = next(event["data"] for event in events(tmp_path) if event["kind"] == "eval")
    assert final["accuracy"] == 1.0
    assert final["loss"] < 0.75 * before["loss"]
    assert final["margin"] > 0.5
    assert final["pairs"] == 11
    assert final["ties"] == 1
    assert final["accuracy_low"] == pytest.approx(0.7411, abs=1e-3)  # 11 of 11
    assert sum(part["pairs"] for part in final["by_strength"].values()) <= 11
    if algorithm == "dpo":
        assert final["rewards/margins"] == pytest.approx(final["rewards/chosen"] - final["rewards/rejected"], abs=1e-5)
        assert final["rewards/chosen"] == pytest.approx(0.1 * final["drift/chosen"], abs=1e-5)


def test_a_loss_that_is_not_a_number_stops_before_the_weights_are_spoilt(policy_folder, tmp_path):
    job = make_job(tmp_path, "reward_model", policy_folder, CONFIGS["reward_model"])
    with torch.no_grad():
        job.model.model.score.weight[0, 0] = float("nan")
    before = job.model.model.model.layers[0].mlp.up_proj.weight.clone()
    with pytest.raises(TrainingError, match=r"The loss became nan at step 1 \(groups g\d.*lower the learning rate"):
        train(job)
    assert torch.equal(job.model.model.model.layers[0].mlp.up_proj.weight, before)


@pytest.mark.parametrize(
    ("schedule", "rates"),
    [("linear", [0.5, 1, 1, 0.5]), ("cosine", [0.5, 1, 1, 0.5]), ("constant", [0.5, 1, 1, 1])],
)
def test_the_learning_rate_by_hand(schedule, rates):
    """10 steps, 2 of warm-up: half-way after it (step 6) linear and cosine are both at one half."""
    found = [learning_rate(step, peak=1.0, total=10, warmup_ratio=0.2, schedule=schedule) for step in (0, 1, 2, 6)]
    assert found == pytest.approx(rates)


def test_norms_and_heads_are_not_decayed(policy_folder):
    model = load_reward_model(policy_folder)
    decayed, spared = build_optimizer(model, peak=1e-3, weight_decay=0.1, epsilon=1e-8).param_groups
    assert (decayed["weight_decay"], spared["weight_decay"]) == (0.1, 0.0)
    assert any(parameter is model.model.score.weight for parameter in spared["params"])
    assert any(parameter is model.model.model.norm.weight for parameter in spared["params"])
