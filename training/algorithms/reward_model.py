"""Reward models: Bradley–Terry on the rewards of a group's completions (Stiennon et al. 2020; Ouyang et al. 2022), with
models of ties, Plackett–Luce for rankings, regression on ratings, and an ensemble of heads."""

import hashlib
from collections.abc import Sequence
from functools import partial
from math import exp, factorial
from typing import Any

import torch
from torch import Tensor, nn

from training.algorithms.groups import EncodedGroup, Group
from training.algorithms.labels import Ranking, Rating
from training.algorithms.loop import Job, Outcome, Tools
from training.algorithms.losses import centring_penalty
from training.algorithms.models import RewardModel, add_lora, context_length, load_reward_model, unwrap
from training.algorithms.options.reward_model import RewardModelConfig
from training.algorithms.packing import Batch
from training.algorithms.plan import Plan, load_data
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
from training.algorithms.rankings import plackett_luce

TIE, LENGTH = "tie", "length"  # the numbers that may be learnt beside the weights


def prepare(plan: Plan, tools: Tools) -> Job:
    """Load backbone and data. Adapters go into decoders only: an encoder is small and is trained whole."""
    config: RewardModelConfig = plan.config
    model = load_reward_model(plan.model, seed=config.seed, heads=config.heads)
    select = partial(select_rewarded, config=config)
    context = context_length(model.model, model.tokenizer)
    data = load_data(plan, model.tokenizer, context=context, select=select, needs=NEEDS)
    if config.lora and not model.encoder:
        add_lora(model, rank=config.lora_rank, alpha=config.lora_alpha, seed=config.seed, layers=config.lora_layers)
    add_numbers(model, data.train, config)
    draws, scale, unit = draw_weights(data.train, config), rating_scale(data.train), length_unit(data.train)
    model.to(tools.accelerator.device)
    return Job(
        run=plan.run,
        model=model,
        compute=partial(outcome, draws=draws, scale=scale, unit=unit),
        train=data.train,
        test=data.test,
        config=config,
        tools=tools,
        report=data.report,
        sharded=config.sharded,
        keep_best=config.keep_best,
        summarise=partial(summarise_preferences, rating_span=config.rating_span),
        notes=partial(notes, scale=scale, unit=unit),
    )


def select_rewarded(group: Group, trained_on: bool, *, config: RewardModelConfig) -> Group | None:
    """Groups that compare completions, and ratings, even of one completion, where they are numbers to predict."""
    if isinstance(group.label, Rating) and config.ratings == "regress":
        return group
    return select_compared(group, trained_on, config=config)


def outcome(
    model: nn.Module,
    batch: Batch,
    groups: Sequence[EncodedGroup],
    config: RewardModelConfig,
    *,
    draws: dict[str, tuple[float, ...]] | None = None,
    scale: tuple[float, float] = (0.0, 1.0),
    unit: float = 1.0,
) -> Outcome:
    """Loss, facts and scores of each group; each head of an ensemble has its own loss.

    draws  # group id -> how often each head drew the group; None or an unknown id: once each
    scale  # mean and standard deviation of the ratings
    unit   # tokens in which length is measured
    """
    rewards, numbers = model(batch), unwrap(model).numbers
    said = read_preferences(groups, config, rewards.device)
    fitted = rewards + numbers[LENGTH] * length_of(groups, rewards.device) / unit if LENGTH in numbers else rewards
    tie = numbers.get(TIE, None)
    losses = torch.stack([head_losses(head, groups, said, config, tie, scale) for head in fitted.unbind(1)], 1)
    once = (1.0,) * rewards.shape[1]
    times = [(draws or {}).get(group.id, once) for group in groups]
    losses = (losses * torch.tensor(times, device=losses.device)).mean(1)
    scores = rewards.detach().mean(1)
    facts = describe(scores, said)
    if rewards.shape[1] > 1:
        facts["spread"] = mean_by_group(rewards.detach().std(1), groups)
    return Outcome(losses, facts, scores)


def head_losses(
    rewards: Tensor,  # (C,)
    groups: Sequence[EncodedGroup],
    said: Preferences,
    config: RewardModelConfig,
    tie: Tensor | None,
    scale: tuple[float, float],
) -> Tensor:
    """-> (G,): pairs, but rankings and ratings as wholes where the settings say so."""
    chosen, rejected = rewards[said.chosen], rewards[said.rejected]
    pairs = pair_losses(chosen - rejected - said.margin, said, target=said.target, ties=config.ties, tie=tie)
    losses = list(said.total(pairs + config.centring * centring_penalty(chosen, rejected)).unbind())
    for place, (group, own) in enumerate(zip(groups, rewards.split(sizes(groups)), strict=True)):
        if isinstance(group.label, Ranking) and config.rankings == "plackett_luce":
            centring = config.centring * centring_penalty(own.mean(), own.mean())
            losses[place] = plackett_luce(own, group.label.tiers, ties=config.ties) + centring
        if isinstance(group.label, Rating) and config.ratings == "regress":
            losses[place] = rating_loss(own, group.label.scores, scale)
    return torch.stack(losses)


def rating_loss(rewards: Tensor, scores: Sequence[float | None], scale: tuple[float, float]) -> Tensor:
    """Mean squared error to the known ratings, in standard deviations from their mean.

    By hand, rewards (1, 0), scores (5, 2), scale (2, 3): ((1 − 1)² + (0 − 0)²)/2 = 0; scores (5, unknown): 0.
    """
    known = [place for place, score in enumerate(scores) if score is not None]
    wanted = [(score - scale[0]) / scale[1] for score in scores if score is not None]
    return ((rewards[known] - torch.tensor(wanted, device=rewards.device)) ** 2).mean()


def describe(scores: Tensor, said: Preferences) -> dict[str, Tensor]:
    """What is told of each group: TRL's names; the margin of a tie is its size."""
    chosen, rejected = scores[said.chosen], scores[said.rejected]
    lead = chosen - rejected
    return {
        "accuracy": said.mean(accuracy(lead), pairs_only=True),
        "margin": said.mean(lead.where(said.is_pair, lead.abs())),
        "mean_reward": said.mean((chosen + rejected) / 2),
        "rewards/chosen": said.mean(chosen),
        "rewards/rejected": said.mean(rejected),
    }


def add_numbers(model: RewardModel, groups: Sequence[EncodedGroup], config: RewardModelConfig) -> None:
    """The tie parameter, from the share of ties in the data; the price of length, from nothing."""
    start = start_tie_number(groups, config)
    if start is not None:
        model.numbers[TIE] = nn.Parameter(torch.tensor([start]))
    if config.length_control:
        model.numbers[LENGTH] = nn.Parameter(torch.tensor([0.0]))


def length_of(groups: Sequence[EncodedGroup], device: torch.device) -> Tensor:
    """Tokens of each completion, (C, 1)."""
    lengths = [len(completion) for group in groups for completion in group.completions]
    return torch.tensor(lengths, device=device)[:, None]


def length_unit(groups: Sequence[EncodedGroup]) -> float:
    """Standard deviation of the completions' lengths, in tokens; 1 where they do not vary."""
    return float(length_of(groups, torch.device("cpu")).float().std(correction=0)) or 1.0


def sizes(groups: Sequence[EncodedGroup]) -> list[int]:
    return [len(group.completions) for group in groups]


def mean_by_group(values: Tensor, groups: Sequence[EncodedGroup]) -> Tensor:
    """(C,) -> (G,)"""
    return torch.stack([part.mean() for part in values.split(sizes(groups))])


def draw_weights(groups: Sequence[EncodedGroup], config: RewardModelConfig) -> dict[str, tuple[float, ...]] | None:
    """How often each head of an ensemble draws each group: Poisson(1), the bootstrap of a stream (Oza and Russell
    2001). A function of the seed and the group's id alone."""
    if config.heads == 1:
        return None
    return {group.id: tuple(draw(config.seed, head, group.id) for head in range(config.heads)) for group in groups}


def draw(seed: int, head: int, name: str) -> float:
    digest = hashlib.sha256(f"{seed}\n{head}\n{name}".encode()).digest()
    chance, count = int.from_bytes(digest[:8], "big") / 2**64, 0
    while chance > sum(exp(-1) / factorial(k) for k in range(count + 1)) and count < 16:
        count += 1
    return float(count)


def rating_scale(groups: Sequence[EncodedGroup]) -> tuple[float, float]:
    """Mean and standard deviation of all ratings; (0, 1) where there are none, deviation 1 where they do not vary."""
    labels = [group.label for group in groups if isinstance(group.label, Rating)]
    scores = torch.tensor([score for label in labels for score in label.scores if score is not None])
    if not len(scores):
        return 0.0, 1.0
    return float(scores.mean()), float(scores.std(correction=0)) or 1.0


def notes(job: Job, *, scale: tuple[float, float], unit: float) -> dict[str, Any]:
    """What a user of the model must know: how to turn its rewards into chances and ratings, what was learnt."""
    numbers = job.model.numbers
    found: dict[str, Any] = {"temperature": job.final.get("temperature", 1.0), "rating_scale": scale}
    if TIE in numbers:
        found["tie"] = tie_note(job.config.ties, numbers[TIE])
    if LENGTH in numbers:
        found["reward_of_a_token_left_out"] = float(numbers[LENGTH]) / unit
    return found
