"""Policies kept loaded in an inference worker, the latest two."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, NamedTuple

from training.models import ModelVersion
from training.services.artifacts import ensure_files

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

KEPT = 2


class WarmModel(NamedTuple):
    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase


_loaded: OrderedDict[int, WarmModel] = OrderedDict()


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
