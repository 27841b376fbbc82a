from dataclasses import dataclass

from training.algorithms.options.shared import STRENGTHS, TIES, PreferenceConfig, peak_rate
from training.algorithms.settings import LOSS, choice, number


@dataclass(frozen=True, kw_only=True)
class RewardModelConfig(PreferenceConfig):
    """A scalar reward trained on preferences (Bradley–Terry)."""

    learning_rate: float = peak_rate(1e-4, "Peak: 1e-4 for LoRA and small encoders, 1e-5 for whole models.")
    strength: str = choice(
        "soft", "Strength of preference", "What a clear preference means beside a slight one.", LOSS, STRENGTHS
    )
    ties: str = choice("half", "Ties", "What a tie teaches.", LOSS, TIES)
    centring: float = number(
        0.01, "Centring", "Penalty that keeps rewards around zero; 0 is off.", LOSS, min=0.0, max=1.0, step=0.001
    )
