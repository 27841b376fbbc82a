"""A model whose weights, gradients and optimiser are spread over the processes of a run: FSDP, by torch's fully_shard.

Each process keeps its share of every parameter and gathers a block's weights when the block is computed. So all must
compute the same passes; where that cannot be, `whole` lends every process all weights for a while.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import FSDPModule, fully_shard
from torch.distributed.tensor import DTensor, distribute_tensor
from transformers.modeling_layers import GradientCheckpointingLayer


def shard(model: nn.Module) -> None:
    """Spread the model over all processes, block by block; the optimiser is made afterwards. Raises ValueError."""
    devices = init_device_mesh("cuda" if torch.cuda.is_available() else "cpu", (dist.get_world_size(),))
    blocks = [module for module in model.modules() if isinstance(module, GradientCheckpointingLayer)]
    if not blocks:
        raise ValueError("This model has no blocks to spread over several processes: switch Sharded off.")
    for block in blocks:
        fully_shard(block, mesh=devices)
    fully_shard(model, mesh=devices)


@contextmanager
def whole(model: nn.Module) -> Iterator[None]:
    """Within, every process holds all weights and computes without the others. All processes come here."""
    parts = [module for module in model.modules() if isinstance(module, FSDPModule)]
    for part in parts:
        part.set_reshard_after_forward(False, recurse=False)
        part.unshard()
    try:
        yield
    finally:
        for part in parts:
            part.reshard()
            part.set_reshard_after_forward(part is not model, recurse=False)


def make_whole(model: nn.Module) -> None:
    """Give every process all weights for good, shared ones still shared. No pass can be computed afterwards."""
    known: dict[int, nn.Parameter] = {}
    for module in model.modules():
        for name, value in list(module.named_parameters(recurse=False)):
            if isinstance(value, DTensor):
                if id(value) not in known:
                    known[id(value)] = nn.Parameter(value.full_tensor(), value.requires_grad)
                setattr(module, name, known[id(value)])


def gathered(value: Any) -> Any:
    """The same nested value with whole tensors; all processes come here."""
    if isinstance(value, DTensor):
        return value.full_tensor()
    if isinstance(value, dict):
        return {name: gathered(item) for name, item in value.items()}
    return [gathered(item) for item in value] if isinstance(value, list) else value


def spread_like(value: Tensor, like: Tensor) -> Tensor:
    """This process's share of a whole tensor, where `like` is spread and of its shape; else the tensor itself."""
    if not isinstance(like, DTensor) or value.shape != like.shape:
        return value
    return distribute_tensor(value.to(like.device), like.device_mesh, like.placements, src_data_rank=None)


def spread_state(state: dict[str, Any], optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    """An optimiser's whole state as this process holds it."""
    parameters = [one for group in optimizer.param_groups for one in group["params"]]
    spread = {
        place: {
            name: spread_like(item, parameters[place]) if isinstance(item, Tensor) else item
            for name, item in own.items()
        }
        for place, own in state["state"].items()
    }
    return {**state, "state": spread}
