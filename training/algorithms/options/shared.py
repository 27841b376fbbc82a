"""The settings that several algorithms share, each written once; an algorithm names one again to change its default."""

from dataclasses import dataclass

from training.algorithms.settings import BASIC, DATA, LOSS, MODEL, OPTIMISER, PROGRESS, choice, number, switch

STRENGTHS = (
    ("ignore", "Ignore it: every judgement counts the same"),
    ("margin", "As a margin: clear preferences must win by more"),
    ("soft", "As a soft target: slight preferences may be wrong"),
    ("scaled", "As a factor: clear preferences count for more"),
)
TIES = (
    ("drop", "Leave ties out"),
    ("half", "Each side wins half"),
    ("rao_kupper", "Rao–Kupper: too close to tell, by a threshold that is learnt"),
    ("davidson", "Davidson: likeliest between equals, with a rate that is learnt"),
)
PRECISIONS = (("auto", "Automatic"), ("fp32", "fp32"), ("bf16", "bf16"))
SCHEDULES = (("cosine", "Cosine"), ("linear", "Linear"), ("constant", "Constant"))


def peak_rate(default: float, help: str) -> float:
    return number(default, "Learning rate", help, BASIC, min=1e-9, max=1.0)


@dataclass(frozen=True, kw_only=True)
class TrainingConfig:
    """What every run has."""

    epochs: int = number(1, "Epochs", "Passes over the judgements; more than a few overfit.", BASIC, min=1, max=50)
    learning_rate: float = peak_rate(5e-5, "Peak: 5e-5 for LoRA, 1e-6 for whole models.")
    batch_size: int = number(
        8, "Batch size", "Groups (a prompt with its responses) in one optimiser step.", BASIC, min=1, max=4096
    )
    lora: bool = switch(
        True, "LoRA", "Train small adapters and merge them at the end. Encoders are always trained whole.", MODEL
    )
    lora_rank: int = number(16, "LoRA rank", "Size of the adapters.", MODEL, min=1, max=512)
    lora_alpha: int = number(
        32, "LoRA alpha", "Scale of the adapters; twice the rank is usual.", MODEL, min=1, max=1024
    )
    lora_layers: int = number(
        0,
        "LoRA layers",
        "Adapt so many layers at the end only, which is cheaper; 0 adapts all.",
        MODEL,
        min=0,
        max=1000,
    )
    precision: str = choice(
        "auto",
        "Precision",
        "Automatic is bf16 where the processor is built for it and the model is not tiny, else fp32.",
        MODEL,
        PRECISIONS,
    )
    schedule: str = choice("cosine", "Schedule", "How the learning rate falls after the warm-up.", OPTIMISER, SCHEDULES)
    warmup_ratio: float = number(
        0.1, "Warm-up", "Share of the steps in which the learning rate rises.", OPTIMISER, min=0.0, max=0.9, step=0.01
    )
    weight_decay: float = number(
        0.0, "Weight decay", "Never applied to norms, biases and heads.", OPTIMISER, min=0.0, max=1.0, step=0.001
    )
    max_grad_norm: float = number(
        1.0, "Gradient clip", "Largest gradient norm; 0 is off.", OPTIMISER, min=0.0, max=1000.0, step=0.1
    )
    max_steps: int = number(0, "Stop after steps", "0 runs all epochs.", OPTIMISER, min=0, max=10_000_000)
    seed: int = number(0, "Seed", "Same seed, same data, same machine: same model.", OPTIMISER, min=0, max=2**31 - 1)
    max_length: int = number(
        512,
        "Longest sequence",
        "Tokens of prompt and response; longer prompts lose their beginning.",
        DATA,
        min=8,
        max=131_072,
    )
    micro_batch_tokens: int = number(
        1024,
        "Tokens at a time",
        "Tokens in one forward pass: memory, not results. Lower it when memory runs out.",
        DATA,
        min=8,
        max=1_048_576,
    )
    recompute: bool = switch(
        False,
        "Recompute",
        "Keep less of each pass and compute it again for the gradient: less memory, about a third slower.",
        DATA,
    )
    eval_every: int = number(
        50,
        "Evaluate every",
        "Steps between evaluations; 0 is at the start and end only.",
        PROGRESS,
        min=0,
        max=1_000_000,
    )
    checkpoint_every: int = number(
        25, "Checkpoint every", "Steps between checkpoints; 0 is only when cancelled.", PROGRESS, min=0, max=1_000_000
    )
    keep_checkpoints: int = number(2, "Checkpoints kept", "Older ones are deleted.", PROGRESS, min=1, max=100)

    def contradictions(self) -> dict[str, str]:
        """Settings that are good alone and not together: field -> a sentence. An algorithm adds its own."""
        return {}


@dataclass(frozen=True, kw_only=True)
class HeldOutConfig(TrainingConfig):
    """What has a loss on held-out judgements, by which it can be told when to stop."""

    sharded: bool = switch(
        False,
        "Sharded",
        "Where several processes share a run, each holds a part of the model (FSDP): less memory, slower.",
        MODEL,
    )
    keep_best: bool = switch(
        False,
        "Keep the best",
        "End with the weights whose held-out loss was lowest, not with the last.",
        PROGRESS,
    )


@dataclass(frozen=True, kw_only=True)
class PreferenceConfig(HeldOutConfig):
    """What is learnt from comparisons: their strength, and ties."""

    strength: str = choice(
        "ignore", "Strength of preference", "What a clear preference means beside a slight one.", LOSS, STRENGTHS
    )
    margin: float = number(
        1.0,
        "Margin",
        "Difference of rewards that a full-strength preference must exceed, where strength is a margin.",
        LOSS,
        min=0.0,
        max=20.0,
        step=0.1,
    )
    soft_top: float = number(
        0.95,
        "Trust in a full-strength preference",
        "Probability that a full-strength preference is right, where strength is a soft target.",
        LOSS,
        min=0.5,
        max=1.0,
        step=0.01,
    )
    ties: str = choice("drop", "Ties", "What a tie teaches.", LOSS, TIES)
    use_weights: bool = switch(True, "Weights", "Judgements count by the snapshot's weights; off: all the same.", LOSS)
    rating_span: float = number(
        6.0,
        "Widest gap of ratings",
        "Two ratings this far apart are a full-strength preference; 6 on a scale from 1 to 7.",
        LOSS,
        min=0.01,
        max=1000.0,
        step=0.5,
    )


@dataclass(frozen=True, kw_only=True)
class PolicyConfig(TrainingConfig):
    """What makes a policy: it answers a few held-out prompts at every evaluation."""

    samples: int = number(
        2, "Sample prompts", "Held-out prompts answered at every evaluation; 0 is off.", PROGRESS, min=0, max=32
    )
    sample_tokens: int = number(64, "Sample length", "Most tokens of each.", PROGRESS, min=1, max=4096)
