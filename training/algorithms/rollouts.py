"""Sampling from a policy: the interface; the engine follows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """How to draw: temperature 0 is greedy; top_p 1 is off; `max_tokens` counts response tokens without the end of turn."""

    temperature: float = 1.0
    top_p: float = 1.0
    max_tokens: int = 256
    seed: int = 0


@dataclass(frozen=True, kw_only=True)
class Request:
    """A prompt and which of its samples are wanted; `key` names the prompt, so that draws do not depend on the batch."""

    key: str
    prompt: Sequence[dict[str, str]]
    system: str = ""
    indices: tuple[int, ...] = (0,)


@dataclass(frozen=True, kw_only=True)
class Sample:
    key: str
    index: int
    text: str
    tokens: int
    finish_reason: str  # "stop" | "length"


def sample(
    model,
    tokenizer,
    requests: Sequence[Request],
    *,
    sampling: Sampling,
    batch_size: int = 16,
    should_stop: Callable[[], bool] | None = None,
    on_sample: Callable[[Sample], None] | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> list[Sample]:
    """Draw every requested sample, in the order asked; `on_sample` sees each as it ends, `on_progress` (tokens, samples) so far."""
    raise NotImplementedError
