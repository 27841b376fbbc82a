"""KTO (Ethayarajh et al. 2024): each response is good or bad by itself, against what the policy does on average.

The point of comparison z estimates KL(π‖π_ref) from prompts with a response that belongs to another prompt. It is
found once for all groups of an update, before the first pass, so that it does not depend on how the update is cut.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import torch
from torch import Tensor, nn

from training.algorithms.groups import EncodedGroup, Group
from training.algorithms.labels import Label, Pair, Unpaired
from training.algorithms.loop import Job, Outcome, Stopped, Tools
from training.algorithms.models import Policy
from training.algorithms.offline_losses import kto
from training.algorithms.options.kto import KTOConfig
from training.algorithms.packing import Batch, collate, micro_batches
from training.algorithms.plan import Data, Plan
from training.algorithms.policy_job import add_reference, logprobs, prepare_policy, references
from training.algorithms.processes import from_all, share

NEEDS = "No judgement calls a response good or bad: flag some responses, or compare some."


@dataclass
class Baseline:
    """z, and for each group its prompt with a response that is not its own."""

    mismatched: dict[str, EncodedGroup]
    value: Tensor = field(default_factory=lambda: torch.tensor(0.0))


def prepare(plan: Plan, tools: Tools) -> Job:
    baseline = Baseline({})
    compute = partial(outcome, baseline=baseline)
    job = prepare_policy(plan, tools, compute, select=select_flagged, needs=NEEDS, with_reference=True)
    strangers = Data(mismatch(job.train, plan.config.max_length), mismatch(job.test, plan.config.max_length), [])
    assert isinstance(job.model, Policy)
    add_reference(plan, tools, job.model, strangers)
    baseline.mismatched = {group.id: group for group in (*strangers.train, *strangers.test)}
    job.size = lambda group: float(len(flags(group.label)))
    job.before = lambda groups: find_baseline(job, baseline, groups)
    return job


def flags(label: Label) -> dict[int, bool]:
    """Place of each response that was called good or bad: a comparison calls one good and one bad."""
    if isinstance(label, Pair):
        return {label.chosen: True, label.rejected: False}
    return dict(enumerate(label.desirable)) if isinstance(label, Unpaired) else {}


def select_flagged(group: Group, trained_on: bool) -> Group | None:
    return group if flags(group.label) else None


def mismatch(groups: Sequence[EncodedGroup], longest: int) -> list[EncodedGroup]:
    """Each prompt with the first response to the next group's prompt, cut to fit."""
    others = [*groups[1:], *groups[:1]]
    return [
        replace(group, completions=(other.completions[0][: max(1, longest - len(group.prompt))],), reference=None)
        for group, other in zip(groups, others, strict=True)
    ]


def find_baseline(job: Job, baseline: Baseline, groups: Sequence[EncodedGroup]) -> None:
    """Set z to the mean drift over the groups' mismatched responses, not below 0."""
    model, device = job.model, job.tools.accelerator.device
    strangers = [baseline.mismatched[group.id] for group in groups]
    total, stopped = torch.zeros((), device=device), False
    with torch.no_grad():
        for chunk in micro_batches(share(strangers), form=model.form, budget=2 * job.config.micro_batch_tokens):
            if stopped := job.tools.should_stop():
                break
            drift = logprobs(model, collate(chunk, model.form).to(device)) - references(chunk, device)
            total += drift.sum()
    parts = from_all((stopped, float(total)))
    if any(stopped for stopped, _ in parts):
        raise Stopped
    total.fill_(sum(found for _, found in parts))
    baseline.value = (total / len(strangers)).clamp(min=0)


def outcome(
    model: nn.Module, batch: Batch, groups: Sequence[EncodedGroup], config: KTOConfig, *, baseline: Baseline
) -> Outcome:
    """The sum of each group's losses: its size is the number of its flagged responses."""
    policy = logprobs(model, batch)
    drift = policy - references(groups, policy.device)
    places, owners, desirable = locate(groups, policy.device)
    losses = kto(
        drift[places],
        desirable=desirable,
        beta=config.beta,
        baseline=baseline.value,
        good=config.desirable_weight,
        bad=config.undesirable_weight,
    )
    summed = torch.zeros(len(groups), device=policy.device).index_add(0, owners, losses)
    return Outcome(summed, describe(policy.detach(), drift.detach(), places, owners, desirable, config, baseline.value))


def locate(groups: Sequence[EncodedGroup], device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """The flagged responses: place in the batch, group, and whether desirable."""
    rows, first = [], 0
    for number, group in enumerate(groups):
        rows += [(first + place, number, good) for place, good in flags(group.label).items()]
        first += len(group.completions)
    table = torch.tensor(rows, device=device)
    return table[:, 0], table[:, 1], table[:, 2].bool()


def describe(
    policy: Tensor,
    drift: Tensor,
    places: Tensor,
    owners: Tensor,
    desirable: Tensor,
    config: KTOConfig,
    baseline: Tensor,
) -> dict[str, Tensor]:
    """What is told of each group, by TRL's names; NaN where it has no good, or no bad, response."""
    groups = int(owners.max()) + 1

    def mean(values: Tensor, wanted: Tensor) -> Tensor:
        total, count = torch.zeros(2, groups, device=values.device)
        return total.index_add(0, owners, values * wanted) / count.index_add(0, owners, wanted.float())

    reward, logps = config.beta * drift[places], policy[places]
    chosen, rejected = mean(reward, desirable), mean(reward, ~desirable)
    return {
        "rewards/chosen": chosen,
        "rewards/rejected": rejected,
        "rewards/margins": chosen - rejected,
        "logps/chosen": mean(logps, desirable),
        "logps/rejected": mean(logps, ~desirable),
        "drift/chosen": mean(drift[places], desirable),
        "drift/rejected": mean(drift[places], ~desirable),
        "kl": baseline.expand(groups),
    }
