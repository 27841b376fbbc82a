"""Checkpoints that are whole or absent: written aside, synced, renamed. The last few are kept."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import nn

from training.algorithms.processes import is_main
from training.algorithms.sharding import gathered, spread_like, spread_state


def checkpoint_folder(run: Path, step: int) -> Path:
    return run / "checkpoints" / f"step-{step:06d}"


def list_checkpoints(run: Path) -> list[Path]:
    """Whole checkpoints, oldest first."""
    return sorted((run / "checkpoints").glob("step-" + "[0-9]" * 6 + "*"), key=lambda folder: int(folder.name[5:]))


def save_checkpoint(
    run: Path, *, step: int, model: nn.Module, optimizer: torch.optim.Optimizer, state: dict[str, Any], keep: int
) -> Path:
    """Store the weights that change, the optimiser, the random states and `state` (JSON), and delete all but the last
    `keep`. All processes come here; the main one writes.

    The schedule and the data order are functions of the step and need no storage.
    """
    folder = checkpoint_folder(run, step)
    weights, moments = gathered(changing(model)), gathered(optimizer.state_dict())
    if folder.exists() or not is_main():
        return folder
    aside = folder.with_name(f".{folder.name}.{os.getpid()}")
    aside.mkdir(parents=True)
    write_weights(weights, aside / "weights.safetensors")
    torch.save(moments, aside / "optimizer.pt")
    torch.save(random_states(), aside / "random.pt")
    (aside / "state.json").write_text(json.dumps({**state, "step": step}))
    publish(aside, folder)
    for old in list_checkpoints(run)[:-keep]:
        shutil.rmtree(old)
    return folder


def load_checkpoint(folder: Path, *, model: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    """Put everything back in place; returns the stored state with its step."""
    load_weights(model, folder / "weights.safetensors")
    device = next(model.parameters()).device
    stored = torch.load(folder / "optimizer.pt", map_location=device, weights_only=True)
    optimizer.load_state_dict(spread_state(stored, optimizer))
    states = torch.load(folder / "random.pt", weights_only=True)
    torch.set_rng_state(states["cpu"])
    if states["cuda"] and torch.cuda.is_available():
        torch.cuda.set_rng_state_all(states["cuda"])
    return json.loads((folder / "state.json").read_text())


def save_weights(model: nn.Module, path: Path) -> None:
    """Write the weights that change to a file that is whole or absent. All processes come here; the main one writes."""
    weights = gathered(changing(model))
    if is_main():
        write_weights(weights, path)


def write_weights(weights: dict[str, torch.Tensor], path: Path) -> None:
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    save_file({name: value.detach().contiguous().cpu() for name, value in weights.items()}, aside)
    aside.replace(path)


def load_weights(model: nn.Module, path: Path) -> None:
    weights, own = load_file(path), changing(model)
    if own.keys() != weights.keys():
        raise ValueError(f"{path} belongs to another model: start the run in a new folder.")
    with torch.no_grad():
        for name, value in own.items():
            value.copy_(spread_like(weights[name], value))


def changing(model: nn.Module) -> dict[str, torch.Tensor]:
    """What training changes: the parameters that learn, and buffers that follow them."""
    learning = {name: one for name, one in model.named_parameters() if one.requires_grad}
    stored = model.state_dict()
    return {**learning, **{name: stored[name] for name, _ in model.named_buffers() if name in stored}}


def random_states() -> dict[str, Any]:
    return {"cpu": torch.get_rng_state(), "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []}


def publish(aside: Path, target: Path) -> None:
    """Sync a finished folder to disk and rename it into place, replacing an older one."""
    for path in (*aside.rglob("*"), aside):
        handle = os.open(path, os.O_RDONLY)
        os.fsync(handle)
        os.close(handle)
    if target.exists():
        shutil.rmtree(target)
    aside.rename(target)


def sweep(run: Path) -> None:
    """Delete what a killed process left half written. Call only under the run's lock."""
    for folder in (run, run / "checkpoints"):
        for leftover in folder.glob(".*.[0-9]*"):
            if leftover.is_dir():
                shutil.rmtree(leftover, ignore_errors=True)
            else:
                leftover.unlink()
