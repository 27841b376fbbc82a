"""What a group's label asks of a loss on pairs: which completion should win, how surely, by how much."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from training.algorithms.groups import EncodedGroup, Pair
from training.algorithms.losses import soft_target
from training.algorithms.options.dpo import DPOConfig
from training.algorithms.options.reward_model import RewardModelConfig


@dataclass(frozen=True)
class Preferences:
    """The comparisons of G groups as tensors. Places count the completions of the whole batch in order."""

    chosen: Tensor  # (G,) long
    rejected: Tensor  # (G,) long
    target: Tensor  # (G,) probability that the chosen is better
    margin: Tensor  # (G,) difference the chosen must exceed
    is_pair: Tensor  # (G,) bool: False = a tie, whose order means nothing


def usable_groups(groups: Sequence[EncodedGroup], *, ties: str) -> list[EncodedGroup]:
    """Leave ties out where the setting says so."""
    return [group for group in groups if ties != "drop" or isinstance(group.label, Pair)]


def read_preferences(
    groups: Sequence[EncodedGroup], config: RewardModelConfig | DPOConfig, device: torch.device
) -> Preferences:
    """Strength "soft" sets the target, "margin" the margin (an unknown strength has neither), "ignore" nothing."""
    chosen, rejected, strengths, pairs, first = [], [], [], [], 0
    for group in groups:
        pair = group.label if isinstance(group.label, Pair) else Pair(0, 1, 0.0)
        chosen.append(first + pair.chosen)
        rejected.append(first + pair.rejected)
        strengths.append(float("nan") if pair.strength is None else pair.strength)
        pairs.append(isinstance(group.label, Pair))
        first += len(group.completions)
    is_pair, strength = torch.tensor(pairs), torch.tensor(strengths)
    target = soft_target(strength, top=config.soft_top) if config.strength == "soft" else torch.ones_like(strength)
    margin = config.margin * strength.nan_to_num(0.0) if config.strength == "margin" else torch.zeros_like(strength)
    target = torch.where(is_pair, target, 0.5)
    return Preferences(
        *(tensor.to(device) for tensor in (torch.tensor(chosen), torch.tensor(rejected), target, margin, is_pair))
    )


def accuracy(difference: Tensor, is_pair: Tensor) -> Tensor:
    """1 where the chosen scores higher, 0.5 where both score the same, 0 below; NaN for ties. (G,) -> (G,)"""
    right = (difference > 0).float() + 0.5 * (difference == 0).float()
    return torch.where(is_pair, right, float("nan"))
