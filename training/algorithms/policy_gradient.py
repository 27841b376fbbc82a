"""The policy's loss on rollouts, a response or a token at a time; the algorithms differ in their advantages."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from training.algorithms.advantages import whiten
from training.algorithms.experience import Rollout, response_sums
from training.algorithms.groups import EncodedGroup
from training.algorithms.kl import k1
from training.algorithms.logprobs import sum_by_owner
from training.algorithms.loop import Outcome
from training.algorithms.options.online import OnlineConfig
from training.algorithms.packing import Batch
from training.algorithms.policy_losses import clipped_surrogate, is_clipped, ratios
from training.algorithms.value import Reading


def read_rollouts(groups: Sequence[EncodedGroup]) -> list[Rollout]:
    return [group for group in groups if isinstance(group, Rollout)]


def joined(values: Sequence[Tensor], device: torch.device) -> Tensor:
    return torch.cat(list(values)).to(device)


def group_sums(values: Tensor, batch: Batch, *, per_response: bool) -> Tensor:
    """Add up (S,) token values, or (C,) response values, by group -> (G,)"""
    counts = torch.tensor(batch.counts, device=values.device)
    owners = torch.arange(len(counts), device=values.device).repeat_interleave(counts)
    return sum_by_owner(values, owners if per_response else owners[batch.owners], len(counts))


def penalised_rewards(rollouts: list[Rollout], *, beta: float) -> Tensor:
    """Scores less β times the KL of the whole response, k1: (P, n) (Ahmadian et al. 2024, equation 2)."""
    kl = response_sums([k1(rollout.old, rollout.base) for rollout in rollouts], rollouts)
    return torch.stack([rollout.scores for rollout in rollouts]) - beta * kl


def whiten_rows(advantages: Tensor, config: OnlineConfig) -> Tensor:
    """(P, n) -> (P, n), whitened over the whole step where the settings say so."""
    return whiten(advantages, torch.ones_like(advantages), shift_mean=True) if config.whiten_advantages else advantages


def read(model: nn.Module, batch: Batch, config: OnlineConfig) -> Reading:
    return model(batch, config.temperature, config.entropy_bonus > 0)


def respond(model: nn.Module, batch: Batch, groups: Sequence[EncodedGroup], config: OnlineConfig) -> Outcome:
    """Loss of whole responses: the ratio and the advantage are the response's (REINFORCE, RLOO)."""
    return respond_to(read(model, batch, config), batch, read_rollouts(groups), config)


def respond_to(reading: Reading, batch: Batch, rollouts: Sequence[Rollout], config: OnlineConfig) -> Outcome:
    old = joined([rollout.old for rollout in rollouts], reading.logprobs.device)
    advantages = joined([rollout.advantages for rollout in rollouts], reading.logprobs.device)
    count = sum(batch.counts)
    ratio = ratios(sum_by_owner(reading.logprobs, batch.owners, count), sum_by_owner(old, batch.owners, count))
    losses = clipped_surrogate(ratio, advantages, clip=config.clip)
    if reading.entropies is not None:
        losses = losses - config.entropy_bonus * sum_by_owner(reading.entropies, batch.owners, count)
    facts = ratio_facts(ratio.detach(), advantages, batch, config, per_response=True)
    return Outcome(group_sums(losses, batch, per_response=True), facts)


def ratio_facts(
    ratio: Tensor,
    advantages: Tensor,
    batch: Batch,
    config: OnlineConfig,
    *,
    per_response: bool,
    share: Tensor | None = None,  # what each counts for: 1 if not said
) -> dict[str, Tensor]:
    """Sums by group: how far the policy has moved from the one that drew the responses.

    approx_kl is ρ − 1 − log ρ (Schulman 2020); clip_ratio the share that has lost its gradient; ratio_max ρ at most.
    """
    counted = {
        "approx_kl": ratio - 1 - ratio.log(),
        "clip_ratio": is_clipped(ratio, advantages, clip=config.clip),
        "ratio": ratio,
    }
    facts = {
        name: group_sums(values if share is None else values * share, batch, per_response=per_response)
        for name, values in counted.items()
    }
    return facts | {"ratio_max": ratio.max().expand(len(batch.counts))}
