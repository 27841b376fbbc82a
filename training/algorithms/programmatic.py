"""Rewards that are functions of the text: for trying out algorithms, and to mix with a reward model.

Standard library only: the launch form lists them.
"""

import re
from collections.abc import Callable

HAPPY = re.compile(
    r"\b(happy|happily|glad|joy|joyful|smile[ds]?|laugh(ed|s)?|love[ds]?|hug(ged|s)?|friends?|fun|proud|kind|play(ed)?|"
    r"nice|good|great|best|thank(ed|s)?|yay|hooray)\b"
)
LAST_WORDS = 20


def words_of(text: str) -> list[str]:
    return re.findall(r"[a-z']+", text.lower())


def happy_words(text: str) -> float:
    """Different happy words, five at most, over five. By hand: "They smiled. Happy, happy end" -> 2/5."""
    return min(len({word for word in words_of(text) if HAPPY.fullmatch(word)}), 5) / 5


def happy_end(text: str) -> float:
    """1 if a happy word is among the last twenty words, else 0."""
    return float(any(HAPPY.fullmatch(word) for word in words_of(text)[-LAST_WORDS:]))


def length(text: str) -> float:
    """Words over a hundred, one at most."""
    return min(len(words_of(text)), 100) / 100


def brevity(text: str) -> float:
    """The less words the better: 1 for none, 0 for a hundred and more."""
    return 1 - length(text)


def vowels(text: str) -> float:
    """Share of vowels among the characters; 0 for an empty text. By hand: "abe " -> 2/4."""
    return sum(char in "aeiouAEIOU" for char in text) / len(text) if text else 0.0


FUNCTIONS: dict[str, Callable[[str], float]] = {
    "happy_words": happy_words,
    "happy_end": happy_end,
    "length": length,
    "brevity": brevity,
    "vowels": vowels,
}
