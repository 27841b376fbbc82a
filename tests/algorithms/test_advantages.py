"""Advantages against numbers worked out by hand, loops and identities."""

import pytest
import torch

from training.algorithms.advantages import (
    explained_variance,
    gae,
    group_normalise,
    leave_one_out,
    token_rewards,
    whiten,
)

MASK = torch.tensor([[1.0, 1, 1, 1], [1, 1, 0, 0], [1, 0, 0, 0]])


def random_tokens() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Rewards, values (rubbish where the mask is 0) and bootstrap values of three responses."""
    generator = torch.Generator().manual_seed(0)
    rewards = torch.randn(3, 4, generator=generator) * MASK
    return rewards, torch.randn(3, 4, generator=generator), torch.tensor([0.0, 0.7, -0.3])


def test_token_rewards_by_hand():
    """β = 0.1: kl (1, 2), score 5 -> (−0.1, 4.8); what lies behind the end counts for nothing."""
    kl, mask = torch.tensor([[1.0, 2.0, 9.0]]), torch.tensor([[1.0, 1.0, 0.0]])
    found = token_rewards(kl, torch.tensor([5.0]), mask, beta=0.1)
    torch.testing.assert_close(found, torch.tensor([[-0.1, 4.8, 0.0]]))


def test_gae_by_hand():
    """r = (0, 1), V = (0.5, 0.5), λ = 0.5: δ = (0, 0.5), A = (0.25, 0.5), returns (0.75, 1)."""
    values, mask = torch.tensor([[0.5, 0.5]]), torch.ones(1, 2)
    found = gae(torch.tensor([[0.0, 1.0]]), values, torch.zeros(1), mask, discount=1.0, trace=0.5)
    torch.testing.assert_close(found, (torch.tensor([[0.25, 0.5]]), torch.tensor([[0.75, 1.0]])))


def test_gae_is_the_sum_it_stands_for():
    """A_t = Σ_k (γλ)^k δ_{t+k}, one response at a time, nothing behind its end."""
    rewards, values, bootstrap = random_tokens()
    found, returns = gae(rewards, values, bootstrap, MASK, discount=0.9, trace=0.8)
    for row, length in enumerate((4, 2, 1)):
        following = [*values[row, 1:length].tolist(), bootstrap[row].item()]
        deltas = [float(rewards[row, t]) + 0.9 * following[t] - float(values[row, t]) for t in range(length)]
        wanted = [sum(0.72 ** (k - t) * deltas[k] for k in range(t, length)) for t in range(length)]
        assert found[row, :length].tolist() == pytest.approx(wanted, abs=1e-6)
        assert returns[row, :length].tolist() == pytest.approx((found + values)[row, :length].tolist(), abs=1e-6)
    assert not (found * (1 - MASK)).any()
    assert not (returns * (1 - MASK)).any()


def test_with_trace_1_the_advantage_is_the_return_less_the_value():
    rewards, values, _ = random_tokens()
    found, returns = gae(rewards, values, torch.zeros(3), MASK, discount=1.0, trace=1.0)
    to_go = rewards.flip(1).cumsum(1).flip(1)
    torch.testing.assert_close(found, (to_go - values) * MASK)
    torch.testing.assert_close(returns, to_go * MASK)


def test_with_trace_0_the_advantage_is_the_surprise_of_one_step_and_a_cut_response_counts_on_its_value():
    rewards, values, bootstrap = random_tokens()
    found, _ = gae(rewards, values, bootstrap, MASK, discount=1.0, trace=0.0)
    assert found[1, 1].item() == pytest.approx((rewards[1, 1] + 0.7 - values[1, 1]).item())
    assert found[2, 0].item() == pytest.approx((rewards[2, 0] - 0.3 - values[2, 0]).item())


def test_whitening_by_hand_and_what_is_masked_does_not_matter():
    """(1, 3): mean 2, variance 1."""
    values, mask = torch.tensor([1.0, 3.0, 99.0]), torch.tensor([1.0, 1.0, 0.0])
    torch.testing.assert_close(whiten(values, mask, shift_mean=True), torch.tensor([-1.0, 1.0, 0.0]))
    torch.testing.assert_close(whiten(values * 2, mask, shift_mean=False), torch.tensor([3.0, 5.0, 0.0]))


def test_leave_one_out_by_hand():
    """(1, 2, 6): 1 − 8/2, 2 − 7/2, 6 − 3/2; all the same: nothing to learn."""
    found = leave_one_out(torch.tensor([[1.0, 2, 6], [4, 4, 4]]))
    torch.testing.assert_close(found, torch.tensor([[-3.0, -1.5, 4.5], [0, 0, 0]]))


def test_group_normalisation_by_hand():
    """(1, 3): deviations ∓1, sample standard deviation √2; without scale the deviations."""
    rewards = torch.tensor([[1.0, 3.0], [4.0, 4.0]])
    found = group_normalise(rewards, scale=True)
    torch.testing.assert_close(found, torch.tensor([[-0.70711, 0.70711], [0, 0]]), atol=1e-4, rtol=0)
    torch.testing.assert_close(group_normalise(rewards, scale=False), torch.tensor([[-1.0, 1.0], [0, 0]]))


@pytest.mark.parametrize("compare", [leave_one_out, lambda rewards: group_normalise(rewards, scale=True)])
def test_one_response_has_nothing_to_be_compared_with(compare):
    with pytest.raises(ValueError, match="at least 2"):
        compare(torch.ones(3, 1))


def test_explained_variance_by_hand():
    """Returns (0, 2): variance 1. Values (0, 1) leave 1/4, the returns themselves nothing, a constant all of it."""
    returns, mask = torch.tensor([0.0, 2.0, 50.0]), torch.tensor([1.0, 1.0, 0.0])
    for values, share in (([0.0, 1.0, 0.0], 0.75), ([0.0, 2.0, 0.0], 1.0), ([1.0, 1.0, 7.0], 0.0)):
        assert explained_variance(torch.tensor(values), returns, mask) == pytest.approx(share)
    assert explained_variance(returns, torch.ones(3), mask) != explained_variance(returns, torch.ones(3), mask)  # NaN
