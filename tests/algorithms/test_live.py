"""Answers written live: each the same as alone, whatever is written beside it, and gone when it is dropped."""

import itertools

import pytest

from tests.tiny_models import build_policy
from training.algorithms.live import LiveBatch
from training.algorithms.models import load_policy
from training.algorithms.rollouts import Request, Sampling, sample

EGGS = Request(key="eggs", prompt=[{"role": "user", "content": "How long do I boil an egg?"}])
TEA = Request(key="tea", prompt=[{"role": "user", "content": "And tea, with grüße?"}], indices=(3,))


@pytest.fixture(scope="module")
def policy(tmp_path_factory):
    return load_policy(build_policy(tmp_path_factory.mktemp("live"), seed=3))


def write_all(batch: LiveBatch, *wanted: tuple[Request, Sampling]) -> dict[str, list[str]]:
    """{key: the text after every token}, the last with its reason."""
    texts: dict[str, list[str]] = {}
    pieces = [batch.admit(request.key, request, sampling) for request, sampling in wanted]
    while pieces:
        for piece in pieces:
            texts.setdefault(piece.key, []).append(piece.text + (f" [{piece.reason}]" if piece.reason else ""))
        pieces = batch.step() if batch.writings else []
    return texts


@pytest.mark.parametrize("attention", ["slots", "the model's own"])
def test_each_answer_is_what_sampling_alone_gives_at_its_own_temperature(policy, attention):
    samplings = [Sampling(temperature=1.0, max_tokens=40, seed=5), Sampling(temperature=0.6, max_tokens=25, seed=6)]
    batch = LiveBatch(policy.model, policy.tokenizer, rows=4)
    if attention != "slots":
        batch.slots = None
        policy.model.set_attn_implementation("sdpa")
    texts = write_all(batch, (EGGS, samplings[0]), (TEA, samplings[1]))
    for request, sampling in zip((EGGS, TEA), samplings, strict=True):
        alone = sample(policy.model, policy.tokenizer, [request], sampling=sampling)[0]
        assert texts[request.key][-1] == f"{alone.text} [{alone.finish_reason}]"


def test_the_text_only_grows_while_it_is_written(policy):
    batch = LiveBatch(policy.model, policy.tokenizer, rows=1)
    texts = write_all(batch, (EGGS, Sampling(temperature=1.5, max_tokens=200, seed=2)))["eggs"]
    assert len(texts) > 20
    assert all(after.startswith(before) for before, after in itertools.pairwise(texts))
    assert not any(text.endswith("\ufffd") for text in texts[:-1])


def test_one_that_is_dropped_leaves_its_row_and_the_others_go_on_as_if_nothing_had_been(policy):
    sampling = Sampling(temperature=1.0, max_tokens=30, seed=9)
    alone = write_all(LiveBatch(policy.model, policy.tokenizer, rows=2), (TEA, sampling))["tea"]
    batch = LiveBatch(policy.model, policy.tokenizer, rows=2)
    batch.admit("eggs", EGGS, sampling)
    batch.step()
    pieces = [batch.admit("tea", TEA, sampling)]
    assert not batch.has_room
    batch.drop("eggs")
    batch.drop("eggs")
    assert batch.has_room
    while not pieces[-1].reason:
        pieces += batch.step()
    assert [piece.key for piece in pieces] == ["tea"] * len(pieces)
    assert f"{pieces[-1].text} [{pieces[-1].reason}]" == alone[-1]
