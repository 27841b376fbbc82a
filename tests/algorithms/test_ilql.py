"""ILQL: its losses by hand, its decoding exactly, and what it gets out of random data."""

import random

import pytest
import torch
from torch import tensor

from tests.algorithms.runs import events, make_run
from tests.algorithms.test_offline import prepare, told
from training.algorithms.ilql import leaning
from training.algorithms.loop import train
from training.algorithms.models import load_policy
from training.algorithms.offline_losses import expectile_loss, one_step_targets
from training.algorithms.packing import collate
from training.algorithms.rollouts import Request, Sampling, sample
from training.algorithms.trainer import DONE, run_trainer


def test_a_token_is_worth_the_place_it_leads_to_and_the_last_one_the_reward():
    """Two responses, of three tokens and of one: γ V of the next place within the response, then the reward."""
    owners, values = tensor([0, 0, 0, 1]), tensor([0.2, 0.5, 0.3, 9.0])
    found = one_step_targets(tensor([1.0, -2.0]), values, owners, discount=0.9)
    torch.testing.assert_close(found, tensor([0.45, 0.27, 1.0, -2.0]))


def test_the_expectile_loss_by_hand_and_its_minimum():
    """u = ±2, τ = 0.7: 2.8 and 1.2. Of Q = 0 and Q = 1 the expectile solves τ(1 − v) = (1 − τ)v: v = τ."""
    torch.testing.assert_close(expectile_loss(tensor([2.0, -2.0]), expectile=0.7), tensor([2.8, 1.2]))
    place = tensor(0.7, requires_grad=True)
    expectile_loss(tensor([0.0, 1.0]) - place, expectile=0.7).sum().backward()
    assert place.grad.item() == pytest.approx(0, abs=1e-6)


SIZE = 3  # letters of a word


def letters(count: int, *, seed: int = 0) -> list[dict]:
    """Prompts with two random words of SIZE letters, rated by their vowels."""
    rng, rows = random.Random(seed), []
    for number in range(count):
        words = ["".join(rng.choice("aeibcd") for _ in range(SIZE)) for _ in range(2)]
        scores = [float(sum(letter in "aei" for letter in word)) for word in words]
        rows.append(
            {
                "id": f"g{number}",
                "prompt": [{"role": "user", "content": f"word {number}"}],
                "completions": words,
                "label": {"kind": "rating", "scores": scores},
            }
        )
    return rows


def test_the_loss_is_the_sum_of_its_parts_and_unrated_responses_do_not_count(policy_folder, tmp_path):
    rows = letters(6)
    rows[0]["label"]["scores"][1] = None
    job = prepare(tmp_path / "run", "ilql", policy_folder, rows=rows, train=4, test=2, expectile=0.8)
    job.train.sort(key=lambda group: group.id)
    found = job.compute(job.model, collate(job.train, "tree"), job.train, job.config)
    assert [job.size(group) for group in job.train] == [4, 8, 8, 8]  # three letters and an end each
    mean = found.losses.detach() / tensor([4.0, 8.0, 8.0, 8.0])
    parts = {name: value for name, value in found.facts.items() if name.startswith("loss/")}
    weighted = parts["loss/q"] + parts["loss/v"] + 0.1 * parts["loss/caution"] + parts["loss/imitation"]
    torch.testing.assert_close(mean, weighted)
    alone = job.compute(job.model, collate(job.train[:1], "tree"), job.train[:1], job.config).losses
    torch.testing.assert_close(alone, found.losses[:1])


def test_neither_the_look_ahead_nor_the_slow_copy_has_a_gradient(policy_folder, tmp_path):
    """With the V loss alone (Q's part cut out) no Q head moves; with Q's alone V does not."""
    job = prepare(tmp_path / "run", "ilql", policy_folder, rows=letters(6), train=4, test=2)
    batch, heads = collate(job.train, "tree"), job.model.score
    read = job.model(batch)
    assert torch.autograd.grad(read.v.sum(), heads.actions, allow_unused=True, retain_graph=True) == (None,)
    assert not read.slow_q.requires_grad
    torch.testing.assert_close(read.slow_q, read.q.amin(0).detach())
    loss = job.compute(job.model, batch, job.train, job.config).losses.sum()
    (found,) = torch.autograd.grad(loss, heads.value.bias)
    error = (read.slow_q - read.v).detach()
    weight = torch.where(error < 0, 0.3, 0.7)
    assert found.item() == pytest.approx((-2 * weight * error).sum().item(), rel=1e-4)


def test_the_slow_copy_goes_its_share_of_the_way(policy_folder, tmp_path):
    job = prepare(tmp_path / "run", "ilql", policy_folder, rows=letters(6), train=4, test=2)
    heads = job.model.score
    before = heads.slow_actions.clone()
    with torch.no_grad():
        heads.actions.add_(1.0)
    heads.follow(0.25)
    torch.testing.assert_close(heads.slow_actions, before + 0.25)


def test_the_finished_policy_is_imitation_times_the_exponential_of_beta_advantages(policy_folder, tmp_path):
    """log π = log π_β + β(Q − V), up to what is the same for every token; what is saved is that policy, untied."""
    settings = {"epochs": 2, "beta": 3.0, "learning_rate": 5e-3, "lora": True, "checkpoint_every": 0, "samples": 1}
    run = make_run(tmp_path / "run", policy_folder, "ilql", settings, rows=letters(10), train=8)
    job = prepare(tmp_path / "other", "ilql", policy_folder, rows=letters(10), train=8, test=2, beta=3.0, epochs=2)
    train(job)
    batch, heads = collate(job.test, "tree"), job.model.score
    with torch.no_grad():
        plain, hidden = job.product.predict(batch, with_hidden=True)
        q = (hidden[batch.sources] @ heads.actions.mT).mean(0)
        with leaning(job.product, heads, 3.0):
            found, _ = job.product.predict(batch, with_hidden=False)
        again, _ = job.product.predict(batch, with_hidden=False)
    torch.testing.assert_close(found.log_softmax(-1), (plain.log_softmax(-1) + 3 * q).log_softmax(-1))
    torch.testing.assert_close(again, plain)
    assert run_trainer(run, should_stop=lambda: False) == DONE, events(run)[-1]
    saved = load_policy(run / "model").model
    assert not saved.config.tie_word_embeddings
    assert not torch.equal(saved.lm_head.weight, saved.model.embed_tokens.weight)
    assert told(run, "sample")


def vowels_written(model, tokenizer, count: int = 64) -> float:
    requests = [Request(key=str(n), prompt=[{"role": "user", "content": f"word {n}"}]) for n in range(count)]
    answers = sample(model, tokenizer, requests, sampling=Sampling(max_tokens=8), batch_size=32)
    text = "".join(answer.text for answer in answers)
    return sum(letter in "aei" for letter in text) / len(text)


def test_from_random_words_it_learns_to_write_the_letters_that_were_rated_high(policy_folder, tmp_path):
    """Half the letters of the data are vowels: imitation writes a half, the finished policy nearly nothing else."""
    settings = {"epochs": 12, "learning_rate": 1e-2, "target_rate": 0.2, "warmup_ratio": 0.0}
    job = prepare(tmp_path / "run", "ilql", policy_folder, rows=letters(100), train=96, test=4, **settings)
    train(job)
    imitating = vowels_written(job.product.model, job.product.tokenizer)
    job.finish()
    assert imitating == pytest.approx(0.5, abs=0.1)
    assert vowels_written(job.product.model, job.product.tokenizer) > 0.8


def test_rewards_that_are_all_the_same_are_refused(policy_folder, tmp_path):
    rows = letters(6)
    for row in rows:
        row["label"] = {"kind": "demonstration"}
        row["completions"] = row["completions"][:1]
    with pytest.raises(ValueError, match="Every response has the same reward"):
        prepare(tmp_path / "run", "ilql", policy_folder, rows=rows, train=4, test=2)
