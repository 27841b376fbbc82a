"""The OpenAI completions protocols: what is asked, and what is read from the answer. No network here."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from training.algorithms.samples import Request, Sampling
from training.endpoints.troubles import Lost

PATHS = {"chat": "chat/completions", "text": "completions"}
SPEAKERS = {"user": "Human", "assistant": "Assistant"}
STOPPED = ("stop", "eos", "eos_token", "end_turn", "stop_sequence")
CUT = ("length", "max_tokens")
MOST_TOKENS = 10**8  # of one answer; more is a server's mistake


@dataclass(frozen=True, kw_only=True)
class Written:
    """One answer. Token counts are the server's; `is_estimated` where it sent none."""

    text: str
    finish_reason: str  # "stop" | "length" | "" where the server says something else
    tokens_in: int
    tokens_out: int
    is_estimated: bool
    served_by: str = ""  # the model as the answer names it: an alias may have moved on


@dataclass
class Dialect:
    """What a server was found to want otherwise than most."""

    limit: str = "max_tokens"  # OpenAI's newer models: max_completion_tokens
    has_seed: bool = True


def build_body(
    *, protocol: str, model: str, request: Request, sampling: Sampling, index: int, dialect: Dialect
) -> dict[str, Any]:
    """The request for one draw. What is 1 for everybody (temperature, top-p) is left out: some models take no other."""
    body: dict[str, Any] = {"model": model, dialect.limit: sampling.max_tokens, "stream": False}
    if protocol == "chat":
        system = [{"role": "system", "content": request.system}] if request.system else []
        body["messages"] = [*system, *request.prompt]
    else:
        body["prompt"], body["stop"] = transcript(request.prompt, request.system), ["\n\nHuman:"]
    if sampling.temperature != 1:
        body["temperature"] = sampling.temperature
    if sampling.top_p != 1:
        body["top_p"] = sampling.top_p
    if dialect.has_seed:
        body["seed"] = seed_of(sampling, request.key, index)
    return body


def seed_of(sampling: Sampling, key: str, index: int) -> int:
    """31 bits, another for each prompt and draw, the same whenever it is asked again."""
    digest = hashlib.sha256(f"{sampling.seed}\n{key}\n{index}".encode()).digest()
    return int.from_bytes(digest[:4], "big") >> 1


def transcript(turns: Sequence[Mapping[str, str]], system: str) -> str:
    """A conversation as text that goes on with the assistant, for a model that only continues text (HH-RLHF's form)."""
    said = "".join(f"\n\n{SPEAKERS[turn['role']]}: {turn['content']}" for turn in turns)
    return f"{system}{said}\n\nAssistant:".lstrip("\n")


def read_answer(body: bytes, *, protocol: str, asked: Mapping[str, Any]) -> Written:
    """The first choice of an answer. Raises Lost for what is no answer: it may be one the next time."""
    try:
        found = json.loads(body)
    except ValueError as error:
        raise Lost(f"it sent something that is not JSON ({body[:80].decode(errors='replace')!r})") from error
    choice = first_choice(found)
    text = read_text(choice, protocol)
    if text is None:
        where = "choices[0].message.content" if protocol == "chat" else "choices[0].text"
        raise Lost(f"its answer has no {where}")
    usage = found.get("usage")
    counts = [count(usage, name) for name in ("prompt_tokens", "completion_tokens")]
    told_in, told_out = counts
    return Written(
        text=text,
        finish_reason=reason_of(choice.get("finish_reason")),
        tokens_in=estimate_prompt(asked) if told_in is None else told_in,
        tokens_out=estimate_tokens(text) if told_out is None else told_out,
        is_estimated=None in counts,
        served_by=clean(found["model"])[:100] if isinstance(found.get("model"), str) else "",
    )


def first_choice(found: Any) -> dict[str, Any]:
    choices = found.get("choices") if isinstance(found, dict) else None
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        raise Lost("its answer has no choices")
    choice: dict[str, Any] = choices[0]
    return choice


def read_text(choice: Mapping[str, Any], protocol: str) -> str | None:
    """The words of a choice; a refusal is what the model said, too. None when there are none to be found."""
    if protocol == "text":
        found = choice.get("text")
        return clean(found).strip() if isinstance(found, str) else None
    message = choice.get("message")
    if not isinstance(message, dict):
        return None
    content = message.get("content")
    if isinstance(content, list):
        content = "".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    if content is None and ("content" in message or "refusal" in message):
        content = message.get("refusal") or ""
    return clean(content) if isinstance(content, str) else None


def clean(text: str) -> str:
    """Without what Postgres cannot keep: NUL and halves of surrogate pairs."""
    return text.replace("\x00", "").encode("utf-8", errors="replace").decode()


def reason_of(told: object) -> str:
    return "stop" if told in STOPPED else "length" if told in CUT else ""


def count(usage: object, name: str) -> int | None:
    found = usage.get(name) if isinstance(usage, dict) else None
    is_count = isinstance(found, int) and not isinstance(found, bool) and 0 <= found <= MOST_TOKENS
    return found if is_count else None


def estimate_tokens(text: str) -> int:
    """Four bytes a token: about right for English, and too many rather than too few for most other writing."""
    return -(-len(text.encode()) // 4)


def estimate_prompt(body: Mapping[str, Any]) -> int:
    """Tokens of what is sent, with four for each turn's frame."""
    turns = body.get("messages") or [{"content": body.get("prompt", "")}]
    return sum(estimate_tokens(turn["content"]) + 4 for turn in turns)
