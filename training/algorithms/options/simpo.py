from dataclasses import dataclass

from training.algorithms.options.shared import PolicyConfig, PreferenceConfig
from training.algorithms.settings import LOSS, number


@dataclass(frozen=True, kw_only=True)
class SimPOConfig(PolicyConfig, PreferenceConfig):
    """A policy trained on preferences without a reference (Meng et al. 2024)."""

    beta: float = number(
        2.0, "Beta", "Scale of the mean log-probability of a token.", LOSS, min=0.001, max=100.0, step=0.1
    )
    gap: float = number(
        1.0, "Gap", "By how much the reward of the chosen must lead (γ).", LOSS, min=0.0, max=100.0, step=0.1
    )
    label_smoothing: float = number(
        0.0, "Label smoothing", "Share of judgements taken to be wrong.", LOSS, min=0.0, max=0.49, step=0.01
    )
