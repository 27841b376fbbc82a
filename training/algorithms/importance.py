"""Responses drawn by another than the policy that learns from them: importance weights."""

from collections.abc import Sequence
from dataclasses import replace

import torch

from training.algorithms.experience import Rollout

HIGHEST_LOG = 20.0


def correct_for_sampler(rollouts: Sequence[Rollout], *, cap: float) -> tuple[list[Rollout], dict[str, float]]:
    """Advantages times truncated importance weights min(π/μ, cap), where μ drew the responses and π is the policy as
    the training pass measures it (Ionides 2008; for a sampler of its own: Yao et al. 2025).

    μ is older than π by the steps since the last refresh, and computed by other kernels. A weight is a token's where
    advantages are tokens', else a response's. Where the server did not say μ, the weight is 1. By hand, one token each,
    log π − log μ = ln 3 and −ln 2, cap 2: 2 and 0.5.

    -> the rollouts, and facts: mean weight, share of truncated ones, share of responses without μ
    """
    found, weights = [], []
    for one in rollouts:
        drawn = torch.where(one.drawn.isnan(), one.old, one.drawn)
        gap = one.old - drawn  # (S,)
        if len(one.advantages) != len(gap):
            gap = torch.stack([own.sum() for own in gap.split(one.lengths)])  # (n,)
        weight = gap.clamp(max=HIGHEST_LOG).exp()
        weights.append(weight)
        found.append(replace(one, advantages=one.advantages * weight.clamp(max=cap)))
    every = torch.cat(weights)
    unknown = torch.cat([one.drawn.isnan() for one in rollouts])
    return found, {
        "sampler/weight": float(every.clamp(max=cap).mean()),
        "sampler/truncated": float((every > cap).float().mean()),
        "sampler/unknown": float(unknown.float().mean()),
    }
