from dataclasses import dataclass

from training.algorithms.options.shared import HeldOutConfig, PolicyConfig
from training.algorithms.settings import LOSS, MODEL, number


@dataclass(frozen=True, kw_only=True)
class ILQLConfig(PolicyConfig, HeldOutConfig):
    """Learning what each next token is worth, and leaning towards the worthy ones (Snell et al. 2022)."""

    beta: float = number(
        4.0,
        "Beta",
        "How far the finished policy leans towards what is worth more; 0 imitates the data.",
        LOSS,
        min=0.0,
        max=100.0,
        step=0.5,
    )
    expectile: float = number(
        0.7,
        "Expectile",
        "0.5 values a state by the average of what was written next; nearer to 1 by the best of it.",
        LOSS,
        min=0.5,
        max=0.99,
        step=0.05,
    )
    discount: float = number(
        1.0, "Discount", "Worth of a reward one token later; below 1 a reward is better soon.", LOSS, min=0.5, max=1.0
    )
    conservative_weight: float = number(
        0.1,
        "Caution",
        "How much the worth of tokens that nobody wrote is held down.",
        LOSS,
        min=0.0,
        max=10.0,
        step=0.05,
    )
    cloning_weight: float = number(
        1.0, "Imitation", "Weight of imitating the responses, good and bad alike.", LOSS, min=0.0, max=10.0, step=0.1
    )
    target_rate: float = number(
        0.05,
        "Target rate",
        "How fast the slow copy of the values follows; the paper's 0.005 is for long runs.",
        MODEL,
        min=0.0001,
        max=1.0,
        step=0.005,
    )

    def contradictions(self) -> dict[str, str]:
        if self.sharded:
            return {"sharded": "ILQL's values follow weights that one process must hold whole: switch Sharded off."}
        return super().contradictions()
