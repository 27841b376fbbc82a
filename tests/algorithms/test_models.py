"""Artifacts are plain Hugging Face folders that others load, and score as we do."""

import pytest
import torch
from transformers import (
    AutoModelForCausalLM,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    GPT2Config,
    GPT2LMHeadModel,
)

from tests.algorithms.runs import encoded
from tests.tiny_models import policy_tokenizer
from training.algorithms.models import (
    add_lora,
    find_head,
    load_policy,
    load_reward_model,
    merge_lora,
    save_model,
    score,
    set_padding,
    start_head,
)
from training.algorithms.packing import collate


def disturb(model: torch.nn.Module) -> None:
    """Make every trainable weight differ from its start."""
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter += 0.05 * torch.randn(parameter.shape, generator=generator)


@pytest.mark.parametrize("backbone", ["policy_folder", "encoder_folder"])
def test_a_saved_reward_model_scores_the_same_padded_through_auto_model(backbone, request, tmp_path):
    ours = load_reward_model(request.getfixturevalue(backbone))
    if backbone == "policy_folder":
        add_lora(ours, rank=4, alpha=8, seed=0)
    disturb(ours)
    groups = encoded(ours.tokenizer, 5)
    rewards = [value for pair in score(ours, groups, budget=100) for value in pair]
    save_model(ours, tmp_path / "model")
    theirs = AutoModelForSequenceClassification.from_pretrained(tmp_path / "model")
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "model")
    texts = [[*group.prompt, *completion] for group in groups for completion in group.completions]
    padded = tokenizer.pad({"input_ids": texts}, return_tensors="pt")
    if backbone == "encoder_folder":
        width = padded["input_ids"].shape[1]
        kinds = [[int(len(group.prompt) <= i) for i in range(width)] for group in groups for _ in group.completions]
        padded["token_type_ids"] = torch.tensor(kinds)
    with torch.no_grad():
        logits = theirs(**padded).logits[:, 0].tolist()
    assert rewards == pytest.approx(logits, abs=1e-5)


def test_a_saved_reward_model_is_loaded_as_it_was(policy_folder, tmp_path):
    ours = load_reward_model(policy_folder)
    groups = encoded(ours.tokenizer, 3)
    save_model(ours, tmp_path / "model")
    assert score(load_reward_model(tmp_path / "model", seed=9), groups) == score(ours, groups)


def test_a_merged_policy_is_a_plain_causal_model_with_the_same_log_probabilities(policy_folder, tmp_path):
    ours = load_policy(policy_folder, trainable=True)
    batch = collate(encoded(ours.tokenizer, 3), "tree")
    before = ours(batch)
    add_lora(ours, rank=4, alpha=8, seed=0)
    torch.testing.assert_close(ours(batch), before, atol=0, rtol=0)  # adapters begin as nothing
    disturb(ours)
    trained = ours(batch)
    assert (trained - before).abs().max() > 0.01
    save_model(ours, tmp_path / "model")
    names = {path.name for path in (tmp_path / "model").iterdir()}
    assert {"config.json", "model.safetensors", "tokenizer.json", "generation_config.json"} <= names
    assert not any("adapter" in name or name.endswith(".bin") for name in names)
    AutoModelForCausalLM.from_pretrained(tmp_path / "model")
    torch.testing.assert_close(load_policy(tmp_path / "model")(batch), trained, atol=1e-4, rtol=1e-5)


def test_lora_trains_adapters_and_the_scalar_head_only(policy_folder):
    model = load_reward_model(policy_folder)
    add_lora(model, rank=4, alpha=8, seed=0)
    trainable = {name for name, parameter in model.named_parameters() if parameter.requires_grad}
    assert "model.score.weight" in trainable
    assert all("lora_" in name for name in trainable - {"model.score.weight"})
    merge_lora(model)
    assert not any("lora_" in name for name, _ in model.named_parameters())


def test_lora_on_the_last_layer_leaves_the_one_before_alone_and_more_layers_than_there_are_is_an_error(policy_folder):
    model = load_reward_model(policy_folder)
    blocks = model.model.config.num_hidden_layers
    add_lora(model, rank=4, alpha=8, seed=0, layers=1)
    adapted = {name.split("layers.")[1].split(".")[0] for name, _ in model.named_parameters() if "lora_" in name}
    assert (blocks, adapted) == (2, {"1"})
    with pytest.raises(ValueError, match="has 2 layers: lower LoRA layers from 3"):
        add_lora(load_reward_model(policy_folder), rank=4, alpha=8, seed=0, layers=3)


def test_the_head_begins_with_the_published_deviation_and_no_bias():
    """N(0, 1/(d + 1)) over d = 1,024: the deviation is 0.03123, found within 4 standard errors; transformers' own
    start is 0.02."""
    model = torch.nn.Module()
    model.score = torch.nn.Linear(1024, 1)
    start_head(model, seed=0)
    assert model.score.weight.std().item() == pytest.approx(1025**-0.5, rel=0.09)
    assert model.score.bias.item() == 0.0


def test_nothing_is_computed_twice_to_save_memory(policy_folder):
    """Gradient checkpointing is off, which a cache while sampling needs, and on a CPU always pays."""
    model = load_policy(policy_folder, trainable=True).model.train()
    assert not model.is_gradient_checkpointing


def test_the_head_begins_small_and_depends_on_the_seed_alone(policy_folder):
    heads = [find_head(load_reward_model(policy_folder, seed=seed).model).weight.detach() for seed in (0, 0, 1)]
    assert torch.equal(heads[0], heads[1])
    assert not torch.equal(heads[0], heads[2])
    assert 0.1 < heads[0].std() * 33**0.5 < 2


def test_padding_never_is_the_end_of_sequence():
    """GPT-2's case: one special token for everything. A padding token is added, and the embedding grows by one."""
    tokenizer = policy_tokenizer(chat=False)
    tokenizer.pad_token = tokenizer.bos_token = tokenizer.eos_token
    tokenizer._tokenizer.add_special_tokens(["<|end|>"])
    model = GPT2LMHeadModel(GPT2Config(vocab_size=len(tokenizer), n_embd=32, n_layer=1, n_head=4))
    set_padding(model, tokenizer)
    assert tokenizer.pad_token_id not in (tokenizer.eos_token_id, tokenizer.bos_token_id)
    assert model.config.pad_token_id == tokenizer.pad_token_id < model.get_input_embeddings().num_embeddings


def test_dropout_is_off_even_in_training_mode(encoder_folder):
    model = load_reward_model(encoder_folder).train()
    batch = collate(encoded(model.tokenizer, 3), model.form)
    assert torch.equal(model(batch), model(batch))
