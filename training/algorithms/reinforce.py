"""REINFORCE with a baseline (Williams 1992), the KL to the reference taken from the reward.

Left out on purpose: discounting. A response is one action, as in Ahmadian et al. 2024.
"""

from dataclasses import replace

import torch
from torch import Tensor

from training.algorithms.experience import Rollout
from training.algorithms.loop import Job, Tools
from training.algorithms.online import Method, State, prepare_online, responses_of
from training.algorithms.options.online import ReinforceConfig
from training.algorithms.plan import Plan
from training.algorithms.policy_gradient import penalised_rewards, respond, whiten_rows


def prepare(plan: Plan, tools: Tools) -> Job:
    return prepare_online(plan, tools, Method(credit, respond, responses_of))


def credit(rollouts: list[Rollout], config: ReinforceConfig, state: State) -> list[Rollout]:
    """The reward less a baseline that the response itself has no part in, except the mean of the step."""
    rewards = penalised_rewards(rollouts, beta=state["beta"])
    advantages = whiten_rows(rewards - baseline(rewards, config, state), config)
    return [replace(rollout, advantages=row) for rollout, row in zip(rollouts, advantages, strict=True)]


def baseline(rewards: Tensor, config: ReinforceConfig, state: State) -> Tensor:
    """A number: the running mean of the steps before (the first step has its own mean), the step's mean, or 0."""
    now = rewards.mean()
    if config.baseline != "running":
        return now if config.baseline == "batch" else torch.zeros(())
    past = state.get("baseline", float(now))
    state["baseline"] = config.baseline_decay * past + (1 - config.baseline_decay) * float(now)
    return torch.tensor(past)
