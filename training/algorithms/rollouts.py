"""Sampling from a policy: a key-value cache with a slot a sequence, prompts computed once for all their samples.

A sequence that ends leaves its slot to the next request, so that the batch stays full. Every sample has its own random
numbers, a function of the seed, the prompt's key and the sample's index: the batch does not change what is drawn.
"""

import hashlib
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from training.algorithms.attention import use_packing
from training.algorithms.decoding import OneDecoder, SlotDecoder
from training.algorithms.groups import encode_prompt
from training.algorithms.models import context_length
from training.algorithms.samples import Request, Sample, Sampling


@dataclass
class Draft:
    """A sequence being written."""

    request: Request
    index: int
    uniforms: Tensor  # (max_tokens,) fp64 in [0, 1): one for each draw
    limit: int  # most tokens it may have
    ids: list[int] = field(default_factory=list)
    end: tuple[int, ...] = ()  # the token that ended it


def never() -> bool:
    return False


@torch.no_grad()
def sample(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    requests: Sequence[Request],
    *,
    sampling: Sampling,
    batch_size: int = 16,
    should_stop: Callable[[], bool] = never,
    on_sample: Callable[[Sample], None] | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> list[Sample]:
    """Draw every requested sample and return them in the order asked.

    `should_stop` is asked before each token; once it says so, the samples that were finished are returned. `on_sample`
    gets each sample as it ends; `on_progress` gets (tokens drawn, samples finished) after each token. The model is
    switched to packed attention where that is exact; a model that cannot is sampled one sequence at a time.
    """
    engine = Engine(model, tokenizer, sampling, batch_size)
    waiting = deque((request, index) for request in requests for index in request.indices)
    finished: dict[tuple[int, int], Sample] = {}
    while (waiting or engine.drafts) and not should_stop():
        ended = engine.admit(*waiting.popleft()) if waiting and engine.has_room else engine.step()
        for draft, reason in ended:
            result = finished[id(draft.request), draft.index] = finish(tokenizer, draft, reason)
            if on_sample is not None:
                on_sample(result)
        if on_progress is not None:
            on_progress(engine.drawn, len(finished))
    order = [(id(request), index) for request in requests for index in request.indices]
    return [finished[place] for place in order if place in finished]


def finish(tokenizer: PreTrainedTokenizerBase, draft: Draft, reason: str) -> Sample:
    text = str(tokenizer.decode(draft.ids, skip_special_tokens=True)).replace("\x00", "")
    return Sample(
        key=draft.request.key,
        index=draft.index,
        text=text,
        tokens=len(draft.ids),
        finish_reason=reason,
        ids=(*draft.ids, *draft.end),
    )


class Engine:
    """Keeps up to `rows` drafts going, one token each a step; draft i lives in row i of the decoder."""

    def __init__(
        self, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, sampling: Sampling, rows: int
    ) -> None:
        packs = use_packing(model)
        self.model, self.tokenizer, self.sampling = model, tokenizer, sampling
        self.decoder = SlotDecoder(model, rows) if packs else OneDecoder(model)
        self.rows = rows if packs else 1
        self.context = context_length(model, tokenizer)
        self.stops = stop_ids(model, tokenizer)
        self.drafts: list[Draft] = []
        self.drawn = 0
        self.prefilled: tuple[Request, Any, Tensor, int] | None = None

    @property
    def has_room(self) -> bool:
        return len(self.drafts) < self.rows

    def admit(self, request: Request, index: int) -> list[tuple[Draft, str]]:
        """Start a draft and draw its first token; the prompt is computed once for consecutive samples of a request."""
        if self.prefilled is None or self.prefilled[0] is not request:
            self.prefilled = self.prefill(request)
        _, state, logits, limit = self.prefilled
        draft = Draft(request, index, uniforms(self.sampling, request.key, index), limit)
        self.decoder.place(len(self.drafts), state)
        self.drafts.append(draft)
        return self.extend([draft], logits)

    def prefill(self, request: Request) -> tuple[Request, Any, Tensor, int]:
        ids = list(request.ids) or encode_prompt(self.tokenizer, request.prompt, request.system)
        ids = ids[-max(self.context - self.sampling.max_tokens, self.context // 2) :]
        state, logits = self.decoder.prefill(ids)
        return request, state, logits, min(self.sampling.max_tokens, self.context - len(ids))

    def step(self) -> list[tuple[Draft, str]]:
        """One more token for every draft; returns those that ended, with the reason."""
        logits = self.decoder.step([draft.ids[-1] for draft in self.drafts])
        return self.extend(list(self.drafts), logits)

    def extend(self, drafts: list[Draft], logits: Tensor) -> list[tuple[Draft, str]]:
        numbers = torch.stack([draft.uniforms[len(draft.ids)] for draft in drafts]).to(logits.device)
        chosen = draw(logits, numbers, temperature=self.sampling.temperature, top_p=self.sampling.top_p).tolist()
        self.drawn += len(chosen)
        ended = []
        for draft, token in zip(drafts, chosen, strict=True):
            if token in self.stops:
                draft.end = (token,)
                ended.append((draft, "stop"))
                continue
            draft.ids.append(token)
            if len(draft.ids) >= draft.limit:
                ended.append((draft, "length"))
        for draft, _ in ended:
            self.drop(draft)
        return ended

    def drop(self, draft: Draft) -> None:
        """Free the row; the last row moves into it."""
        row, last = next(row for row, other in enumerate(self.drafts) if other is draft), len(self.drafts) - 1
        if row != last:
            self.decoder.move(last, row)
            self.drafts[row] = self.drafts[last]
        self.drafts.pop()


def draw(logits: Tensor, numbers: Tensor, *, temperature: float, top_p: float) -> Tensor:
    """The token whose share of the cumulative distribution, in vocabulary order, holds the number.

    logits (B, V) any float type; numbers (B,) fp64 in [0, 1) -> (B,) ids. top_p keeps the fewest likeliest tokens whose
    probabilities add up to it (Holtzman et al. 2020). By hand: p = (0.5, 0.3, 0.2), number 0.6 -> 1; with top_p 0.5 ->
    0.
    """
    if temperature == 0:
        return logits.argmax(-1)
    probabilities = torch.softmax(logits.float() / temperature, -1)
    if top_p < 1:
        probabilities = probabilities.where(probabilities >= nucleus_floor(probabilities, top_p), 0.0)
    cumulative = probabilities.double().cumsum(-1)
    places = torch.searchsorted(cumulative, numbers[:, None] * cumulative[:, -1:], right=True)[:, 0]
    return places.clamp(max=logits.shape[-1] - 1)


def nucleus_floor(probabilities: Tensor, top_p: float) -> Tensor:
    """(B, 1): the least probability inside the nucleus. The likeliest 512 are tried first: a full sort is slow."""
    for count in (min(512, probabilities.shape[-1]), probabilities.shape[-1]):
        likeliest = probabilities.topk(count).values
        before = likeliest.cumsum(-1) - likeliest
        inside = before < top_p
        if count == probabilities.shape[-1] or not inside.all(-1).any():
            break
    return likeliest.gather(-1, inside.sum(-1, keepdim=True) - 1)


def uniforms(sampling: Sampling, key: str, index: int) -> Tensor:
    """(max_tokens,) fp64 random numbers that belong to this sample whatever else is drawn beside it."""
    digest = hashlib.sha256(f"{sampling.seed}\n{index}\n{key}".encode()).digest()
    generator = torch.Generator().manual_seed(int.from_bytes(digest[:8], "big") >> 1)
    return torch.rand(sampling.max_tokens, dtype=torch.float64, generator=generator)


def stop_ids(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> set[int]:
    """Every token that ends a response: the tokenizer's and the generation configuration's."""
    configured = model.generation_config.eos_token_id if model.generation_config is not None else None
    several = configured if isinstance(configured, list) else [configured]
    return {token for token in (*several, tokenizer.eos_token_id) if token is not None}
