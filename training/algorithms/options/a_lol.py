from dataclasses import dataclass

from training.algorithms.options.shared import HeldOutConfig, PolicyConfig
from training.algorithms.settings import LOSS, number


@dataclass(frozen=True, kw_only=True)
class ALoLConfig(PolicyConfig, HeldOutConfig):
    """Imitating what is better than expected, by how much it is (Baheti et al. 2023)."""

    clip: float = number(
        0.9,
        "Clip",
        "How far the weight of a response may move from 1 as the policy leaves its reference; 0 leaves the weight out.",
        LOSS,
        min=0.0,
        max=100.0,
        step=0.1,
    )
