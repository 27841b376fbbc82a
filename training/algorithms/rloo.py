"""RLOO: REINFORCE with the mean of the prompt's other responses as baseline (Kool et al. 2019; Ahmadian et al. 2024).

The KL to the reference is taken from each response's reward; advantages are not divided by their deviation. As credit
is a prompt's own matter, a step of one update needs no pass before it: old log-probabilities are those of the update.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from torch import nn

from training.algorithms.advantages import leave_one_out
from training.algorithms.experience import Rollout, attach_reading
from training.algorithms.groups import EncodedGroup
from training.algorithms.loop import Job, Outcome, Tools
from training.algorithms.online import Measured, Method, State, prepare_online, responses_of
from training.algorithms.options.online import RLOOConfig
from training.algorithms.packing import Batch
from training.algorithms.plan import Plan
from training.algorithms.policy_gradient import penalised_rewards, read_rollouts, respond, respond_to, whiten_rows
from training.algorithms.value import Reading


def prepare(plan: Plan, tools: Tools) -> Job:
    config: RLOOConfig = plan.config
    passes = config.passes * config.mini_batches
    if passes > 1 or config.whiten_advantages or config.entropy_bonus or config.rollout_server:
        return prepare_online(plan, tools, Method(credit, respond, responses_of))
    state: State = {"beta": config.beta}
    measured: Measured = {}
    compute = partial(respond_at_once, state=state, measured=measured)
    job = prepare_online(plan, tools, Method(credit_later, compute, responses_of, measured))
    job.state = state
    return job


def credit(rollouts: list[Rollout], config: RLOOConfig, state: State) -> list[Rollout]:
    advantages = whiten_rows(leave_one_out(penalised_rewards(rollouts, beta=state["beta"])), config)
    return [replace(rollout, advantages=row) for rollout, row in zip(rollouts, advantages, strict=True)]


def credit_later(rollouts: list[Rollout], config: RLOOConfig, state: State) -> list[Rollout]:
    return rollouts


def respond_at_once(
    model: nn.Module,
    batch: Batch,
    groups: Sequence[EncodedGroup],
    config: RLOOConfig,
    *,
    state: State,
    measured: Measured,
) -> Outcome:
    """The loss on responses that no pass has measured: the ratio is 1, its gradient that of log π."""
    reading: Reading = model(batch, config.temperature, True, False)
    known = attach_reading(read_rollouts(groups), reading, batch)
    measured |= {one.id: one for one in known}
    return respond_to(reading._replace(entropies=None), batch, credit(known, config, state), config)
