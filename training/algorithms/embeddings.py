"""Texts as vectors by a model that is not trained: the mean of the response's last hidden states."""

from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import Tensor
from transformers import AutoModel, AutoTokenizer, PreTrainedTokenizerBase

from training.algorithms.groups import Message, transcript

AT_ONCE, LONGEST = 16, 512


class Embedder:
    """Loaded once; a response is embedded after its prompt, whose beginning is cut where both are too long."""

    def __init__(self, folder: Path) -> None:
        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.model = AutoModel.from_pretrained(folder, dtype=torch.float32).eval().to(device)
        self.tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(folder)
        self.tokenizer.padding_side, self.tokenizer.truncation_side = "right", "left"
        if self.tokenizer.pad_token is None:
            self.tokenizer.pad_token = self.tokenizer.eos_token
        places = getattr(self.model.config, "max_position_embeddings", None) or LONGEST
        self.longest = min(LONGEST, places)

    @torch.no_grad()
    def embed(
        self, pairs: Sequence[tuple[Sequence[Message], str, str]], *, check: Callable[[int], None] | None = None
    ) -> Tensor:
        """(messages, system, response) each -> (C, d). `check` is told how many are done and may raise to stop."""
        found = []
        for start in range(0, len(pairs), AT_ONCE):
            found.append(self.embed_batch(pairs[start : start + AT_ONCE]))
            if check is not None:
                check(min(start + AT_ONCE, len(pairs)))
        return torch.cat(found)

    def embed_batch(self, pairs: Sequence[tuple[Sequence[Message], str, str]]) -> Tensor:
        prefixes = [transcript(messages, system) + "\n\nAssistant: " for messages, system, _ in pairs]
        texts = [prefix + response for prefix, (_, _, response) in zip(prefixes, pairs, strict=True)]
        encoded = self.tokenizer(
            texts,
            padding=True,
            truncation=True,
            max_length=self.longest,
            return_offsets_mapping=True,
            return_tensors="pt",
        )
        starts = torch.tensor([len(prefix) for prefix in prefixes])[:, None]
        counted = encoded["attention_mask"].bool() & (encoded["offset_mapping"][..., 1] > starts)
        device = self.model.device
        hidden = self.model(
            input_ids=encoded["input_ids"].to(device), attention_mask=encoded["attention_mask"].to(device)
        ).last_hidden_state.cpu()
        weights = counted.float()[..., None]
        return (hidden * weights).sum(1) / weights.sum(1).clamp(min=1)
