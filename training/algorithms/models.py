"""Policies and reward models: loading, adapters, one forward pass over a Batch, plain Hugging Face folders."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from training.algorithms.attention import use_packing
from training.algorithms.groups import EncodedGroup, is_encoder
from training.algorithms.logprobs import token_logprobs
from training.algorithms.packing import Batch, Form, collate, micro_batches

HEADS = ("score", "classifier")
NOTES = "plumbline.json"
NUMBERS = "numbers"  # the attribute below


class Policy(nn.Module):
    """A causal language model; the forward pass gives log-probabilities of completion tokens."""

    def __init__(self, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> None:
        super().__init__()
        self.model, self.tokenizer = model, tokenizer
        self.adapters: list[PeftModel] = []  # in a list: their parameters are the model's own, registered once
        self.numbers = nn.ParameterDict()  # scalars that a loss learns beside the weights, by name
        self.form: Form = "tree" if use_packing(model) else "padded"

    def forward(self, batch: Batch, temperature: float = 1.0) -> Tensor:
        """-> (S,) fp32 log-probabilities, nats. The head runs on the places that predict a completion token only."""
        logits, _ = self.predict(batch, with_hidden=False)
        return token_logprobs(logits, batch.targets, temperature=temperature)

    def predict(self, batch: Batch, *, with_hidden: bool) -> tuple[Tensor, Tensor | None]:
        """-> (S, V) logits that predict the completion tokens; (N, d) last hidden states of all tokens, if wanted."""
        if self.form == "tree":
            output = self.model(
                input_ids=batch.ids,
                position_ids=batch.positions,
                layout=batch.layout,
                logits_to_keep=batch.sources,
                use_cache=False,
                output_hidden_states=with_hidden,
            )
            logits = output.logits[0]
        else:
            output = self.model(
                input_ids=batch.ids,
                attention_mask=batch.mask,
                position_ids=batch.positions,
                use_cache=False,
                output_hidden_states=with_hidden,
            )
            logits = output.logits.flatten(0, 1)[batch.sources]
        return logits, output.hidden_states[-1].flatten(0, 1) if with_hidden else None


class RewardModel(nn.Module):
    """A decoder or encoder with a linear head in fp32: one reward a completion, or an ensemble of H of them."""

    def __init__(self, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> None:
        super().__init__()
        self.model, self.tokenizer = model, tokenizer
        self.adapters: list[PeftModel] = []  # in a list: their parameters are the model's own, registered once
        self.numbers = nn.ParameterDict()  # scalars that a loss learns beside the weights, by name
        self.encoder = is_encoder(tokenizer)
        packs = use_packing(model) if not self.encoder or model.config.model_type == "bert" else False
        self.form: Form = "padded" if not packs else "rows" if self.encoder else "tree"

    def forward(self, batch: Batch) -> Tensor:
        """-> (C, H) fp32 rewards, read at the last real token of a decoder or the first of an encoder."""
        two_sided = self.encoder and "token_type_ids" in self.tokenizer.model_input_names
        types = {"token_type_ids": batch.types} if two_sided else {}
        if batch.mask is not None:
            pad = self.model.config.get_text_config().pad_token_id
            ids = batch.ids.where(batch.mask == 1, pad)
            return self.model(input_ids=ids, attention_mask=batch.mask, **types).logits.float()
        trunk: Any = self.model.base_model
        head = find_head(self.model)
        hidden = trunk(
            input_ids=batch.ids,
            position_ids=batch.positions,
            layout=batch.layout,
            **(types if self.encoder else {"use_cache": False}),
        ).last_hidden_state[0]
        with torch.autocast(hidden.device.type, enabled=False):
            if self.encoder:
                return head(trunk.pooler(hidden[batch.starts].float()[:, None]))
            return head(hidden[batch.ends].float())


def context_length(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> int:
    """The longest sequence that model and tokenizer are made for; a very large number where neither says."""
    places = getattr(model.config.get_text_config(), "max_position_embeddings", None) or 1_000_000
    return int(min(places, tokenizer.model_max_length))


def load_tokenizer(folder: str | Path) -> PreTrainedTokenizerBase:
    return AutoTokenizer.from_pretrained(folder)


def load_policy(folder: str | Path, *, trainable: bool = False) -> Policy:
    """Load a causal language model in fp32 (training casts by autocast), dropout off."""
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    return Policy(without_dropout(model).requires_grad_(trainable), load_tokenizer(folder))


def load_reward_model(folder: str | Path, *, seed: int = 0, heads: int | None = None) -> RewardModel:
    """Load a reward model, or start one on a backbone: fresh heads N(0, 1/(d + 1)), bias 0 (Stiennon et al. 2020).

    `heads` is how many a fresh one gets (1 if not said) and an existing one must have.

    The padding token is made different from the end-of-sequence token, so that padded scoring by
    `AutoModelForSequenceClassification` reads the same token as ours.
    """
    config, tokenizer = AutoConfig.from_pretrained(folder), load_tokenizer(folder)
    fresh = not any(name.endswith("ForSequenceClassification") for name in config.architectures or [])
    settings = {"num_labels": heads or 1, "problem_type": "regression"} if fresh else {}
    model = AutoModelForSequenceClassification.from_pretrained(folder, dtype=torch.float32, **settings)
    found = model.config.num_labels
    if not fresh and found not in (1, getattr(model.config, "reward_heads", 1)):
        raise ValueError(f"{folder} is a classifier with {found} labels, not a reward model: choose another model.")
    if heads not in (None, found):
        raise ValueError(f"{folder} is a reward model with {found} heads: set Heads to {found}, or start from another.")
    if fresh:
        model.config.reward_heads = found
        start_head(model, seed=seed)
    set_padding(model, tokenizer)
    return RewardModel(without_dropout(model), tokenizer)


def start_head(model: PreTrainedModel, *, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    head = find_head(model)
    with torch.no_grad():
        head.weight.normal_(0, (head.in_features + 1) ** -0.5, generator=generator)
        if head.bias is not None:
            head.bias.zero_()


def find_head(model: PreTrainedModel) -> nn.Linear:
    """The last linear layer of the scalar head."""
    layers = [
        module
        for name, module in model.named_modules()
        if name.split(".")[0] in HEADS and isinstance(module, nn.Linear)
    ]
    if not layers:
        raise ValueError(f"{type(model).__name__} has no scalar head that we know: choose another backbone.")
    return layers[-1]


def set_padding(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> None:
    """Give tokenizer and model a padding token that never ends a completion, adding one where there is none."""
    ends = {tokenizer.eos_token_id, tokenizer.bos_token_id, None}
    if tokenizer.pad_token_id in ends:
        spare = next(
            (
                token
                for token in (tokenizer.unk_token, "<|endoftext|>", "<pad>", "<|pad|>")
                if usable(tokenizer, token, ends)
            ),
            None,
        )
        if spare is None:
            tokenizer.add_special_tokens({"pad_token": "<|pad|>"})
        else:
            tokenizer.pad_token = spare
    if tokenizer.pad_token_id >= model.get_input_embeddings().num_embeddings:
        model.resize_token_embeddings(len(tokenizer), mean_resizing=False)
    tokenizer.padding_side = "right"
    model.config.get_text_config().pad_token_id = tokenizer.pad_token_id


def usable(tokenizer: PreTrainedTokenizerBase, token: str | None, ends: set[int | None]) -> bool:
    return token is not None and tokenizer.get_vocab().get(token) not in ends


def without_dropout(model: PreTrainedModel) -> PreTrainedModel:
    """Dropout rates to 0, not only `eval()`: log-probabilities compared across passes must not be noise."""
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
        for name in ("attention_dropout", "attn_dropout", "dropout"):
            if isinstance(getattr(module, name, None), float):
                setattr(module, name, 0.0)
    return model.eval()


def add_lora(wrapper: Policy | RewardModel, *, rank: int, alpha: int, seed: int, layers: int = 0) -> None:
    """Freeze the model and inject adapters into every linear layer but the heads; a scalar head stays trainable.

    layers  # only into so many blocks at the end, where the gradient then stops; 0: into all
    """
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        adapters = LoraConfig(
            r=rank,
            lora_alpha=alpha,
            lora_dropout=0.0,
            target_modules="all-linear",
            exclude_modules=["lm_head", "embed_out", *HEADS, *names_before(wrapper.model, layers)],
        )
        peft_model = get_peft_model(wrapper.model, adapters)
    wrapper.adapters = [peft_model]
    if isinstance(wrapper, RewardModel):
        find_head(wrapper.model).requires_grad_(True)


def names_before(model: PreTrainedModel, layers: int) -> list[str]:
    """What lies in the blocks before the last `layers`, by name; nothing for 0. A model's blocks are its longest list.

    Raises ValueError where there are fewer blocks.
    """
    if not layers:
        return []
    name, blocks = max(
        ((name, module) for name, module in model.named_modules() if isinstance(module, nn.ModuleList)),
        key=lambda found: len(found[1]),
    )
    if layers > len(blocks):
        raise ValueError(
            f"The model has {len(blocks)} layers: lower LoRA layers from {layers}, or set it to 0 for all."
        )
    return [
        f"{name}.{place}.{inner}"
        for place, block in enumerate(blocks[: len(blocks) - layers])
        for inner, _ in block.named_modules()
    ]


def merge_lora(wrapper: Policy | RewardModel) -> None:
    """Fold the adapters into the weights, after which the model is a plain one."""
    for peft_model in wrapper.adapters:
        wrapper.model = peft_model.merge_and_unload()
    wrapper.adapters = []


def save_model(wrapper: Policy | RewardModel, folder: Path, *, notes: Mapping[str, Any] | None = None) -> None:
    """Write weights (safetensors), configuration and tokenizer; `AutoModelFor…` loads the folder.

    `notes` is what whoever uses the model must know, written beside them as NOTES.
    """
    merge_lora(wrapper)
    wrapper.model.save_pretrained(folder)
    wrapper.tokenizer.save_pretrained(folder)
    if notes:
        (folder / NOTES).write_text(json.dumps(notes, indent=1, sort_keys=True))


def read_notes(folder: Path) -> dict[str, Any]:
    """What save_model noted beside the weights; empty for a model that is not ours."""
    path = folder / NOTES
    return json.loads(path.read_text()) if path.exists() else {}


def unwrap(model: nn.Module) -> Any:
    """The Policy or RewardModel inside what accelerate prepared."""
    return model.module if isinstance(model, DistributedDataParallel) else model


def score(
    wrapper: RewardModel, groups: Sequence[EncodedGroup], *, budget: int = 8192, pessimism: float = 0.0
) -> list[tuple[float, ...]]:
    """Rewards of every completion, group by group in the order given.

    An ensemble's reward is the mean of its heads less `pessimism` times their standard deviation.
    """
    heads = score_heads(wrapper, groups, budget=budget)
    return [tuple(lower_bound(rewards, pessimism).tolist()) for rewards in heads]


def score_heads(wrapper: RewardModel, groups: Sequence[EncodedGroup], *, budget: int = 8192) -> list[Tensor]:
    """What each head says of every completion: (K, H) of each group, in the order given, on the CPU."""
    device = next(wrapper.parameters()).device
    found: dict[int, Tensor] = {}
    with torch.no_grad():
        for chunk in micro_batches(groups, form=wrapper.form, budget=budget):
            rewards = wrapper(collate(chunk, wrapper.form).to(device)).cpu()
            sizes = [len(group.completions) for group in chunk]
            found.update(zip(map(id, chunk), rewards.split(sizes), strict=True))
    return [found[id(group)] for group in groups]


def lower_bound(rewards: Tensor, pessimism: float) -> Tensor:
    """Mean over the heads less `pessimism` standard deviations (of the sample). (C, H) -> (C,)

    By hand, heads 1 and 3, pessimism 1: 2 − √2 = 0.58579. One head has no spread.
    """
    spread = rewards.std(1) if rewards.shape[1] > 1 else torch.zeros_like(rewards[:, 0])
    return rewards.mean(1) - pessimism * spread
