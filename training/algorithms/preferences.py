"""What the labels of a batch ask of a loss on pairs: which completion should win, how surely, by how much."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.algorithms.groups import EncodedGroup, Group
from training.algorithms.labels import comparisons
from training.algorithms.losses import preference_loss, soft_target
from training.algorithms.options.shared import PreferenceConfig
from training.algorithms.ties import davidson, davidson_start, rao_kupper, rao_kupper_start

LEAST_THRESHOLD = 1e-3


@dataclass(frozen=True)
class Preferences:
    """The P comparisons of G groups as tensors. Places count the completions of the whole batch in order."""

    chosen: Tensor  # (P,) long
    rejected: Tensor  # (P,) long
    target: Tensor  # (P,) probability that the chosen is better
    margin: Tensor  # (P,) difference the chosen must exceed
    scale: Tensor  # (P,) factor of the loss
    is_pair: Tensor  # (P,) bool: False = a tie, whose order means nothing
    group: Tensor  # (P,) long: which group it belongs to
    share: Tensor  # (P,) its part of the group; adds up to 1
    groups: int  # G

    def total(self, values: Tensor) -> Tensor:
        """Σ share · value of each group: (P,) -> (G,)."""
        return torch.zeros(self.groups, device=values.device).index_add(0, self.group, self.share * values)

    def mean(self, values: Tensor, *, pairs_only: bool = False) -> Tensor:
        """Mean of each group's values, NaN where it has none: (P,) -> (G,)."""
        counts = self.is_pair.float() if pairs_only else torch.ones_like(values)
        return self.total(values.where(counts > 0, 0.0)) / self.total(counts)


NEEDS = "No judgement says which response is better: collect preferences, or let ties count."


def select_compared(group: Group, trained_on: bool, *, config: PreferenceConfig) -> Group | None:
    """Groups whose label compares completions; to train on, not by ties alone where the settings leave those out."""
    found = comparisons(group.label, rating_span=config.rating_span)
    wanted = [one for one in found if not (trained_on and one.tie and config.ties == "drop")]
    if not wanted:
        return None
    return group if config.use_weights else replace(group, weight=1.0)


def read_preferences(groups: Sequence[EncodedGroup], config: PreferenceConfig, device: torch.device) -> Preferences:
    """Strength "soft" sets the target, "margin" the margin, "scaled" the scale, "ignore" nothing; an unknown strength
    has none of them. Ties that are left out count for nothing beside a group's preferences."""
    rows: list[tuple[float, ...]] = []
    first = 0
    for number, group in enumerate(groups):
        found = comparisons(group.label, rating_span=config.rating_span)
        without_ties = config.ties == "drop" and not all(one.tie for one in found)
        for one in found:
            strength = float("nan") if one.strength is None else one.strength
            counts = 0.0 if one.tie and without_ties else 1.0
            rows.append((first + one.chosen, first + one.rejected, number, not one.tie, strength, one.share, counts))
        first += len(group.completions)
    table = torch.tensor(rows, dtype=torch.float64).reshape(-1, 7).to(device)
    is_pair, strengths, counted = table[:, 3].bool(), table[:, 4].float(), table[:, 6].float()
    target = soft_target(strengths, top=config.soft_top) if config.strength == "soft" else torch.ones_like(strengths)
    return Preferences(
        chosen=table[:, 0].long(),
        rejected=table[:, 1].long(),
        target=torch.where(is_pair, target, 0.5),
        margin=strengths.nan_to_num(0.0) * (config.margin if config.strength == "margin" else 0.0),
        scale=counted * strengths.nan_to_num(1.0) if config.strength == "scaled" else counted,
        is_pair=is_pair,
        group=table[:, 2].long(),
        share=table[:, 5].float(),
        groups=len(groups),
    )


def pair_losses(difference: Tensor, said: Preferences, *, target: Tensor, ties: str, tie: Tensor | None) -> Tensor:
    """Loss of each comparison under the chosen model of ties; `tie` is the number that add_tie_number made.

    difference  # (P,) margin already taken off
    target      # (P,) said.target, or smoothed
    -> (P,) nats
    """
    if tie is None:
        return said.scale * preference_loss(difference, target=target)
    if ties == "rao_kupper":
        threshold = F.softplus(tie) + LEAST_THRESHOLD
        return said.scale * rao_kupper(difference, target=target, is_tie=~said.is_pair, threshold=threshold)
    return said.scale * davidson(difference, target=target, is_tie=~said.is_pair, log_tie=tie)


def start_tie_number(groups: Sequence[EncodedGroup], config: PreferenceConfig) -> float | None:
    """Where the tie parameter starts: at the share of ties in the data. None for settings that learn none."""
    if config.ties not in ("rao_kupper", "davidson"):
        return None
    found = [one for group in groups for one in comparisons(group.label, rating_span=config.rating_span)]
    share = sum(one.tie for one in found) / max(1, len(found))
    if config.ties == "davidson":
        return davidson_start(share)
    return float(torch.tensor(rao_kupper_start(share) - LEAST_THRESHOLD).expm1().log())


def tie_note(ties: str, tie: nn.Parameter) -> dict[str, float | str]:
    """The learnt tie parameter in the form of its model: θ of Rao and Kupper, ν of Davidson."""
    value = tie.detach()
    learnt = (F.softplus(value) + LEAST_THRESHOLD).exp() if ties == "rao_kupper" else value.exp()
    return {"model": ties, "value": float(learnt)}


def accuracy(difference: Tensor) -> Tensor:
    """1 where the chosen scores higher, 0.5 where both score the same, 0 below. (P,) -> (P,)"""
    return (difference > 0).float() + 0.5 * (difference == 0).float()
