"""RLOO: REINFORCE with the mean of the prompt's other responses as baseline (Kool et al. 2019; Ahmadian et al. 2024).

The KL to the reference is taken from each response's reward; advantages are not divided by their deviation.
"""

from dataclasses import replace

from training.algorithms.advantages import leave_one_out
from training.algorithms.experience import Rollout
from training.algorithms.loop import Job, Tools
from training.algorithms.online import Method, State, prepare_online, responses_of
from training.algorithms.options.online import RLOOConfig
from training.algorithms.plan import Plan
from training.algorithms.policy_gradient import penalised_rewards, respond, whiten_rows


def prepare(plan: Plan, tools: Tools) -> Job:
    return prepare_online(plan, tools, Method(credit, respond, responses_of))


def credit(rollouts: list[Rollout], config: RLOOConfig, state: State) -> list[Rollout]:
    advantages = whiten_rows(leave_one_out(penalised_rewards(rollouts, beta=state["beta"])), config)
    return [replace(rollout, advantages=row) for rollout, row in zip(rollouts, advantages, strict=True)]
