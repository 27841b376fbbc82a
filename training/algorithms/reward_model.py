"""Reward model: Bradley–Terry on the scalar rewards of a group's completions (Stiennon et al. 2020; Ouyang et al. 2022)."""

from collections.abc import Sequence

from training.algorithms.configs import RewardModelConfig
from training.algorithms.groups import EncodedGroup
from training.algorithms.loop import Outcome
from training.algorithms.losses import bradley_terry
from training.algorithms.models import RewardModel
from training.algorithms.packing import Batch
from training.algorithms.preferences import accuracy, read_preferences


def outcome(model: RewardModel, batch: Batch, groups: Sequence[EncodedGroup], config: RewardModelConfig) -> Outcome:
    """Loss and facts of each group."""
    rewards = model(batch)
    said = read_preferences(groups, config, rewards.device)
    chosen, rejected = rewards[said.chosen], rewards[said.rejected]
    losses = bradley_terry(chosen, rejected, target=said.target, margin=said.margin, centring=config.centring)
    chosen, rejected = chosen.detach(), rejected.detach()
    facts = {
        "accuracy": accuracy(chosen - rejected, said.is_pair),
        "margin": (chosen - rejected).where(said.is_pair, (chosen - rejected).abs()),
        "mean_reward": (chosen + rejected) / 2,
        "rewards/chosen": chosen,
        "rewards/rejected": rejected,
    }
    return Outcome(losses, facts)
