"""Direct preference optimisation (Rafailov et al. 2023), with the reference's log-probabilities computed once: also
cDPO, IPO, robust DPO, ties by Rao–Kupper and Davidson, strength and weights."""

from collections.abc import Sequence

from torch import Tensor, nn

from training.algorithms.groups import EncodedGroup
from training.algorithms.loop import Job, Outcome, Tools
from training.algorithms.losses import dpo_difference, smooth
from training.algorithms.models import unwrap
from training.algorithms.offline_losses import ipo, robust
from training.algorithms.options.dpo import DPOConfig
from training.algorithms.packing import Batch
from training.algorithms.pairwise import TIE, prepare_pairwise, side_facts
from training.algorithms.plan import Plan
from training.algorithms.policy_job import lengths, logprobs, references
from training.algorithms.preferences import Preferences, pair_losses, read_preferences


def prepare(plan: Plan, tools: Tools) -> Job:
    return prepare_pairwise(plan, tools, outcome, with_reference=True)


def outcome(model: nn.Module, batch: Batch, groups: Sequence[EncodedGroup], config: DPOConfig) -> Outcome:
    """Loss, facts and implicit rewards of each group; the groups carry their reference log-probabilities.

    Facts: the implicit rewards β·drift of both sides and their gap (TRL's names), the log-probabilities, and the drift
    of each side from the reference, nats a completion: the gap can grow while both sides become less likely.
    """
    policy = logprobs(model, batch)
    drift = policy - references(groups, policy.device)
    said = read_preferences(groups, config, policy.device)
    compared = drift / lengths(groups, policy.device) if config.per_token else drift
    losses = said.total(comparison_losses(compared, said, config, unwrap(model).numbers.get(TIE, None)))
    rewards, drift = config.beta * drift.detach(), drift.detach()
    facts = side_facts(said, rewards=rewards, policy=policy.detach())
    facts["drift/chosen"], facts["drift/rejected"] = said.mean(drift[said.chosen]), said.mean(drift[said.rejected])
    return Outcome(losses, facts, scores=rewards)


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
