"""Comparisons that may end in a tie: two models of three outcomes, each with one parameter that is learnt."""

import torch
import torch.nn.functional as F
from torch import Tensor


def rao_kupper(difference: Tensor, *, target: Tensor, is_tie: Tensor, threshold: Tensor) -> Tensor:
    """A preference is told only where the difference exceeds a threshold η = log θ > 0.

    Rao and Kupper 1967: P(win) = σ(Δ − η), P(loss) = σ(−Δ − η), P(tie) = (e^{2η} − 1) P(win) P(loss); in preference
    optimisation, Chen et al. 2024, "On extending direct preference optimization to accommodate ties", equation 9. By
    hand, Δ = 0, η = ln 2: all three are 1/3, each loss ln 3 = 1.09861.

    difference  # (B,) score of the chosen less score of the rejected
    target      # (B,) probability that the chosen won, where there is no tie
    is_tie      # (B,) bool
    threshold   # () η > 0
    -> (B,) nats
    """
    win, lose = F.logsigmoid(difference - threshold), F.logsigmoid(-difference - threshold)
    tie = torch.log(torch.expm1(2 * threshold)) + win + lose
    return -torch.where(is_tie, tie, target * win + (1 - target) * lose)


def davidson(difference: Tensor, *, target: Tensor, is_tie: Tensor, log_tie: Tensor) -> Tensor:
    """Ties are likeliest between equals: P(tie) = ν √(P(win) P(loss)), ν > 0.

    Davidson 1970, "On extending the Bradley–Terry model to accommodate ties in paired comparison experiments"; the
    three chances are the softmax of (Δ/2, log ν, −Δ/2). By hand, Δ = ln 4, ν = 3/2: 2, 3/2 and 1/2 of 4, so win 1/2,
    tie 3/8, loss 1/8.

    difference, target, is_tie  # as in rao_kupper
    log_tie                     # () log ν
    -> (B,) nats
    """
    logits = torch.stack([difference / 2, log_tie.expand_as(difference), -difference / 2])
    win, tie, lose = logits.log_softmax(0)
    return -torch.where(is_tie, tie, target * win + (1 - target) * lose)


def rao_kupper_start(share: float) -> float:
    """η at which equals tie as often as the data do: P(tie | Δ = 0) = (e^η − 1)/(e^η + 1) = tanh(η/2).

    By hand: a third of ties -> ln 2 = 0.69315. `share` is kept within 1 % and 90 %.
    """
    kept = min(max(share, 0.01), 0.9)
    return float(torch.log(torch.tensor((1 + kept) / (1 - kept))))


def davidson_start(share: float) -> float:
    """log ν at which equals tie as often as the data do: P(tie | Δ = 0) = ν/(ν + 2). By hand: a third -> log 1 = 0."""
    kept = min(max(share, 0.01), 0.9)
    return float(torch.log(torch.tensor(2 * kept / (1 - kept))))
