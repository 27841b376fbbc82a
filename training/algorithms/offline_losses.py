"""Losses of offline preference optimisation beside DPO's own: pure functions, one value an example.

A drift is log π(y|x) − log π_ref(y|x), summed over response tokens; an average is log π(y|x) over its tokens. Weights
and means are the loop's.
"""

import torch
import torch.nn.functional as F
from torch import Tensor


def ipo(difference: Tensor, *, target: Tensor, beta: float) -> Tensor:
    """Identity preference optimisation: the difference of drifts has a goal, 1/2β, and does not run away.

    Azar et al. 2023, equation 17 with τ = β; a soft target y moves the goal to (2y − 1)/2β, its minimiser under label
    noise. By hand, Δ = 2, β = 0.1, y = 1: (2 − 5)² = 9.

    difference, target  # (B,); a tie has target 0.5 and goal 0
    -> (B,)
    """
    return (difference - (2 * target - 1) / (2 * beta)) ** 2


def robust(difference: Tensor, *, target: Tensor, rate: float) -> Tensor:
    """Unbiased for judgements that are wrong with a known rate ε: in the mean over flips it is the loss without noise.

    Chowdhury et al. 2024, "Provably robust DPO", equation 12: [(1 − ε) ℓ(Δ) − ε ℓ(−Δ)]/(1 − 2ε), ℓ = −log σ. By hand,
    Δ = ln 3, ε = 0.1: (0.9 · 0.28768 − 0.1 · 1.38629)/0.8 = 0.15036.

    difference  # (B,) β times the difference of drifts
    target      # (B,) as in preference_loss
    -> (B,)
    """
    win, lose = -F.logsigmoid(difference), -F.logsigmoid(-difference)
    for_win, for_lose = (1 - rate) * win - rate * lose, (1 - rate) * lose - rate * win
    return (target * for_win + (1 - target) * for_lose) / (1 - 2 * rate)


def log_odds(average: Tensor) -> Tensor:
    """log p/(1 − p) of a completion whose tokens have the mean log-probability `average` < 0. By hand: −ln 2 -> 0."""
    below = average.clamp(max=-1e-6)
    return below - torch.log(-torch.expm1(below))


def orpo_difference(chosen: Tensor, rejected: Tensor) -> Tensor:
    """Log of the odds ratio, whose preference loss with weight λ joins the loss of imitating the chosen.

    Hong et al. 2024 (ORPO), equations 6 and 7. By hand, averages ln 3/4 and ln 1/2: odds 3 and 1, ln 3, whose loss is
    −log 3/4 = 0.28768.

    chosen, rejected  # (B,) averages
    -> (B,)
    """
    return log_odds(chosen) - log_odds(rejected)


def simpo_difference(chosen: Tensor, rejected: Tensor, *, beta: float, gap: Tensor) -> Tensor:
    """No reference: the average log-probability is the reward, and the chosen must lead by a gap.

    Meng et al. 2024 (SimPO), equation 6: the preference loss of β (avg_w − avg_l) − γ. By hand, averages −1 and −2,
    β = 2, γ = 1: 1, whose loss is 0.31326.

    chosen, rejected  # (B,) averages
    gap               # γ, (B,) or (); a tie has gap 0
    -> (B,)
    """
    return beta * (chosen - rejected) - gap


def kto(drift: Tensor, *, desirable: Tensor, beta: float, baseline: Tensor, good: float, bad: float) -> Tensor:
    """Kahneman–Tversky optimisation: each completion on its own, against what the policy does on average.

    Ethayarajh et al. 2024, equation 8: λ_D (1 − σ(β(h − z))) for a desirable one, λ_U (1 − σ(β(z − h))) for another; z
    is an estimate of KL(π‖π_ref), not below 0, without gradient. By hand, h = 1, z = 0, β = ln 3: desirable 1 − 3/4 =
    1/4, undesirable 3/4.

    drift     # (B,) h
    desirable # (B,) bool
    baseline  # () z
    good, bad # λ_D, λ_U
    -> (B,)
    """
    lead = beta * (drift - baseline)
    return torch.where(desirable, good * torch.sigmoid(-lead), bad * torch.sigmoid(lead))


def a_lol(logprob: Tensor, drift: Tensor, *, advantage: Tensor, clip: float) -> Tensor:
    """Advantage-leftover-lunch: imitate what is better than expected, by how much it is.

    Baheti et al. 2023 (A-LoL), equation 4: the gradient is A · ρ · ∇ log π(y|x) over examples of positive advantage A,
    where ρ = π/π_ref of the whole completion is clipped to [1 − ε, 1 + ε] and has no gradient here. By hand, log π =
    −2, drift 0, A = 0.5: 1.0; A = −0.5: 0.

    logprob    # (B,) log π(y|x), summed
    drift      # (B,)
    advantage  # (B,) reward less the expected reward at this prompt
    clip       # ε
    -> (B,)
    """
    ratio = drift.detach().exp().clamp(1 - clip, 1 + clip)
    return -advantage.clamp(min=0) * ratio * logprob


def one_step_targets(rewards: Tensor, values: Tensor, owners: Tensor, *, discount: float) -> Tensor:
    """A token's worth by one step of look-ahead: γ V of the state it leads to, or the reward where it is the last.

    Snell et al. 2022 (ILQL), equation 4, with the reward at the end of a response, cut ones too: they were judged as
    they stand. By hand, reward 1, V = (0.2, 0.5, 0.3), γ = 0.9: (0.45, 0.27, 1).

    rewards  # (C,)
    values   # (S,) V of the state before each token, without gradient
    owners   # (S,) which of the C completions each token belongs to, in order
    -> (S,)
    """
    last = torch.ones_like(owners, dtype=torch.bool)
    last[:-1] = owners[1:] != owners[:-1]
    return torch.where(last, rewards[owners], discount * values.roll(-1))


def expectile_loss(error: Tensor, *, expectile: float) -> Tensor:
    """|τ − 1(u < 0)| u² of errors u = Q − V: V settles above the mean of Q, the nearer to its maximum the higher τ.

    Kostrikov et al. 2021 (IQL), equation 5; the Q is without gradient. By hand, τ = 0.7: u = 2 has 2.8, u = −2 has 1.2;
    of Q's 0 and 1, equally often, V = τ is the best: 0.7.

    error  # any shape
    -> same shape
    """
    return torch.where(error < 0, 1 - expectile, expectile) * error**2
