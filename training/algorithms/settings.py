"""What a setting is, and the settings that several algorithms share. Standard library only."""

from dataclasses import field
from typing import Any

Value = str | int | float | bool
Choices = tuple[tuple[str, str], ...]

BASIC, LOSS, MODEL, OPTIMISER, DATA, PROGRESS = "basic", "loss", "model", "optimiser", "data", "progress"
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
    ("soft", "As a soft target: slight preferences may be wrong"),
)
TIES = (("drop", "Leave ties out"), ("half", "Each side wins half"))
PRECISIONS = (("auto", "Automatic"), ("fp32", "fp32"), ("bf16", "bf16"))
SCHEDULES = (("cosine", "Cosine"), ("linear", "Linear"), ("constant", "Constant"))


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


def epochs(default: int) -> Any:
    return number(default, "Epochs", "Passes over the judgements; more than a few overfit.", BASIC, min=1, max=50)


def batch_size(default: int) -> Any:
    help = "Groups (a prompt with its responses) in one optimiser step."
    return number(default, "Batch size", help, BASIC, min=1, max=4096)


def strength(default: str) -> Any:
    help = "What a clear preference means beside a slight one."
    return choice(default, "Strength of preference", help, LOSS, STRENGTHS)


def margin(default: float) -> Any:
    help = "Difference of rewards that a full-strength preference must exceed, where strength is a margin."
    return number(default, "Margin", help, LOSS, min=0.0, max=20.0, step=0.1)


def soft_top(default: float) -> Any:
    help = "Probability that a full-strength preference is right, where strength is a soft target."
    return number(default, "Trust in a full-strength preference", help, LOSS, min=0.5, max=1.0, step=0.01)


def ties(default: str) -> Any:
    return choice(default, "Ties", "What a tie teaches.", LOSS, TIES)


def lora(default: bool) -> Any:
    help = "Train small adapters and merge them at the end. Encoders are always trained whole."
    return switch(default, "LoRA", help, MODEL)


def lora_rank(default: int) -> Any:
    return number(default, "LoRA rank", "Size of the adapters.", MODEL, min=1, max=512)


def lora_alpha(default: int) -> Any:
    return number(default, "LoRA alpha", "Scale of the adapters; twice the rank is usual.", MODEL, min=1, max=1024)


def precision(default: str) -> Any:
    help = "Automatic is bf16 where the processor is built for it and the model is not tiny, else fp32."
    return choice(default, "Precision", help, MODEL, PRECISIONS)


def schedule(default: str) -> Any:
    return choice(default, "Schedule", "How the learning rate falls after the warm-up.", OPTIMISER, SCHEDULES)


def warmup_ratio(default: float) -> Any:
    help = "Share of the steps in which the learning rate rises."
    return number(default, "Warm-up", help, OPTIMISER, min=0.0, max=0.9, step=0.01)


def weight_decay(default: float) -> Any:
    help = "Never applied to norms, biases and heads."
    return number(default, "Weight decay", help, OPTIMISER, min=0.0, max=1.0, step=0.001)


def max_grad_norm(default: float) -> Any:
    return number(
        default, "Gradient clip", "Largest gradient norm; 0 is off.", OPTIMISER, min=0.0, max=1000.0, step=0.1
    )


def max_steps(default: int) -> Any:
    return number(default, "Stop after steps", "0 runs all epochs.", OPTIMISER, min=0, max=10_000_000)


def seed(default: int) -> Any:
    help = "Same seed, same data, same machine: same model."
    return number(default, "Seed", help, OPTIMISER, min=0, max=2**31 - 1)


def max_length(default: int) -> Any:
    help = "Tokens of prompt and response; longer prompts lose their beginning."
    return number(default, "Longest sequence", help, DATA, min=8, max=131_072)


def micro_batch_tokens(default: int) -> Any:
    help = "Tokens in one forward pass: memory, not results. Lower it when memory runs out."
    return number(default, "Tokens at a time", help, DATA, min=8, max=1_048_576)


def eval_every(default: int) -> Any:
    help = "Steps between evaluations; 0 is at the start and end only."
    return number(default, "Evaluate every", help, PROGRESS, min=0, max=1_000_000)


def checkpoint_every(default: int) -> Any:
    help = "Steps between checkpoints; 0 is only when cancelled."
    return number(default, "Checkpoint every", help, PROGRESS, min=0, max=1_000_000)


def keep_checkpoints(default: int) -> Any:
    return number(default, "Checkpoints kept", "Older ones are deleted.", PROGRESS, min=1, max=100)
