from dataclasses import dataclass

from training.algorithms.options.shared import HeldOutConfig, PolicyConfig, peak_rate
from training.algorithms.settings import DATA, LOSS, again, choice, setting

SOURCES = (
    ("both", "Demonstrations, and the best response of every judgement"),
    ("demonstrations", "Demonstrations only"),
    ("chosen", "The best response of every judgement only"),
)
HOLE = "{prompt}"
BETWEEN = "|"


@dataclass(frozen=True, kw_only=True)
class SFTConfig(PolicyConfig, HeldOutConfig):
    """A policy that imitates good responses: supervised fine-tuning."""

    epochs: int = again(PolicyConfig, "epochs", 2)
    learning_rate: float = peak_rate(2e-4, "Peak: 2e-4 for LoRA, 2e-5 for whole models.")
    source: str = choice("both", "Learn from", "Which responses are imitated.", LOSS, SOURCES)
    templates: str = setting(
        HOLE,
        "Phrasings",
        f"Ways to put a prompt, divided by {BETWEEN}; each holds {HOLE} once, and every example draws one.",
        DATA,
    )

    def phrasings(self) -> list[str]:
        return [phrasing.strip() for phrasing in self.templates.split(BETWEEN)]

    def contradictions(self) -> dict[str, str]:
        wrong = [phrasing for phrasing in self.phrasings() if phrasing.count(HOLE) != 1]
        return {"templates": f"Phrasings cannot hold {wrong[0]!r}: each has {HOLE} once."} if wrong else {}
