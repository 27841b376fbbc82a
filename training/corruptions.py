"""Responses spoilt on purpose: whoever judges responses should see that the spoilt one is worse.

Each is a function of the text alone, or of another response; None where there is nothing to spoil.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import dataclass

LEAST_WORDS = 6


@dataclass(frozen=True)
class Corruption:
    name: str
    help: str
    spoil: Callable[[str, str], str | None]  # the text, a response to another prompt


def truncate(text: str, other: str) -> str | None:
    """Its first third, cut within a sentence."""
    words = text.split()
    return " ".join(words[: len(words) // 3]) if len(words) >= LEAST_WORDS else None


def shuffle(text: str, other: str) -> str | None:
    """Its words in another order, always the same one."""
    words = text.split()
    random.Random(len(text)).shuffle(words)
    return " ".join(words) if len(words) >= LEAST_WORDS and words != text.split() else None


def stray(text: str, other: str) -> str | None:
    """A good response to another prompt."""
    return other if other.strip() and other != text else None


def repeat(text: str, other: str) -> str | None:
    """Its first sentence, four times over."""
    sentence = re.split(r"(?<=[.!?])\s", text.strip(), maxsplit=1)[0]
    return " ".join([sentence] * 4) if len(sentence.split()) >= 3 else None


def miscount(text: str, other: str) -> str | None:
    """Every number another one: digits move up by three, 9 becomes 2. By hand, "7 of 19" -> "0 of 42"."""
    changed = re.sub(r"\d", lambda digit: str((int(digit.group()) + 3) % 10), text)
    return changed if changed != text else None


CORRUPTIONS = (
    Corruption("Truncated", "The first third of a preferred response, cut within a sentence.", truncate),
    Corruption("Shuffled", "The words of a preferred response in another order.", shuffle),
    Corruption("Off topic", "A preferred response to another prompt.", stray),
    Corruption("Repeated", "The first sentence of a preferred response, four times over.", repeat),
    Corruption("Wrong number", "A preferred response with every number changed.", miscount),
)
