"""Several processes on one run, each with the whole model and a share of every step (data parallelism).

What one of them found goes to all, so that all decide the same at the same place; the main one alone writes the run's
folder. Without a launcher there is one process, and nothing here does anything.
"""

import os
from collections.abc import Sequence
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from accelerate import Accelerator, DistributedDataParallelKwargs, PartialState

T = TypeVar("T")


def join_launcher() -> None:
    """Meet the other processes of torchrun or `accelerate launch`; every process must come here first."""
    if "LOCAL_RANK" in os.environ:
        PartialState(cpu=not torch.cuda.is_available())


def leave_launcher() -> None:
    """Wait for the others, so that no process is ended while another still writes; then part."""
    if several():
        dist.barrier()
        dist.destroy_process_group()


def start_accelerator(precision: str) -> Accelerator:
    """`precision` is accelerate's name. Buffers are constants here: sharing them would need as many passes of each
    process as of the others."""
    return Accelerator(
        mixed_precision=precision,
        cpu="LOCAL_RANK" in os.environ and not torch.cuda.is_available(),
        kwargs_handlers=[DistributedDataParallelKwargs(broadcast_buffers=False)],
    )


def several() -> bool:
    return dist.is_initialized() and dist.get_world_size() > 1


def is_main() -> bool:
    return not several() or dist.get_rank() == 0


def share(items: Sequence[T]) -> list[T]:
    """This process's part of what all have: of n processes, process p has every n-th from the p-th."""
    return list(items[dist.get_rank() :: dist.get_world_size()]) if several() else list(items)


def unshare(parts: Sequence[Sequence[T]]) -> list[T]:
    """The way back, from every process's part. By hand, ((1, 3), (2,)) -> (1, 2, 3)."""
    longest = max(map(len, parts))
    return [part[place] for place in range(longest) for part in parts if place < len(part)]


def from_all(value: T) -> list[T]:
    """What every process holds, in their order. Every process must come here, as to the functions below."""
    if not several():
        return [value]
    found: list[Any] = [None] * dist.get_world_size()
    dist.all_gather_object(found, value)
    return found


def from_main(value: T | None) -> T:
    """What the main process holds; the others' value is not read."""
    held: list[Any] = [value]
    if several():
        dist.broadcast_object_list(held, src=0)
    return held[0]
