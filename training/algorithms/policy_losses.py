"""Losses of policy optimisation: pure functions, one value a token or a response. Weights and means are the loop's."""

import torch
from torch import Tensor

from training.algorithms.kl import LOG_RATIO_LIMIT


def ratios(policy: Tensor, old: Tensor) -> Tensor:
    """π / π_old from log-probabilities, the log-ratio held within ±20. Any shape."""
    return (policy - old).clamp(-LOG_RATIO_LIMIT, LOG_RATIO_LIMIT).exp()


def clipped_surrogate(ratio: Tensor, advantages: Tensor, *, clip: float) -> Tensor:
    """−min(ρ A, clip(ρ, 1 ± ε) A) (Schulman et al. 2017, equation 7).

    At ρ = 1 its gradient is that of −A log π (Williams 1992): on the first pass over fresh responses every algorithm
    here is REINFORCE with its own advantages. By hand, ε = 0.2: ρ = 1.5, A = 2: −2.4 (clipped, no gradient); ρ = 1.5,
    A = −2: 3 (not clipped); ρ = 0.5, A = −2: 1.6.

    ratio, advantages  # same shape: a token (PPO, GRPO) or a whole response (REINFORCE, RLOO) each
    -> same shape
    """
    return -torch.min(ratio * advantages, ratio.clamp(1 - clip, 1 + clip) * advantages)


def is_clipped(ratio: Tensor, advantages: Tensor, *, clip: float) -> Tensor:
    """1 where the clipping has taken the gradient away, else 0. Same shapes as `clipped_surrogate`."""
    return ((advantages > 0) & (ratio > 1 + clip) | (advantages < 0) & (ratio < 1 - clip)).float()


def clipped_value_loss(values: Tensor, old: Tensor, returns: Tensor, *, clip: float) -> Tensor:
    """½ max((V − R)², (clip(V, V_old ± ε) − R)²): the critic moves by ε at most (Schulman et al., baselines, 2017).

    0 turns the clipping off. By hand, V = 1, V_old = 0, R = 1, ε = 0.2: ½ max(0, 0.64) = 0.32.

    values, old, returns  # same shape, one a token
    """
    error = (values - returns) ** 2
    if clip:
        error = torch.max(error, (old + (values - old).clamp(-clip, clip) - returns) ** 2)
    return 0.5 * error


def penalise_unfinished(scores: Tensor, finished: Tensor, *, penalty: float, replace: bool) -> Tensor:
    """Make an answer without an end worse: subtract the penalty from its score, or give it −penalty instead.

    Huang et al. 2024 (N implementation details of RLHF with PPO: a score of −1); TRL subtracts. By hand, score 3,
    penalty 1: 2, or −1 when replaced.

    scores    # (C,)
    finished  # (C,) bool: the response ended by itself, an end at its last place included
    """
    worse = torch.full_like(scores, -penalty) if replace else scores - penalty
    return torch.where(finished, scores, worse) if penalty else scores


def clip_scores(scores: Tensor, *, limit: float) -> Tensor:
    """Hold scores within ±limit; 0 is off. (C,) -> (C,)"""
    return scores.clamp(-limit, limit) if limit else scores
