"""The monitors: numbers in, verdicts out."""

from math import log

import pytest

from training.monitoring.examine import examine
from training.monitoring.history import History
from training.monitoring.reward_hacking import fit_curve, highest_correlation


def steps(count: int, **figures: object) -> list[dict]:
    """Training events; a figure is a number, or a function of the step."""
    return [
        {
            "kind": "train",
            "step": step,
            "data": {name: value(step) if callable(value) else value for name, value in figures.items()},
        }
        for step in range(1, count + 1)
    ]


def evaluations(**figures: list[float | None]) -> list[dict]:
    """One evaluation every ten steps, the first before any."""
    rows = [dict(zip(figures, row, strict=True)) for row in zip(*figures.values(), strict=True)]
    return [{"kind": "eval", "step": 10 * place, "data": row} for place, row in enumerate(rows)]


def kinds(events: list[dict], algorithm: str = "rloo") -> list[str]:
    history = History()
    history.add(events)
    found = examine(history, algorithm=algorithm, samples_itself=algorithm == "rloo")
    assert all(verdict.message.endswith(".") and verdict.remedy.endswith(".") for verdict in found)
    return [verdict.kind for verdict in found]


def scored(reward, heldout, agreement: float | None = 0.5, count: int = 8) -> list[dict]:
    """128 responses a step, deviations 1, errors 0.1."""
    figures = {"reward": reward, "reward_std": 1.0, "reward_se": 0.1, "completions/count": 128.0, "kl": 1.0}
    heldout_figures = {"heldout/reward": heldout, "heldout/std": 1.0, "heldout/se": 0.1}
    return steps(count, **figures, **heldout_figures, **{"heldout/agreement": agreement})


def test_the_held_out_reward_falls_while_the_reward_rises():
    assert kinds(scored(lambda step: 0.3 * step, lambda step: -0.2 * step)) == ["reward_hacking"]


def test_it_rises_first_and_then_falls():
    assert kinds(scored(lambda step: 0.3 * step, lambda step: 0.3 * min(step, 10 - step))) == ["reward_hacking"]


def test_it_stays_where_it_was_while_the_reward_rises_by_far():
    assert kinds(scored(lambda step: 0.5 * step, 0.0, count=12)) == ["reward_hacking"]


@pytest.mark.parametrize(
    ("reward", "heldout"),
    [
        (lambda step: 0.3 * step, lambda step: 0.2 * step),
        (lambda step: min(0.5 * step, 2.0), lambda step: min(0.3 * step, 1.2)),  # both have settled
        (lambda step: 0.0, lambda step: -0.5 * (step > 4)),  # nothing was gained, so nothing was fooled
        (lambda step: 0.05 * step, lambda step: -0.02 * step),  # within the errors
    ],
)
def test_an_honest_rise_noise_and_rest_are_left_alone(reward, heldout):
    assert kinds(scored(reward, heldout)) == []


def test_two_models_that_contradict_each_other_are_told_before_anything_is_learnt():
    assert kinds(scored(0.0, 0.0, agreement=-0.2, count=2)) == ["reward_disagreement"]
    assert kinds(scored(0.0, 0.0, agreement=0.4, count=2)) == ["reward_disagreement"]
    assert kinds(scored(0.0, 0.0, agreement=0.45, count=2)) == []  # may well be 0.6
    assert kinds(scored(0.0, 0.0, agreement=None, count=2)) == []
    for agreement, severity in ((-0.2, "warning"), (-0.6, "stop")):
        history = History()
        history.add(scored(0.0, 0.0, agreement=agreement, count=2))
        assert [found.severity for found in examine(history, algorithm="rloo", samples_itself=True)] == [severity]
    assert kinds(scored(0.0, 0.0, agreement=-0.6, count=1)) == ["reward_disagreement"]  # before anything is learnt
    few = {"completions/count": 31.0, "reward": 0.0, "reward_std": 1.0, "heldout/reward": 0.0, "heldout/std": 1.0}
    assert kinds(steps(1, **few, **{"heldout/agreement": -0.9})) == []
    assert highest_correlation(0.0, 103) == pytest.approx(0.2543, abs=1e-4)


def test_without_a_held_out_model_nothing_is_said_of_it():
    assert kinds(steps(20, reward=lambda step: step, reward_std=1.0, **{"completions/count": 128.0})) == []


def test_the_curve_through_the_evaluations_has_its_top_where_it_should():
    rows = [
        {"step": 0, "kl": d * d, "reward": 1.0, "reward_std": 1.0, "completions/count": 64}
        | {"heldout/reward": 3 + 2 * (d * (1 - 0.5 * log(d)) if d else 0), "heldout/std": 2.0}
        for d in (0, 0.5, 1, 2, 3, 4)
    ]
    curve = fit_curve(rows)
    assert (curve.alpha, curve.beta) == (pytest.approx(1.0), pytest.approx(0.5))
    assert curve.best_kl == pytest.approx(7.389, abs=1e-3)
    assert curve.at(1.0) == pytest.approx(1.0)
    assert fit_curve(rows[:4]) is None


@pytest.mark.parametrize(
    ("name", "first", "last", "kind"),
    [
        ("completions/mean_length", 20, 41, "length_drift"),
        ("completions/mean_length", 20, 39, None),
        ("completions/mean_length", 20, 6, "length_drift"),
        ("texts/repetition", 0.05, 0.31, "repetition"),
        ("texts/repetition", 0.2, 0.31, None),
        ("texts/refusals", 0.02, 0.2, "refusals"),
        ("texts/distinct", 0.8, 0.39, "sameness"),
        ("texts/distinct", 0.8, 0.5, None),
    ],
)
def test_what_responses_become(name, first, last, kind):
    told = steps(9, **{name: lambda step: first if step <= 3 else last})
    assert kinds(told) == ([kind] if kind else [])


def test_broken_responses_warn_and_stop_once_they_are_most():
    for last, severity in ((0.1, None), (0.3, "warning"), (0.6, "stop")):
        history = History()
        history.add(steps(9, **{"texts/empty": 0.05, "texts/stuck": lambda step, last=last: last * (step > 3)}))
        found = examine(history, algorithm="rloo", samples_itself=True)
        assert [verdict.severity for verdict in found] == ([severity] if severity else [])


def test_samples_that_say_one_word_are_seen_in_any_run():
    def sample(step: int, *texts: str) -> list[dict]:
        return [{"kind": "sample", "step": step, "data": {"text": text}} for text in texts]

    fine, stuck = ("Boil it.", "Seven minutes."), ("the the the the the the", "")
    assert kinds([*sample(0, *fine), *sample(10, *stuck)], "sft") == ["degenerate"]
    assert kinds([*sample(0, *stuck), *sample(10, *stuck)], "sft") == []
    assert kinds([*sample(0, *fine), *sample(10, fine[0], "")][:3], "sft") == []


def test_overfitting_is_a_held_out_loss_that_has_turned():
    falling = steps(40, loss=lambda step: 0.7 - 0.01 * step)
    assert kinds([*falling, *evaluations(loss=[0.7, 0.6, 0.65, 0.7, 0.75])], "reward_model") == ["overfitting"]
    assert kinds([*falling, *evaluations(loss=[0.7, 0.6, 0.61, 0.6, 0.61])], "reward_model") == []


def test_overfitting_is_also_accuracy_far_above_what_is_held_out():
    told = steps(40, loss=0.2, accuracy=0.95)
    fine = {"loss": [0.7, 0.6, 0.6], "accuracy_high": [0.6, 0.7, 0.86]}
    assert kinds([*told, *evaluations(**fine)], "reward_model") == []
    assert kinds([*told, *evaluations(**{**fine, "accuracy_high": [0.6, 0.7, 0.8]})], "reward_model") == ["overfitting"]


def test_what_dpo_unlearns():
    fallen = {"logps/chosen": [-40.0, -46.0], "logps/rejected": [-40.0, -70.0]}
    assert kinds(evaluations(**fallen), "dpo") == ["chosen_falling", "far_from_reference"]
    assert kinds(evaluations(**{"logps/chosen": [-40.0, -42.0], "logps/rejected": [-40.0, -55.0]}), "dpo") == []
    assert kinds(evaluations(**{"logps/chosen": [-40.0, None], "logps/rejected": [None, -55.0]}), "dpo") == []


def test_a_margin_is_saturated_when_training_has_nothing_left_to_teach():
    told = steps(20, loss=0.05, accuracy=1.0)
    assert kinds([*told, *evaluations(loss=[0.69, 0.5, 0.51])], "dpo") == ["margin_saturated"]
    assert kinds([*told, *evaluations(loss=[0.69, 0.5, 0.49])], "dpo") == []
