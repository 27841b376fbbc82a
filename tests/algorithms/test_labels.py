"""Labels: what is read from a line, and the comparisons each amounts to."""

import pytest
import torch

from training.algorithms.groups import EncodedGroup
from training.algorithms.labels import (
    Comparison,
    Demonstration,
    Pair,
    Ranking,
    Rating,
    Tie,
    Unpaired,
    comparisons,
    parse_label,
)
from training.algorithms.options.reward_model import RewardModelConfig
from training.algorithms.preferences import accuracy, read_preferences


def test_each_kind_is_read():
    for row, completions, label in (
        ({"kind": "pair", "chosen": 1, "rejected": 0, "strength": 1}, 2, Pair(1, 0, 1.0)),
        ({"kind": "tie"}, 2, Tie()),
        ({"kind": "ranking", "tiers": [[2], [0, 1], [3]]}, 4, Ranking(((2,), (0, 1), (3,)))),
        ({"kind": "rating", "scores": [5, 2.5, None]}, 3, Rating((5.0, 2.5, None))),
        ({"kind": "demonstration"}, 1, Demonstration()),
        ({"kind": "unpaired", "desirable": [True, False]}, 2, Unpaired((True, False))),
    ):
        assert parse_label(row, completions) == label


@pytest.mark.parametrize("place", [True, 0.0, "0", 2, -1])
def test_a_place_is_a_whole_number_within_the_completions(place):
    with pytest.raises(ValueError, match="two different places among 2 completions"):
        parse_label({"kind": "pair", "chosen": 1, "rejected": place}, 2)


def test_a_ranking_of_four_is_six_pairs_that_weigh_as_one_judgement():
    found = comparisons(Ranking(((2,), (0, 1), (3,))), rating_span=6)
    assert [(one.chosen, one.rejected, one.tie) for one in found] == [
        (2, 0, False),
        (2, 1, False),
        (2, 3, False),
        (0, 1, True),
        (0, 3, False),
        (1, 3, False),
    ]
    assert [one.share for one in found] == [1 / 6] * 6


def test_ratings_are_pairs_whose_strength_is_their_gap():
    found = comparisons(Rating((2.0, None, 5.0, 2.0)), rating_span=6)
    assert found == [
        Comparison(2, 0, 0.5, False, 1 / 3),
        Comparison(2, 3, 0.5, False, 1 / 3),
        Comparison(0, 3, None, True, 1 / 3),
    ]


def test_labels_that_compare_nothing_have_no_comparison():
    for label in (Demonstration(), Unpaired((True, False)), Rating((3.0, None))):
        assert comparisons(label, rating_span=6) == []


def group(label, completions: int) -> EncodedGroup:
    return EncodedGroup(id="g", prompt=(1,), completions=((2,),) * completions, label=label)


def test_strength_is_a_target_a_margin_a_factor_or_nothing():
    groups = [group(Pair(1, 0, 0.5), 2), group(Tie(), 2), group(Ranking(((0,), (1, 2))), 3)]
    wanted = {
        "ignore": ([1, 0.5, 1, 1, 0.5], [0] * 5, [1] * 5),
        "soft": ([0.725, 0.5, 1, 1, 0.5], [0] * 5, [1] * 5),
        "margin": ([1, 0.5, 1, 1, 0.5], [1, 0, 0, 0, 0], [1] * 5),
        "scaled": ([1, 0.5, 1, 1, 0.5], [0] * 5, [0.5, 1, 1, 1, 1]),
    }
    for strength, (target, margin, scale) in wanted.items():
        config = RewardModelConfig(strength=strength, margin=2.0, soft_top=0.95, ties="half")
        said = read_preferences(groups, config, torch.device("cpu"))
        torch.testing.assert_close(said.target, torch.tensor(target))
        torch.testing.assert_close(said.margin, torch.tensor(margin, dtype=torch.float32))
        torch.testing.assert_close(said.scale, torch.tensor(scale, dtype=torch.float32))
    assert said.chosen.tolist() == [1, 2, 4, 4, 5]
    assert said.rejected.tolist() == [0, 3, 5, 6, 6]
    torch.testing.assert_close(said.total(torch.tensor([1.0, 2.0, 3.0, 6.0, 9.0])), torch.tensor([1.0, 2.0, 6.0]))


def test_ties_left_out_count_for_nothing_inside_a_ranking():
    config = RewardModelConfig(ties="drop", strength="ignore")
    said = read_preferences([group(Ranking(((0,), (1, 2))), 3)], config, torch.device("cpu"))
    assert said.scale.tolist() == [1, 1, 0]


def test_means_leave_ties_out_where_asked_and_say_nothing_of_groups_without():
    groups = [group(Ranking(((0,), (1, 2))), 3), group(Tie(), 2)]
    said = read_preferences(groups, RewardModelConfig(), torch.device("cpu"))
    values = torch.tensor([1.0, 3.0, 50.0, 7.0])
    torch.testing.assert_close(said.mean(values), torch.tensor([18.0, 7.0]))
    torch.testing.assert_close(said.mean(values, pairs_only=True), torch.tensor([2.0, float("nan")]), equal_nan=True)


def test_two_equal_scores_are_half_right():
    assert accuracy(torch.tensor([0.5, 0.0, -0.5])).tolist() == [1.0, 0.5, 0.0]
