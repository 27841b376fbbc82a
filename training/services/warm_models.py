"""Models kept loaded in an inference worker: the latest two policies and the latest two reward models."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, NamedTuple

from training.models import ModelVersion
from training.services.artifacts import ensure_files

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from training.algorithms.models import RewardModel

KEPT = 2


class WarmModel(NamedTuple):
    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase


_loaded: OrderedDict[int, WarmModel] = OrderedDict()
_rewards: OrderedDict[int, RewardModel] = OrderedDict()


def load_warm(version: ModelVersion) -> WarmModel:
    """The policy, ready on the worker's device; loaded at most once while it is in use."""
    if version.pk not in _loaded:
        folder = ensure_files(version)
        while len(_loaded) >= KEPT:
            _loaded.popitem(last=False)
        _loaded[version.pk] = _load(str(folder))
    _loaded.move_to_end(version.pk)
    return _loaded[version.pk]


def _load(folder: str) -> WarmModel:
    import torch  # only the inference worker comes here

    from training.algorithms.models import load_policy

    policy = load_policy(folder)
    weights: torch.nn.Module = policy.model
    weights.to("cuda" if torch.cuda.is_available() else "cpu")
    return WarmModel(policy.model, policy.tokenizer)


def load_warm_reward(version: ModelVersion) -> RewardModel:
    """The reward model, frozen and ready on the worker's device; loaded at most once while it is in use."""
    if version.pk not in _rewards:
        folder = ensure_files(version)
        while len(_rewards) >= KEPT:
            _rewards.popitem(last=False)
        _rewards[version.pk] = _load_reward(str(folder))
    _rewards.move_to_end(version.pk)
    return _rewards[version.pk]


def _load_reward(folder: str) -> RewardModel:
    import torch

    from training.algorithms.models import load_reward_model

    reward = load_reward_model(folder).requires_grad_(False)
    return reward.to("cuda" if torch.cuda.is_available() else "cpu")
