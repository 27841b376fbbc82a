"""Losses of policy optimisation against numbers worked out by hand, and their gradients."""

import pytest
import torch

from training.algorithms.logprobs import token_entropies
from training.algorithms.policy_losses import (
    clip_scores,
    clipped_surrogate,
    clipped_value_loss,
    is_clipped,
    penalise_unfinished,
    ratios,
)


@pytest.mark.parametrize(
    ("ratio", "advantage", "loss", "clipped"),
    [(1.5, 2.0, -2.4, 1), (1.5, -2.0, 3.0, 0), (0.5, 2.0, -1.0, 0), (0.5, -2.0, 1.6, 1), (1.1, 2.0, -2.2, 0)],
)
def test_the_clipped_surrogate_by_hand(ratio, advantage, loss, clipped):
    """ε = 0.2: −min(ρA, clip(ρ, 0.8, 1.2) A). Where it is clipped there is no gradient."""
    ratio, advantage = torch.tensor(ratio, requires_grad=True), torch.tensor(advantage)
    found = clipped_surrogate(ratio, advantage, clip=0.2)
    found.backward()
    assert found.item() == pytest.approx(loss)
    assert is_clipped(ratio.detach(), advantage, clip=0.2).item() == clipped
    assert (ratio.grad.item() == 0) == bool(clipped)


def test_on_fresh_responses_its_gradient_is_that_of_reinforce():
    logprobs = torch.tensor([-1.0, -2.0], requires_grad=True)
    advantages = torch.tensor([0.5, -3.0])
    clipped_surrogate(ratios(logprobs, logprobs.detach()), advantages, clip=0.2).sum().backward()
    torch.testing.assert_close(logprobs.grad, -advantages)


def test_a_ratio_that_would_overflow_is_held():
    found = ratios(torch.tensor([0.0, -200.0]), torch.tensor([-200.0, 0.0]))
    torch.testing.assert_close(found, torch.tensor([20.0, -20.0]).exp())


@pytest.mark.parametrize(
    ("value", "old", "returned", "clip", "loss"),
    [(1.0, 0.0, 1.0, 0.2, 0.32), (1.0, 0.0, 1.0, 0.0, 0.0), (0.1, 0.0, 1.0, 0.2, 0.405), (3.0, 0.0, 1.0, 0.2, 2.0)],
)
def test_the_value_loss_by_hand(value, old, returned, clip, loss):
    """½ max((V − R)², (V clipped to V_old ± 0.2 − R)²): the first would be ½·0², but V may not have come so far."""
    values, old, returns = torch.tensor([value]), torch.tensor([old]), torch.tensor([returned])
    assert clipped_value_loss(values, old, returns, clip=clip).item() == pytest.approx(loss)


def test_an_answer_without_an_end_is_worth_less_or_a_fixed_score():
    scores, finished = torch.tensor([3.0, 3.0]), torch.tensor([True, False])
    for replace, penalty, wanted in ((False, 1.0, 2.0), (True, 1.0, -1.0), (True, 0.0, 3.0)):
        assert penalise_unfinished(scores, finished, penalty=penalty, replace=replace).tolist() == [3.0, wanted]


def test_scores_are_held_within_the_limit_and_zero_is_no_limit():
    scores = torch.tensor([-9.0, 2.0, 7.0])
    assert clip_scores(scores, limit=5.0).tolist() == [-5.0, 2.0, 5.0]
    assert clip_scores(scores, limit=0.0).tolist() == [-9.0, 2.0, 7.0]


def test_entropy_by_hand_and_at_a_temperature():
    """(1/2, 1/4, 1/4): 1.5 ln 2 = 1.03972; temperature 1/2 squares the odds: (2/3, 1/6, 1/6) -> 0.86756."""
    logits = torch.tensor([[0.5, 0.25, 0.25]]).log() + 3
    assert token_entropies(logits).item() == pytest.approx(1.0397208)
    assert token_entropies(logits, temperature=0.5).item() == pytest.approx(0.8675632)
