"""One token at a time: two decoders of one shape, for models that take our attention and for those that do not."""

import copy

import torch
from torch import Tensor
from transformers import DynamicCache, PreTrainedModel

from training.algorithms.attention import PromptCache, SlotCache, Tree


class SlotDecoder:
    """Many sequences of different lengths in one batch, without padding among the tokens that are computed."""

    def __init__(self, model: PreTrainedModel, rows: int) -> None:
        self.model = model
        self.cache = SlotCache(rows, model.device)

    def prefill(self, ids: list[int]) -> tuple[PromptCache, Tensor]:
        """Compute a prompt -> what `place` needs, and the logits after its last token, (1, V)."""
        prompt = PromptCache()
        output = self.model(
            input_ids=torch.tensor([ids], device=self.model.device),
            position_ids=torch.arange(len(ids), device=self.model.device)[None],
            past_key_values=prompt,
            layout=Tree(((len(ids), ()),)),
            logits_to_keep=1,
            use_cache=True,
        )
        return prompt, output.logits[:, -1]

    def place(self, row: int, state: PromptCache) -> None:
        self.cache.put(row, state)

    def move(self, source: int, target: int) -> None:
        self.cache.move(source, target)

    def step(self, tokens: list[int]) -> Tensor:
        """Add one token to each of the first len(tokens) rows -> logits (rows, V)."""
        slots = self.cache.begin(len(tokens))
        output = self.model(
            input_ids=torch.tensor(tokens, device=self.model.device)[:, None],
            position_ids=self.cache.places[:, None],
            past_key_values=self.cache,
            layout=slots,
            use_cache=True,
        )
        return output.logits[:, -1]


class OneDecoder:
    """One sequence with the model's own attention and cache."""

    def __init__(self, model: PreTrainedModel) -> None:
        self.model = model
        self.cache: DynamicCache | None = None

    def prefill(self, ids: list[int]) -> tuple[DynamicCache, Tensor]:
        cache = DynamicCache(config=self.model.config)
        output = self.model(
            input_ids=torch.tensor([ids], device=self.model.device), past_key_values=cache, use_cache=True
        )
        return cache, output.logits[:, -1]

    def place(self, row: int, state: DynamicCache) -> None:
        self.cache = copy.deepcopy(state)

    def move(self, source: int, target: int) -> None:
        raise AssertionError("there is one row")

    def step(self, tokens: list[int]) -> Tensor:
        ids = torch.tensor([tokens], device=self.model.device)
        return self.model(input_ids=ids, past_key_values=self.cache, use_cache=True).logits[:, -1]
