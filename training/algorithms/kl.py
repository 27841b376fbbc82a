"""How far a policy is from its reference: estimators on sampled tokens, and the controller of their weight."""

from dataclasses import dataclass

from torch import Tensor, expm1

LOG_RATIO_LIMIT = 20.0  # e^20 is finite in fp32; a token that drifted further is already lost


def k1(policy: Tensor, reference: Tensor) -> Tensor:
    """log π − log π_ref: unbiased, of high variance, negative for some tokens (Schulman 2020, "Approximating KL").

    By hand, π = 1/2 and π_ref = 1/4: ln 2 = 0.69315.

    policy, reference  # same shape, nats: log-probabilities of tokens drawn from the policy
    """
    return policy - reference


def k2(policy: Tensor, reference: Tensor) -> Tensor:
    """½ (log π − log π_ref)²: biased in value, but its gradient is that of the reverse KL. By hand, as above: 0.24023.

    d/dθ ½ δ² = δ ∇log π, whose mean under π is ∇ KL(π ‖ π_ref): the one to use as a loss.
    """
    return 0.5 * (policy - reference) ** 2


def k3(policy: Tensor, reference: Tensor) -> Tensor:
    """e^−δ − 1 + δ with δ = log π − log π_ref: unbiased in value, never negative (Schulman 2020).

    By hand, as above: 1/2 − 1 + ln 2 = 0.19315. As a loss (Shao et al. 2024, equation 4) its gradient is
    (1 − e^−δ) ∇log π, whose mean is that of the forward KL, KL(π_ref ‖ π): not what its value measures.
    """
    drift = (policy - reference).clamp(-LOG_RATIO_LIMIT, LOG_RATIO_LIMIT)
    return expm1(-drift) + drift


@dataclass
class AdaptiveBeta:
    """Weight of the KL, steered so that the KL of whole responses stays near a target (Ziegler et al. 2019, section
    2.2)."""

    beta: float
    target: float  # nats a response; 0 keeps beta fixed
    horizon: int  # responses over which an error of 20 % would grow beta e^0.2-fold

    def update(self, kl: float, responses: int) -> None:
        """β ← β (1 + clip(kl / target − 1, ±0.2) · responses / horizon).

        By hand, β = 0.1, target 6, horizon 10,000, a batch of 500 at 12 nats: 0.1 · (1 + 0.2 · 0.05) = 0.101.

        kl  # nats, the mean over responses of the sum over tokens
        """
        if self.target:
            error = min(max(kl / self.target - 1, -0.2), 0.2)
            self.beta *= 1 + error * responses / self.horizon
