"""KL estimators: values by hand, and their gradients against the exact ones on a softmax that can be enumerated."""

from math import log

import pytest
import torch

from training.algorithms.kl import AdaptiveBeta, k1, k2, k3

HALF, QUARTER = torch.tensor([log(1 / 2)]), torch.tensor([log(1 / 4)])


def test_the_estimators_by_hand():
    """δ = ln 2: δ; ½ δ²; e^−δ − 1 + δ."""
    assert k1(HALF, QUARTER).item() == pytest.approx(0.6931472)
    assert k2(HALF, QUARTER).item() == pytest.approx(0.2402265)
    assert k3(HALF, QUARTER).item() == pytest.approx(0.1931472)
    for estimate in (k1, k2, k3):
        assert estimate(HALF, HALF).item() == 0.0


def test_k3_stays_finite_and_exact_for_tiny_drifts():
    assert k3(torch.tensor(-1e4), torch.tensor(0.0)).isfinite()
    assert k3(torch.tensor(1e-4), torch.tensor(0.0)).item() == pytest.approx(0.5e-8, rel=1e-3)


def enumerable() -> tuple[torch.Tensor, torch.Tensor]:
    """Logits of a policy over four tokens, and the log-probabilities of its reference; double precision."""
    logits = torch.tensor([0.3, -0.8, 1.1, 0.0], dtype=torch.float64, requires_grad=True)
    return logits, torch.tensor([-0.5, 0.4, 0.2, 0.9], dtype=torch.float64).log_softmax(0)


def expected(values: torch.Tensor, logits: torch.Tensor) -> torch.Tensor:
    """Mean over tokens drawn from the policy: the draw itself carries no gradient."""
    return (logits.softmax(0).detach() * values).sum()


def gradient(value: torch.Tensor, logits: torch.Tensor) -> torch.Tensor:
    return torch.autograd.grad(value, logits)[0]


def exact_gradients() -> tuple[torch.Tensor, torch.Tensor]:
    """∇ KL(π ‖ π_ref) and ∇ KL(π_ref ‖ π)."""
    logits, reference = enumerable()
    policy = logits.log_softmax(0)
    reverse = gradient((policy.exp() * (policy - reference)).sum(), logits)
    policy = logits.log_softmax(0)
    return reverse, gradient((reference.exp() * (reference - policy)).sum(), logits)


def test_k1_and_k3_have_the_right_mean_and_k2_has_not():
    logits, reference = enumerable()
    policy = logits.log_softmax(0)
    exact = (policy.exp() * (policy - reference)).sum().item()
    assert expected(k1(policy, reference), logits).item() == pytest.approx(exact, abs=1e-12)
    assert expected(k3(policy, reference), logits).item() == pytest.approx(exact, abs=1e-12)
    assert abs(expected(k2(policy, reference), logits).item() - exact) > 0.005


@pytest.mark.parametrize(("estimate", "direction"), [(k1, None), (k2, "reverse"), (k3, "forward")])
def test_as_a_loss_only_k2_has_the_gradient_of_the_reverse_kl(estimate, direction):
    """k1 has none at all, k3 that of the KL the other way round."""
    logits, reference = enumerable()
    found = gradient(expected(estimate(logits.log_softmax(0), reference), logits), logits)
    reverse, forward = exact_gradients()
    wanted = {None: torch.zeros_like(reverse), "reverse": reverse, "forward": forward}[direction]
    torch.testing.assert_close(found, wanted, atol=1e-12, rtol=0)
    assert (reverse - forward).abs().max() > 0.05


@pytest.mark.parametrize(("estimate", "right"), [(k1, True), (k2, False), (k3, False)])
def test_in_the_reward_only_k1_has_the_gradient_of_the_reverse_kl(estimate, right):
    """E[k · ∇ log π], the estimate taken as a number."""
    logits, reference = enumerable()
    policy = logits.log_softmax(0)
    found = gradient(expected(estimate(policy, reference).detach() * policy, logits), logits)
    assert torch.allclose(found, exact_gradients()[0], atol=1e-12) == right


def test_beta_is_steered_towards_its_target_by_hand():
    """β = 0.1, target 6, horizon 10,000, 500 responses: at 12 nats ·1.01, at 5.4 ·(1 − 0.1·0.05), at 6 unchanged."""
    for kl, beta in ((12.0, 0.101), (5.4, 0.0995), (0.0, 0.099), (6.0, 0.1)):
        controller = AdaptiveBeta(beta=0.1, target=6.0, horizon=10_000)
        controller.update(kl, 500)
        assert controller.beta == pytest.approx(beta)
    fixed = AdaptiveBeta(beta=0.1, target=0.0, horizon=10_000)
    fixed.update(100.0, 500)
    assert fixed.beta == 0.1
