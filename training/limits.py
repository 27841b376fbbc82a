"""What a model should not be trusted with, as far as its own figures tell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

FEW_JUDGEMENTS, FEW_PEOPLE, WIDE = 500, 5, 0.1


def limits_of(
    kind: str, metrics: Mapping[str, Any], facts: Mapping[str, Any], *, people: int, judgements: int
) -> list[str]:
    """Sentences for a model card: what holds for every model of its kind, then what its numbers say."""
    found = list(USUAL[kind])
    if 0 < judgements < FEW_JUDGEMENTS:
        found.append(f"It learned from {judgements:,} judgements, which is little: expect it to change with the next.")
    if 0 < people < FEW_PEOPLE:
        found.append(f"{people} {'person' if people == 1 else 'people'} judged: their taste is what it learned.")
    low, high = metrics.get("accuracy_low"), metrics.get("accuracy_high")
    if low is not None and high is not None and high - low > WIDE:
        found.append(f"Its held-out accuracy is known no better than {100 * low:.0f} to {100 * high:.0f} %.")
    longer, accuracy = metrics.get("longer_wins"), metrics.get("accuracy")
    if longer is not None and accuracy is not None and accuracy <= longer:
        found.append(f"Length alone is right as often ({100 * longer:.0f} %): it has shown nothing beyond length.")
    if metrics.get("kl", 0.0) > 20:
        found.append(f"It is {metrics['kl']:.0f} nats a response away from its reference: look for a reward it fooled.")
    if cut := facts.get("completions_truncated"):
        found.append(f"{cut:,} responses were cut to its length in training.")
    return found


USUAL = {
    "policy": (
        "It writes what these people preferred, which need not be true, safe or welcome elsewhere.",
        "Nobody has tested it for harm unless a test is named above.",
    ),
    "reward": (
        "Its scores compare responses to one prompt. They mean nothing across prompts or on their own.",
        "A policy trained against it will find what it wrongly likes: check such a policy with people.",
    ),
    "endpoint": (
        "It is run by somebody else, who may change it without a word: each response says which model answered.",
        "The prompts are sent there. What becomes of them is for its provider's terms to say.",
    ),
    "backbone": ("It encodes text and has learned nothing from this project.",),
}
