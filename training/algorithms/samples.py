"""What is asked of a policy and what comes back, without torch: a worker that asks a model elsewhere uses them too."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """How to draw: temperature 0 is greedy, top_p 1 is off; `max_tokens` leaves the end of turn uncounted."""

    temperature: float = 1.0
    top_p: float = 1.0
    max_tokens: int = 256
    seed: int = 0

    def __post_init__(self) -> None:
        if self.temperature < 0:
            raise ValueError(f"temperature is {self.temperature}: it must not be negative.")
        if not 0 < self.top_p <= 1:
            raise ValueError(f"top_p is {self.top_p}: it must be above 0 and at most 1.")
        if self.max_tokens < 1:
            raise ValueError(f"max_tokens is {self.max_tokens}: it must be at least 1.")


@dataclass(frozen=True, kw_only=True)
class Request:
    """A prompt and which of its samples are wanted; `key` names the prompt in the seed and in the result."""

    key: str
    prompt: Sequence[dict[str, str]]
    system: str = ""
    indices: tuple[int, ...] = (0,)
    ids: tuple[int, ...] = ()  # the prompt's tokens, where they are known already


@dataclass(frozen=True, kw_only=True)
class Sample:
    key: str
    index: int
    text: str  # may be empty; NUL characters are left out
    tokens: int  # response tokens, without the end of turn
    finish_reason: str  # "stop" | "length"; "" where a server elsewhere says neither
    ids: tuple[int, ...] = ()  # every token that was drawn, the end of turn included; none from elsewhere
    notes: Mapping[str, Any] = field(default_factory=dict)  # kept beside how it was sampled
