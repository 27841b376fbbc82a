"""Answers written live: several at once, each with its own sampling, all of them a token further with every step.

They come and go between two steps. What is drawn for one does not depend on what is written beside it.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from training.algorithms.attention import use_packing
from training.algorithms.decoding import OneDecoder, SlotDecoder
from training.algorithms.groups import encode_prompt
from training.algorithms.models import context_length
from training.algorithms.rollouts import Draft, Request, Sampling, draw, stop_ids, uniforms


@dataclass(frozen=True, kw_only=True)
class Piece:
    """The answer `key` after a step: all of its text so far, and why it ended if it has ("stop" | "length")."""

    key: int
    text: str
    tokens: int  # without the end of turn
    reason: str


@dataclass
class Writing:
    """An answer on its way. The slots are shared; a model that takes one sequence at a time needs a decoder each."""

    key: int
    draft: Draft
    sampling: Sampling
    decoder: SlotDecoder | OneDecoder


class LiveBatch:
    """Up to `rows` answers of one model. Answer i lives in row i of the slots."""

    def __init__(self, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, rows: int) -> None:
        self.model, self.tokenizer, self.rows = model, tokenizer, rows
        self.slots = SlotDecoder(model, rows) if use_packing(model) else None
        self.context = context_length(model, tokenizer)
        self.stops = stop_ids(model, tokenizer)
        self.writings: list[Writing] = []
        self.prefilled: tuple[list[int], Any, Tensor] | None = None

    @property
    def has_room(self) -> bool:
        return len(self.writings) < self.rows

    @torch.no_grad()
    def admit(self, key: int, request: Request, sampling: Sampling) -> Piece:
        """Start an answer and draw its first token. The prompt is computed once for consecutive answers to it."""
        ids = list(request.ids) or encode_prompt(self.tokenizer, request.prompt, request.system)
        ids = ids[-max(self.context - sampling.max_tokens, self.context // 2) :]
        decoder = self.slots or OneDecoder(self.model)
        if self.prefilled is None or self.prefilled[0] != ids:
            self.prefilled = (ids, *decoder.prefill(ids))
        _, state, logits = self.prefilled
        decoder.place(len(self.writings), state)
        limit = min(sampling.max_tokens, self.context - len(ids))
        draft = Draft(request, request.indices[0], uniforms(sampling, request.key, request.indices[0]), limit)
        self.writings.append(Writing(key, draft, sampling, decoder))
        return self._extend(self.writings[-1], logits)

    @torch.no_grad()
    def step(self) -> list[Piece]:
        """One more token for every answer; those that ended have left."""
        writings = list(self.writings)
        last = [writing.draft.ids[-1] for writing in writings]
        if self.slots:
            logits = self.slots.step(last)
        else:
            steps = [writing.decoder.step([token]) for writing, token in zip(writings, last, strict=True)]
            logits = torch.cat(steps)
        return [self._extend(writing, logits[row : row + 1]) for row, writing in enumerate(writings)]

    def drop(self, key: int) -> None:
        """Stop writing an answer, if it is still written: its row is free, and the last row moves into it."""
        row = next((row for row, writing in enumerate(self.writings) if writing.key == key), None)
        if row is None:
            return
        last = self.writings.pop()
        if row < len(self.writings):
            if self.slots:
                self.slots.move(len(self.writings), row)
            self.writings[row] = last

    def _extend(self, writing: Writing, logits: Tensor) -> Piece:
        """Draw the next token from logits (1, V)."""
        draft, sampling = writing.draft, writing.sampling
        number = draft.uniforms[len(draft.ids)][None].to(logits.device)
        token = int(draw(logits, number, temperature=sampling.temperature, top_p=sampling.top_p))
        reason = "stop" if token in self.stops else ""
        if not reason:
            draft.ids.append(token)
            reason = "length" if len(draft.ids) >= draft.limit else ""
        if reason:
            self.drop(writing.key)
        return Piece(key=writing.key, text=self._text(draft, reason), tokens=len(draft.ids), reason=reason)

    def _text(self, draft: Draft, reason: str) -> str:
        """Decoded; while more is to come, without the character that is still lacking bytes."""
        text = str(self.tokenizer.decode(draft.ids, skip_special_tokens=True)).replace("\x00", "")
        return text if reason else text.rstrip("\ufffd")
