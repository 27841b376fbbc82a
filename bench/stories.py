"""Stories that end happily: `python -m bench.stories MODEL` prints the section of docs/algorithms.md.

MODEL is a folder with stories260K (Karpathy's llama2.c, 260,000 parameters) in Hugging Face layout. It writes the
beginnings of stories and four ends to each; an end is preferred when a happy word is among its last twenty, and a whole
happy end to its own last sentences, so that a short end is known to be no way out. A reward model learns that from
pairs, PPO learns from the reward model and from length, DPO from the pairs. `--out DIRECTORY` keeps the runs.
"""

import argparse
import json
import random
import re
import shutil
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import torch
from transformers import AutoTokenizer

from bench.learning import total_logprob
from training.algorithms.groups import EncodedGroup, encode_prompt
from training.algorithms.labels import Tie
from training.algorithms.models import Policy, load_policy
from training.algorithms.programmatic import happy_end
from training.algorithms.rollouts import Request, Sample, Sampling, sample
from training.algorithms.trainer import DONE, run_trainer

NAMES = ("Tim", "Lily", "Ben", "Mia", "Tom", "Sue", "Max", "Anna", "Sam", "Lucy", "Jack", "Amy", "Bob", "Zoe")
WHO = ("girl", "boy", "cat", "dog", "bird", "bear", "frog", "fish", "car", "train", "bunny", "mouse", "duck", "tree",
       "pony", "fox")  # fmt: skip
BEGINNING, END = 160, 128  # tokens at most
HELD_OUT = 32
TOLD = 48  # tokens: a happy end that is shorter is no story
TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}{{ ' ' if message['role'] == 'assistant' }}{{ message['content'] }}"
    "{% endfor %}"
)
WHOLE = {"lora": False, "max_length": 384, "micro_batch_tokens": 4096, "checkpoint_every": 0}
RUNS: dict[str, dict[str, Any]] = {
    "reward_model": {"learning_rate": 1e-3, "epochs": 2, "batch_size": 16, "eval_every": 0, "keep_best": True},
    "dpo": {"learning_rate": 3e-4, "epochs": 2, "batch_size": 16, "eval_every": 0, "samples": 0},
    "ppo": {
        "learning_rate": 3e-4,
        "max_steps": 24,
        "epochs": 10,
        "batch_size": 16,
        "responses": 2,
        "passes": 2,
        "beta": 0.05,
        "trace": 1.0,
        "function": "length",
        "function_weight": 2.0,
        "max_tokens": END,
        "unfinished_penalty": 0.0,
        "eval_every": 4,
        "eval_prompts": HELD_OUT,
        "samples": 0,
    },
}


def prepare_model(source: Path, folder: Path) -> Path:
    """A copy in which a prompt is the beginning of a text, and a new beginning the end of the old one."""
    shutil.copytree(source, folder, copy_function=shutil.copyfile)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.chat_template, tokenizer.eos_token = TEMPLATE, tokenizer.bos_token
    tokenizer.save_pretrained(folder)
    for name in ("config.json", "generation_config.json"):
        settings = json.loads((folder / name).read_text())
        (folder / name).write_text(json.dumps({**settings, "eos_token_id": tokenizer.bos_token_id}))
    return folder


def write(policy: Policy, prompts: Sequence[str], *, each: int, tokens: int, seed: int) -> list[list[Sample]]:
    """`each` continuations of every prompt, at temperature 1."""
    requests = [
        Request(key=prompt, prompt=[{"role": "user", "content": prompt}], indices=tuple(range(each)))
        for prompt in prompts
    ]
    found = sample(
        policy.model, policy.tokenizer, requests, sampling=Sampling(max_tokens=tokens, seed=seed), batch_size=32
    )
    return [found[place : place + each] for place in range(0, len(found), each)]


def write_beginnings(policy: Policy) -> list[str]:
    """The first sentences of many different stories."""
    openings = [f"Once upon a time, there was a little {who} named {name}." for name, who in product(NAMES, WHO)]
    texts = [ends[0].text for ends in write(policy, openings, each=1, tokens=BEGINNING, seed=1)]
    whole = [f"{opening} {text[: text.rfind('.') + 1]}" for opening, text in zip(openings, texts, strict=True)]
    return sorted(whole, key=hash_of)


def hash_of(text: str) -> int:
    """An order that has nothing to do with names."""
    return sum(place * ord(char) for place, char in enumerate(text, start=1)) % 1009


def make_pairs(prompts: Sequence[str], ends: Sequence[Sequence[Sample]]) -> list[dict[str, Any]]:
    """For each prompt as many disjoint pairs of a happy and another end as there are, and for the first of them one of
    the happy end and its own last sentences."""
    rows = []
    rng = random.Random(0)
    for number, (prompt, found) in enumerate(zip(prompts, ends, strict=True)):
        happy = [one for one in found if happy_end(one.text)]
        other = [one for one in found if not happy_end(one.text)]
        pairs = [
            ((one.text, one.finish_reason), (rest.text, rest.finish_reason))
            for one, rest in zip(happy, other, strict=False)
        ]
        if pairs and (short := last_sentences(pairs[0][0][0], rng)):
            pairs.append((pairs[0][0], (short, "stop")))
        rows += [
            {
                "id": f"story{number}-{place}",
                "prompt": [{"role": "user", "content": prompt}],
                "completions": [text for text, _ in pair],
                "finish_reasons": [reason for _, reason in pair],
                "label": {"kind": "pair", "chosen": 0, "rejected": 1, "strength": None},
            }
            for place, pair in enumerate(pairs)
        ]
    return rows


def last_sentences(text: str, rng: random.Random) -> str:
    """Some of them, not all; nothing of a text of one sentence."""
    sentences = re.findall(r"[^.!?]+[.!?\"]*", text)
    return "".join(sentences[rng.randint(1, len(sentences) - 1) :]).strip() if len(sentences) > 1 else ""


def write_data(folder: Path, rows: Sequence[dict[str, Any]], held_out: Sequence[str]) -> Path:
    """train.jsonl and test.jsonl, divided by prompt."""
    folder.mkdir()
    for name, kept in (("train", False), ("test", True)):
        lines = [json.dumps(row) + "\n" for row in rows if (row["prompt"][0]["content"] in held_out) == kept]
        (folder / f"{name}.jsonl").write_text("".join(lines))
        print(f"{name}: {len(lines)} pairs")
    return folder


def run(folder: Path, algorithm: str, data: Path, model: Path, rewards: Sequence[Path] = ()) -> tuple[Path, float]:
    """-> the finished run and its processor seconds"""
    folder.mkdir(parents=True)
    plan = {
        "algorithm": algorithm,
        "config": {**WHOLE, **RUNS[algorithm]},
        "model": str(model),
        "data": {"train": str(data / "train.jsonl"), "test": str(data / "test.jsonl")},
        "rewards": [{"model": str(path), "weight": 1.0} for path in rewards],
    }
    (folder / "run.json").write_text(json.dumps(plan))
    began = time.process_time()
    if run_trainer(folder, should_stop=lambda: False) != DONE:
        raise SystemExit(f"{folder} failed: read its events.jsonl.")
    return folder, time.process_time() - began


def told(run: Path, kind: str) -> list[dict[str, Any]]:
    events = [json.loads(line) for line in (run / "events.jsonl").read_text().splitlines()]
    return [{"step": event["step"], **event["data"]} for event in events if event["kind"] == kind]


@dataclass(frozen=True)
class Found:
    """What a policy writes on held-out beginnings."""

    happy: float
    deviation: float  # standard error of `happy`
    told: float  # share of ends that are happy and have TOLD tokens
    kl: float  # nats an end, from the start
    length: float
    text: str


def judge(policy: Policy, start: Policy, prompts: Sequence[str]) -> Found:
    ends = write(policy, prompts, each=8, tokens=END, seed=2)
    scores = [happy_end(one.text) for row in ends for one in row]
    encoded = [
        EncodedGroup(
            id=str(number),
            prompt=tuple(encode_prompt(policy.tokenizer, [{"role": "user", "content": prompt}], "")),
            completions=tuple(one.ids for one in row),
            label=Tie(),
        )
        for number, (prompt, row) in enumerate(zip(prompts, ends, strict=True))
    ]
    drift = total_logprob(policy, encoded) - total_logprob(start, encoded)
    return Found(
        happy=statistics.mean(scores),
        deviation=statistics.stdev(scores) / len(scores) ** 0.5,
        told=statistics.mean(happy_end(one.text) * (one.tokens >= TOLD) for row in ends for one in row),
        kl=drift / len(scores),
        length=statistics.mean(one.tokens for row in ends for one in row),
        text=ends[0][0].text,
    )


def report(label: str, found: Found, seconds: float) -> str:
    happy = f"{found.happy:.2f} ± {found.deviation:.2f}"
    return f"| {label} | {happy} | {found.told:.2f} | {found.kl:.1f} | {found.length:.0f} | {seconds:.0f} |"


def point(one: dict[str, Any]) -> str:
    return f"| {one['step']} | {one['reward']:.2f} | {one['kl']:.1f} | {one['completions/mean_length']:.0f} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("--out", type=Path, help="keep the run folders here")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    began = time.process_time()
    with tempfile.TemporaryDirectory() as scratch:
        out = arguments.out or Path(scratch)
        folder = prepare_model(arguments.model, out / "start")
        start = load_policy(folder)
        prompts = write_beginnings(start)
        held_out = prompts[:HELD_OUT]
        data = write_data(
            out / "data", make_pairs(prompts, write(start, prompts, each=4, tokens=END, seed=0)), held_out
        )
        print(f"made in {time.process_time() - began:.0f} s")
        reward, seconds = run(out / "reward", "reward_model", data, folder)
        final = told(reward, "end")[0]["metrics"]
        print(f"reward model: accuracy {final['accuracy']:.2f} "
              f"({final['accuracy_low']:.2f}–{final['accuracy_high']:.2f}), {seconds:.0f} s")  # fmt: skip
        dpo, dpo_seconds = run(out / "dpo", "dpo", data, folder)
        ppo, ppo_seconds = run(out / "ppo", "ppo", data, folder, [reward / "model"])
        results = {
            "Start": (judge(start, start, held_out), 0.0),
            "DPO": (judge(load_policy(dpo / "model"), start, held_out), dpo_seconds),
            "PPO": (judge(load_policy(ppo / "model"), start, held_out), ppo_seconds),
        }
        print("| policy | happy ends | and told | KL | tokens | processor seconds |\n|---|---|---|---|---|---|")
        print("\n".join(report(label, *result) for label, result in results.items()))
        print("| PPO step | reward | KL | tokens |\n|---|---|---|---|")
        print("\n".join(map(point, told(ppo, "eval"))))
        print(f"\n{held_out[0]} …")
        print("\n".join(f"{label}: … {found.text}" for label, (found, _) in results.items()))
        print(f"{time.process_time() - began:.0f} processor seconds in all")


if __name__ == "__main__":
    main()
