"""From rewards to advantages: how much better a response, or a token, was than expected. Pure functions.

Tokens of C responses are (C, T), padded on the right, with a mask: 1 = counts.
"""

import torch
from torch import Tensor


def token_rewards(kl: Tensor, scores: Tensor, mask: Tensor, *, beta: float) -> Tensor:
    """−β·kl at every token, and the response's score on top at its last real token (Ziegler et al. 2019, equation 2).

    By hand, kl (1, 2), score 5, β = 0.1: (−0.1, 4.8).

    kl      # (C, T) nats, one estimate a token
    scores  # (C,)
    mask    # (C, T), at least one token a response
    -> (C, T), 0 where the mask is
    """
    last = mask.sum(1).long() - 1
    rewards = -beta * kl * mask
    return rewards.scatter_add(1, last[:, None], scores[:, None])


def gae(
    rewards: Tensor, values: Tensor, bootstrap: Tensor, mask: Tensor, *, discount: float, trace: float
) -> tuple[Tensor, Tensor]:
    """Generalised advantage estimation (Schulman et al. 2016, equation 16), backwards over the tokens.

    δ_t = r_t + γ V_{t+1} − V_t and A_t = δ_t + γ λ A_{t+1}; after the last token V is `bootstrap`. With λ = 1 and γ = 1
    A is the return less the value. By hand, r = (0, 1), V = (0.5, 0.5), γ = 1, λ = 0.5, bootstrap 0: δ = (0, 0.5), A =
    (0.25, 0.5), returns (0.75, 1).

    rewards, values, mask  # (C, T)
    bootstrap              # (C,) value after the last token: 0 where the response is over
    -> advantages, returns (advantages + values), (C, T) each, 0 where the mask is
    """
    advantages = torch.zeros_like(values)
    following, carried = bootstrap, torch.zeros_like(bootstrap)
    for place in reversed(range(values.shape[1])):
        real = mask[:, place].bool()
        delta = rewards[:, place] + discount * following - values[:, place]
        carried = torch.where(real, delta + discount * trace * carried, carried)
        following = torch.where(real, values[:, place], following)
        advantages[:, place] = carried * real
    return advantages, (advantages + values) * mask


def whiten(values: Tensor, mask: Tensor, *, shift_mean: bool) -> Tensor:
    """Scale to variance 1 over what counts; the mean goes to 0, or stays where it was.

    Population variance, as OpenAI's 2019 code. By hand (1, 3): mean 2, variance 1: (−1, 1), or (1, 3) with the mean
    kept.

    values, mask  # same shape -> same shape, 0 where the mask is
    """
    count = mask.sum()
    mean = (values * mask).sum() / count
    variance = ((values - mean) ** 2 * mask).sum() / count
    white = (values - mean) * torch.rsqrt(variance + 1e-8)
    return (white if shift_mean else white + mean) * mask


def leave_one_out(rewards: Tensor) -> Tensor:
    """Each reward less the mean of the others' (Kool et al. 2019; Ahmadian et al. 2024, equation 8).

    By hand (1, 2, 6): (1 − 4, 2 − 3.5, 6 − 1.5) = (−3, −1.5, 4.5).

    rewards  # (P, n): n responses to each prompt, n ≥ 2
    -> (P, n)
    """
    several = rewards.shape[1]
    if several < 2:
        raise ValueError("Responses to a prompt: 1 leaves none to compare with; ask for at least 2.")
    return (rewards - rewards.mean(1, keepdim=True)) * several / (several - 1)


def group_normalise(rewards: Tensor, *, scale: bool) -> Tensor:
    """Each reward less its prompt's mean, over the prompt's standard deviation (Shao et al. 2024, section 4.1.2).

    Sample standard deviation plus 1e-4, as TRL. Without scale as in Dr. GRPO (Liu et al. 2025), which shows that the
    division favours prompts that are nearly always or never solved. By hand (1, 3): (−1, 1)/√2 = (−0.7071, 0.7071).

    rewards  # (P, n), n ≥ 2
    -> (P, n)
    """
    if rewards.shape[1] < 2:
        raise ValueError("Responses to a prompt: 1 leaves none to compare with; ask for at least 2.")
    centred = rewards - rewards.mean(1, keepdim=True)
    return centred / (rewards.std(1, keepdim=True) + 1e-4) if scale else centred


def explained_variance(values: Tensor, returns: Tensor, mask: Tensor) -> float:
    """1 − Var(returns − values) / Var(returns) over what counts: 1 is a perfect critic, 0 one that says a constant.

    By hand, returns (0, 2), values (0, 1): 1 − 0.25 / 1 = 0.75. NaN where the returns do not vary.
    """
    real = mask.bool()
    spread = returns[real].var(unbiased=False)
    if spread == 0:
        return float("nan")
    return float(1 - (returns - values)[real].var(unbiased=False) / spread)
