"""Plackett–Luce: the likelihood of a ranking of K completions, with tie groups."""

from collections.abc import Sequence
from itertools import combinations

import torch
from torch import Tensor

LARGEST_TIER = 10  # the sums below run over the subsets of a tier


def plackett_luce(scores: Tensor, tiers: Sequence[Sequence[int]], *, ties: str) -> Tensor:
    """−log probability that the completions come in this order, each next one drawn by softmax from those left.

    Plackett 1975; Luce 1959. A tier of several completions is either a preference that nobody could tell
    (ties = "half": the mean of −log P over the orders of the tier, which pulls their scores together) or one that was
    not asked for (ties = "drop": −log of the sum of P over those orders, which says nothing inside the tier). K = 2 is
    Bradley–Terry; a tie of two is ln 2 at equal scores with "half", 0 with "drop". By hand, scores (ln 3, ln 2, 0) in
    this order: 3/6 · 2/3 = 1/3 -> ln 3 = 1.09861; with the first two tied and "drop": 1/3 + 2/6 · 3/4 = 7/12.

    scores  # (K,) fp32
    tiers   # places, best first, at most LARGEST_TIER a tier
    -> () nats
    """
    if max(map(len, tiers)) > LARGEST_TIER:
        raise ValueError(f"A tie of {max(map(len, tiers))} responses is too long: use pairs for such rankings.")
    total = scores.new_zeros(())
    left = [place for tier in tiers for place in tier]
    for tier in tiers:
        left = left[len(tier) :]
        stage = average_orders if ties == "half" else sum_orders
        total = total + stage(scores, list(tier), left)
    return total


def average_orders(scores: Tensor, tier: list[int], after: list[int]) -> Tensor:
    """Mean over the orders of a tier of −log P: when m of its members are left, each m of them are as likely."""
    total = -scores[tier].sum()
    for size in range(1, len(tier) + 1):
        choices = torch.tensor([[*left, *after] for left in combinations(tier, size)], device=scores.device)
        total = total + scores[choices].logsumexp(1).mean()
    return total


def sum_orders(scores: Tensor, tier: list[int], after: list[int]) -> Tensor:
    """−log of the sum over the orders of a tier of P: the chance of each set to have come first, set by set."""
    reached = {frozenset[int](): scores.new_zeros(())}
    for size in range(1, len(tier) + 1):
        reached = {
            frozenset(chosen): torch.logsumexp(
                torch.stack([step_to(scores, reached, tier, after, chosen, last) for last in chosen]), 0
            )
            for chosen in combinations(tier, size)
        }
    return -reached[frozenset(tier)]


def step_to(
    scores: Tensor,
    reached: dict[frozenset[int], Tensor],
    tier: list[int],
    after: list[int],
    chosen: tuple[int, ...],
    last: int,
) -> Tensor:
    """log P that all of `chosen` but `last` came first, and then `last`."""
    before = frozenset(chosen) - {last}
    left = [place for place in tier if place not in before] + after
    return reached[before] + scores[last] - scores[left].logsumexp(0)
