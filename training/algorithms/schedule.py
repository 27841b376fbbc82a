"""The optimiser and the learning rate as a function of the step."""

from math import cos, pi

import torch
from torch import nn

from training.algorithms.models import HEADS, NUMBERS

NUMBERS_RATE = 0.02


def learning_rate(step: int, *, peak: float, total: int, warmup_ratio: float, schedule: str) -> float:
    """The rate of optimiser step `step` (from 0) of `total`: linear warm-up that never starts at 0, then the schedule
    to 0.

    By hand: total 10, warm-up 0.2, linear: steps 0, 1, 2, 6 have 1/2, 1, 1, 1/2 of the peak.
    """
    warmup = round(total * warmup_ratio)
    if step < warmup:
        return peak * (step + 1) / warmup
    progress = (step - warmup) / max(1, total - warmup)
    match schedule:
        case "constant":
            return peak
        case "linear":
            return peak * (1 - progress)
        case "cosine":
            return peak * 0.5 * (1 + cos(pi * progress))
    raise ValueError(f"There is no schedule {schedule!r}: use cosine, linear or constant.")


def build_optimizer(model: nn.Module, *, peak: float, weight_decay: float, epsilon: float) -> torch.optim.AdamW:
    """Fused AdamW in the parameters' own precision; no decay on norms, biases and heads.

    The few numbers that a loss learns beside the weights (a tie parameter, the price of length) go at a peak rate of
    their own: at the weights' they would not arrive in a run's few hundred steps.
    """
    trained = [(name, parameter) for name, parameter in model.named_parameters() if parameter.requires_grad]
    numbers = [parameter for name, parameter in trained if NUMBERS in name.split(".")]
    named = [(name, parameter) for name, parameter in trained if NUMBERS not in name.split(".")]
    spared = [parameter for name, parameter in named if parameter.ndim < 2 or set(name.split(".")) & set(HEADS)]
    decayed = [parameter for name, parameter in named if not (parameter.ndim < 2 or set(name.split(".")) & set(HEADS))]
    groups = [
        {"params": decayed, "weight_decay": weight_decay, "lr_scale": 1.0},
        {"params": spared, "weight_decay": 0.0, "lr_scale": 1.0},
        {"params": numbers, "weight_decay": 0.0, "lr_scale": NUMBERS_RATE / peak},
    ]
    return torch.optim.AdamW([group for group in groups if group["params"]], lr=peak, eps=epsilon, fused=True)
