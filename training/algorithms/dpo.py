"""Direct preference optimisation (Rafailov et al. 2023), with the reference's log-probabilities computed once."""

from collections.abc import Sequence

import torch

from training.algorithms.configs import DPOConfig
from training.algorithms.groups import EncodedGroup
from training.algorithms.logprobs import sum_by_owner
from training.algorithms.loop import Outcome
from training.algorithms.losses import dpo
from training.algorithms.models import Policy
from training.algorithms.packing import Batch
from training.algorithms.preferences import accuracy, read_preferences


def outcome(model: Policy, batch: Batch, groups: Sequence[EncodedGroup], config: DPOConfig) -> Outcome:
    """Loss and facts of each group; the groups carry their reference log-probabilities.

    Facts: the implicit rewards β·drift of both sides and their gap (TRL's names), the log-probabilities, and the drift of
    each side from the reference, nats a completion: the gap can grow while both sides become less likely.
    """
    values = model(batch)
    policy = sum_by_owner(values, batch.owners, sum(batch.counts))
    reference = torch.tensor([value for group in groups for value in group.reference], device=policy.device)
    drift = policy - reference
    said = read_preferences(groups, config, policy.device)
    chosen, rejected = drift[said.chosen], drift[said.rejected]
    losses = dpo(chosen, rejected, beta=config.beta, target=said.target, margin=said.margin)
    logps, chosen, rejected = policy.detach(), chosen.detach(), rejected.detach()
    right = accuracy(chosen - rejected, said.is_pair)
    facts = {
        "accuracy": right,
        "margin": config.beta * (chosen - rejected),
        "rewards/chosen": config.beta * chosen,
        "rewards/rejected": config.beta * rejected,
        "rewards/margins": config.beta * (chosen - rejected),
        "rewards/accuracies": right,
        "logps/chosen": logps[said.chosen],
        "logps/rejected": logps[said.rejected],
        "drift/chosen": chosen,
        "drift/rejected": rejected,
    }
    return Outcome(losses, facts)
