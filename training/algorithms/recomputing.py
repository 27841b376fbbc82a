"""Gradient checkpointing: of a training pass, keep what goes into each block, and compute the block again for its
gradient. Off unless the settings ask for it (Chen et al. 2016)."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from torch import nn
from torch.utils.checkpoint import checkpoint
from transformers.modeling_layers import GradientCheckpointingLayer

SWITCHES = {  # as transformers' own blocks read them
    "gradient_checkpointing": True,
    "_gradient_checkpointing_func": partial(checkpoint, use_reentrant=False),
}


def prepare_recomputing(model: nn.Module) -> None:
    """Let every block of the networks in `model` be computed again. Raises ValueError where there is none."""
    blocks = [module for module in model.modules() if isinstance(module, GradientCheckpointingLayer)]
    if not blocks:
        raise ValueError("This model has no blocks that could be computed again: switch Recompute off.")
    for block in blocks:
        for name, value in SWITCHES.items():
            setattr(block, name, value)


@contextmanager
def training_pass(model: nn.Module) -> Iterator[None]:
    """Blocks are computed again in training mode alone: sampling and evaluation keep their cache. Dropout is off in
    both."""
    model.train()
    try:
        yield
    finally:
        model.eval()
