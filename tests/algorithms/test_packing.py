"""Packed rows compute what padded rows compute; batches are functions of seed and step."""

import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM, MistralConfig, MistralForCausalLM

from tests.algorithms.runs import encoded
from tests.tiny_models import policy_tokenizer
from training.algorithms.attention import Tree, attend_segments, attend_tree
from training.algorithms.logprobs import sum_by_owner, token_logprobs
from training.algorithms.models import Policy, load_reward_model, without_dropout
from training.algorithms.packing import collate, cost, micro_batches, step_groups

TOKENIZER = policy_tokenizer()
SMALL = {
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "vocab_size": 259,
}
MODELS = {
    "llama": lambda: LlamaForCausalLM(LlamaConfig(**SMALL, num_key_value_heads=2)),
    "gpt2": lambda: GPT2LMHeadModel(
        GPT2Config(vocab_size=259, n_embd=32, n_layer=2, n_head=4, bos_token_id=0, eos_token_id=0)
    ),
    "sliding window": lambda: MistralForCausalLM(MistralConfig(**SMALL, num_key_value_heads=2, sliding_window=16)),
}


def gradient(model: torch.nn.Module) -> torch.Tensor:
    return torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None])


@pytest.mark.parametrize("name", MODELS)
def test_a_packed_tree_gives_the_padded_log_probabilities_and_gradients(name):
    groups = encoded(TOKENIZER, 5)
    found = {}
    for form in ("padded", "tree"):
        torch.manual_seed(0)
        policy = Policy(without_dropout(MODELS[name]()), TOKENIZER)
        assert policy.form == "tree"
        if form == "padded":
            policy.form = "padded"
            policy.model.set_attn_implementation("sdpa")
        batch = collate(groups, policy.form)
        values = sum_by_owner(policy(batch), batch.owners, sum(batch.counts))
        torch.nn.functional.softplus(0.1 * (values[1::2] - values[0::2])).sum().backward()
        found[form] = values.detach(), gradient(policy)
    torch.testing.assert_close(found["tree"][0], found["padded"][0], atol=1e-4, rtol=1e-5)
    assert (found["tree"][1] - found["padded"][1]).norm() < 1e-5 * found["padded"][1].norm()


@pytest.mark.parametrize("backbone", ["policy_folder", "encoder_folder"])
def test_packed_rewards_and_gradients_are_the_padded_ones(backbone, request):
    found = {}
    for form in ("padded", "packed"):
        model = load_reward_model(request.getfixturevalue(backbone)).requires_grad_(True)
        assert model.form == ("rows" if backbone == "encoder_folder" else "tree")
        if form == "padded":
            model.form = "padded"
            model.model.set_attn_implementation("sdpa")
        rewards = model(collate(encoded(model.tokenizer, 5), model.form))
        torch.nn.functional.softplus(rewards[1::2] - rewards[0::2]).sum().backward()
        found[form] = rewards.detach(), gradient(model)
    torch.testing.assert_close(found["packed"][0], found["padded"][0], atol=1e-5, rtol=1e-5)
    assert (found["packed"][1] - found["padded"][1]).norm() < 1e-5 * found["padded"][1].norm()


def test_one_group_alone_scores_as_in_company(policy_folder):
    model = load_reward_model(policy_folder)
    groups = encoded(model.tokenizer, 4)
    together = model(collate(groups, "tree"))
    alone = torch.cat([model(collate([group], "tree")) for group in groups])
    torch.testing.assert_close(together, alone, atol=1e-6, rtol=1e-6)


def test_a_completion_token_is_predicted_at_the_token_before_it():
    """A hand-made table: the logits at place i favour token i, so that a token's loss tells where it was read."""
    (group,) = encoded(TOKENIZER, 1)
    for form in ("tree", "padded"):
        batch = collate([group], form)
        ids = batch.ids.flatten()
        assert ids[batch.targets.new_tensor([0])].item() == group.prompt[0]
        assert batch.targets.tolist() == [*group.completions[0], *group.completions[1]]
        first, second = len(group.completions[0]), len(group.completions[1])
        assert ids[batch.sources[0]] == ids[batch.sources[first]] == group.prompt[-1]
        assert ids[batch.sources].tolist() == [
            group.prompt[-1], *group.completions[0][:-1], group.prompt[-1], *group.completions[1][:-1]
        ]  # fmt: skip
        assert batch.owners.tolist() == [0] * first + [1] * second
        assert ids[batch.ends].tolist() == [TOKENIZER.eos_token_id] * 2


def test_token_log_probabilities_by_hand():
    """Logits (0, ln 3): p = (1/4, 3/4); at temperature 1/2 the odds are squared: p = (1/10, 9/10)."""
    logits = torch.tensor([[0.0, 3.0]]).log().nan_to_num(neginf=0.0)
    logits[0, 0] = 0.0
    target = torch.tensor([1])
    torch.testing.assert_close(token_logprobs(logits, target), torch.tensor([0.75]).log())
    torch.testing.assert_close(token_logprobs(logits, target, temperature=0.5), torch.tensor([0.9]).log())


def test_probabilities_are_taken_in_fp32_whatever_the_logits_are():
    logits = torch.randn(4, 259, generator=torch.Generator().manual_seed(0)).bfloat16() * 8
    target = torch.tensor([1, 2, 3, 4])
    found = token_logprobs(logits, target)
    exact = logits.double().log_softmax(-1).gather(-1, target[:, None])[:, 0]
    assert found.dtype == torch.float32
    torch.testing.assert_close(found.double(), exact, atol=1e-5, rtol=0)


def test_passes_keep_to_the_budget_and_lose_nothing():
    groups = encoded(TOKENIZER, 20)
    budget = 3 * max(cost(group, "tree") for group in groups)
    passes = micro_batches(groups, form="tree", budget=budget)
    assert sorted(group.id for chunk in passes for group in chunk) == sorted(group.id for group in groups)
    assert all(sum(cost(group, "tree") for group in chunk) <= budget for chunk in passes)
    assert [len(chunk) for chunk in micro_batches(groups, form="tree", budget=1)] == [1] * 20


def test_passes_are_as_few_as_filling_one_after_another_takes_and_even():
    first = encoded(TOKENIZER, 1)[0]
    size = cost(first, "tree")
    assert [len(chunk) for chunk in micro_batches([first] * 4, form="tree", budget=3 * size + 1)] == [2, 2]
    assert [len(chunk) for chunk in micro_batches([first] * 7, form="tree", budget=3 * size)] == [3, 3, 1]
    assert micro_batches([], form="tree", budget=size) == []


def test_an_epoch_shows_every_group_once_and_the_next_in_another_order():
    groups = encoded(TOKENIZER, 10)
    seen = [group.id for step in range(8) for group in step_groups(groups, step=step, batch_size=3, seed=5)]
    assert sorted(seen[:10]) == sorted(seen[10:]) == sorted(group.id for group in groups)
    assert seen[:10] != seen[10:]
    assert [group.id for group in step_groups(groups, step=5, batch_size=3, seed=5)] == seen[13:16]
    assert [group.id for group in step_groups(groups, step=5, batch_size=3, seed=6)] != seen[13:16]


def test_attention_on_a_cpu_is_in_fp32_inside_a_bf16_step() -> None:
    query, key, value = torch.randn(3, 1, 2, 9, 4, generator=torch.Generator().manual_seed(0)).bfloat16()
    tree = Tree(((4, (2, 3)),))
    with torch.autocast("cpu", torch.bfloat16):
        found = attend_tree(query, key, value, tree, None, None)
    exact = attend_segments(query.double(), key.double(), value.double(), tree, None, None)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, exact.float(), atol=1e-6, rtol=1e-6)


def test_a_mask_is_made_once_a_pass_and_hides_what_comes_later_or_lies_too_far_back() -> None:
    tree, query, hidden = Tree(((2, (1, 2)),)), torch.zeros(1, 2, 1, 1), float("-inf")
    mask = tree.mask(2, 4, None, like=query)
    assert mask is not None and mask.tolist() == [[0, 0, 0, hidden], [0, 0, 0, 0]]
    assert tree.mask(2, 4, None, like=query) is mask
    near = tree.mask(2, 4, 2, like=query)
    assert near is not None and near.tolist() == [[hidden, 0, 0, hidden], [hidden, hidden, 0, 0]]
    assert tree.mask(3, 3, None, like=query) is None
    assert Tree(((0, (3,)),), causal=False).mask(3, 3, 2, like=query) is None
