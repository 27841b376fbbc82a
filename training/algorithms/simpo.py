"""SimPO (Meng et al. 2024): the mean log-probability of a token is the reward; no reference."""

from collections.abc import Sequence

from torch import nn

from training.algorithms.groups import EncodedGroup
from training.algorithms.loop import Job, Outcome, Tools
from training.algorithms.losses import smooth
from training.algorithms.models import unwrap
from training.algorithms.offline_losses import simpo_difference
from training.algorithms.options.simpo import SimPOConfig
from training.algorithms.packing import Batch
from training.algorithms.pairwise import TIE, prepare_pairwise, side_facts
from training.algorithms.plan import Plan
from training.algorithms.policy_job import lengths, logprobs
from training.algorithms.preferences import pair_losses, read_preferences


def prepare(plan: Plan, tools: Tools) -> Job:
    return prepare_pairwise(plan, tools, outcome, with_reference=False)


def outcome(model: nn.Module, batch: Batch, groups: Sequence[EncodedGroup], config: SimPOConfig) -> Outcome:
    policy = logprobs(model, batch)
    average = policy / lengths(groups, policy.device)
    said = read_preferences(groups, config, policy.device)
    gap = config.gap * said.is_pair + said.margin
    difference = simpo_difference(average[said.chosen], average[said.rejected], beta=config.beta, gap=gap)
    target, tie = smooth(said.target, rate=config.label_smoothing), unwrap(model).numbers.get(TIE, None)
    losses = said.total(pair_losses(difference, said, target=target, ties=config.ties, tie=tie))
    rewards = config.beta * average.detach()
    return Outcome(losses, side_facts(said, rewards=rewards, policy=policy.detach()), scores=rewards)
