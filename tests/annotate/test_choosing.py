"""Which pairs are worth a person's time: numbers worked out by hand, and what a choice may never do."""

from collections import Counter
from math import log

import numpy as np
import pytest

from annotate.choosing.duplicates import find_repeats, sign, similarity
from annotate.choosing.mixing import Candidate, choose, share_out
from annotate.choosing.worth import difference, information_gain, win_chance

NUMBERS = np.random.default_rng(0)


def make_candidates(count: int, *, a_prompt: int = 3, scored: bool = True, heads: bool = True) -> list[Candidate]:
    """Pairs of unlike texts; the difference of the nth is N(n / count, (n / count)²), where heads can disagree."""
    return [
        Candidate(
            prompt=number // a_prompt,
            prompt_text=f"question number{number // a_prompt}",
            first_text=" ".join(f"one{number}word{place}" for place in range(8)),
            second_text=" ".join(f"two{number}word{place}" for place in range(8)),
            mean=number / count if scored else None,
            deviation=(number / count if heads else 0.0) if scored else None,
            contrast=("“a” against “b”", "“a” against “c”", "")[number % 3],
        )
        for number in range(count)
    ]


def test_an_answer_tells_nothing_where_nothing_is_uncertain_and_ln_2_at_most():
    assert information_gain(np.array([0.0, 2.0]), np.array([0.0, 0.0])) == pytest.approx([0, 0])
    assert information_gain(np.array([0.0]), np.array([1000.0]))[0] == pytest.approx(log(2), abs=1e-6)


def test_the_quadrature_agrees_with_a_million_draws():
    draws = 1 / (1 + np.exp(-(0.7 + 1.5 * NUMBERS.standard_normal(1_000_000))))
    chance = draws.mean()
    entropy = -(draws * np.log(draws) + (1 - draws) * np.log(1 - draws)).mean()
    gain = -(chance * np.log(chance) + (1 - chance) * np.log(1 - chance)) - entropy
    mean, deviation = np.array([0.7]), np.array([1.5])
    assert win_chance(mean, deviation)[0] == pytest.approx(chance, abs=1e-3)
    assert information_gain(mean, deviation)[0] == pytest.approx(gain, abs=1e-3)


def test_heads_that_move_together_do_not_disagree_about_a_difference():
    """Heads 1, 2, 3 and 0, 1, 2: each says 1 of the difference, whatever they say of the responses."""
    assert difference(np.array([1.0, 2, 3]), np.array([0.0, 1, 2]), temperature=2.0) == (0.5, 0.0)
    assert difference(np.array([2.0, 4]), np.array([1.0, 1]), temperature=1.0) == (2.0, pytest.approx(2**0.5))
    assert difference(np.array([2.0]), np.array([1.0]), temperature=1.0) == (1.0, 0.0)


def test_the_signature_estimates_the_share_of_common_words():
    words = [f"w{number}" for number in range(300)]
    first, second = " ".join(words[:200]), " ".join(words[100:])  # 100 of 300 in both
    signatures = sign([first, second, f"{first} {second}", "", "!"])
    assert similarity(signatures[:1], signatures[1:2])[0] == pytest.approx(1 / 3, abs=0.12)
    assert np.minimum(signatures[0], signatures[1]).tolist() == signatures[2].tolist()
    assert signatures[3].tolist() == signatures[4].tolist()


def test_a_pair_with_one_word_in_forty_changed_or_its_sides_turned_is_a_repeat_and_half_of_it_is_not():
    prompt, one, two = (" ".join(f"{name}{number}" for number in range(40)) for name in "pab")
    nearly, half = two.replace("b7", "else"), " ".join(two.split()[:20])
    pairs = [(one, two), (one, nearly), (two, one), (one, half), (f"{one} {half}", two)]
    firsts, seconds = (sign(texts) for texts in zip(*pairs, strict=True))
    assert find_repeats(sign([prompt] * 5), firsts, seconds).tolist() == [False, True, True, False, False]
    prompts = sign([prompt, "another", prompt, "a third", "a fourth"])
    assert find_repeats(prompts, firsts, seconds).tolist() == [False, False, True, False, False]


def test_a_tenth_is_always_by_lot_and_the_shares_add_up():
    assert share_out({"information": 1}, 25) == {"random": 3, "information": 22}
    assert share_out({}, 7) == {"random": 7}
    assert share_out({"random": 2, "information": 1, "contrast": 1}, 10) == {
        "random": 5,
        "information": 3,
        "contrast": 2,
    }
    assert share_out({"uncertain": 1}, 1) == {"random": 1, "uncertain": 0}


@pytest.mark.parametrize(
    ("mix", "words"),
    [
        ({"best": 1.0}, "There is no strategy 'best'. Choose among random, uncertain, information, contrast."),
        ({"information": -1.0}, "The weight of information is -1.0: give it a number that is not negative."),
        ({"contrast": float("nan")}, "The weight of contrast is nan: give it a number that is not negative."),
    ],
)
def test_a_mix_that_means_nothing_is_refused(mix, words):
    with pytest.raises(ValueError, match=words):
        choose(make_candidates(3), count=2, mix=mix, seed=0)


def test_each_strategy_takes_its_share_and_says_why_and_the_seed_decides():
    mix = {"random": 1, "uncertain": 1, "information": 1, "contrast": 1}
    candidates = make_candidates(90)
    picks = choose(candidates, count=20, mix=mix, seed=3)
    assert Counter(pick.strategy for pick in picks) == dict.fromkeys(mix, 5)
    assert len({pick.place for pick in picks}) == 20
    assert picks == choose(candidates, count=20, mix=mix, seed=3)
    assert picks != choose(candidates, count=20, mix=mix, seed=4)
    lots = [pick for pick in picks if pick.strategy == "random"]
    assert {(pick.chance, pick.reason) for pick in lots} == {(5 / 90, "Drawn by lot, 5 of 90 pairs.")}
    assert {pick.chance for pick in picks if pick not in lots} == {None}


def test_the_uncertain_are_the_ones_the_heads_disagree_about_few_a_prompt():
    picks = choose(make_candidates(90), count=10, mix={"uncertain": 1}, seed=0)
    chosen = [pick for pick in picks if pick.strategy == "uncertain"]
    prompts = [pick.place // 3 for pick in chosen]
    assert len(chosen) == 9
    assert max(Counter(prompts).values()) == 1
    assert min(prompts) >= 30 - 11
    assert chosen[0].reason.startswith("The model's heads disagree: the difference is ")


def test_contrasts_take_turns():
    candidates = make_candidates(90)
    picks = [pick for pick in choose(candidates, count=20, mix={"contrast": 1}, seed=0) if pick.strategy == "contrast"]
    turns = Counter(candidates[pick.place].contrast for pick in picks)
    assert (sum(turns.values()), len(turns)) == (18, 2)
    assert min(turns.values()) >= 8


def test_what_cannot_be_told_apart_goes_to_the_lot_and_one_head_still_knows_what_is_nearly_even():
    unscored = choose(make_candidates(30, scored=False), count=10, mix={"information": 1}, seed=0)
    assert Counter((pick.strategy, pick.chance) for pick in unscored) == {("random", 10 / 30): 10}
    one_head = make_candidates(30, heads=False)
    assert Counter(pick.strategy for pick in choose(one_head, count=10, mix={"information": 1}, seed=0)) == {
        "random": 10
    }
    even = [pick for pick in choose(one_head, count=10, mix={"uncertain": 1}, seed=0) if pick.strategy == "uncertain"]
    assert len(even) == 9
    assert max(pick.place for pick in even) < 30


def test_pairs_alike_and_repeats_of_a_pair_are_never_chosen_and_a_small_pool_is_taken_whole():
    one, two, three = (" ".join(f"{name}{number}" for number in range(40)) for name in "abc")
    told = [(one, two), (two, one), (one, f"{one} more"), (one, three)]
    candidates = [Candidate(prompt=1, prompt_text="q", first_text=a, second_text=b) for a, b in told]
    picks = choose(candidates, count=9, mix={"contrast": 1}, seed=0)
    assert sorted({0: 0, 1: 0}.get(pick.place, pick.place) for pick in picks) == [0, 3]
    assert {pick.chance for pick in picks} == {1.0}
    assert choose([], count=9, mix={}, seed=0) == []


def test_the_lot_falls_on_every_pair_as_often_as_it_says():
    """300 choices of 4 of 20: each pair about 60 times, whatever the model thinks of it."""
    candidates = make_candidates(20, a_prompt=2)
    drawn = Counter(
        pick.place
        for seed in range(300)
        for pick in choose(candidates, count=8, mix={"random": 1, "information": 1}, seed=seed)
        if pick.strategy == "random"
    )
    assert sum(drawn.values()) == 1200
    assert all(30 < drawn[place] < 95 for place in range(20))
