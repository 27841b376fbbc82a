"""Ties and rankings: numbers by hand, chances that add up to 1, and enumeration by brute force."""

from itertools import permutations
from math import exp, log, prod

import pytest
import torch

from training.algorithms.losses import preference_loss
from training.algorithms.rankings import plackett_luce
from training.algorithms.ties import davidson, davidson_start, rao_kupper, rao_kupper_start

MODELS = {
    "rao_kupper": lambda difference, is_tie, free, target=1.0: rao_kupper(
        difference,
        target=torch.full_like(difference, target),
        is_tie=torch.full(difference.shape, is_tie),
        threshold=torch.as_tensor(free).exp(),
    ),
    "davidson": lambda difference, is_tie, free, target=1.0: davidson(
        difference,
        target=torch.full_like(difference, target),
        is_tie=torch.full(difference.shape, is_tie),
        log_tie=torch.as_tensor(free),
    ),
}


def test_rao_kupper_by_hand():
    """Δ = 0, θ = 2: win, loss and tie are 1/3 each. Δ = ln 4, θ = 2: win 4/6, loss 1/9, tie 3·(4/6)(1/9) = 2/9."""
    even = [MODELS["rao_kupper"](torch.zeros(1), tie, log(log(2))).item() for tie in (False, True)]
    assert even == pytest.approx([log(3)] * 2, abs=1e-6)
    better = [MODELS["rao_kupper"](torch.tensor([log(4)]), tie, log(log(2))).item() for tie in (False, True)]
    assert better == pytest.approx([log(6 / 4), log(9 / 2)], abs=1e-6)


def test_davidson_by_hand():
    """Δ = ln 4, ν = 3/2: weights 2, 3/2, 1/2 of 4."""
    told = [
        MODELS["davidson"](torch.tensor([log(4)]), tie, log(1.5), won).item()
        for tie, won in ((False, 1.0), (True, 1.0), (False, 0.0))
    ]
    assert told == pytest.approx([log(2), log(8 / 3), log(8)], abs=1e-6)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("free", [-3.0, 0.0, 1.5])
def test_win_tie_and_loss_add_up_to_one_and_swapping_sides_swaps_them(name, free):
    model, difference = MODELS[name], torch.linspace(-8, 8, 9)
    win, tie, lose = model(difference, False, free), model(difference, True, free), model(difference, False, free, 0.0)
    torch.testing.assert_close((-win).exp() + (-tie).exp() + (-lose).exp(), torch.ones(9))
    torch.testing.assert_close(model(-difference, False, free), lose)
    torch.testing.assert_close(model(-difference, True, free), tie)


@pytest.mark.parametrize("name", MODELS)
def test_without_ties_both_become_bradley_terry(name):
    difference = torch.linspace(-4, 4, 9)
    plain = preference_loss(difference, target=torch.ones(9))
    torch.testing.assert_close(MODELS[name](difference, False, -16.0), plain, atol=2e-3, rtol=0)


@pytest.mark.parametrize("name", MODELS)
def test_a_win_pushes_apart_a_tie_together_and_each_moves_the_tie_parameter_its_way(name):
    for is_tie, sign in ((False, -1), (True, 1)):
        difference, free = torch.tensor([1.0], requires_grad=True), torch.tensor(0.0, requires_grad=True)
        MODELS[name](difference, is_tie, free).sum().backward()
        assert sign * difference.grad.item() > 0
        assert -sign * free.grad.item() > 0


def test_the_tie_parameter_starts_where_equals_tie_as_often_as_the_data():
    for share in (0.05, 1 / 3, 0.6):
        zero = torch.zeros(1)
        threshold, log_tie = rao_kupper_start(share), davidson_start(share)
        assert MODELS["rao_kupper"](zero, True, log(threshold)).item() == pytest.approx(-log(share), abs=1e-5)
        assert MODELS["davidson"](zero, True, log_tie).item() == pytest.approx(-log(share), abs=1e-5)


def by_brute_force(scores, tiers):
    """P of each order of all that agrees with the tiers."""
    orders = [
        order
        for order in permutations(range(len(scores)))
        if all(set(order[sum(map(len, tiers[:i])) :][: len(tier)]) == set(tier) for i, tier in enumerate(tiers))
    ]
    return [
        prod(exp(scores[place]) / sum(exp(scores[left]) for left in order[i:]) for i, place in enumerate(order))
        for order in orders
    ]


def test_plackett_luce_by_hand():
    """3/6 · 2/3 = 1/3; with the first two tied: 1/3 + 2/6·3/4 = 7/12."""
    scores = torch.tensor([log(3), log(2), 0.0])
    assert plackett_luce(scores, [[0], [1], [2]], ties="half").item() == pytest.approx(log(3), abs=1e-6)
    assert plackett_luce(scores, [[0, 1], [2]], ties="drop").item() == pytest.approx(log(12 / 7), abs=1e-6)
    assert plackett_luce(scores, [[0, 1], [2]], ties="half").item() == pytest.approx((log(3) + log(4)) / 2, abs=1e-6)


@pytest.mark.parametrize("tiers", [[[2], [0, 1], [3]], [[0, 3, 4], [1], [2]], [[4], [1, 0, 2, 3]], [[0, 1, 2, 3, 4]]])
def test_plackett_luce_is_what_enumeration_gives(tiers):
    scores = torch.randn(max(map(max, tiers)) + 1, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    chances = by_brute_force(scores.tolist(), tiers)
    averaged = -sum(map(log, chances)) / len(chances)
    assert plackett_luce(scores, tiers, ties="drop").item() == pytest.approx(-log(sum(chances)), abs=1e-9)
    assert plackett_luce(scores, tiers, ties="half").item() == pytest.approx(averaged, abs=1e-9)


def test_all_orders_of_a_ranking_add_up_to_one_and_a_constant_changes_nothing():
    scores = torch.randn(4, generator=torch.Generator().manual_seed(1))
    losses = [plackett_luce(scores, [[i] for i in order], ties="half") for order in permutations(range(4))]
    assert sum((-loss).exp().item() for loss in losses) == pytest.approx(1.0, abs=1e-5)
    torch.testing.assert_close(plackett_luce(scores + 5, [[0], [1], [2], [3]], ties="half"), losses[0])


def test_a_ranking_of_two_is_bradley_terry_and_a_tie_of_two_is_half_a_win_each():
    scores = torch.tensor([1.3, -0.4])
    difference = (scores[0] - scores[1])[None]
    for tiers, target in (([[0], [1]], 1.0), ([[1], [0]], 0.0), ([[0, 1]], 0.5)):
        expected = preference_loss(difference, target=torch.tensor([target]))[0]
        torch.testing.assert_close(plackett_luce(scores, tiers, ties="half"), expected)
    assert plackett_luce(scores, [[0, 1]], ties="drop").item() == pytest.approx(0, abs=1e-6)


def test_the_best_is_pushed_up_the_worst_down_and_equals_together():
    scores = torch.zeros(4, requires_grad=True)
    plackett_luce(scores, [[2], [0, 1], [3]], ties="half").backward()
    assert scores.grad[2] < scores.grad[0] < scores.grad[3]
    assert scores.grad[0].item() == pytest.approx(scores.grad[1].item())
    apart = torch.tensor([1.0, -1.0], requires_grad=True)
    plackett_luce(apart, [[0, 1]], ties="half").backward()
    assert apart.grad[0] > 0 > apart.grad[1]


def test_a_tie_too_long_to_enumerate_is_an_error():
    with pytest.raises(ValueError, match="A tie of 11 responses is too long"):
        plackett_luce(torch.zeros(11), [list(range(11))], ties="half")
