"""Direct preference optimisation (Rafailov et al. 2023), with the reference's log-probabilities computed once: also
cDPO, IPO, robust DPO, ties by Rao–Kupper and Davidson, strength and weights."""

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor, nn

from training.algorithms.groups import EncodedGroup
from training.algorithms.loop import Job, Outcome, Tools
from training.algorithms.losses import dpo_difference, smooth
from training.algorithms.models import unwrap
from training.algorithms.offline_losses import ipo, robust
from training.algorithms.options.dpo import DPOConfig
from training.algorithms.packing import Batch
from training.algorithms.plan import Plan
from training.algorithms.policy_job import lengths, logprobs, prepare_policy, references
from training.algorithms.preference_metrics import summarise_preferences
from training.algorithms.preferences import (
    NEEDS,
    Preferences,
    accuracy,
    pair_losses,
    read_preferences,
    select_compared,
    start_tie_number,
    tie_note,
)

TIE = "tie"  # the number that may be learnt beside the weights


def prepare(plan: Plan, tools: Tools) -> Job:
    """Load policy, data and reference log-probabilities; the tie parameter starts at the share of ties in the data."""
    config: DPOConfig = plan.config
    select = partial(select_compared, config=config)
    job = prepare_policy(plan, tools, outcome, select=select, needs=NEEDS, with_reference=True)
    job.summarise = partial(summarise_preferences, rating_span=config.rating_span)
    start = start_tie_number(job.train, config)
    if start is not None:
        job.model.numbers[TIE] = nn.Parameter(torch.tensor(start, device=tools.accelerator.device))
        job.notes = lambda job: {TIE: tie_note(config.ties, job.model.numbers[TIE])}
    return job


def outcome(model: nn.Module, batch: Batch, groups: Sequence[EncodedGroup], config: DPOConfig) -> Outcome:
    """Loss, facts and implicit rewards of each group; the groups carry their reference log-probabilities.

    Facts: the implicit rewards β·drift of both sides and their gap (TRL's names), the log-probabilities, and the drift
    of each side from the reference, nats a completion: the gap can grow while both sides become less likely.
    """
    policy = logprobs(model, batch)
    drift = policy - references(groups, policy.device)
    said = read_preferences(groups, config, policy.device)
    compared = drift / lengths(groups, policy.device) if config.per_token else drift
    numbers = unwrap(model).numbers
    losses = said.total(comparison_losses(compared, said, config, numbers.get(TIE, None)))
    facts = describe(policy.detach(), drift.detach(), said, beta=config.beta)
    return Outcome(losses, facts, scores=config.beta * drift.detach())


def comparison_losses(drift: Tensor, said: Preferences, config: DPOConfig, tie: Tensor | None) -> Tensor:
    """(C,) drifts -> (P,) losses"""
    chosen, rejected = drift[said.chosen], drift[said.rejected]
    if config.loss == "ipo":
        return said.scale * ipo(chosen - rejected, target=said.target, beta=config.beta)
    difference = dpo_difference(chosen, rejected, beta=config.beta, margin=said.margin)
    if config.loss == "robust":
        return said.scale * robust(difference, target=said.target, rate=config.label_smoothing)
    target = smooth(said.target, rate=config.label_smoothing)
    return pair_losses(difference, said, target=target, ties=config.ties, tie=tie)


def describe(policy: Tensor, drift: Tensor, said: Preferences, *, beta: float) -> dict[str, Tensor]:
    """What is told of each group, (G,) each, of log-probabilities and drifts (C,)."""
    chosen, rejected = drift[said.chosen], drift[said.rejected]
    right = said.mean(accuracy(chosen - rejected), pairs_only=True)
    gap = said.mean(beta * (chosen - rejected))
    return {
        "accuracy": right,
        "margin": gap,
        "rewards/chosen": said.mean(beta * chosen),
        "rewards/rejected": said.mean(beta * rejected),
        "rewards/margins": gap,
        "rewards/accuracies": right,
        "logps/chosen": said.mean(policy[said.chosen]),
        "logps/rejected": said.mean(policy[said.rejected]),
        "drift/chosen": said.mean(chosen),
        "drift/rejected": said.mean(rejected),
    }
