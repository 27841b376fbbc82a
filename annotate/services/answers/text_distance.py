"""How far one text is from another, in words."""

import re

from rapidfuzz.distance import Levenshtein

# A Chinese or Japanese character counts as a word, for want of spaces; static/js/judging/words.js counts alike.
WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\s\u3040-\u30ff\u3400-\u9fff]+")


def split_words(text: str) -> list[str]:
    """The words with their punctuation, case kept, spaces and line breaks dropped."""
    return WORD.findall(text)


def word_distance(before: str, after: str) -> float:
    """The least number of words inserted, deleted or replaced (Levenshtein 1966), over the words of the longer text.

    0 when the words are the same, 1 when none is left in place. "a b c d" and "a x c" differ by 2 of 4: 0.5.
    """
    return float(Levenshtein.normalized_distance(split_words(before), split_words(after)))
