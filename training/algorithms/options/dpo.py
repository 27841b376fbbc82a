from dataclasses import dataclass

from training.algorithms.options.shared import PolicyConfig, PreferenceConfig
from training.algorithms.settings import LOSS, choice, number, switch

LOSSES = (
    ("sigmoid", "DPO: the reward model's loss on implicit rewards"),
    ("ipo", "IPO: a goal for the difference, which stops over-fitting"),
    ("robust", "Robust DPO: unbiased where a known share of judgements is wrong"),
)


@dataclass(frozen=True, kw_only=True)
class DPOConfig(PolicyConfig, PreferenceConfig):
    """A policy trained directly on preferences, held near its reference (Rafailov et al. 2023)."""

    loss: str = choice("sigmoid", "Loss", "What is made of a preference.", LOSS, LOSSES)
    beta: float = number(
        0.1, "Beta", "Hold on the reference: higher stays nearer to it.", LOSS, min=0.001, max=10.0, step=0.01
    )
    label_smoothing: float = number(
        0.0,
        "Label smoothing",
        "Share of judgements taken to be wrong: cDPO, and the known share of robust DPO.",
        LOSS,
        min=0.0,
        max=0.49,
        step=0.01,
    )
    per_token: bool = switch(
        False, "Per token", "Compare mean log-probabilities of a token, not sums: as IPO's authors ran it.", LOSS
    )

    def contradictions(self) -> dict[str, str]:
        if self.loss == "sigmoid":
            return {}
        found = {}
        if self.ties in ("rao_kupper", "davidson"):
            found["ties"] = "A model of ties belongs to the DPO loss: choose it, or let each side win half."
        if self.loss == "ipo" and self.label_smoothing:
            found["label_smoothing"] = "IPO has no label smoothing: set it to 0, or choose DPO."
        if self.loss == "ipo" and self.strength == "margin":
            found["strength"] = "IPO has no margin: use a soft target, a factor, or ignore strength."
        return found
