"""Attention over packed rows and over slots of a key-value cache, for any transformers model built on
AttentionInterface.

A packed row is [prompt | completion 1 | … | completion K | next prompt | …]: each completion attends to its prompt and
to itself, so that the prompt is computed once (tree attention, exact for causal models with explicit positions).
Because no mask function is registered under our name, transformers builds no mask; the layout travels as a keyword
argument.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import AttentionInterface, PreTrainedModel

NAME = "plumbline"


@dataclass(frozen=True)
class Tree:
    """Segments of one packed row, in order: (prompt length, completion lengths). An encoder's prompt length is 0."""

    segments: tuple[tuple[int, tuple[int, ...]], ...]
    causal: bool = True
    masks: dict[tuple[object, ...], Tensor] = field(default_factory=dict, compare=False, repr=False)

    def mask(self, new: int, seen: int, window: int | None, *, like: Tensor) -> Tensor | None:
        """What is added to the scores of the last `new` of `seen` positions, (new, seen): 0, and -inf for what they do
        not see. Made once for all layers. None where `is_causal` says the same, or where all is seen."""
        if not self.causal or (seen == new and (window is None or seen <= window)):
            return None
        key = (new, seen, window, like.dtype, like.device)
        if key not in self.masks:
            places = torch.arange(seen, device=like.device)
            behind = places[seen - new :, None] - places
            hidden = behind < 0 if window is None else (behind < 0) | (behind >= window)
            nothing = torch.zeros(new, seen, dtype=like.dtype, device=like.device)
            self.masks[key] = nothing.masked_fill_(hidden, float("-inf"))
        return self.masks[key]


@dataclass(frozen=True)
class Slots:
    """One new token a row: row b attends to the first `lengths[b]` places of its slot."""

    lengths: Tensor  # (B,) long, the new token included


def attend(
    module: nn.Module,
    query: Tensor,  # (B, heads, T, d)
    key: Tensor,  # (B, key-value heads, S, d)
    value: Tensor,
    attention_mask: Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    layout: Tree | Slots | None = None,
    sliding_window: int | None = None,
    **unused: object,  # transformers hands every attention its own set of extras
) -> tuple[Tensor, None]:
    """The function transformers calls in each layer. -> ((B, T, heads, d), None)"""
    if isinstance(layout, Slots):
        return attend_slots(query, key, value, layout, scaling, sliding_window), None
    if isinstance(layout, Tree):
        return attend_tree(query, key, value, layout, scaling, sliding_window), None
    raise ValueError(
        f"A model with attention {NAME!r} was called without a layout: use its own forms, or set it to 'sdpa'."
    )


def attend_tree(
    query: Tensor, key: Tensor, value: Tensor, tree: Tree, scaling: float | None, window: int | None
) -> Tensor:
    """On a CPU in fp32 also where autocast made bf16 of what comes in: its fused attention takes several times as long
    in bf16 (docs/performance.md), and these products are a tenth of the arithmetic."""
    if query.device.type == "cpu":
        with torch.autocast("cpu", enabled=False):
            return attend_segments(*widened(query, key, value), tree, scaling, window)
    return attend_segments(query, key, value, tree, scaling, window)


def widened(query: Tensor, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """In fp32 at least, all three alike."""
    kind = torch.promote_types(query.dtype, torch.float32)
    return query.to(kind), key.to(kind), value.to(kind)


def attend_segments(
    query: Tensor, key: Tensor, value: Tensor, tree: Tree, scaling: float | None, window: int | None
) -> Tensor:
    """One call a prompt and a completion. Rows are cut along their first axis, where parts lie whole, and by `split`:
    the gradient of a slice is as long as what it is cut from."""
    queries, keys, values = (whole.transpose(1, 2) for whole in (query, key, value))  # (B, T, heads, d)
    lengths = [length for prompt, completions in tree.segments for length in (prompt, *completions)]
    pairs = zip(queries.split(lengths, 1), seen_by_each(keys, values, tree), strict=True)
    return torch.cat([scaled_dot(asked, *seen, tree, scaling, window) for asked, seen in pairs if asked.shape[1]], 1)


def seen_by_each(keys: Tensor, values: Tensor, tree: Tree) -> Iterator[tuple[Tensor, Tensor]]:
    """The keys and values of each prompt, and of each completion behind its prompt's. Those of a first completion lie
    so in the row itself; the others' are copied together."""
    blocks = [
        length for prompt, completions in tree.segments for length in (prompt + sum(completions[:1]), *completions[1:])
    ]
    held = zip(keys.split(blocks, 1), values.split(blocks, 1), strict=True)
    for prompt, completions in tree.segments:
        first_keys, first_values = next(held)
        prompt_keys, prompt_values = first_keys[:, :prompt], first_values[:, :prompt]
        yield prompt_keys, prompt_values
        if completions:
            yield first_keys, first_values
        for _ in completions[1:]:
            own_keys, own_values = next(held)
            yield torch.cat([prompt_keys, own_keys], 1), torch.cat([prompt_values, own_values], 1)


def scaled_dot(
    query: Tensor,  # (B, T, heads, d)
    key: Tensor,  # (B, S, key-value heads, d)
    value: Tensor,
    tree: Tree,
    scaling: float | None,
    window: int | None,
) -> Tensor:
    """Attention of the last T of S positions: causal (each sees all before it) or everything to everything."""
    mask = tree.mask(query.shape[1], key.shape[1], window, like=query)
    output = F.scaled_dot_product_attention(
        query.transpose(1, 2),
        key.transpose(1, 2),
        value.transpose(1, 2),
        attn_mask=mask,
        is_causal=tree.causal and mask is None,
        scale=scaling,
        enable_gqa=query.shape[2] != key.shape[2],
    )
    return output.transpose(1, 2)


def attend_slots(
    query: Tensor, key: Tensor, value: Tensor, slots: Slots, scaling: float | None, window: int | None
) -> Tensor:
    """One query a row; the heads that share keys are stacked as queries, so that keys are never repeated. In fp32 on a
    CPU, as attend_tree: sampling in bf16 takes 0.7 of its time so."""
    rows, heads, _, size = query.shape
    kv_heads, places = key.shape[1], torch.arange(key.shape[2], device=key.device)
    mask = places < slots.lengths[:, None]
    if window is not None:
        mask &= places >= slots.lengths[:, None] - window
    grouped, mask = query.reshape(rows, kv_heads, heads // kv_heads, size), mask[:, None, None]
    if query.device.type == "cpu":
        with torch.autocast("cpu", enabled=False):
            output = F.scaled_dot_product_attention(*widened(grouped, key, value), attn_mask=mask, scale=scaling)
    else:
        output = F.scaled_dot_product_attention(grouped, key, value, attn_mask=mask, scale=scaling)
    return output.reshape(rows, 1, heads, size)


class PromptCache:
    """Records the keys and values of one prompt while it is computed; passed to a model as `past_key_values`."""

    def __init__(self) -> None:
        self.layers: list[tuple[Tensor, Tensor]] = []

    def update(self, key: Tensor, value: Tensor, layer_idx: int, *unused: object) -> tuple[Tensor, Tensor]:
        if layer_idx != len(self.layers):
            raise ValueError(
                f"Layer {layer_idx} came after layer {len(self.layers) - 1}: this model cannot be sampled in slots."
            )
        self.layers.append((key, value.to(key.dtype)))  # one type, where autocast left one of them in bf16
        return key, value

    def get_seq_length(self, layer_idx: int = 0) -> int:
        return 0


class SlotCache:
    """Keys and values of up to `rows` sequences, each with its own length; passed to a model as `past_key_values`.

    The rows in use are the first `active` ones. Buffers grow by doubling, so that a new token costs no copy of the old
    ones.
    """

    def __init__(self, rows: int, device: torch.device) -> None:
        self.rows = rows
        self.layers: list[tuple[Tensor, Tensor]] = []  # (rows, kv heads, places, d) each
        self.lengths = torch.zeros(rows, dtype=torch.long, device=device)
        self.index = self.places = self.lengths[:0]
        self.longest = 0

    def begin(self, active: int) -> Slots:
        """Prepare one token for each of the first `active` rows."""
        self.index, self.places = torch.arange(active, device=self.lengths.device), self.lengths[:active].clone()
        self.longest = int(self.places.max()) + 1
        self.reserve(self.longest)
        self.lengths[:active] += 1
        return Slots(self.places + 1)

    def update(self, key: Tensor, value: Tensor, layer_idx: int, *unused: object) -> tuple[Tensor, Tensor]:
        """key, value (active, kv heads, 1, d) are written at each row's end -> (active, kv heads, longest, d) each."""
        keys, values = self.layers[layer_idx]
        keys[self.index, :, self.places] = key[:, :, 0].to(keys.dtype)
        values[self.index, :, self.places] = value[:, :, 0].to(values.dtype)
        active = len(self.index)
        return keys[:active, :, : self.longest], values[:active, :, : self.longest]

    def get_seq_length(self, layer_idx: int = 0) -> int:
        return self.longest

    def put(self, row: int, prompt: PromptCache) -> None:
        """Fill a row with a prompt's keys and values, (1, kv heads, P, d) a layer."""
        length = prompt.layers[0][0].shape[2]
        if not self.layers:
            self.layers = [(self.empty_like(key), self.empty_like(value)) for key, value in prompt.layers]
        self.reserve(length)
        for (keys, values), (key, value) in zip(self.layers, prompt.layers, strict=True):
            keys[row, :, :length], values[row, :, :length] = key[0], value[0]
        self.lengths[row] = length

    def reserve(self, length: int) -> None:
        """Make room for `length` places in every row."""
        held = self.layers[0][0].shape[2]
        if length > held:
            more = max(64, held, length - held)
            self.layers = [
                (F.pad(keys, (0, 0, 0, more)), F.pad(values, (0, 0, 0, more))) for keys, values in self.layers
            ]

    def empty_like(self, part: Tensor) -> Tensor:
        return part.new_zeros(self.rows, part.shape[1], 0, part.shape[3])

    def move(self, source: int, target: int) -> None:
        """Copy one row over another, so that the rows in use stay the first ones."""
        length = int(self.lengths[source])
        for pair in self.layers:
            for part in pair:
                part[target, :, :length] = part[source, :, :length]
        self.lengths[target] = self.lengths[source]


def supports_packing(model: PreTrainedModel) -> bool:
    """Whether tree attention computes what the model's own attention would: no soft cap, sinks or linear attention."""
    config = model.config.get_text_config()
    capped = getattr(config, "attn_logit_softcapping", None) is not None
    kinds = set(getattr(config, "layer_types", None) or ["full_attention"])
    plain = kinds <= {"full_attention", "sliding_attention"} and config.model_type not in {
        "gpt_oss",
        "bloom",
        "falcon",
        "mpt",
    }
    return bool(model._supports_attention_backend) and plain and not capped


def use_packing(model: PreTrainedModel) -> bool:
    """Switch the model to this module's attention where that is exact; returns whether it was."""
    if not supports_packing(model):
        return False
    AttentionInterface.register(NAME, attend)
    model.set_attn_implementation(NAME)
    return True
