from dataclasses import dataclass

from training.algorithms.options.shared import PolicyConfig, PreferenceConfig
from training.algorithms.settings import LOSS, number


@dataclass(frozen=True, kw_only=True)
class DPOConfig(PolicyConfig, PreferenceConfig):
    """A policy trained directly on preferences, held near its reference (Rafailov et al. 2023)."""

    beta: float = number(
        0.1, "Beta", "Hold on the reference: higher stays nearer to it.", LOSS, min=0.001, max=10.0, step=0.01
    )
    label_smoothing: float = number(
        0.0, "Label smoothing", "Share of judgements taken to be wrong (cDPO).", LOSS, min=0.0, max=0.49, step=0.01
    )
