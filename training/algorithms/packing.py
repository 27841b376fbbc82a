"""From encoded groups to the tensors of one forward pass, and the order in which groups are seen.

Three forms of the same content: `tree` (one row, each prompt once; decoders), `rows` (one row, prompt and completion
side by side for each completion; encoders) and `padded` (one row a completion; any model).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from training.algorithms.attention import Tree
from training.algorithms.groups import EncodedGroup

Form = Literal["tree", "rows", "padded"]


@dataclass(frozen=True, kw_only=True)
class Batch:
    """One forward pass over C completions of G groups with S completion tokens; indices are into the flattened ids."""

    ids: Tensor  # (1, N) packed, (C, T) padded; long
    positions: Tensor  # same shape: place within the own sequence
    types: Tensor  # same shape: 0 prompt, 1 completion
    mask: Tensor | None  # (C, T), 1 = a real token; None when packed
    layout: Tree | None
    starts: Tensor  # (C,) first token of the sequence
    ends: Tensor  # (C,) last real token
    sources: Tensor  # (S,) where each completion token is predicted from: the token before it
    targets: Tensor  # (S,) the completion tokens themselves
    owners: Tensor  # (S,) which of the C completions each belongs to
    counts: tuple[int, ...]  # completions of each group, in order
    tokens: int  # real tokens in the pass

    def to(self, device: torch.device) -> "Batch":
        if device.type == "cpu":
            return self
        moved = {name: value.to(device) for name, value in vars(self).items() if isinstance(value, Tensor)}
        return Batch(**{**vars(self), **moved})


def collate(groups: Sequence[EncodedGroup], form: Form) -> Batch:
    """Lay the groups out in the given form; nothing is cut or dropped."""
    return collate_padded(groups) if form == "padded" else collate_packed(groups, share_prompt=form == "tree")


def collate_packed(groups: Sequence[EncodedGroup], *, share_prompt: bool) -> Batch:
    """One row without padding; without share_prompt each completion has its own copy and sees both ways."""
    ids: list[int] = []
    positions: list[int] = []
    types: list[int] = []
    segments: list[tuple[int, tuple[int, ...]]] = []
    spans: list[tuple[int, int, int, int]] = []  # start of sequence, last prompt token, first completion token, length
    for group in groups:
        size, start = len(group.prompt), len(ids)
        if share_prompt:
            ids += group.prompt
            positions += range(size)
            types += [0] * size
            segments.append((size, tuple(map(len, group.completions))))
        for completion in group.completions:
            if not share_prompt:
                start = len(ids)
                ids += group.prompt
                positions += range(size)
                types += [0] * size
                segments.append((0, (size + len(completion),)))
            spans.append((start, start + size - 1, len(ids), len(completion)))
            ids += completion
            positions += range(size, size + len(completion))
            types += [1] * len(completion)
    return Batch(
        ids=torch.tensor([ids]),
        positions=torch.tensor([positions]),
        types=torch.tensor([types]),
        mask=None,
        layout=Tree(tuple(segments), causal=share_prompt),
        starts=torch.tensor([start for start, _, _, _ in spans]),
        ends=torch.tensor([first + length - 1 for _, _, first, length in spans]),
        sources=torch.tensor(
            [place for _, last, first, length in spans for place in (last, *range(first, first + length - 1))]
        ),
        targets=torch.tensor([token for group in groups for completion in group.completions for token in completion]),
        owners=torch.tensor([owner for owner, span in enumerate(spans) for _ in range(span[3])]),
        counts=tuple(len(group.completions) for group in groups),
        tokens=len(ids),
    )


def collate_padded(groups: Sequence[EncodedGroup]) -> Batch:
    """One right-padded row a completion, for models that keep their own attention. Padding is id 0, mask 0."""
    pairs = [(group.prompt, completion) for group in groups for completion in group.completions]
    width = max(len(prompt) + len(completion) for prompt, completion in pairs)
    shape = (len(pairs), width)
    ids, mask, types = (torch.zeros(shape, dtype=torch.long) for _ in range(3))
    spans = []
    for row, (prompt, completion) in enumerate(pairs):
        total = len(prompt) + len(completion)
        ids[row, :total] = torch.tensor(prompt + completion)
        mask[row, :total] = 1
        types[row, len(prompt) : total] = 1
        spans.append((row * width, row * width + len(prompt) - 1, len(completion)))
    return Batch(
        ids=ids,
        positions=torch.arange(width).expand(shape).contiguous(),
        types=types,
        mask=mask,
        layout=None,
        starts=torch.tensor([start for start, _, _ in spans]),
        ends=torch.tensor([last + length for _, last, length in spans]),
        sources=torch.tensor([place for _, last, length in spans for place in range(last, last + length)]),
        targets=torch.tensor([token for _, completion in pairs for token in completion]),
        owners=torch.tensor([owner for owner, span in enumerate(spans) for _ in range(span[2])]),
        counts=tuple(len(group.completions) for group in groups),
        tokens=int(mask.sum()),
    )


def cost(group: EncodedGroup, form: Form) -> int:
    """Tokens the group takes in a forward pass."""
    return group.tokens if form == "tree" else group.tokens + len(group.prompt) * (len(group.completions) - 1)


def micro_batches(groups: Sequence[EncodedGroup], *, form: Form, budget: int) -> list[list[EncodedGroup]]:
    """Cut an optimiser step into as few passes of at most `budget` tokens as filling one after another takes, longest
    first, and these as even as they come, since the largest decides the memory. A larger group goes alone."""
    sized = sorted(((cost(group, form), group) for group in groups), key=lambda pair: -pair[0])
    fewest = len(fill_passes(sized, budget))
    even = -(-sum(size for size, _ in sized) // max(fewest, 1))
    for most in range(even, budget, max(budget // 32, 1)):
        if len(passes := fill_passes(sized, most)) == fewest:
            return passes
    return fill_passes(sized, budget)


def fill_passes(sized: Sequence[tuple[int, EncodedGroup]], most: int) -> list[list[EncodedGroup]]:
    """One pass after another, each until the next group would not fit."""
    passes: list[list[EncodedGroup]] = []
    held = 0
    for size, group in sized:
        if not passes or held + size > most:
            passes.append([])
            held = 0
        passes[-1].append(group)
        held += size
    return passes


def step_groups(groups: Sequence[EncodedGroup], *, step: int, batch_size: int, seed: int) -> list[EncodedGroup]:
    """The groups of optimiser step `step` (from 0): each epoch is a fresh permutation, a function of seed and epoch
    alone.

    Because nothing is drawn from a running generator, a resumed run sees the very same batches.
    """
    epoch, place = divmod(step, steps_per_epoch(len(groups), batch_size))
    generator = torch.Generator().manual_seed(seed * 1_000_003 + epoch)
    order = torch.randperm(len(groups), generator=generator).tolist()
    return [groups[index] for index in order[place * batch_size : (place + 1) * batch_size]]


def steps_per_epoch(groups: int, batch_size: int) -> int:
    return -(-groups // batch_size)
