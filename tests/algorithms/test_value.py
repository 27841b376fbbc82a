"""PPO's critics: where they begin and what they share with the policy; and how the optimiser is set."""

import json
from pathlib import Path

import pytest
import torch
from accelerate import Accelerator

from tests.algorithms.runs import encoded, make_run
from training.algorithms.events import EventWriter
from training.algorithms.experience import Rollout
from training.algorithms.loop import Job, Tools
from training.algorithms.models import find_head, load_reward_model, save_model
from training.algorithms.online import describe
from training.algorithms.packing import collate
from training.algorithms.plan import read_plan
from training.algorithms.schedule import build_optimizer
from training.algorithms.trainer import PREPARE


def prepare(run: Path, model: Path, algorithm: str, *, reward: Path | None = None, **settings: object) -> Job:
    plain = {"function": "vowels", "lora": False, "max_tokens": 8, "max_length": 128}
    make_run(run, model, algorithm, plain | settings)
    plan = json.loads((run / "run.json").read_text())
    plan["rewards"] = [{"model": str(reward), "weight": 1.0}] if reward else []
    (run / "run.json").write_text(json.dumps(plan))
    tools = Tools(Accelerator(cpu=True), EventWriter(run / "events.jsonl"), lambda: False)
    return PREPARE[algorithm](read_plan(run), tools)


def rows_of(model: torch.nn.Module, name: str) -> torch.Tensor:
    return dict(model.named_parameters())[name]


@pytest.mark.parametrize("critic", ["trunk", "separate"])
def test_a_critic_expects_nothing_at_first_and_only_one_of_its_own_leaves_the_policy_alone(
    critic, policy_folder, tmp_path
):
    job = prepare(tmp_path / "run", policy_folder, "ppo", critic=critic)
    groups = encoded(job.product.tokenizer, 2)
    reading = job.model(collate(groups, "tree"), 1.0, False)
    assert reading.values.tolist() == [0.0] * sum(len(text) for group in groups for text in group.completions)
    assert reading.after.tolist() == [0.0] * 4
    head = job.model.critic.score if critic == "trunk" else find_head(job.model.critic.network.model)
    with torch.no_grad():
        head.weight.fill_(0.1)
    job.model(collate(groups, "tree"), 1.0, False).values.sum().backward()
    moved = rows_of(job.product, "model.model.layers.0.mlp.up_proj.weight").grad
    assert (moved is None) == (critic == "separate")


def test_a_critic_of_its_own_begins_as_the_reward_model_with_a_new_head(policy_folder, tmp_path):
    reward = load_reward_model(policy_folder)
    with torch.no_grad():
        for parameter in reward.parameters():
            parameter.add_(0.01)
    save_model(reward, tmp_path / "reward")
    job = prepare(tmp_path / "run", policy_folder, "ppo", reward=tmp_path / "reward", critic="separate")
    network = job.model.critic.network
    name = "model.model.layers.0.mlp.up_proj.weight"
    assert torch.equal(rows_of(network, name), rows_of(reward, name))
    assert not torch.equal(rows_of(network, name), rows_of(job.product, name))
    assert not find_head(network.model).weight.any()


def test_learning_from_own_responses_has_adams_larger_epsilon(policy_folder, tmp_path):
    """1e-5 (Huang et al. 2022, detail 3); what learns from stored data keeps 1e-8."""
    for algorithm, epsilon in (("ppo", 1e-5), ("rloo", 1e-5)):
        job = prepare(tmp_path / algorithm, policy_folder, algorithm)
        assert job.adam_epsilon == epsilon
        optimizer = build_optimizer(job.model, peak=1e-3, weight_decay=0.1, epsilon=job.adam_epsilon)
        assert {group["eps"] for group in optimizer.param_groups} == {epsilon}
        assert {group["betas"] for group in optimizer.param_groups} == {(0.9, 0.999)}
        if algorithm == "ppo":
            spared = next(group for group in optimizer.param_groups if not group["weight_decay"])
            assert any(parameter is job.model.critic.score.weight for parameter in spared["params"])


def test_prompts_whose_responses_all_score_the_same_are_counted():
    """One of four prompts: nothing to learn from it without a baseline from elsewhere."""
    found = [one_prompt(*scores) for scores in ((1.0, 2.0), (3.0, 3.0), (0.0, 1.0), (0.0, 5.0))]
    assert describe(found, found, 0.1)["frac_reward_zero_std"] == 0.25


def one_prompt(*scores: float) -> Rollout:
    zeros = torch.zeros(2)
    return Rollout(
        id="a",
        prompt=(1,),
        messages=({"role": "user", "content": "?"},),
        system="",
        completions=((5,), (7,)),
        texts=("x", "y"),
        finished=(True, True),
        scores=torch.tensor(scores),
        parts={},
        old=zeros,
        base=zeros,
        values=zeros,
        after=zeros,
        entropies=zeros,
    )
