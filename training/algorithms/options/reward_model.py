from dataclasses import dataclass

from training.algorithms.options.shared import PreferenceConfig, peak_rate
from training.algorithms.settings import LOSS, MODEL, again, choice, number, switch

RANKINGS = (
    ("pairs", "As all its pairs, which weigh as one judgement"),
    ("plackett_luce", "As a whole: Plackett–Luce, best first"),
)
RATINGS = (
    ("pairs", "As preferences between the responses to one prompt"),
    ("regress", "As numbers to predict"),
)


@dataclass(frozen=True, kw_only=True)
class RewardModelConfig(PreferenceConfig):
    """A scalar reward trained on preferences (Bradley–Terry), rankings and ratings."""

    learning_rate: float = peak_rate(1e-4, "Peak: 1e-4 for LoRA and small encoders, 1e-5 for whole models.")
    warmup_ratio: float = again(PreferenceConfig, "warmup_ratio", 0.05)
    weight_decay: float = again(PreferenceConfig, "weight_decay", 0.01)
    strength: str = again(PreferenceConfig, "strength", "soft")
    ties: str = again(PreferenceConfig, "ties", "half")
    micro_batch_tokens: int = again(PreferenceConfig, "micro_batch_tokens", 1408)  # no logits: a token takes less
    rankings: str = choice("pairs", "Rankings", "How a ranking of several responses is read.", LOSS, RANKINGS)
    ratings: str = choice("pairs", "Ratings", "How ratings are read.", LOSS, RATINGS)
    centring: float = number(
        0.01, "Centring", "Penalty that keeps rewards around zero; 0 is off.", LOSS, min=0.0, max=1.0, step=0.001
    )
    length_control: bool = switch(
        False,
        "Length control",
        "Learn beside the reward what mere length is worth to people, and leave that out when scoring.",
        LOSS,
    )
    heads: int = number(
        1,
        "Heads",
        "Several make an ensemble, each trained on a draw of its own, whose spread says how unsure the reward is.",
        MODEL,
        min=1,
        max=32,
    )

    def contradictions(self) -> dict[str, str]:
        if self.rankings == "plackett_luce" and self.ties in ("rao_kupper", "davidson"):
            return {
                "rankings": "Plackett–Luce has no model of ties: let each side win half, or read rankings as pairs."
            }
        return {}
