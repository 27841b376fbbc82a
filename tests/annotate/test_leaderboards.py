"""The mathematics of leaderboards: against other people's code, by hand, and by simulation."""

import math

import choix
import evalica
import numpy as np
import pytest

from annotate.leaderboards.bootstrap import bootstrap_intervals
from annotate.leaderboards.bradley_terry import TIES, Unbounded, fit_scores
from annotate.leaderboards.games import Games, leagues, make_games, tally
from annotate.leaderboards.sequential import decide, log_wealth, watch
from annotate.leaderboards.style import fit_controlled, style_gaps, style_of
from annotate.leaderboards.win_rates import measure_win_rate

SCORES = np.array([0.6, 0.2, -0.2, -0.6])


def play(seed: int, count: int, *, scores: np.ndarray = SCORES, tie: float = 0.3) -> Games:
    """Games by Rao and Kupper's model, every pair as likely."""
    generator, k = np.random.default_rng(seed), len(scores)
    first = generator.integers(0, k, count)
    second = (first + generator.integers(1, k, count)) % k
    gap, lot = scores[first] - scores[second], generator.random(count)
    wins, loses = 1 / (1 + np.exp(tie - gap)), 1 / (1 + np.exp(tie + gap))
    return make_games(k, first, second, np.where(lot < wins, 1, np.where(lot < wins + loses, 0, 0.5)))


def in_evalica(games: Games) -> tuple[list[str], list[str], list[evalica.Winner]]:
    words = {1.0: evalica.Winner.X, 0.0: evalica.Winner.Y, 0.5: evalica.Winner.Draw}
    return list(map(str, games.first)), list(map(str, games.second)), [words[points] for points in games.points]


def centred(strengths) -> np.ndarray:
    logs = np.log(strengths[[str(player) for player in range(len(strengths))]].to_numpy())
    return logs - logs.mean()


def test_with_ties_as_half_wins_the_scores_are_those_of_evalica():
    games = play(0, 600)
    theirs = centred(evalica.bradley_terry(*in_evalica(games), tolerance=1e-14, limit=100_000).scores)
    assert fit_scores(*tally(games), model="half").scores == pytest.approx(theirs, abs=1e-6)


def test_davidsons_scores_and_tie_parameter_are_those_of_evalicas_newman():
    games = play(1, 600)
    theirs = evalica.newman(*in_evalica(games), tolerance=1e-14, limit=100_000)
    ours = fit_scores(*tally(games), model="davidson")
    assert ours.scores == pytest.approx(centred(theirs.scores), abs=1e-6)
    assert math.exp(ours.tie) == pytest.approx(2 * theirs.v, abs=1e-6)  # Newman 2023 writes 2ν for ν


@pytest.mark.parametrize("model", TIES)
def test_without_ties_every_model_gives_the_scores_of_choix(model):
    games = play(2, 600, tie=0.0)
    pairs = [
        (int(one), int(other)) if points else (int(other), int(one))
        for one, other, points in zip(games.first, games.second, games.points, strict=True)
    ]
    theirs = choix.opt_pairwise(4, pairs, method="Newton-CG", tol=1e-12)
    assert fit_scores(*tally(games), model=model).scores == pytest.approx(theirs, abs=1e-6)


def test_rao_and_kuppers_two_players_by_hand():
    """50 wins, 20 losses, 30 ties: σ(d − η) = 0.5 and σ(−d − η) = 0.2, so d = ln 4 / 2 and η = ln 4 / 2."""
    games = make_games(2, [0] * 100, [1] * 100, [1] * 50 + [0] * 20 + [0.5] * 30)
    fit = fit_scores(*tally(games), model="rao-kupper")
    assert fit.scores == pytest.approx([math.log(4) / 4, -math.log(4) / 4], abs=1e-9)
    assert float(fit.tie) == pytest.approx(math.log(4) / 2, abs=1e-9)


@pytest.mark.parametrize("model", TIES)
def test_swapping_the_sides_of_every_game_changes_nothing(model):
    games = play(3, 200)
    swapped = make_games(4, games.second, games.first, 1 - games.points)
    one, other = (fit_scores(*tally(both), model=model).scores for both in (games, swapped))
    assert one == pytest.approx(other, abs=1e-10)


def test_who_never_lost_has_no_score_without_a_prior():
    wins, ties = tally(make_games(3, [0, 0, 1, 2], [1, 2, 2, 1], [1, 1, 1, 1]))
    with pytest.raises(Unbounded, match="Collect more comparisons, or allow a prior"):
        fit_scores(wins, ties, model="rao-kupper")
    scores = fit_scores(wins, ties, model="rao-kupper", prior=1.0).scores
    assert scores[0] > scores[1] == pytest.approx(scores[2])
    wins, ties = tally(make_games(3, [0, 0, 1, 2, 0], [1, 2, 2, 1, 1], [1, 1, 1, 1, 0.5]))
    assert fit_scores(wins, ties, model="davidson").scores[0] > 0  # one tie is enough


def test_players_who_were_never_compared_are_in_different_leagues():
    games = make_games(6, [0, 1, 3], [1, 2, 4], [1, 0, 0.5])
    assert leagues(games) == [[0, 1, 2], [3, 4]]


def test_a_game_against_oneself_or_with_odd_points_is_refused():
    with pytest.raises(ValueError, match="game 1 sets player 2 against itself"):
        make_games(3, [0, 2], [1, 2], [1, 1])
    with pytest.raises(ValueError, match=r"game 0 gives 0\.7 points"):
        make_games(3, [0], [1], [0.7])


def test_a_bootstrap_interval_holds_the_true_score_as_often_as_it_says():
    """bench/leaderboards.py does this at length; here 100 leaderboards of 200 comparisons."""
    held = []
    for seed in range(100):
        found = bootstrap_intervals(play(seed, 200), model="rao-kupper", prior=0.0, samples=200, seed=seed)
        held.append((found.low <= SCORES) & (found.high >= SCORES))
    assert 0.92 <= np.mean(held) <= 0.98


def test_answers_about_one_prompt_are_drawn_together():
    """Ten copies of each game say no more than one: intervals by prompt stay, by game they shrink."""
    games = play(5, 100)
    copies = [np.repeat(part, 10) for part in (games.first, games.second, games.points)]
    tenfold = make_games(4, *copies, clusters=np.repeat(np.arange(100), 10))
    settings = {"model": "half", "prior": 0.0, "samples": 200, "seed": 0}
    one, same = bootstrap_intervals(games, **settings), bootstrap_intervals(tenfold, **settings)
    assert same.low == pytest.approx(one.low, abs=1e-6)
    shrunk = bootstrap_intervals(make_games(4, *copies), **settings)
    assert (shrunk.high - shrunk.low).mean() < 0.4 * (one.high - one.low).mean()


def test_the_sequential_rule_raises_no_more_false_alarms_than_it_says():
    """No difference, 1,000 evaluations of up to 1,000 comparisons, looked at after each; with ties and without."""
    generator = np.random.default_rng(0)
    for ties in (0.0, 0.4):
        lot = generator.random((1000, 1000))
        values = np.where(generator.random((1000, 1000)) < ties, 0.5, np.round(lot))
        highest = np.full(1000, -np.inf)
        for wealth in log_wealth(values, np.array([0.5]), alpha=0.05):
            highest = np.maximum(highest, wealth[:, 0])
        assert (highest >= math.log(20)).mean() <= 0.05


def test_the_sequential_rule_sees_a_difference_and_an_equality():
    generator = np.random.default_rng(1)
    better = watch((generator.random(400) < 0.7).astype(float), alpha=0.05, margin=0.1)
    assert better[-1].decision == "better"
    assert all(look.high > 0.6 and look.low < 0.8 for look in better)
    assert next(look.count for look in better if look.decision == "better") < 150
    same = watch(np.full(300, 0.5), alpha=0.05, margin=0.1)
    assert (same[0].decision, same[-1].decision, same[-1].mean) == ("undecided", "equivalent", 0.5)
    assert decide(0.2, 0.49, margin=0.1) == "worse"


def test_ten_wins_in_a_row_by_hand():
    """At m = ½ the bet is held to c/m = 1.5, so the capital of ten wins is ½ · Π(1 + λ/2) with λ of equation 26."""
    capital, total, squares = 0.5, 0.5, 0.25
    for t in range(1, 11):
        bet = math.sqrt(2 * math.log(40) / (squares * math.log(t + 1)))
        capital *= 1 + min(bet, 1.5) / 2
        total += 1
        squares += (1 - total / (t + 1)) ** 2
    wealth = list(log_wealth([1.0] * 10, np.array([0.5]), alpha=0.05))[-1]
    assert math.exp(wealth[0]) == pytest.approx(capital, rel=1e-12)


def test_style_is_told_from_substance():
    """Player 0 is no better; it writes longer, and longer wins. Controlled, both are equal and length is worth 1.2."""
    generator = np.random.default_rng(0)
    gaps = np.zeros((4000, 4))
    gaps[:, 0] = generator.normal(0.4, 0.3, 4000).clip(-1, 1)
    won = generator.random(4000) < 1 / (1 + np.exp(-3 * gaps[:, 0]))
    games = make_games(2, [0] * 4000, [1] * 4000, won.astype(float))
    assert fit_scores(*tally(games), model="half").scores[0] > 0.4
    controlled = fit_controlled(games, gaps)
    typical = math.sqrt((gaps[:, 0] ** 2).mean())
    assert abs(controlled.scores[0]) < 3 * controlled.errors[0]
    assert controlled.weights[0] == pytest.approx(3 * typical, abs=3 * controlled.weight_errors[0])
    assert np.isnan(controlled.weights[1:]).all()


def test_without_any_style_the_controlled_scores_are_bradley_and_terrys():
    games = play(7, 300)
    controlled = fit_controlled(games, np.zeros((300, 4)))
    assert controlled.scores == pytest.approx(fit_scores(*tally(games), model="half").scores, abs=1e-8)
    assert fit_controlled(make_games(2, [0, 0], [1, 1], [1, 1]), np.zeros((2, 4))) is None


def test_features_that_always_go_together_share_their_weight():
    games, gaps = play(8, 300), np.zeros((300, 4))
    gaps[:, 1] = np.random.default_rng(0).choice([-0.5, 0, 0.5], 300)
    gaps[:, 2] = 2 * gaps[:, 1]
    weights = fit_controlled(games, gaps).weights
    assert weights[1] == pytest.approx(weights[2])
    alone = fit_controlled(games, np.where([False, True, False, False], gaps, 0.0)).weights
    assert weights[1] + weights[2] == pytest.approx(alone[1], abs=1e-6)


def test_headings_items_and_bold_type_are_counted():
    text = "# Eggs\n\n- **Boil** them\n- __Peel__ them\n1. Eat\n#no heading\n2*3*4"
    assert style_of(text) == (len(text), 1, 3, 2)
    gaps = style_gaps([(30, 1, 0, 0), (0, 0, 0, 0)], [(10, 0, 0, 2), (0, 0, 0, 0)])
    assert gaps.tolist() == [[0.5, 0.5, 0.0, -2 / 3], [0.0, 0.0, 0.0, 0.0]]


def test_a_win_rate_counts_ties_as_half():
    assert measure_win_rate(0, 0) is None
    assert measure_win_rate(1, 1).low == pytest.approx(1 / (1 + 1.959963984540054**2))
    rate = measure_win_rate(60.5, 100)
    assert (rate.value, round(rate.low, 4), round(rate.high, 4)) == (0.605, 0.507, 0.6952)
    with pytest.raises(ValueError, match="5 points of 4 comparisons is no win rate"):
        measure_win_rate(5, 4)
