"""What a setting is: a dataclass field that carries what a form needs. Standard library only."""

from dataclasses import field
from typing import Any

Value = str | int | float | bool
Choices = tuple[tuple[str, str], ...]

BASIC, LOSS, REWARD, MODEL = "basic", "loss", "reward", "model"
OPTIMISER, DATA, SAMPLER, PROGRESS = "optimiser", "data", "sampler", "progress"
GROUPS = {
    BASIC: "Basics",
    LOSS: "What is learnt",
    REWARD: "Reward",
    MODEL: "Model",
    OPTIMISER: "Optimiser",
    DATA: "Data and memory",
    SAMPLER: "Where responses are drawn",
    PROGRESS: "Progress and checkpoints",
}


def number(
    default: float, label: str, help: str, group: str, *, min: float, max: float, step: float | None = None
) -> Any:
    """A number within limits: an integer where the field's type says so."""
    return setting(default, label, help, group, min=min, max=max, step=step)


def choice(default: str, label: str, help: str, group: str, choices: Choices) -> Any:
    """One of (value, label) pairs."""
    return setting(default, label, help, group, choices=choices)


def switch(default: bool, label: str, help: str, group: str) -> Any:
    return setting(default, label, help, group)


def setting(
    default: Value,
    label: str,
    help: str,
    group: str,
    *,
    min: float | None = None,
    max: float | None = None,
    step: float | None = None,
    choices: Choices | None = None,
) -> Any:
    """A dataclass field that carries what a form needs."""
    metadata = {"label": label, "help": help, "group": group, "min": min, "max": max, "step": step, "choices": choices}
    return field(default=default, metadata=metadata)


def again(base: Any, name: str, default: Value) -> Any:
    """The setting `name` of a shared config, with another default."""
    return field(default=default, metadata=base.__dataclass_fields__[name].metadata)
