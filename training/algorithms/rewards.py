"""What a response scores: reward models mixed by weight, a function of its text, or both."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from training.algorithms.groups import Group, encode_groups
from training.algorithms.models import RewardModel, context_length, load_reward_model, score
from training.algorithms.options.online import NO_FUNCTION, RolloutConfig
from training.algorithms.programmatic import FUNCTIONS


@dataclass(kw_only=True)
class Judge:
    """Scores groups of responses. Every source is told apart in `parts`."""

    models: list[tuple[str, RewardModel, float]] = field(default_factory=list)  # name, model, weight
    config: RolloutConfig

    def score(self, groups: Sequence[Group]) -> tuple[Tensor, dict[str, Tensor]]:
        """Scores of every completion of every group, in order: (C,), and those of each source, (C,) each.

        Models count by their share of the models' weights, a function by its own weight.
        """
        parts = {name: self.score_by(model, groups) for name, model, _ in self.models}
        whole = sum(weight for _, _, weight in self.models)
        count = sum(len(group.completions) for group in groups)
        total = sum((weight / whole * parts[name] for name, _, weight in self.models), torch.zeros(count))
        if self.config.function != NO_FUNCTION:
            function = FUNCTIONS[self.config.function]
            values = torch.tensor([function(text) for group in groups for text in group.completions])
            parts[self.config.function] = values
            total = total + self.config.function_weight * values
        return total, parts

    def score_by(self, model: RewardModel, groups: Sequence[Group]) -> Tensor:
        longest = min(self.config.max_length, context_length(model.model, model.tokenizer))
        encoded, _ = encode_groups(groups, model.tokenizer, max_length=longest)
        rewards = score(model, encoded, budget=2 * self.config.micro_batch_tokens, pessimism=self.config.pessimism)
        return torch.tensor([reward for group in rewards for reward in group])


def load_judge(sources: Sequence[tuple[Path, float]], config: RolloutConfig, device: torch.device) -> Judge:
    """Load the reward models, frozen. Raises ValueError when nothing would score a response."""
    if not sources and config.function == NO_FUNCTION:
        raise ValueError("Nothing scores the responses: choose a reward model, or a programmatic reward.")
    if sources and sum(weight for _, weight in sources) <= 0:
        raise ValueError("The weights of the reward models add up to 0: give one of them a weight above 0.")
    models = []
    for number, (folder, weight) in enumerate(sources, start=1):
        model = load_reward_model(folder).requires_grad_(False).to(device)
        models.append((f"model {number}", model, weight))
    return Judge(models=models, config=config)


def load_heldout(folder: Path | None, config: RolloutConfig, device: torch.device) -> Judge | None:
    """The judge from which nothing is learnt: the held-out reward model alone, as it is."""
    if folder is None:
        return None
    plain = replace(config, function=NO_FUNCTION, pessimism=0.0)
    model = load_reward_model(folder).requires_grad_(False).to(device)
    return Judge(models=[("held out", model, 1.0)], config=plain)


def normalise(scores: Tensor, moments: dict[str, Any]) -> Tensor:
    """Scores less the mean and over the deviation of all scores so far, these included; `moments` is brought up to
    date.

    Welford's sums, so that a checkpoint holds three numbers. By hand, first batch (1, 3): (−1, 1).

    scores   # (C,)
    moments  # {"count", "mean", "squares"}, empty at first
    """
    count, mean, squares = moments.get("count", 0), moments.get("mean", 0.0), moments.get("squares", 0.0)
    new, more = len(scores), count + len(scores)
    shift = float(scores.mean()) - mean
    squares += float(((scores - scores.mean()) ** 2).sum()) + shift**2 * count * new / more
    moments.update(count=more, mean=mean + shift * new / more, squares=squares)
    deviation = (squares / more) ** 0.5
    return (scores - moments["mean"]) / (deviation or 1.0)
