"""What DPO, SimPO and ORPO share: a policy trained on comparisons, with a model of ties if wanted, and what is told."""

from functools import partial

import torch
from torch import Tensor, nn

from training.algorithms.loop import Compute, Job, Tools
from training.algorithms.plan import Plan
from training.algorithms.policy_job import prepare_policy
from training.algorithms.preference_metrics import summarise_preferences
from training.algorithms.preferences import (
    NEEDS,
    Preferences,
    accuracy,
    select_compared,
    start_tie_number,
    tie_note,
)

TIE = "tie"  # the number that may be learnt beside the weights


def prepare_pairwise(plan: Plan, tools: Tools, compute: Compute, *, with_reference: bool) -> Job:
    """A policy on comparisons; the tie parameter starts at the share of ties in the data."""
    config = plan.config
    select = partial(select_compared, config=config)
    job = prepare_policy(plan, tools, compute, select=select, needs=NEEDS, with_reference=with_reference)
    job.summarise = partial(summarise_preferences, rating_span=config.rating_span)
    start = start_tie_number(job.train, config)
    if start is not None:
        job.model.numbers[TIE] = nn.Parameter(torch.tensor([start], device=tools.accelerator.device))
        job.notes = lambda job: {TIE: tie_note(config.ties, job.model.numbers[TIE])}
    return job


def side_facts(said: Preferences, *, rewards: Tensor, policy: Tensor) -> dict[str, Tensor]:
    """What is told of each group, (G,), by TRL's names; implicit rewards and log-probabilities are (C,)."""
    chosen, rejected = rewards[said.chosen], rewards[said.rejected]
    right, gap = said.mean(accuracy(chosen - rejected), pairs_only=True), said.mean(chosen - rejected)
    return {
        "accuracy": right,
        "margin": gap,
        "rewards/chosen": said.mean(chosen),
        "rewards/rejected": said.mean(rejected),
        "rewards/margins": gap,
        "rewards/accuracies": right,
        "logps/chosen": said.mean(policy[said.chosen]),
        "logps/rejected": said.mean(policy[said.rejected]),
    }
