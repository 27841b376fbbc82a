"""What can be counted of responses without reading them: empty, stuck, repetitive, refusing, all alike.

Standard library only: the site looks at samples by it too.
"""

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

REFUSAL = re.compile(
    r"^\W*(i['’]?m sorry|i am sorry|sorry, but|i apologi[sz]e|i cannot|i can['’]?t|i can not|i am unable|"
    r"i['’]?m unable|i am not able|i['’]?m not able|i won['’]?t|i will not|as an ai|as a language model|"
    r"unfortunately, i)",
    re.IGNORECASE,
)
STUCK_SHARE, STUCK_WORDS, STUCK_LETTERS = 0.8, 5, 12
PHRASE = 4  # words


def describe_texts(texts: Sequence[str]) -> dict[str, float]:
    """Shares over the texts, each from 0 to 1; `texts/distinct` is how many of their word pairs are different ones."""
    count = len(texts) or 1
    return {
        "texts/empty": sum(not text.strip() for text in texts) / count,
        "texts/stuck": sum(map(is_stuck, texts)) / count,
        "texts/repetition": sum(map(repetition, texts)) / count,
        "texts/refusals": sum(REFUSAL.match(text) is not None for text in texts) / count,
        "texts/distinct": distinct_pairs(texts),
    }


def is_stuck(text: str) -> bool:
    """One word, or one letter, makes up four fifths of it and more. "no no no no no" is stuck; "no no" is too short."""
    words, letters = text.lower().split(), "".join(text.lower().split())
    return overwhelms(words, STUCK_WORDS) or overwhelms(letters, STUCK_LETTERS)


def overwhelms(parts: Sequence[str], least: int) -> bool:
    return len(parts) >= least and max(Counter(parts).values()) >= STUCK_SHARE * len(parts)


def repetition(text: str) -> float:
    """Share of its phrases of four words that it has said before. By hand, "a b c d a b c d": 5, one twice -> 1/5."""
    words = text.lower().split()
    phrases = [tuple(words[place : place + PHRASE]) for place in range(len(words) - PHRASE + 1)]
    return 1 - len(set(phrases)) / len(phrases) if phrases else 0.0


def distinct_pairs(texts: Sequence[str]) -> float:
    """Different pairs of neighbouring words over all pairs (distinct-2, Li et al. 2016); 1 where there are none.

    Compare it only between sets of about the same size: more text repeats more.
    """
    pairs = [pair for text in texts for pair in pairwise(text.lower().split())]
    return len(set(pairs)) / len(pairs) if pairs else 1.0
