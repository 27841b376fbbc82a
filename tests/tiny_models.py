"""Tiny random models in Hugging Face layout, built from a config: no test downloads anything."""

from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import BertConfig, BertModel, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

CHAT_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def byte_tokenizer(specials: list[str]) -> Tokenizer:
    """One token a byte, then the given special tokens: nothing is ever unknown."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    backend = Tokenizer(models.BPE(vocab={char: index for index, char in enumerate(alphabet)}, merges=[]))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    backend.decoder = decoders.ByteLevel()
    backend.add_special_tokens(specials)
    return backend


def policy_tokenizer(*, chat: bool = True, places: int = 1024) -> PreTrainedTokenizerFast:
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=byte_tokenizer(["<|pad|>", "<|im_start|>", "<|im_end|>"]),
        pad_token="<|pad|>",
        bos_token="<|im_start|>",
        eos_token="<|im_end|>",
        model_max_length=places,
    )
    tokenizer.chat_template = CHAT_TEMPLATE if chat else None
    return tokenizer


def build_policy(folder: Path, seed: int = 0, *, ends: bool = True) -> Path:
    """Save a 20,000-parameter Llama with a chat template; it writes printable nonsense and, if it `ends`, stops now
    and then, sometimes before the first letter."""
    tokenizer = policy_tokenizer(places=1024 if ends else 8192)
    torch.manual_seed(seed)
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(tokenizer),
            hidden_size=32,
            intermediate_size=32,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            max_position_embeddings=tokenizer.model_max_length,
            tie_word_embeddings=True,
            initializer_range=0.1,
            pad_token_id=tokenizer.pad_token_id,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
        )
    )
    prefer_printable(model, tokenizer, ending=0.98 if ends else -1.0)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return Path(folder)


def prefer_printable(model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast, *, ending: float) -> None:
    """Lean the tied embedding so that letters are likely, the end of turn possible, other bytes rare."""
    lean = torch.full((len(tokenizer),), 0.3)
    for char in " abcdefghijklmnopqrstuvwxyz.":
        lean[tokenizer.convert_tokens_to_ids(tokenizer.tokenize(char))] = 1.0
    lean[tokenizer.eos_token_id] = ending
    with torch.no_grad():
        model.model.embed_tokens.weight[:, 0] = lean
        model.model.norm.weight[0] = 8.0


def build_encoder(folder: Path, seed: int = 0) -> Path:
    """Save a tiny BERT (no head) with [CLS] and [SEP], the shape of a sentence encoder used as reward backbone."""
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=byte_tokenizer(["[PAD]", "[CLS]", "[SEP]"]),
        pad_token="[PAD]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        model_input_names=["input_ids", "token_type_ids", "attention_mask"],
        model_max_length=512,
    )
    torch.manual_seed(seed)
    model = BertModel(
        BertConfig(
            vocab_size=len(tokenizer),
            hidden_size=32,
            intermediate_size=32,
            num_hidden_layers=2,
            num_attention_heads=4,
            max_position_embeddings=512,
            initializer_range=0.1,
            pad_token_id=tokenizer.pad_token_id,
        )
    )
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return Path(folder)
