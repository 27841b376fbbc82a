"""The settings of each algorithm: one frozen dataclass an algorithm; the defaults live here and nowhere else.

Standard library only: the web process imports this module to build the launch form, and never loads torch.
"""

from collections.abc import Mapping
from dataclasses import Field, asdict, dataclass, fields
from math import isfinite
from typing import Any, get_type_hints

from training.algorithms import settings
from training.algorithms.settings import BASIC, LOSS, PROGRESS, Value

Config = Any  # one of the dataclasses in ALGORITHMS


class ConfigError(ValueError):
    """Settings that cannot be used; `errors` maps each field to a sentence that names the value and what to do."""

    def __init__(self, errors: dict[str, str]) -> None:
        self.errors = errors
        super().__init__(" ".join(errors.values()))


@dataclass(frozen=True, kw_only=True)
class RewardModelConfig:
    """A scalar reward trained on preferences (Bradley–Terry)."""

    epochs: int = settings.epochs(1)
    learning_rate: float = settings.number(
        1e-4,
        "Learning rate",
        "Peak: 1e-4 for LoRA and small encoders, 1e-5 for whole models.",
        BASIC,
        min=1e-9,
        max=1.0,
    )
    batch_size: int = settings.batch_size(8)
    strength: str = settings.strength("soft")
    margin: float = settings.margin(1.0)
    soft_top: float = settings.soft_top(0.95)
    ties: str = settings.ties("half")
    centring: float = settings.number(
        0.01, "Centring", "Penalty that keeps rewards around zero; 0 is off.", LOSS, min=0.0, max=1.0, step=0.001
    )
    lora: bool = settings.lora(True)
    lora_rank: int = settings.lora_rank(16)
    lora_alpha: int = settings.lora_alpha(32)
    precision: str = settings.precision("auto")
    schedule: str = settings.schedule("cosine")
    warmup_ratio: float = settings.warmup_ratio(0.05)
    weight_decay: float = settings.weight_decay(0.01)
    max_grad_norm: float = settings.max_grad_norm(1.0)
    max_steps: int = settings.max_steps(0)
    seed: int = settings.seed(0)
    max_length: int = settings.max_length(512)
    micro_batch_tokens: int = settings.micro_batch_tokens(1024)
    eval_every: int = settings.eval_every(50)
    checkpoint_every: int = settings.checkpoint_every(25)
    keep_checkpoints: int = settings.keep_checkpoints(2)


@dataclass(frozen=True, kw_only=True)
class DPOConfig:
    """A policy trained directly on preferences, held near its reference (Rafailov et al. 2023)."""

    epochs: int = settings.epochs(1)
    learning_rate: float = settings.number(
        5e-5, "Learning rate", "Peak: 5e-5 for LoRA, 1e-6 for whole models.", BASIC, min=1e-9, max=1.0
    )
    batch_size: int = settings.batch_size(8)
    beta: float = settings.number(
        0.1, "Beta", "Hold on the reference: higher stays nearer to it.", LOSS, min=0.001, max=10.0, step=0.01
    )
    strength: str = settings.strength("ignore")
    margin: float = settings.margin(1.0)
    soft_top: float = settings.soft_top(0.95)
    label_smoothing: float = settings.number(
        0.0, "Label smoothing", "Share of judgements taken to be wrong (cDPO).", LOSS, min=0.0, max=0.49, step=0.01
    )
    ties: str = settings.ties("drop")
    lora: bool = settings.lora(True)
    lora_rank: int = settings.lora_rank(16)
    lora_alpha: int = settings.lora_alpha(32)
    precision: str = settings.precision("auto")
    schedule: str = settings.schedule("cosine")
    warmup_ratio: float = settings.warmup_ratio(0.1)
    weight_decay: float = settings.weight_decay(0.0)
    max_grad_norm: float = settings.max_grad_norm(1.0)
    max_steps: int = settings.max_steps(0)
    seed: int = settings.seed(0)
    max_length: int = settings.max_length(512)
    micro_batch_tokens: int = settings.micro_batch_tokens(1024)
    eval_every: int = settings.eval_every(50)
    samples: int = settings.number(
        2, "Sample prompts", "Held-out prompts answered at every evaluation; 0 is off.", PROGRESS, min=0, max=32
    )
    sample_tokens: int = settings.number(64, "Sample length", "Most tokens of each.", PROGRESS, min=1, max=4096)
    checkpoint_every: int = settings.checkpoint_every(25)
    keep_checkpoints: int = settings.keep_checkpoints(2)


ALGORITHMS: dict[str, type] = {"reward_model": RewardModelConfig, "dpo": DPOConfig}


def parse_config(algorithm: str, mapping: Mapping[str, Any]) -> Config:
    """Build the algorithm's config from JSON or form values (strings are read as the field's type).

    Raises ConfigError with every bad field at once: an unknown name, a wrong type, a value out of range.
    """
    if algorithm not in ALGORITHMS:
        raise ConfigError({"algorithm": f"There is no algorithm {algorithm!r}: choose one of {', '.join(ALGORITHMS)}."})
    config_class = ALGORITHMS[algorithm]
    types, known = get_type_hints(config_class), {item.name: item for item in fields(config_class)}
    values: dict[str, Value] = {}
    errors: dict[str, str] = {}
    for name, raw in mapping.items():
        if name not in known:
            errors[name] = f"{algorithm} has no setting {name!r}: remove it."
            continue
        try:
            values[name] = read_value(known[name], types[name], raw)
        except ValueError as error:
            errors[name] = str(error)
    if errors:
        raise ConfigError(errors)
    return config_class(**values)


def read_value(item: Field, expected: type, raw: Any) -> Value:
    """One value as `expected` (bool, int, float or str) within the field's limits, else ValueError with a sentence."""
    label = item.metadata["label"]
    value = cast_value(label, expected, raw)
    choices = item.metadata["choices"]
    if choices and value not in [choice for choice, _ in choices]:
        raise ValueError(f"{label} cannot be {raw!r}: choose one of {', '.join(choice for choice, _ in choices)}.")
    low, high = item.metadata["min"], item.metadata["max"]
    if low is not None and value < low:
        raise ValueError(f"{label} cannot be {raw}: the least is {low:g}.")
    if high is not None and value > high:
        raise ValueError(f"{label} cannot be {raw}: the most is {high:g}.")
    return value


def cast_value(label: str, expected: type, raw: Any) -> Value:
    if expected is bool:
        words = {"true": True, "on": True, "1": True, "false": False, "off": False, "0": False, "": False}
        if str(raw).lower() in words:
            return words[str(raw).lower()]
        raise ValueError(f"{label} cannot be {raw!r}: it is true or false.")
    if expected is str:
        return str(raw)
    if isinstance(raw, bool) or not isinstance(raw, (int, float, str)):
        raise ValueError(f"{label} cannot be {raw!r}: it must be a number.")
    try:
        number = float(raw)
    except ValueError:
        raise ValueError(f"{label} cannot be {raw!r}: it must be a number.") from None
    if not isfinite(number) or (expected is int and number != int(number)):
        raise ValueError(f"{label} cannot be {raw!r}: it must be a {'whole' if expected is int else 'finite'} number.")
    return int(number) if expected is int else number


def to_dict(config: Config) -> dict[str, Value]:
    """Every setting of the run, defaults included, ready for JSON."""
    return asdict(config)
