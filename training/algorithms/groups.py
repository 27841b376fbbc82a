"""The unit of training: one prompt, its K completions, and what was said of them.

A line of a data file is one group:
{"id": "…", "prompt": [{"role": "user", "content": "…"}], "system": "", "completions": ["…", "…"],
 "label": …, "weight": 1.0, "meta": {}}
Labels: {"kind": "pair", "chosen": 0, "rejected": 1, "strength": 0.75 | null} · {"kind": "tie"} ·
{"kind": "ranking", "tiers": [[2], [0, 1], [3]]} · {"kind": "rating", "scores": [5, 2.5, null]} ·
{"kind": "demonstration"} · {"kind": "unpaired", "desirable": [true, false]}
Optional: "finish_reasons": ["stop", "length"]; a completion that was cut by length gets no end-of-sequence token.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from transformers import PreTrainedTokenizerBase

from training.algorithms.labels import Label, parse_label

Message = dict[str, str]
ROLES = ("system", "user", "assistant")


@dataclass(frozen=True, kw_only=True)
class Group:
    id: str
    prompt: tuple[Message, ...]
    completions: tuple[str, ...]
    label: Label
    system: str = ""
    weight: float = 1.0
    finished: tuple[bool, ...] = ()  # False: the completion was cut by length; empty: all are whole
    annotator: str = ""  # who said so, by the name that the file has for them


@dataclass(frozen=True, kw_only=True)
class EncodedGroup:
    """Token ids of a group: every completion follows the one prompt. `reference`: log-probability of each, in nats."""

    id: str
    prompt: tuple[int, ...]
    completions: tuple[tuple[int, ...], ...]
    label: Label
    weight: float = 1.0
    reference: tuple[float, ...] | None = None
    annotator: str = ""

    @property
    def tokens(self) -> int:
        return len(self.prompt) + sum(map(len, self.completions))


@dataclass
class EncodingReport:
    """What encoding cut: shown to the owner, never silent."""

    groups: int = 0
    prompts_cut: int = 0
    completions_cut: int = 0


def read_groups(path: Path) -> list[Group]:
    """Read a JSONL file of groups. Raises ValueError naming file, line, field and value."""
    groups = []
    with open(path, "rb") as lines:
        for number, line in enumerate(lines, start=1):
            if line.strip():
                try:
                    groups.append(parse_group(line))
                except ValueError as error:
                    raise ValueError(f"{path}, line {number}: {error}") from error
    if not groups:
        raise ValueError(f"{path} holds no groups: choose more judgements.")
    return groups


def parse_group(line: bytes | str) -> Group:
    """One group from one line of JSON. Raises ValueError with a sentence."""
    try:
        row = json.loads(line)
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"this is not JSON ({error}).") from error
    if not isinstance(row, dict):
        raise ValueError(f"a group is a JSON object, not {type(row).__name__}.")
    missing = [name for name in ("id", "prompt", "completions", "label") if name not in row]
    if missing:
        raise ValueError(f"the field {missing[0]!r} is missing.")
    completions = row["completions"]
    if not isinstance(completions, list) or not completions or not all(isinstance(text, str) for text in completions):
        raise ValueError("'completions' must be a list of texts, at least one.")
    reasons = row.get("finish_reasons") or ["stop"] * len(completions)
    if len(reasons) != len(completions):
        raise ValueError(f"'finish_reasons' has {len(reasons)} entries for {len(completions)} completions.")
    return Group(
        id=str(row["id"]),
        prompt=parse_prompt(row["prompt"]),
        system=str(row.get("system") or ""),
        completions=tuple(completions),
        label=parse_label(row["label"], len(completions)),
        weight=parse_weight(row.get("weight", 1.0)),
        finished=tuple(reason != "length" for reason in reasons),
        annotator=str((row.get("meta") or {}).get("annotator") or ""),
    )


def parse_prompt(messages: Any) -> tuple[Message, ...]:
    if not isinstance(messages, list) or not messages:
        raise ValueError("'prompt' must be a list of messages with at least one message.")
    for message in messages:
        if (
            not isinstance(message, dict)
            or message.get("role") not in ROLES
            or not isinstance(message.get("content"), str)
        ):
            raise ValueError(
                f"'prompt' holds {message!r}: a message is {{'role': 'user' or 'assistant', 'content': text}}."
            )
    return tuple({"role": message["role"], "content": message["content"]} for message in messages)


def parse_weight(weight: Any) -> float:
    if isinstance(weight, bool) or not isinstance(weight, (int, float)) or not 0 <= weight < float("inf"):
        raise ValueError(f"'weight' is {weight!r}: it must be a number that is not negative.")
    return float(weight)


def encode_groups(
    groups: Sequence[Group], tokenizer: PreTrainedTokenizerBase, *, max_length: int
) -> tuple[list[EncodedGroup], EncodingReport]:
    """Encode every group so that prompt and completion together have at most `max_length` tokens."""
    report = EncodingReport(groups=len(groups))
    return [encode_group(group, tokenizer, max_length=max_length, report=report) for group in groups], report


def encode_group(
    group: Group, tokenizer: PreTrainedTokenizerBase, *, max_length: int, report: EncodingReport
) -> EncodedGroup:
    """Tokens of the prompt and of each completion, cut where they must be.

    The prompt ends where the tokens of prompt and prompt-with-completion part, for all completions alike, so that a
    merge across the boundary belongs to the completion. A prompt is cut from the left, to no less than a quarter of
    `max_length`; what then remains too long of a completion is cut from the right and loses its end-of-sequence token.
    """
    prompt = encode_prompt(tokenizer, group.prompt, group.system)
    whole = [encode_whole(tokenizer, group, place, prompt) for place in range(len(group.completions))]
    shared = min(common_prefix(prompt, ids) for ids in whole)
    if shared == 0:
        raise ValueError(f"Group {group.id}: the prompt has no token of its own. Give it some text.")
    prompt, completions = prompt[:shared], [ids[shared:] for ids in whole]
    room = max(max_length - max(map(len, completions)), max_length // 4, 1)
    if len(prompt) > room:
        report.prompts_cut += 1
        prompt = cut_left(prompt, room, tokenizer)
    room = max_length - len(prompt)
    report.completions_cut += sum(len(ids) > room for ids in completions)
    return EncodedGroup(
        id=group.id,
        prompt=tuple(prompt),
        completions=tuple(tuple(ids[:room]) for ids in completions),
        label=group.label,
        weight=group.weight,
        annotator=group.annotator,
    )


def encode_whole(tokenizer: PreTrainedTokenizerBase, group: Group, place: int, prompt: list[int]) -> list[int]:
    """Prompt and one completion, ending with exactly one end-of-sequence token (none if cut by length)."""
    text, finished = group.completions[place], not group.finished or group.finished[place]
    if is_encoder(tokenizer):
        return [*prompt, *encode_text(tokenizer, text), tokenizer.sep_token_id]
    end = tokenizer.eos_token_id
    if end is None:
        raise ValueError("The tokenizer has no end-of-sequence token: set eos_token in its tokenizer_config.json.")
    if tokenizer.chat_template:
        ids = render(tokenizer, group.prompt, group.system, {"role": "assistant", "content": plain(tokenizer, text)})
        start = common_prefix(ids, prompt)
        ids = ids[:start] + until(ids[start:], end)
    else:
        ids = prompt + encode_text(tokenizer, " " + text)
    return [*ids, end] if finished or not text else ids


def encode_prompt(tokenizer: PreTrainedTokenizerBase, prompt: Sequence[Message], system: str) -> list[int]:
    """The tokens a policy continues: by its chat template, else as a plain Human/Assistant transcript."""
    if is_encoder(tokenizer):
        return [tokenizer.cls_token_id, *encode_text(tokenizer, transcript(prompt, system)), tokenizer.sep_token_id]
    if tokenizer.chat_template:
        return render(tokenizer, prompt, system, None)
    start = [] if tokenizer.bos_token_id is None else [tokenizer.bos_token_id]
    return start + encode_text(tokenizer, transcript(prompt, system) + "\n\nAssistant:")


def render(
    tokenizer: PreTrainedTokenizerBase, prompt: Sequence[Message], system: str, answer: Message | None
) -> list[int]:
    head = [{"role": "system", "content": system}] if system else []
    messages = [{**message, "content": plain(tokenizer, message["content"])} for message in (*head, *prompt)]
    if answer is not None:
        messages.append(answer)
    text = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=answer is None)
    return tokenizer(text, add_special_tokens=False)["input_ids"]


def transcript(prompt: Sequence[Message], system: str) -> str:
    """HH-RLHF's form: turns marked Human and Assistant."""
    names = {"user": "Human", "assistant": "Assistant", "system": "System"}
    turns = [f"{names[message['role']]}: {message['content']}" for message in prompt]
    return "\n\n".join([system, *turns] if system else turns)


def encode_text(tokenizer: PreTrainedTokenizerBase, text: str) -> list[int]:
    return tokenizer(plain(tokenizer, text), add_special_tokens=False)["input_ids"]


def plain(tokenizer: PreTrainedTokenizerBase, text: str) -> str:
    """Text in which a special token's spelling is only text: `<|im_end|>` becomes `< |im_end|>`."""
    for token in tokenizer.all_special_tokens:
        if token in text:
            text = text.replace(token, f"{token[0]} {token[1:]}")
    return text


def is_encoder(tokenizer: PreTrainedTokenizerBase) -> bool:
    """BERT-like tokenizers frame a text by [CLS] and [SEP] and have no end of sequence."""
    return tokenizer.cls_token_id is not None and tokenizer.sep_token_id is not None


def common_prefix(first: Sequence[int], second: Sequence[int]) -> int:
    for place, (left, right) in enumerate(zip(first, second, strict=False)):
        if left != right:
            return place
    return min(len(first), len(second))


def until(ids: list[int], end: int) -> list[int]:
    return ids[: ids.index(end)] if end in ids else ids


def cut_left(ids: list[int], room: int, tokenizer: PreTrainedTokenizerBase) -> list[int]:
    """The last `room` tokens; an encoder keeps its [CLS]."""
    return [ids[0], *ids[len(ids) - room + 1 :]] if is_encoder(tokenizer) else ids[-room:]


def normalise_weights(groups: Sequence[EncodedGroup]) -> list[EncodedGroup]:
    """Scale the weights to mean 1, so that the learning rate keeps its meaning; groups of weight 0 are left out."""
    kept = [group for group in groups if group.weight > 0]
    if not kept:
        raise ValueError("Every judgement has weight 0: nothing is left to train on.")
    mean = sum(group.weight for group in kept) / len(kept)
    return [replace(group, weight=group.weight / mean) for group in kept]
