"""Losses of offline preference optimisation: numbers by hand, identities, gradients, and TRL's own code."""

from math import log
from types import SimpleNamespace

import pytest
import torch

from training.algorithms.losses import preference_loss
from training.algorithms.offline_losses import a_lol, ipo, kto, log_odds, orpo_difference, robust, simpo_difference

cpo_trainer = pytest.importorskip("trl.experimental.cpo.cpo_trainer")
orpo_trainer = pytest.importorskip("trl.experimental.orpo.orpo_trainer")

ONE = torch.ones(1)


def orpo(chosen, rejected, *, target):
    return preference_loss(orpo_difference(chosen, rejected), target=target)


def simpo(chosen, rejected, *, target, beta, gap):
    difference = simpo_difference(chosen, rejected, beta=beta, gap=torch.tensor(gap))
    return preference_loss(difference, target=target)


def vector(*values: float) -> torch.Tensor:
    return torch.tensor(values, requires_grad=True)


def averages() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return -3 * torch.rand(16, generator=generator) - 0.05, -3 * torch.rand(16, generator=generator) - 0.05


def test_ipo_by_hand_and_where_it_rests():
    """Goal 1/(2·0.1) = 5: (2 − 5)² = 9. A target of 3/4 has the goal 2.5, a tie 0."""
    difference = torch.full((3,), 2.0)
    losses = ipo(difference, target=torch.tensor([1.0, 0.75, 0.5]), beta=0.1)
    torch.testing.assert_close(losses, torch.tensor([9.0, 0.25, 4.0]))
    at_goal = vector(5.0)
    ipo(at_goal, target=ONE, beta=0.1).sum().backward()
    assert at_goal.grad.item() == 0


def test_robust_dpo_by_hand():
    """(0.9·ln 4/3 − 0.1·ln 4)/0.8 = 0.15036."""
    assert robust(torch.tensor([log(3)]), target=ONE, rate=0.1).item() == pytest.approx(0.1503555, abs=1e-6)


def test_robust_dpo_is_unbiased_under_flips_and_plain_without_them():
    difference, rate = torch.linspace(-3, 3, 7), 0.2
    told_right, told_wrong = (
        robust(difference, target=torch.ones(7), rate=rate),
        robust(difference, target=torch.zeros(7), rate=rate),
    )
    clean = preference_loss(difference, target=torch.ones(7))
    torch.testing.assert_close((1 - rate) * told_right + rate * told_wrong, clean)
    torch.testing.assert_close(robust(difference, target=torch.ones(7), rate=0.0), clean)


def test_orpo_by_hand():
    """Averages ln 3/4 and ln 1/2 are odds of 3 and 1: −ln σ(ln 3) = ln 4/3."""
    torch.testing.assert_close(log_odds(torch.tensor([log(0.75), log(0.5)])), torch.tensor([log(3), 0.0]))
    loss = orpo(torch.tensor([log(0.75)]), torch.tensor([log(0.5)]), target=ONE)
    assert loss.item() == pytest.approx(log(4 / 3), abs=1e-6)


def test_log_odds_stays_finite_for_a_completion_that_is_certain():
    certain = vector(0.0)
    log_odds(certain).sum().backward()
    assert torch.isfinite(log_odds(certain)).all()
    assert torch.isfinite(certain.grad).all()


def test_simpo_by_hand():
    """2·(−1 + 2) − 1 = 1: −ln σ(1) = 0.31326."""
    loss = simpo(torch.tensor([-1.0]), torch.tensor([-2.0]), target=ONE, beta=2.0, gap=1.0)
    assert loss.item() == pytest.approx(0.3132617, abs=1e-6)


def test_kto_by_hand():
    """β = ln 3, h − z = 1: 1 − 3/4 desirable, 3/4 undesirable, times their weights."""
    losses = kto(
        torch.tensor([1.5, 1.5]),
        desirable=torch.tensor([True, False]),
        beta=log(3),
        baseline=torch.tensor(0.5),
        good=2.0,
        bad=1.0,
    )
    torch.testing.assert_close(losses, torch.tensor([0.5, 0.75]))


def test_a_lol_by_hand():
    """A = 0.5, log π = −2: 1 at drift 0, 1.9 where π has grown beyond the clip of 0.9, nothing for A < 0."""
    losses = a_lol(
        torch.full((3,), -2.0),
        torch.tensor([0.0, 5.0, 0.0]),
        advantage=torch.tensor([0.5, 0.5, -0.5]),
        clip=0.9,
    )
    torch.testing.assert_close(losses, torch.tensor([1.0, 1.9, 0.0]))


def test_each_makes_the_good_likelier_and_the_bad_less_likely():
    for loss in (
        lambda c, r: ipo(c - r, target=ONE, beta=0.1),
        lambda c, r: robust(c - r, target=ONE, rate=0.1),
        lambda c, r: orpo(c, r, target=ONE),
        lambda c, r: simpo(c, r, target=ONE, beta=2.0, gap=1.0),
    ):
        chosen, rejected = vector(-1.0), vector(-1.0)
        loss(chosen, rejected).sum().backward()
        assert chosen.grad.item() < 0 < rejected.grad.item()
    drift, logprob = vector(0.0, 0.0), vector(-1.0, -1.0)
    settings = {"beta": 0.1, "baseline": torch.tensor(0.0), "good": 1.0, "bad": 1.0}
    kto(drift, desirable=torch.tensor([True, False]), **settings).sum().backward()
    assert drift.grad[0] < 0 < drift.grad[1]
    a_lol(logprob, torch.zeros(2), advantage=torch.tensor([1.0, -1.0]), clip=0.9).sum().backward()
    assert logprob.grad.tolist() == [-1.0, 0.0]


def peer(**settings: object) -> SimpleNamespace:
    return SimpleNamespace(accelerator=SimpleNamespace(device="cpu"), **settings)


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_simpo_is_trls(smoothing):
    chosen, rejected = averages()
    settings = peer(alpha=0.0, beta=2.0, simpo_gamma=1.0, loss_type="simpo", label_smoothing=smoothing)
    theirs, _, _ = cpo_trainer.CPOTrainer.cpo_loss(settings, chosen, rejected)
    ours = simpo(chosen, rejected, target=torch.full((16,), 1 - smoothing), beta=2.0, gap=1.0)
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=0)


def test_orpo_is_trls():
    chosen, rejected = averages()
    theirs, *_ = orpo_trainer.ORPOTrainer.odds_ratio_loss(peer(beta=1.0), chosen, rejected)
    torch.testing.assert_close(orpo(chosen, rejected, target=torch.ones(16)), -theirs, atol=1e-5, rtol=0)
