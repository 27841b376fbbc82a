"""Proximal policy optimisation with a critic, as in reinforcement learning from human feedback (Ziegler et al. 2019;
Stiennon et al. 2020; Huang et al. 2024, "The N implementation details of RLHF with PPO").

Per token: −β·k1, and the score at the last real token; generalised advantages; both losses clipped. A step of one
update that fits one pass needs none before it: its log-probabilities and values are those of the update.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import torch
from torch import nn

from training.algorithms.advantages import gae, token_rewards, whiten
from training.algorithms.experience import Rollout, attach_reading, by_response, by_rollout
from training.algorithms.groups import EncodedGroup
from training.algorithms.kl import k1
from training.algorithms.loop import Job, Outcome, Tools
from training.algorithms.online import Measured, Method, State, prepare_online, tokens_of
from training.algorithms.options.online import PPOConfig
from training.algorithms.packing import Batch
from training.algorithms.plan import Plan
from training.algorithms.policy_gradient import group_sums, joined, ratio_facts, read, read_rollouts
from training.algorithms.policy_losses import clipped_surrogate, clipped_value_loss, ratios
from training.algorithms.processes import several
from training.algorithms.value import Reading


def prepare(plan: Plan, tools: Tools) -> Job:
    config: PPOConfig = plan.config
    updates = config.passes * config.mini_batches
    if updates > 1 or config.entropy_bonus or config.rollout_server or several():
        return prepare_online(plan, tools, Method(credit, outcome, tokens_of))
    state: State = {"beta": config.beta}
    measured: Measured = {}
    compute = partial(learn_at_once, state=state, measured=measured)
    job = prepare_online(plan, tools, Method(credit_measured, compute, tokens_of, measured, at_once=True))
    job.state = state
    return job


def credit(rollouts: list[Rollout], config: PPOConfig, state: State) -> list[Rollout]:
    """Advantages whitened over the whole step, returns from what they were before.

    After a response that ended by itself nothing follows; one that was cut is over too, or goes on as the critic
    expects (Pardo et al. 2018), as the settings say.
    """
    kl, mask = by_response([k1(rollout.old, rollout.base) for rollout in rollouts], rollouts)
    values, _ = by_response([rollout.values for rollout in rollouts], rollouts)
    rewards = token_rewards(kl, torch.cat([rollout.scores for rollout in rollouts]), mask, beta=state["beta"])
    if config.whiten_rewards:
        rewards = whiten(rewards, mask, shift_mean=False)
    after = torch.cat([rollout.after for rollout in rollouts])
    goes_on = torch.tensor([not end and config.cut == "bootstrap" for rollout in rollouts for end in rollout.finished])
    bootstrap = after.where(goes_on, 0.0)
    advantages, returns = gae(rewards, values, bootstrap, mask, discount=config.discount, trace=config.trace)
    if config.whiten_advantages:
        advantages = whiten(advantages, mask, shift_mean=True)
    split = zip(rollouts, by_rollout(advantages, rollouts), by_rollout(returns, rollouts), strict=True)
    return [replace(rollout, advantages=advantage, returns=returned) for rollout, advantage, returned in split]


def credit_measured(rollouts: list[Rollout], config: PPOConfig, state: State) -> list[Rollout]:
    """Of what a pass has measured; the rest is given credit in the update."""
    return credit(rollouts, config, state) if rollouts[0].old.numel() else rollouts


def learn_at_once(
    model: nn.Module,
    batch: Batch,
    groups: Sequence[EncodedGroup],
    config: PPOConfig,
    *,
    state: State,
    measured: Measured,
) -> Outcome:
    """The loss on a whole step that no pass has measured: the ratio is 1, the values are those before the update."""
    rollouts = read_rollouts(groups)
    if rollouts[0].old.numel():
        return outcome(model, batch, groups, config)
    reading: Reading = model(batch, config.temperature, True, False)
    credited = credit(attach_reading(rollouts, reading, batch), config, state)
    measured |= {one.id: one for one in credited}
    return losses_of(reading._replace(entropies=None), batch, credited, config)


def outcome(model: nn.Module, batch: Batch, groups: Sequence[EncodedGroup], config: PPOConfig) -> Outcome:
    return losses_of(read(model, batch, config), batch, read_rollouts(groups), config)


def losses_of(reading: Reading, batch: Batch, rollouts: Sequence[Rollout], config: PPOConfig) -> Outcome:
    """Sums over the tokens of each group: the policy's loss and the critic's by its weight."""
    device = reading.logprobs.device
    old, advantages, values, returns = (
        joined(parts, device)
        for parts in zip(*((one.old, one.advantages, one.values, one.returns) for one in rollouts), strict=True)
    )
    assert reading.values is not None
    ratio = ratios(reading.logprobs, old)
    policy = clipped_surrogate(ratio, advantages, clip=config.clip)
    critic = clipped_value_loss(reading.values, values, returns, clip=config.value_clip)
    losses = policy + config.value_coefficient * critic
    if reading.entropies is not None:
        losses = losses - config.entropy_bonus * reading.entropies
    facts = ratio_facts(ratio.detach(), advantages, batch, config, per_response=False)
    facts["policy_loss"] = group_sums(policy.detach(), batch, per_response=False)
    facts["value_loss"] = group_sums(critic.detach(), batch, per_response=False)
    return Outcome(group_sums(losses, batch, per_response=False), facts)
