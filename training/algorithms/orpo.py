"""ORPO (Hong et al. 2024): the loss of imitating the chosen, and a preference loss on the odds ratio; no reference."""

from collections.abc import Sequence

from torch import nn

from training.algorithms.groups import EncodedGroup
from training.algorithms.loop import Job, Outcome, Tools
from training.algorithms.models import unwrap
from training.algorithms.offline_losses import orpo_difference
from training.algorithms.options.orpo import ORPOConfig
from training.algorithms.packing import Batch
from training.algorithms.pairwise import TIE, prepare_pairwise, side_facts
from training.algorithms.plan import Plan
from training.algorithms.policy_job import lengths, logprobs
from training.algorithms.preferences import pair_losses, read_preferences


def prepare(plan: Plan, tools: Tools) -> Job:
    return prepare_pairwise(plan, tools, outcome, with_reference=False)


def outcome(model: nn.Module, batch: Batch, groups: Sequence[EncodedGroup], config: ORPOConfig) -> Outcome:
    """A tie has no chosen side to imitate: it counts in the odds ratio alone."""
    policy = logprobs(model, batch)
    average = policy / lengths(groups, policy.device)
    said = read_preferences(groups, config, policy.device)
    difference = orpo_difference(average[said.chosen], average[said.rejected]) - said.margin
    tie = unwrap(model).numbers.get(TIE, None)
    preferring = pair_losses(difference, said, target=said.target, ties=config.ties, tie=tie)
    imitating = -average[said.chosen] * said.is_pair
    losses = said.total(imitating + config.odds_weight * preferring)
    rewards = config.odds_weight * average.detach()
    facts = side_facts(said, rewards=rewards, policy=policy.detach())
    facts["nll"], facts["log_odds"] = said.mean(imitating.detach()), said.mean(difference.detach())
    return Outcome(losses, facts, scores=rewards)
