"""Losses on preferences: pure functions, one value an example. Weights and means are the loop's."""

import torch
import torch.nn.functional as F
from torch import Tensor


def preference_loss(difference: Tensor, *, target: Tensor) -> Tensor:
    """Cross-entropy of "the first wins" when its probability is σ(difference).

    Bradley and Terry 1952; with a soft target as in conservative DPO (Mitchell 2023, "A note on DPO with noisy
    preferences"); with a margin taken off the difference as in Touvron et al. 2023 (Llama 2), equation 2.
    −[y log σ(Δ) + (1 − y) log σ(−Δ)]; by hand, Δ = ln 3 and y = 1: σ = 3/4, loss = ln 4/3 = 0.28768; y = 1/2: 0.83699.

    difference  # (B,) score of the chosen less score of the rejected
    target      # (B,) in [0, 1]: 1 = the chosen surely is better, 0.5 = a tie
    -> (B,) nats
    """
    return -(target * F.logsigmoid(difference) + (1 - target) * F.logsigmoid(-difference))


def centring_penalty(chosen: Tensor, rejected: Tensor) -> Tensor:
    """(r_c + r_r)²: keeps rewards around zero, which differences alone leave open.

    Eisenstein et al. 2023, section 4. By hand, r_c = 2, r_r = 1: 9.

    chosen, rejected  # (B,) fp32
    -> (B,)
    """
    return (chosen + rejected) ** 2


def dpo_difference(chosen_drift: Tensor, rejected_drift: Tensor, *, beta: float, margin: Tensor) -> Tensor:
    """Direct preference optimisation: the preference loss of implicit rewards β log π/π_ref.

    Rafailov et al. 2023, equation 7; label smoothing ε is target 1 − ε (cDPO); a margin is the offset of Amini et al.
    2024 (ODPO). By hand, drifts +1 and −1, β = 0.1: 0.2, whose loss is −log σ(0.2) = 0.59814; at the reference: ln 2.

    chosen_drift, rejected_drift  # (B,) nats: log π(y|x) − log π_ref(y|x), summed over response tokens
    margin                        # (B,)
    -> (B,)
    """
    return beta * (chosen_drift - rejected_drift) - margin


def smooth(target: Tensor, *, rate: float) -> Tensor:
    """Label smoothing: each judgement is taken to be wrong with probability `rate` in [0, 0.5). (B,) -> (B,)

    By hand: target 1, rate 0.1 -> 0.9; a tie stays 0.5.
    """
    return target * (1 - rate) + (1 - target) * rate


def soft_target(strength: Tensor, *, top: float) -> Tensor:
    """Probability that the chosen is better: 0.5 at strength 0 (a tie), `top` at strength 1, linear between.

    strength  # (B,) in [0, 1]; NaN = unknown, which is a target of 1
    -> (B,)
    """
    return torch.where(strength.isnan(), 1.0, 0.5 + (top - 0.5) * strength)
