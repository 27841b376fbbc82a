"""GRPO: advantages relative to the prompt's other responses, no critic, the KL to the reference in the loss
(Shao et al. 2024, DeepSeekMath), and its variant Dr. GRPO (Liu et al. 2025)."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import torch
from torch import nn

from training.algorithms.advantages import group_normalise
from training.algorithms.experience import Rollout
from training.algorithms.groups import EncodedGroup
from training.algorithms.kl import k2, k3
from training.algorithms.loop import Job, Outcome, Tools
from training.algorithms.online import Method, State, prepare_online, responses_of, tokens_of
from training.algorithms.options.online import GRPOConfig
from training.algorithms.packing import Batch
from training.algorithms.plan import Plan
from training.algorithms.policy_gradient import (
    group_sums,
    joined,
    ratio_facts,
    read,
    read_rollouts,
    whiten_rows,
)
from training.algorithms.policy_losses import clipped_surrogate, ratios


def prepare(plan: Plan, tools: Tools) -> Job:
    state: State = {"beta": plan.config.beta}
    size = tokens_of if plan.config.average == "token" else responses_of
    job = prepare_online(plan, tools, Method(credit, partial(outcome, state=state), size))
    job.state = state
    return job


def credit(rollouts: list[Rollout], config: GRPOConfig, state: State) -> list[Rollout]:
    """Every token of a response has the response's advantage."""
    rewards = torch.stack([rollout.scores for rollout in rollouts])
    advantages = whiten_rows(group_normalise(rewards, scale=config.scale), config)
    return [
        replace(rollout, advantages=row.repeat_interleave(torch.tensor(rollout.lengths)))
        for rollout, row in zip(rollouts, advantages, strict=True)
    ]


def outcome(
    model: nn.Module, batch: Batch, groups: Sequence[EncodedGroup], config: GRPOConfig, *, state: State
) -> Outcome:
    """Token losses, each divided by its response's length where every response counts the same (equation 3)."""
    rollouts, reading = read_rollouts(groups), read(model, batch, config)
    device = reading.logprobs.device
    old, base, advantages = (
        joined(values, device)
        for values in zip(*((one.old, one.base, one.advantages) for one in rollouts), strict=True)
    )
    ratio = ratios(reading.logprobs, old)
    estimate = k3 if config.kl_loss == "k3" else k2
    losses = clipped_surrogate(ratio, advantages, clip=config.clip)
    losses = losses + state["beta"] * estimate(reading.logprobs, base)
    if reading.entropies is not None:
        losses = losses - config.entropy_bonus * reading.entropies
    share = torch.ones_like(losses)
    if config.average == "response":
        lengths = torch.tensor([length for rollout in rollouts for length in rollout.lengths], device=device)
        share = share / lengths[batch.owners]
    facts = ratio_facts(ratio.detach(), advantages, batch, config, per_response=False, share=share)
    return Outcome(group_sums(losses * share, batch, per_response=False), facts)
