"""Steps of the algorithms that learn from their own responses: what is drawn, what is credited, resuming, learning."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from tests.algorithms.runs import events, kill, make_run, start_trainer, steps, wait_for_step
from training.algorithms import ppo, rloo
from training.algorithms.experience import Rollout
from training.algorithms.loop import Outcome
from training.algorithms.models import load_policy
from training.algorithms.online import Measured
from training.algorithms.options.online import PPOConfig, RLOOConfig
from training.algorithms.packing import collate
from training.algorithms.policy_gradient import respond
from training.algorithms.trainer import CANCELLED, DONE, FAILED, run_trainer
from training.algorithms.value import Actor, TrunkCritic

ALGORITHMS = ["ppo", "rloo", "grpo", "reinforce", "raft"]
SETTINGS = {
    "function": "vowels",
    "batch_size": 2,
    "responses": 3,
    "max_tokens": 12,
    "max_length": 128,
    "epochs": 3,
    "learning_rate": 2e-3,
    "unfinished_penalty": 0.1,
    "eval_every": 3,
    "samples": 1,
    "sample_tokens": 8,
    "checkpoint_every": 2,
}


def run_here(run: Path) -> int:
    return run_trainer(run, should_stop=lambda: False)


def told(run: Path, kind: str) -> list[dict[str, float]]:
    clock = {"tokens_per_s", "seconds_left"}
    found = [event["data"] for event in events(run) if event["kind"] == kind]
    return [{name: value for name, value in data.items() if name not in clock} for data in found]


def same_weights(first: Path, second: Path) -> bool:
    left, right = (load_file(run / "model" / "model.safetensors") for run in (first, second))
    return left.keys() == right.keys() and all(torch.equal(left[name], right[name]) for name in left)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_it_begins_at_its_reference_and_on_fresh_responses_the_ratio_is_1(algorithm, policy_folder, tmp_path):
    """KL is exactly 0 before the first update, with adapters switched off as reference and with a frozen copy."""
    for lora in (True, False):
        run = make_run(tmp_path / f"{lora}", policy_folder, algorithm, SETTINGS | {"lora": lora, "max_steps": 1})
        assert run_here(run) == DONE
        (first,) = told(run, "train")
        assert (first["kl/k1"], first["kl/k2"], first["kl/k3"]) == (0.0, 0.0, 0.0)
        assert first["objective"] == pytest.approx(first["reward"] - 0.1 * first["completions/clipped_ratio"], abs=1e-6)
        before, after = told(run, "eval")
        assert before["kl"] == 0.0
        assert after["kl"] != 0.0
        if algorithm in ("rloo", "grpo", "reinforce"):
            assert first["ratio_max"] == pytest.approx(1.0, abs=1e-5)
            assert first["clip_ratio"] == 0.0


def test_all_probabilities_are_those_of_the_sampling_temperature(policy_folder, tmp_path):
    """At temperature 0.5 the ratio is still 1 and the KL still 0, and the entropy is well below that at 1."""
    found = {}
    for temperature in (0.5, 1.0):
        settings = SETTINGS | {"max_steps": 1, "temperature": temperature, "responses": 16, "lora": False}
        run = make_run(tmp_path / f"{temperature}", policy_folder, "rloo", settings)
        assert run_here(run) == DONE
        (found[temperature],) = told(run, "train")
        assert found[temperature]["ratio_max"] == pytest.approx(1.0, abs=1e-5)
        assert found[temperature]["kl/k2"] == 0.0
    assert found[0.5]["entropy"] < 0.9 * found[1.0]["entropy"]


@pytest.mark.parametrize(
    ("algorithm", "more"), [*((algorithm, {}) for algorithm in ALGORITHMS), ("ppo", {"passes": 1})]
)
def test_how_a_step_is_cut_into_passes_does_not_matter(algorithm, more, policy_folder, tmp_path):
    settings = SETTINGS | {"max_steps": 2, "lora": False} | more
    found = []
    for tokens in (4096, 8):
        run = make_run(tmp_path / f"{tokens}", policy_folder, algorithm, settings | {"micro_batch_tokens": tokens})
        assert run_here(run) == DONE
        found.append((told(run, "train"), load_file(run / "model" / "model.safetensors")))
    (many, first), (few, second) = found
    assert [data["loss"] for data in many] == pytest.approx([data["loss"] for data in few], abs=1e-5)
    assert [data["grad_norm"] for data in many] == pytest.approx([data["grad_norm"] for data in few], rel=1e-3)
    assert [data.get("explained_variance") for data in many] == pytest.approx(
        [data.get("explained_variance") for data in few], abs=1e-4
    )
    for name, weights in first.items():
        torch.testing.assert_close(weights, second[name], atol=2e-4, rtol=0)


ADAPTIVE = SETTINGS | {"epochs": 8, "passes": 2, "normalise_scores": True, "kl_target": 2.0, "kl_horizon": 50}


def test_killed_at_any_step_it_resumes_to_the_very_same_weights_and_events(policy_folder, tmp_path):
    """PPO with a critic of its own: draws and orders are functions of the step, the rest is in the checkpoint."""
    settings = ADAPTIVE | {"critic": "separate"}
    unbroken = make_run(tmp_path / "unbroken", policy_folder, "ppo", settings)
    assert run_here(unbroken) == DONE
    broken = make_run(tmp_path / "broken", policy_folder, "ppo", settings)
    process = start_trainer(broken)
    wait_for_step(broken, 5, process)
    kill(process)
    assert not (broken / "model").exists()
    assert run_here(broken) == DONE
    assert_same_story(unbroken, broken)


@pytest.mark.parametrize("algorithm", ["reinforce", "rloo", "grpo", "raft"])
def test_stopped_after_a_step_it_goes_on_as_if_nothing_had_been(algorithm, policy_folder, tmp_path):
    """β, the running baseline and the moments of the scores are carried in the checkpoint."""
    settings = SETTINGS if algorithm == "raft" else ADAPTIVE
    unbroken = make_run(tmp_path / "unbroken", policy_folder, algorithm, settings)
    assert run_here(unbroken) == DONE
    broken = make_run(tmp_path / "broken", policy_folder, algorithm, settings)
    assert run_trainer(broken, should_stop=lambda: 4 in steps(broken, "train")) == CANCELLED
    assert run_here(broken) == DONE
    assert_same_story(unbroken, broken)


def assert_same_story(unbroken: Path, broken: Path) -> None:
    assert [event["data"]["resumed_from"] for event in events(broken) if event["kind"] == "start"][1] >= 4
    assert same_weights(unbroken, broken)
    for kind in ("train", "eval", "sample"):
        assert told(unbroken, kind) == told(broken, kind)


def test_a_cancel_before_the_first_step_keeps_what_a_later_start_goes_on_from(policy_folder, tmp_path):
    plain = make_run(tmp_path / "plain", policy_folder, "ppo", SETTINGS)
    run = make_run(tmp_path / "run", policy_folder, "ppo", SETTINGS)
    (run / "cancel").touch()
    assert run_here(run) == CANCELLED
    assert steps(run, "train") == []
    (run / "cancel").unlink()
    assert run_here(run) == DONE == run_here(plain)
    assert same_weights(plain, run)


def test_a_policy_that_moves_too_far_ends_its_passes(policy_folder, tmp_path):
    wild = SETTINGS | {"learning_rate": 0.05, "passes": 10, "max_steps": 1, "lora": False}
    run = make_run(tmp_path / "wild", policy_folder, "ppo", wild | {"update_kl_limit": 0.05})
    assert run_here(run) == DONE
    (data,) = told(run, "train")
    assert data["stopped_early"] == 1.0
    assert 2 <= data["updates"] < 10


def reward_folder(folder: Path, policy_folder: Path, heads: int = 1) -> Path:
    run = make_run(folder, policy_folder, "reward_model", {"max_steps": 1, "lora": False, "heads": heads})
    assert run_here(run) == DONE
    return run / "model"


def with_rewards(run: Path, rewards: list[dict[str, object]]) -> Path:
    plan = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps(plan | {"rewards": rewards}))
    return run


def test_reward_models_are_mixed_by_weight_with_a_function_on_top(policy_folder, tmp_path):
    first, second = (reward_folder(tmp_path / name, policy_folder, heads) for name, heads in (("one", 1), ("two", 3)))
    rewards = [{"model": str(first), "weight": 3.0}, {"model": str(second), "weight": 1.0}]
    for pessimism in (0.0, 2.0):
        settings = SETTINGS | {"max_steps": 1, "function_weight": 0.5, "pessimism": pessimism, "eval_every": 0}
        run = with_rewards(make_run(tmp_path / f"run {pessimism}", policy_folder, "rloo", settings), rewards)
        assert run_here(run) == DONE
    plain, wary = (told(tmp_path / f"run {pessimism}", "train")[0] for pessimism in (0.0, 2.0))
    mixed = 0.75 * plain["rewards/model 1"] + 0.25 * plain["rewards/model 2"] + 0.5 * plain["rewards/vowels"]
    assert plain["reward"] == pytest.approx(mixed, abs=1e-5)
    assert wary["rewards/model 1"] == plain["rewards/model 1"]  # one head has no spread
    assert wary["rewards/model 2"] < plain["rewards/model 2"]


def test_a_run_that_nothing_scores_says_so(policy_folder, tmp_path):
    run = make_run(tmp_path / "run", policy_folder, "ppo", SETTINGS | {"function": "none"})
    assert run_here(run) == FAILED
    assert events(run)[-1]["data"]["message"].startswith("Nothing scores the responses: choose a reward model")


@pytest.mark.parametrize(
    ("algorithm", "settings"),
    [
        ("ppo", {"responses": 8, "passes": 2, "learning_rate": 3e-3}),
        ("rloo", {"responses": 8}),
        ("grpo", {"responses": 8, "learning_rate": 2e-3, "beta": 0.2}),
        ("reinforce", {"responses": 8}),
        ("raft", {"responses": 8, "epochs": 16, "learning_rate": 1e-3}),
    ],
)
def test_it_learns_to_write_vowels_near_its_reference(algorithm, settings, policy_folder, tmp_path):
    """From a share of 0.23 of vowels to at least 0.4, within 8 nats a response of 12 tokens; bench/learning.py takes
    three seeds."""
    plan = SETTINGS | {"epochs": 8, "learning_rate": 5e-3, "eval_every": 0, "lora": False, "checkpoint_every": 0}
    run = make_run(tmp_path / "run", policy_folder, algorithm, plan | settings, train=24, test=24)
    assert run_here(run) == DONE
    last = told(run, "train")[-3:]
    assert sum(data["reward"] for data in last) / 3 > 0.4
    assert sum(data["kl"] for data in last) / 3 < 8


def draw_rollouts() -> list[Rollout]:
    """Two prompts with three responses each, the last one cut."""
    drawn = torch.Generator().manual_seed(0)
    return [
        Rollout(
            id=f"p{number}",
            prompt=(40, 41 + number),
            messages=(),
            system="",
            completions=tuple(tuple(torch.randint(30, 90, (3 + number + place,), generator=drawn).tolist())
                              for place in range(3)),
            texts=("", "", ""),
            finished=(True, True, False),
            scores=torch.rand(3, generator=drawn),
            base=torch.randn(12 + 3 * number, generator=drawn) - 5,
        )
        for number in range(2)
    ]  # fmt: skip


def assert_alike(actor: Actor, before: Outcome, at_once: Outcome) -> None:
    assert torch.equal(before.losses, at_once.losses)
    assert all(torch.equal(before.facts[name], at_once.facts[name]) for name in before.facts)
    gradients = [torch.autograd.grad(found.losses.sum(), list(actor.parameters())) for found in (before, at_once)]
    assert all(map(torch.equal, *gradients))


def test_measuring_in_the_update_itself_changes_nothing(policy_folder):
    """RLOO's one update a step: the loss, its gradient and what is told equal those of a pass before it."""
    actor, rollouts = Actor(load_policy(policy_folder, trainable=True), None), draw_rollouts()
    config, batch = RLOOConfig(beta=0.3), collate(rollouts, "tree")
    with torch.no_grad():
        reading = actor(batch, 1.0, True)
    old = reading.logprobs.split([sum(rollout.lengths) for rollout in rollouts])
    known = [replace(rollout, old=own) for rollout, own in zip(rollouts, old, strict=True)]
    before = respond(actor, batch, rloo.credit(known, config, {"beta": 0.3}), config)
    measured: Measured = {}
    at_once = rloo.respond_at_once(actor, batch, rollouts, config, state={"beta": 0.3}, measured=measured)
    assert_alike(actor, before, at_once)
    for rollout, own in zip(known, reading.entropies.split([len(one) for one in old]), strict=True):
        assert torch.equal(measured[rollout.id].old, rollout.old)
        assert torch.equal(measured[rollout.id].entropies, own)


def test_ppos_whole_step_in_one_pass_is_measured_and_learnt_at_once(policy_folder):
    policy = load_policy(policy_folder, trainable=True)
    critic = TrunkCritic(policy.model.config.hidden_size)
    torch.nn.init.normal_(critic.score.weight, generator=torch.Generator().manual_seed(1))
    actor, rollouts = Actor(policy, critic), draw_rollouts()
    config, batch, state = PPOConfig(beta=0.3, passes=1, cut="bootstrap"), collate(rollouts, "tree"), {"beta": 0.3}
    with torch.no_grad():
        reading = actor(batch, 1.0, True)
    tokens = [sum(rollout.lengths) for rollout in rollouts]
    said = (reading.logprobs.split(tokens), reading.values.split(tokens), reading.after.split(3))
    known = [
        replace(rollout, old=old, values=values, after=after)
        for rollout, old, values, after in zip(rollouts, *said, strict=True)
    ]
    credited = ppo.credit(known, config, state)
    measured: Measured = {}
    at_once = ppo.learn_at_once(actor, batch, rollouts, config, state=state, measured=measured)
    assert_alike(actor, ppo.outcome(actor, batch, credited, config), at_once)
    for rollout in credited:
        assert torch.equal(measured[rollout.id].advantages, rollout.advantages)
        assert torch.equal(measured[rollout.id].returns, rollout.returns)
