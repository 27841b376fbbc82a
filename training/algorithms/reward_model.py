"""Reward model: Bradley–Terry on the rewards of a group's completions (Stiennon et al. 2020; Ouyang et al. 2022)."""

from collections.abc import Sequence

from training.algorithms.groups import EncodedGroup
from training.algorithms.loop import Job, Outcome, Tools
from training.algorithms.losses import bradley_terry
from training.algorithms.models import RewardModel, add_lora, context_length, load_reward_model
from training.algorithms.options.reward_model import RewardModelConfig
from training.algorithms.packing import Batch
from training.algorithms.plan import Plan, load_data
from training.algorithms.preferences import accuracy, read_preferences


def prepare(plan: Plan, tools: Tools) -> Job:
    """Load backbone and data. Adapters go into decoders only: an encoder is small and is trained whole."""
    model, config = load_reward_model(plan.model, seed=plan.config.seed), plan.config
    data = load_data(plan, model.tokenizer, context=context_length(model.model, model.tokenizer))
    if config.lora and not model.encoder:
        add_lora(model, rank=config.lora_rank, alpha=config.lora_alpha, seed=config.seed)
    model.to(tools.accelerator.device)
    return Job(
        run=plan.run,
        model=model,
        compute=outcome,
        train=data.train,
        test=data.test,
        config=config,
        tools=tools,
        report=data.report,
    )


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
