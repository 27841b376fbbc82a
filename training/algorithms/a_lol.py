"""A-LoL (Baheti et al. 2023, "Leftover lunch: advantage-based offline reinforcement learning").

A response's reward is what people said of it; the expected reward of a prompt is the mean over its responses, and over
all data where there is but one. Left out on purpose: the paper's critic, which its authors fit for data of one response
a prompt, and sampling by advantage.
"""

from collections.abc import Sequence
from functools import partial

import torch
from torch import nn

from training.algorithms.groups import EncodedGroup, Group
from training.algorithms.labels import Demonstration, Label, Pair, Ranking, Rating, Tie, Unpaired
from training.algorithms.loop import Job, Outcome, Tools
from training.algorithms.offline_losses import a_lol
from training.algorithms.options.a_lol import ALoLConfig
from training.algorithms.packing import Batch
from training.algorithms.plan import Plan
from training.algorithms.policy_job import logprobs, prepare_policy, references

NEEDS = "No judgement says that a response is better than others: collect preferences, rankings or ratings."
Rewards = tuple[float | None, ...]


def prepare(plan: Plan, tools: Tools) -> Job:
    advantages: dict[str, list[float]] = {}
    compute = partial(outcome, advantages=advantages)
    job = prepare_policy(plan, tools, compute, select=select_rewarded, needs=NEEDS, with_reference=True)
    known = [reward for group in job.train for reward in rewards(group.label) if reward is not None]
    expected = sum(known) / len(known)
    advantages |= {group.id: advantage(rewards(group.label), expected) for group in (*job.train, *job.test)}
    return job


def select_rewarded(group: Group, trained_on: bool) -> Group | None:
    return None if isinstance(group.label, Tie) else group


def rewards(label: Label) -> Rewards:
    """A reward for each completion, None where nothing was said: ratings as they are; ±1 (times the strength) for
    better and worse; from 1 to −1 down a ranking; 1 for a demonstration."""
    match label:
        case Pair(chosen, rejected, strength):
            size = 1.0 if strength is None else strength
            told = {chosen: size, rejected: -size}
            return tuple(told.get(place) for place in range(max(told) + 1))
        case Ranking(tiers):
            step = 2 / max(1, len(tiers) - 1)
            found = {place: 1 - step * number for number, tier in enumerate(tiers) for place in tier}
            return tuple(found[place] for place in range(len(found)))
        case Rating(scores):
            return scores
        case Unpaired(desirable):
            return tuple(1.0 if good else -1.0 for good in desirable)
        case Demonstration():
            return (1.0,)
    return ()


def advantage(found: Rewards, expected: float) -> list[float]:
    """Each reward less the mean of its prompt's, less `expected` where there is but one; 0 where nothing was said."""
    known = [reward for reward in found if reward is not None]
    baseline = sum(known) / len(known) if len(known) > 1 else expected
    return [0.0 if reward is None else reward - baseline for reward in found]


def outcome(
    model: nn.Module,
    batch: Batch,
    groups: Sequence[EncodedGroup],
    config: ALoLConfig,
    *,
    advantages: dict[str, list[float]],
) -> Outcome:
    """The mean over each group's responses; those that nothing was said of, or nothing good, weigh nothing."""
    policy = logprobs(model, batch)
    drift = (policy - references(groups, policy.device)).detach()
    sizes = [len(group.completions) for group in groups]
    padded = [(advantages[group.id] + [0.0] * size)[:size] for group, size in zip(groups, sizes, strict=True)]
    worth = torch.tensor([one for row in padded for one in row], device=policy.device)
    losses = a_lol(policy, drift, advantage=worth, clip=config.clip)
    ratio = drift.exp().clamp(1 - config.clip, 1 + config.clip)

    def mean(values: torch.Tensor) -> torch.Tensor:
        return torch.stack([part.mean() for part in values.split(sizes)])

    facts = {"advantage": mean(worth), "ratio": mean(ratio), "drift": mean(drift), "logps": mean(policy.detach())}
    return Outcome(mean(losses), facts)
