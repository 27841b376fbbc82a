from dataclasses import dataclass

from training.algorithms.options.shared import PolicyConfig, PreferenceConfig
from training.algorithms.settings import LOSS, number


@dataclass(frozen=True, kw_only=True)
class ORPOConfig(PolicyConfig, PreferenceConfig):
    """Imitating the chosen and preferring it in one go, without a reference (Hong et al. 2024)."""

    odds_weight: float = number(
        0.1, "Weight of the odds ratio", "Of preferring, beside imitating (λ).", LOSS, min=0.0, max=100.0, step=0.05
    )
