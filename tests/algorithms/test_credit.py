"""From scored responses to advantages: each algorithm by hand, on two responses of two tokens and of one."""

from math import log

import pytest
import torch

from training.algorithms import best_of_n, grpo, ppo, reinforce, rloo
from training.algorithms.experience import Rollout, shape_scores
from training.algorithms.models import load_policy
from training.algorithms.options.online import GRPOConfig, PPOConfig, RAFTConfig, ReinforceConfig, RLOOConfig
from training.algorithms.rewards import load_judge, normalise
from training.algorithms.rollouts import Request, Sampling
from training.algorithms.selection import best_of_n_kl


def rollout(*, finished: tuple[bool, bool] = (True, True), scores: tuple[float, float] = (2.0, 1.0)) -> Rollout:
    """k1 is (1, 1) and (0.5): 2 nats and a half."""
    return Rollout(
        id="a",
        prompt=(1,),
        messages=({"role": "user", "content": "?"},),
        system="",
        completions=((5, 6), (7,)),
        texts=("x", "y"),
        finished=finished,
        scores=torch.tensor(scores),
        old=torch.tensor([-1.0, -1.0, -1.0]),
        base=torch.tensor([-2.0, -2.0, -1.5]),
        values=torch.tensor([0.5, 1.0, 0.25]),
        after=torch.tensor([4.0, 0.75]),
    )


def advantages(found: list[Rollout]) -> list[float]:
    return found[0].advantages.tolist()


def test_rloo_by_hand():
    """β = 0.1: rewards (2 − 0.2, 1 − 0.05) = (1.8, 0.95); each less the other."""
    assert advantages(rloo.credit([rollout()], RLOOConfig(), {"beta": 0.1})) == pytest.approx([0.85, -0.85])


def test_reinforce_remembers_past_rewards():
    """First step: baseline its own mean, 1.375. Then decay 0.9 of it: the second step's mean changes only the next."""
    state: dict[str, float] = {"beta": 0.1}
    config = ReinforceConfig(baseline_decay=0.9)
    assert advantages(reinforce.credit([rollout()], config, state)) == pytest.approx([0.425, -0.425])
    better = rollout(scores=(12.0, 11.0))
    assert advantages(reinforce.credit([better], config, state)) == pytest.approx([10.425, 9.575])
    assert state["baseline"] == pytest.approx(0.9 * 1.375 + 0.1 * 11.375)
    for baseline, wanted in (("batch", [0.425, -0.425]), ("none", [1.8, 0.95])):
        found = reinforce.credit([rollout()], ReinforceConfig(baseline=baseline), {"beta": 0.1})
        assert advantages(found) == pytest.approx(wanted)


def test_grpo_by_hand_gives_every_token_its_responses_advantage_and_leaves_the_kl_to_the_loss():
    """Scores (2, 1): deviations ±0.5, sample deviation 0.7071."""
    found = advantages(grpo.credit([rollout()], GRPOConfig(), {"beta": 0.1}))
    assert found == pytest.approx([0.7071, 0.7071, -0.7071], abs=1e-3)
    assert advantages(grpo.credit([rollout()], GRPOConfig(scale=False), {"beta": 0.1})) == [0.5, 0.5, -0.5]


@pytest.mark.parametrize(("cut", "last"), [("terminal", 0.7), ("bootstrap", 1.45)])
def test_ppo_by_hand_and_what_a_cut_response_is_worth(cut, last):
    """β = 0.1, λ = 1: first response, over: rewards (−0.1, 1.9), returns (1.8, 1.9), values (0.5, 1). The second was
    cut: reward 0.95, value 0.25; going on as the critic expects adds 0.75."""
    config = PPOConfig(trace=1.0, whiten_advantages=False, cut=cut)
    (found,) = ppo.credit([rollout(finished=(True, False))], config, {"beta": 0.1})
    assert found.advantages.tolist() == pytest.approx([1.3, 0.9, last])
    assert found.returns.tolist() == pytest.approx([1.8, 1.9, last + 0.25])


def test_ppo_whitens_over_the_step_and_takes_returns_from_before():
    (plain,) = ppo.credit([rollout()], PPOConfig(whiten_advantages=False), {"beta": 0.1})
    (white,) = ppo.credit([rollout()], PPOConfig(), {"beta": 0.1})
    assert white.advantages.mean().item() == pytest.approx(0.0, abs=1e-6)
    assert white.advantages.std(unbiased=False).item() == pytest.approx(1.0, abs=1e-4)
    assert white.returns.tolist() == plain.returns.tolist()


def test_scores_are_normalised_then_held_then_penalised():
    """(2, 1) of mean 1.5 and deviation 0.5: (1, −1); held within 0.5; the second has no end: −0.5 − 1."""
    config = PPOConfig(normalise_scores=True, score_clip=0.5, unfinished_penalty=1.0)
    (found,) = shape_scores([rollout(finished=(True, False))], config, {})
    assert found.scores.tolist() == pytest.approx([0.5, -1.5])


def test_the_moments_of_scores_are_those_of_all_so_far():
    moments: dict[str, float] = {}
    assert normalise(torch.tensor([1.0, 3.0]), moments).tolist() == pytest.approx([-1.0, 1.0])
    everything = torch.tensor([1.0, 3.0, 5.0, 5.0, 11.0])
    found = normalise(everything[2:], moments)
    assert moments["mean"] == pytest.approx(5.0)
    assert found.tolist() == pytest.approx(((everything[2:] - 5.0) / everything.std(unbiased=False)).tolist(), abs=1e-6)


def test_raft_keeps_the_best_response_whole():
    (found,) = best_of_n.credit([rollout(scores=(1.0, 3.0))], RAFTConfig(), {})
    assert (found.completions, found.texts) == (((7,),), ("y",))
    assert (found.old.tolist(), found.base.tolist(), found.scores.tolist()) == ([-1.0], [-1.5], [3.0])


def test_best_of_n_by_hand():
    """n = 4: ln 4 − 3/4 = 0.63629; of equals the first is picked."""
    assert best_of_n_kl(4) == pytest.approx(log(4) - 0.75)
    assert best_of_n_kl(1) == 0.0
    assert best_of_n.pick_best(torch.tensor([[1.0, 3.0, 3.0], [2.0, 0.0, 1.0]])).tolist() == [1, 0]
    with pytest.raises(ValueError, match="at least 1"):
        best_of_n_kl(0)


def test_best_of_n_has_the_kl_it_is_said_to_have():
    """Best of 3 among 2,000 equally likely answers of different scores: P(k) = (k³ − (k − 1)³)/2000³, exactly."""
    ranks, count = torch.arange(1, 2001, dtype=torch.float64), 2000
    best = (ranks**3 - (ranks - 1) ** 3) / count**3
    exact = (best * (best * count).log()).sum().item()
    assert exact == pytest.approx(best_of_n_kl(3), abs=1e-3)


def test_the_best_of_n_responses_scores_highest(policy_folder):
    policy = load_policy(policy_folder)
    judge = load_judge([], RAFTConfig(function="vowels"), torch.device("cpu"))
    requests = [
        Request(key=f"{n}", prompt=[{"role": "user", "content": "hi " * n}], indices=tuple(range(6))) for n in (1, 2)
    ]
    found = best_of_n.sample_best(policy, judge, requests, sampling=Sampling(max_tokens=10))
    for request, best in zip(requests, found, strict=True):
        assert best.sample.key == request.key
        assert best.score == max(best.scores) == best.scores[best.sample.index]
        assert len(best.scores) == 6
