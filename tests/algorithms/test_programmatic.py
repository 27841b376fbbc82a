"""Rewards that are functions of the text, by hand."""

import pytest

from training.algorithms.programmatic import FUNCTIONS


@pytest.mark.parametrize(
    ("name", "text", "reward"),
    [
        ("happy_words", "They smiled. Happy, happy end", 2 / 5),
        ("happy_words", "happy glad joy fun nice kind hugs", 1.0),
        ("happy_words", "unhappy", 0.0),
        ("happy_end", "Happy " + "then " * 20, 0.0),
        ("happy_end", "then " * 30 + "they laughed.", 1.0),
        ("length", "one two, three", 0.03),
        ("length", "word " * 300, 1.0),
        ("brevity", "one two, three", 0.97),
        ("vowels", "abe ", 0.5),
        ("vowels", "", 0.0),
    ],
)
def test_a_reward_by_hand(name, text, reward):
    assert FUNCTIONS[name](text) == pytest.approx(reward)
