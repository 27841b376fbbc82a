"""The settings of each algorithm: one frozen dataclass an algorithm, with its labels, limits and defaults.

Standard library only: the web process imports this module to build the launch form, and never loads torch.
"""

from collections.abc import Mapping
from dataclasses import Field, asdict, dataclass, field, fields
from math import isfinite
from typing import Any, get_type_hints

Config = Any  # one of the dataclasses in ALGORITHMS
Value = str | int | float | bool


class ConfigError(ValueError):
    """Settings that cannot be used; `errors` maps each field to a sentence that names the value and what to do."""

    def __init__(self, errors: dict[str, str]) -> None:
        self.errors = errors
        super().__init__(" ".join(errors.values()))


def setting(
    default: Value,
    label: str,
    help: str,
    *,
    group: str,
    min: float | None = None,
    max: float | None = None,
    step: float | None = None,
    choices: tuple[tuple[str, str], ...] | None = None,
) -> Any:
    """A dataclass field that carries what a form needs: `choices` are (value, label) pairs."""
    metadata = {"label": label, "help": help, "group": group, "min": min, "max": max, "step": step, "choices": choices}
    return field(default=default, metadata=metadata)


BASIC, LOSS, OPTIMISER, MODEL, DATA, PROGRESS = "basic", "loss", "optimiser", "model", "data", "progress"
GROUPS = {
    BASIC: "Basics",
    LOSS: "What the judgements mean",
    MODEL: "Model",
    OPTIMISER: "Optimiser",
    DATA: "Data and memory",
    PROGRESS: "Progress and checkpoints",
}
STRENGTHS = (
    ("ignore", "Ignore it: every judgement counts the same"),
    ("margin", "As a margin: clear preferences must win by more"),
    ("soft", "As a soft target: slight preferences are allowed to be wrong"),
)
TIES = (("drop", "Leave ties out"), ("half", "Each side wins half"))


@dataclass(frozen=True, kw_only=True)
class RewardModelConfig:
    """A scalar reward trained on preferences (Bradley–Terry)."""

    epochs: int = setting(1, "Epochs", "Passes over the judgements. More than one or two overfits.", group=BASIC, min=1, max=50)
    learning_rate: float = setting(
        1e-4, "Learning rate", "Peak step size; 1e-4 suits LoRA and small encoders, 1e-5 full large models.", group=BASIC, min=1e-8, max=1.0
    )
    batch_size: int = setting(8, "Batch size", "Groups (a prompt with its responses) in one optimiser step.", group=BASIC, min=1, max=4096)
    strength: str = setting("margin", "Strength of preference", "What a clear preference means beside a slight one.", group=LOSS, choices=STRENGTHS)
    margin: float = setting(1.0, "Margin", "Reward difference a full-strength preference must exceed.", group=LOSS, min=0.0, max=20.0, step=0.1)
    soft_top: float = setting(
        0.95, "Soft target at full strength", "Probability that a full-strength preference is right.", group=LOSS, min=0.5, max=1.0, step=0.01
    )
    ties: str = setting("half", "Ties", "What a tie teaches.", group=LOSS, choices=TIES)
    centring: float = setting(0.01, "Centring", "Weight of the penalty that keeps rewards around zero; 0 is off.", group=LOSS, min=0.0, max=1.0, step=0.001)
    lora: bool = setting(True, "LoRA", "Train small adapters of a language model; encoders are always trained whole.", group=MODEL)
    lora_rank: int = setting(16, "LoRA rank", "Size of the adapters.", group=MODEL, min=1, max=512)
    lora_alpha: int = setting(32, "LoRA alpha", "Scale of the adapters; twice the rank is usual.", group=MODEL, min=1, max=1024)
    precision: str = setting(
        "auto",
        "Precision",
        "Automatic is bf16 on a GPU that has it and fp32 elsewhere.",
        group=MODEL,
        choices=(("auto", "Automatic"), ("fp32", "fp32"), ("bf16", "bf16")),
    )
    schedule: str = setting(
        "cosine",
        "Schedule",
        "How the learning rate falls after the warm-up.",
        group=OPTIMISER,
        choices=(("cosine", "Cosine"), ("linear", "Linear"), ("constant", "Constant")),
    )
    warmup_ratio: float = setting(0.05, "Warm-up", "Share of the steps in which the learning rate rises.", group=OPTIMISER, min=0.0, max=0.9, step=0.01)
    weight_decay: float = setting(0.01, "Weight decay", "Never applied to norms, biases and heads.", group=OPTIMISER, min=0.0, max=1.0, step=0.001)
    max_grad_norm: float = setting(1.0, "Gradient clip", "Largest gradient norm; 0 is off.", group=OPTIMISER, min=0.0, max=1000.0, step=0.1)
    max_steps: int = setting(0, "Stop after steps", "0 runs all epochs.", group=OPTIMISER, min=0, max=10_000_000)
    seed: int = setting(0, "Seed", "Same seed, same data, same machine: same model.", group=OPTIMISER, min=0, max=2**31 - 1)
    max_length: int = setting(
        512, "Longest sequence", "Tokens of prompt and response; longer prompts lose their beginning.", group=DATA, min=8, max=131_072
    )
    micro_batch_tokens: int = setting(
        2048, "Tokens at a time", "Tokens in one forward pass: memory, not results. Lower it when memory runs out.", group=DATA, min=8, max=1_048_576
    )
    eval_every: int = setting(50, "Evaluate every", "Steps between evaluations; 0 is at the start and end only.", group=PROGRESS, min=0, max=1_000_000)
    checkpoint_every: int = setting(
        25, "Checkpoint every", "Steps between checkpoints; 0 is when cancelled only.", group=PROGRESS, min=0, max=1_000_000
    )
    keep_checkpoints: int = setting(2, "Checkpoints kept", "Older ones are deleted.", group=PROGRESS, min=1, max=100)


@dataclass(frozen=True, kw_only=True)
class DPOConfig:
    """A policy trained directly on preferences, held near its reference (Rafailov et al. 2023)."""

    epochs: int = setting(1, "Epochs", "Passes over the judgements. More than a few overfits.", group=BASIC, min=1, max=50)
    learning_rate: float = setting(
        5e-5, "Learning rate", "Peak step size; 5e-5 suits LoRA, 1e-6 full models.", group=BASIC, min=1e-9, max=1.0
    )
    batch_size: int = setting(8, "Batch size", "Groups (a prompt with its responses) in one optimiser step.", group=BASIC, min=1, max=4096)
    beta: float = setting(0.1, "Beta", "Hold on the reference: higher stays nearer to it.", group=LOSS, min=0.001, max=10.0, step=0.01)
    strength: str = setting("ignore", "Strength of preference", "What a clear preference means beside a slight one.", group=LOSS, choices=STRENGTHS)
    margin: float = setting(1.0, "Margin", "Implicit reward difference a full-strength preference must exceed.", group=LOSS, min=0.0, max=20.0, step=0.1)
    soft_top: float = setting(
        0.95, "Soft target at full strength", "Probability that a full-strength preference is right.", group=LOSS, min=0.5, max=1.0, step=0.01
    )
    label_smoothing: float = setting(
        0.0, "Label smoothing", "Share of judgements taken to be wrong (cDPO).", group=LOSS, min=0.0, max=0.49, step=0.01
    )
    ties: str = setting("drop", "Ties", "What a tie teaches.", group=LOSS, choices=TIES)
    lora: bool = setting(True, "LoRA", "Train small adapters and merge them at the end.", group=MODEL)
    lora_rank: int = setting(16, "LoRA rank", "Size of the adapters.", group=MODEL, min=1, max=512)
    lora_alpha: int = setting(32, "LoRA alpha", "Scale of the adapters; twice the rank is usual.", group=MODEL, min=1, max=1024)
    precision: str = setting(
        "auto",
        "Precision",
        "Automatic is bf16 on a GPU that has it and fp32 elsewhere.",
        group=MODEL,
        choices=(("auto", "Automatic"), ("fp32", "fp32"), ("bf16", "bf16")),
    )
    schedule: str = setting(
        "cosine",
        "Schedule",
        "How the learning rate falls after the warm-up.",
        group=OPTIMISER,
        choices=(("cosine", "Cosine"), ("linear", "Linear"), ("constant", "Constant")),
    )
    warmup_ratio: float = setting(0.1, "Warm-up", "Share of the steps in which the learning rate rises.", group=OPTIMISER, min=0.0, max=0.9, step=0.01)
    weight_decay: float = setting(0.0, "Weight decay", "Never applied to norms, biases and heads.", group=OPTIMISER, min=0.0, max=1.0, step=0.001)
    max_grad_norm: float = setting(1.0, "Gradient clip", "Largest gradient norm; 0 is off.", group=OPTIMISER, min=0.0, max=1000.0, step=0.1)
    max_steps: int = setting(0, "Stop after steps", "0 runs all epochs.", group=OPTIMISER, min=0, max=10_000_000)
    seed: int = setting(0, "Seed", "Same seed, same data, same machine: same model.", group=OPTIMISER, min=0, max=2**31 - 1)
    max_length: int = setting(
        512, "Longest sequence", "Tokens of prompt and response; longer prompts lose their beginning.", group=DATA, min=8, max=131_072
    )
    micro_batch_tokens: int = setting(
        2048, "Tokens at a time", "Tokens in one forward pass: memory, not results. Lower it when memory runs out.", group=DATA, min=8, max=1_048_576
    )
    eval_every: int = setting(50, "Evaluate every", "Steps between evaluations; 0 is at the start and end only.", group=PROGRESS, min=0, max=1_000_000)
    samples: int = setting(2, "Sample prompts", "Held-out prompts answered at every evaluation; 0 is off.", group=PROGRESS, min=0, max=32)
    sample_tokens: int = setting(64, "Sample length", "Most tokens of each sample.", group=PROGRESS, min=1, max=4096)
    checkpoint_every: int = setting(
        25, "Checkpoint every", "Steps between checkpoints; 0 is when cancelled only.", group=PROGRESS, min=0, max=1_000_000
    )
    keep_checkpoints: int = setting(2, "Checkpoints kept", "Older ones are deleted.", group=PROGRESS, min=1, max=100)


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
