from dataclasses import dataclass

from training.algorithms.options.shared import HeldOutConfig, PolicyConfig
from training.algorithms.settings import LOSS, number


@dataclass(frozen=True, kw_only=True)
class KTOConfig(PolicyConfig, HeldOutConfig):
    """A policy trained on responses that were called good or bad one by one (Ethayarajh et al. 2024)."""

    beta: float = number(
        0.1, "Beta", "Hold on the reference: higher stays nearer to it.", LOSS, min=0.001, max=10.0, step=0.01
    )
    desirable_weight: float = number(
        1.0, "Weight of good responses", "Balance it where there are few of them.", LOSS, min=0.0, max=100.0, step=0.05
    )
    undesirable_weight: float = number(
        1.0, "Weight of bad responses", "Balance it where there are few of them.", LOSS, min=0.0, max=100.0, step=0.05
    )
