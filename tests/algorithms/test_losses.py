"""Losses against numbers worked out by hand, their identities and gradients."""

from math import log

import pytest
import torch

from training.algorithms.losses import centring_penalty, dpo_difference, preference_loss, smooth, soft_target
from training.algorithms.metrics import wilson_interval


def tensor(*values: float) -> torch.Tensor:
    return torch.tensor(values, requires_grad=True)


def bradley_terry(chosen, rejected, *, target, margin, centring):
    return preference_loss(chosen - rejected - margin, target=target) + centring * centring_penalty(chosen, rejected)


def dpo(chosen, rejected, *, beta, target, margin):
    return preference_loss(dpo_difference(chosen, rejected, beta=beta, margin=margin), target=target)


ONE, ZERO, HALF = torch.ones(1), torch.zeros(1), torch.full((1,), 0.5)


def test_preference_loss_by_hand():
    """Δ = ln 3: σ(Δ) = 3/4. Target 1: −ln 3/4 = 0.28768. Target 1/2: −(ln 3/4 + ln 1/4)/2 = 0.83699."""
    difference = torch.tensor([log(3), log(3)])
    losses = preference_loss(difference, target=torch.tensor([1.0, 0.5]))
    torch.testing.assert_close(losses, torch.tensor([0.2876821, 0.8369882]))


def test_preference_loss_stays_finite_for_huge_differences():
    losses = preference_loss(torch.tensor([1e4, -1e4]), target=torch.ones(2))
    assert losses.tolist() == [0.0, 1e4]


def test_bradley_terry_by_hand():
    """r = (2, 1), m = 1, λ = 0.01: −ln σ(0) + 0.01·3² = 0.69315 + 0.09."""
    loss = bradley_terry(torch.tensor([2.0]), torch.tensor([1.0]), target=ONE, margin=ONE, centring=0.01)
    torch.testing.assert_close(loss, torch.tensor([0.7831472]))


def test_bradley_terry_is_symmetric():
    """Swapping the sides is turning the target round; a constant added to both changes nothing."""
    first, second, target = torch.randn(5), torch.randn(5), torch.rand(5)
    margin = torch.zeros(5)
    loss = bradley_terry(first, second, target=target, margin=margin, centring=0.0)
    swapped = bradley_terry(second, first, target=1 - target, margin=margin, centring=0.0)
    shifted = bradley_terry(first + 3, second + 3, target=target, margin=margin, centring=0.0)
    torch.testing.assert_close(loss, swapped)
    torch.testing.assert_close(loss, shifted)


def test_bradley_terry_pushes_chosen_up_and_rejected_down_by_the_same_amount():
    """d/dr_c = −(1 − σ(Δ)) = −1/4 at Δ = ln 3."""
    chosen, rejected = tensor(log(3)), tensor(0.0)
    bradley_terry(chosen, rejected, target=ONE, margin=ZERO, centring=0.0).sum().backward()
    torch.testing.assert_close(chosen.grad, torch.tensor([-0.25]))
    torch.testing.assert_close(rejected.grad, torch.tensor([0.25]))


def test_a_tie_pulls_the_rewards_together():
    chosen, rejected = tensor(1.0), tensor(0.0)
    bradley_terry(chosen, rejected, target=HALF, margin=ZERO, centring=0.0).sum().backward()
    assert chosen.grad.item() > 0 > rejected.grad.item()


def test_dpo_by_hand():
    """Drifts +1 and −1, β = 0.1: −ln σ(0.2) = ln(1 + e^−0.2) = 0.59814."""
    loss = dpo(torch.tensor([1.0]), torch.tensor([-1.0]), beta=0.1, target=ONE, margin=ZERO)
    torch.testing.assert_close(loss, torch.tensor([0.5981389]))


def test_dpo_at_its_reference_is_ln_2_whatever_beta_and_smoothing():
    for beta in (0.01, 0.1, 5.0):
        loss = dpo(ZERO, ZERO, beta=beta, target=smooth(ONE, rate=0.2), margin=ZERO)
        torch.testing.assert_close(loss, torch.tensor([log(2)]))


def test_conservative_dpo_by_hand():
    """h = 0.2, ε = 0.1: 0.9·0.59814 + 0.1·0.79814 = 0.61814; its minimum is where σ(h) = 0.9."""
    target = smooth(ONE, rate=0.1)
    loss = dpo(torch.tensor([1.0]), torch.tensor([-1.0]), beta=0.1, target=target, margin=ZERO)
    torch.testing.assert_close(loss, torch.tensor([0.6181389]))
    best = tensor(log(9.0))
    dpo(best, ZERO, beta=1.0, target=target, margin=ZERO).sum().backward()
    torch.testing.assert_close(best.grad, torch.zeros(1), atol=1e-6, rtol=0)


def test_dpo_makes_the_chosen_likelier_and_the_rejected_less_likely():
    chosen, rejected = tensor(0.0), tensor(0.0)
    dpo(chosen, rejected, beta=0.1, target=ONE, margin=ZERO).sum().backward()
    torch.testing.assert_close(chosen.grad, torch.tensor([-0.05]))
    torch.testing.assert_close(rejected.grad, torch.tensor([0.05]))


def test_soft_targets_rise_with_strength_and_an_unknown_strength_is_sure():
    strength = torch.tensor([0.0, 1 / 3, 2 / 3, 1.0, float("nan")])
    torch.testing.assert_close(soft_target(strength, top=0.95), torch.tensor([0.5, 0.65, 0.8, 0.95, 1.0]))


def test_wilson_interval_by_hand():
    """8 of 10: centre (0.8 + 0.19207)/(1.38415) = 0.71674; half-width 0.22659."""
    assert wilson_interval(8, 10) == pytest.approx((0.490162, 0.943318), abs=1e-5)
    assert wilson_interval(0, 0) == (0.0, 1.0)
    low, high = wilson_interval(10, 10)
    assert high == pytest.approx(1.0)
    assert low == pytest.approx(0.722467, abs=1e-5)
