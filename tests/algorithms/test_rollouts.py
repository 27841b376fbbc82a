"""Sampling: the same draw in any batch, greedy as Hugging Face, stopping at once."""

import pytest
import torch

from training.algorithms.models import load_policy
from training.algorithms.rollouts import Request, Sampling, draw, sample


@pytest.fixture(scope="module")
def policy(policy_folder):
    return load_policy(policy_folder)


def ask(count: int, **fields) -> list[Request]:
    return [Request(key=f"p{i}", prompt=[{"role": "user", "content": "hi " * (i + 1)}], **fields) for i in range(count)]


def run(policy, requests, sampling, **options):
    return sample(policy.model, policy.tokenizer, requests, sampling=sampling, **options)


def test_a_sample_does_not_depend_on_its_batch(policy):
    requests, sampling = ask(5, indices=(0, 1, 2)), Sampling(max_tokens=30, temperature=0.9, top_p=0.95, seed=3)
    together = run(policy, requests, sampling)
    assert [(one.key, one.index) for one in together] == [(f"p{i}", j) for i in range(5) for j in range(3)]
    assert run(policy, requests, sampling, batch_size=2) == together
    alone = run(policy, [Request(key="p3", prompt=requests[3].prompt, indices=(2,))], sampling)
    assert alone == [together[11]]
    assert len({one.text for one in together}) == 15
    assert run(policy, requests, Sampling(max_tokens=30, temperature=0.9, top_p=0.95, seed=4)) != together


def test_greedy_is_what_hugging_face_generates(policy, policy_folder):
    theirs = load_policy(policy_folder).model
    theirs.set_attn_implementation("sdpa")
    requests = ask(3)
    for request, ours in zip(requests, run(policy, requests, Sampling(temperature=0, max_tokens=25)), strict=True):
        inputs = policy.tokenizer.apply_chat_template(
            request.prompt, add_generation_prompt=True, return_tensors="pt", return_dict=True
        )
        ids = theirs.generate(**inputs, max_new_tokens=25, do_sample=False)[0, inputs["input_ids"].shape[1] :]
        assert policy.tokenizer.decode(ids, skip_special_tokens=True) == ours.text


def test_a_sample_says_how_it_ended_and_how_long_it_is(policy):
    found = run(policy, ask(6, indices=(0, 1, 2, 3)), Sampling(max_tokens=40))
    assert {one.finish_reason for one in found} == {"stop", "length"}
    assert all((one.tokens == 40) == (one.finish_reason == "length") for one in found)
    assert all(one.tokens == len(one.text) for one in found)  # the tiny model's tokens are bytes
    assert not any("<|im_end|>" in one.text for one in found)


def test_it_stops_between_two_tokens_and_returns_what_was_finished(policy):
    seen: list[int] = []
    found = run(
        policy,
        ask(4),
        Sampling(max_tokens=400),
        should_stop=lambda: bool(seen) and seen[-1] >= 60,
        on_progress=lambda drawn, finished: seen.append(drawn),
    )
    assert seen[-1] <= 63
    assert all(one.finish_reason == "stop" for one in found)


def test_each_sample_is_handed_over_as_it_ends(policy):
    handed = []
    found = run(policy, ask(4, indices=(0, 1)), Sampling(max_tokens=20), on_sample=handed.append)
    assert sorted(handed, key=lambda one: (one.key, one.index)) == found


def test_a_prompt_longer_than_the_context_loses_its_beginning(policy):
    request = Request(key="long", prompt=[{"role": "user", "content": "x" * 5000}])
    (found,) = run(policy, [request], Sampling(max_tokens=8))
    assert found.tokens <= 8


def test_a_draw_by_hand():
    """p = (0.5, 0.3, 0.2): 0.6 falls to the second; top-p 0.5 keeps the first alone, 0.6 the first two (5/8, 3/8)."""
    logits = torch.tensor([[0.5, 0.3, 0.2]]).log().repeat(4, 1)
    numbers = torch.tensor([0.0, 0.6, 0.85, 0.999], dtype=torch.float64)
    assert draw(logits, numbers, temperature=1.0, top_p=1.0).tolist() == [0, 1, 2, 2]
    assert draw(logits, numbers, temperature=1.0, top_p=0.5).tolist() == [0, 0, 0, 0]
    assert draw(logits, numbers, temperature=1.0, top_p=0.6).tolist() == [0, 0, 1, 1]
    assert draw(logits, numbers, temperature=0.0, top_p=1.0).tolist() == [0, 0, 0, 0]
    assert draw(logits, numbers, temperature=0.5, top_p=1.0).tolist() == [0, 0, 1, 2]


def test_draws_follow_the_distribution():
    """20,000 draws from (0.5, 0.3, 0.2): each share within 4 standard errors, 0.014."""
    logits = torch.tensor([[0.5, 0.3, 0.2]]).log().expand(20_000, 3)
    numbers = torch.rand(20_000, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    shares = draw(logits, numbers, temperature=1.0, top_p=1.0).bincount(minlength=3) / 20_000
    torch.testing.assert_close(shares, torch.tensor([0.5, 0.3, 0.2]), atol=0.014, rtol=0)


@pytest.mark.parametrize("wrong", [{"temperature": -1}, {"top_p": 0}, {"top_p": 1.5}, {"max_tokens": 0}])
def test_settings_out_of_range_are_named(wrong):
    (name,) = wrong
    with pytest.raises(ValueError, match=name):
        Sampling(**wrong)
