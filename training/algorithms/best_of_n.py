"""Best of n: at inference the response that scores highest, and as data for imitation (RAFT: Dong et al. 2023).

Imitating the best of one's own responses moves the policy by at most selection.best_of_n_kl nats a round.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from training.algorithms.experience import Rollout
from training.algorithms.groups import EncodedGroup, Group
from training.algorithms.labels import Tie
from training.algorithms.loop import Job, Outcome, Tools
from training.algorithms.models import Policy
from training.algorithms.online import Method, State, prepare_online, tokens_of
from training.algorithms.options.online import RAFTConfig
from training.algorithms.packing import Batch
from training.algorithms.plan import Plan
from training.algorithms.policy_gradient import group_sums, read_rollouts
from training.algorithms.rewards import Judge
from training.algorithms.rollouts import Request, Sample, Sampling, sample


def pick_best(scores: Tensor) -> Tensor:
    """The place of the highest score of each prompt, the first of equals: (P, n) -> (P,) long"""
    return (scores == scores.max(1, keepdim=True).values).int().argmax(1)


@dataclass(frozen=True)
class Best:
    sample: Sample
    score: float
    scores: tuple[float, ...]  # of all n


def sample_best(policy: Policy, judge: Judge, requests: Sequence[Request], *, sampling: Sampling) -> list[Best]:
    """Draw what the requests ask for and keep each request's highest-scoring response."""
    drawn = sample(policy.model, policy.tokenizer, requests, sampling=sampling)
    found, first = [], 0
    for request in requests:
        own = drawn[first : first + len(request.indices)]
        first += len(own)
        group = Group(
            id=request.key,
            prompt=tuple(request.prompt),
            system=request.system,
            completions=tuple(answer.text for answer in own),
            label=Tie(),
            finished=tuple(answer.finish_reason == "stop" for answer in own),
        )
        scores, _ = judge.score([group])
        place = int(pick_best(scores[None])[0])
        found.append(Best(own[place], float(scores[place]), tuple(scores.tolist())))
    return found


def prepare(plan: Plan, tools: Tools) -> Job:
    return prepare_online(plan, tools, Method(credit, outcome, tokens_of))


def credit(rollouts: list[Rollout], config: RAFTConfig, state: State) -> list[Rollout]:
    """Keep the best response to each prompt."""
    places = pick_best(torch.stack([rollout.scores for rollout in rollouts])).tolist()
    return [keep_one(rollout, place) for rollout, place in zip(rollouts, places, strict=True)]


def keep_one(rollout: Rollout, place: int) -> Rollout:
    return replace(
        rollout,
        completions=rollout.completions[place : place + 1],
        texts=rollout.texts[place : place + 1],
        finished=rollout.finished[place : place + 1],
        scores=rollout.scores[place : place + 1],
        old=rollout.old.split(rollout.lengths)[place],
        base=rollout.base.split(rollout.lengths)[place],
    )


def outcome(model: nn.Module, batch: Batch, groups: Sequence[EncodedGroup], config: RAFTConfig) -> Outcome:
    """−log π of every token, summed by group: supervised fine-tuning on what was kept."""
    logprobs = model(batch, 1.0, False).logprobs
    scores = torch.cat([rollout.scores for rollout in read_rollouts(groups)])
    tokens = torch.bincount(batch.owners.cpu(), minlength=len(scores))
    return Outcome(group_sums(-logprobs, batch, per_response=False), {"best_reward": scores * tokens})
