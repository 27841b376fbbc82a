"""How far each algorithm comes from the same start: `python -m bench.learning` prints the rows of docs/algorithms.md,
`--out DIRECTORY` keeps the runs, `--only NAME …` takes some.

A 20,000-parameter policy that writes random letters is to write vowels. What samples gets 40 steps of 4 prompts with 8
responses of at most 24 tokens; what learns from data gets the start's own responses, 8 to each of 160 prompts, rated by
their vowels. Then each policy answers the same 64 held-out prompts, 8 times each; three seeds.
"""

import argparse
import json
import math
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from tests.tiny_models import build_policy
from training.algorithms.groups import EncodedGroup, encode_prompt
from training.algorithms.labels import Tie
from training.algorithms.logprobs import sum_by_owner
from training.algorithms.models import Policy, load_policy
from training.algorithms.packing import collate, micro_batches
from training.algorithms.programmatic import vowels
from training.algorithms.rollouts import Request, Sample, Sampling, sample
from training.algorithms.trainer import DONE, run_trainer

TOKENS, EACH, BEST_OF = 24, 8, 8
TRAIN, HELD_OUT = range(160), range(1000, 1064)
WINS, NATS = 0.7, 25.0  # what is asked of every seed: wins against the start, KL from it
SHARED = {"max_length": 128, "lora": False, "eval_every": 0, "samples": 0, "checkpoint_every": 0}
ONLINE = {
    **SHARED,
    "function": "vowels",
    "batch_size": 4,
    "responses": 8,
    "max_tokens": TOKENS,
    "max_steps": 40,
    "epochs": 2,
    "learning_rate": 3e-3,
    "unfinished_penalty": 0.0,
    "eval_prompts": 0,
}
OFFLINE = {**SHARED, "batch_size": 8, "epochs": 4, "learning_rate": 1e-3, "warmup_ratio": 0.0}
PREFERENCES = {**OFFLINE, "rating_span": 1.0}


@dataclass(frozen=True)
class Row:
    """A line of the table: what is run, on what."""

    algorithm: str
    config: dict[str, Any]
    label: str = "rating"  # what was said of the data: "rating", or "unpaired" for good and bad


ROWS = {
    "SFT on the best": Row("sft", OFFLINE),
    "DPO": Row("dpo", PREFERENCES),
    "cDPO": Row("dpo", {**PREFERENCES, "label_smoothing": 0.1}),
    "IPO": Row("dpo", {**PREFERENCES, "loss": "ipo"}),
    "robust DPO": Row("dpo", {**PREFERENCES, "loss": "robust", "label_smoothing": 0.1}),
    "SimPO": Row("simpo", PREFERENCES),
    "ORPO": Row("orpo", {**PREFERENCES, "odds_weight": 1.0}),
    "KTO": Row("kto", OFFLINE, "unpaired"),
    "A-LoL": Row("a_lol", OFFLINE),
    "ILQL": Row("ilql", {**OFFLINE, "learning_rate": 5e-3, "epochs": 12, "target_rate": 0.2, "beta": 32.0}),
    "REINFORCE": Row("reinforce", ONLINE),
    "RLOO": Row("rloo", ONLINE),
    "PPO": Row("ppo", {**ONLINE, "passes": 2}),
    "GRPO": Row("grpo", {**ONLINE, "learning_rate": 1e-3}),
    "RAFT": Row("raft", {**ONLINE, "learning_rate": 1e-3}),
}
SEEDS = (0, 1, 2)
Answers = Sequence[Sequence[Sample]]  # to each question, several
COLUMNS = (("reward", 3), ("wins", 2), ("kl", 1), ("length", 1), ("seconds", 0))


def question(number: int) -> list[dict[str, str]]:
    return [{"role": "user", "content": f"question {number}"}]


def answer(policy: Policy, numbers: Sequence[int], *, seed: int, each: int = EACH) -> list[list[Sample]]:
    """`each` responses to every question, at temperature 1."""
    requests = [Request(key=str(number), prompt=question(number), indices=tuple(range(each))) for number in numbers]
    sampling = Sampling(max_tokens=TOKENS, seed=seed)
    found = sample(policy.model, policy.tokenizer, requests, sampling=sampling, batch_size=64)
    return parts(found, each)


def parts(samples: Sequence[Sample], size: int) -> list[list[Sample]]:
    return [list(samples[place : place + size]) for place in range(0, len(samples), size)]


def write_data(folder: Path, answers: Answers, label: str) -> None:
    """train.jsonl: a question a line with its responses; good is what has more vowels than the middle one."""
    folder.mkdir(parents=True)
    middle = statistics.median(vowels(one.text) for own in answers for one in own)
    lines = []
    for number, own in zip(TRAIN, answers, strict=True):
        scores = [vowels(one.text) for one in own]
        said = {"scores": scores} if label == "rating" else {"desirable": [score > middle for score in scores]}
        row = {
            "id": str(number),
            "prompt": question(number),
            "completions": [one.text for one in own],
            "finish_reasons": [one.finish_reason for one in own],
            "label": {"kind": label, **said},
        }
        lines.append(json.dumps(row) + "\n")
    (folder / "train.jsonl").write_text("".join(lines))


def learn(folder: Path, start: Path, row: Row, seed: int, answers: Answers) -> float:
    """Run the trainer; -> its seconds."""
    write_data(folder, answers, row.label)
    config = {**row.config, "seed": seed}
    plan = {"algorithm": row.algorithm, "config": config, "model": str(start), "data": {"train": "train.jsonl"}}
    (folder / "run.json").write_text(json.dumps(plan))
    began = time.process_time()
    if run_trainer(folder, should_stop=lambda: False) != DONE:
        raise SystemExit(f"{folder} failed: read its events.jsonl.")
    return time.process_time() - began


def judge(policy: Policy, start: Policy, answers: Answers, seed: int) -> dict[str, float]:
    own = answer(policy, HELD_OUT, seed=seed)
    return {**compare(own, answers), "kl": drift(policy, start, own)}


def judge_best_of(start: Policy, answers: Answers, seed: int) -> dict[str, float]:
    """The best of BEST_OF answers of the start; their KL is at most log n − (n − 1)/n."""
    many = answer(start, HELD_OUT, seed=seed, each=BEST_OF * EACH)
    own = [[max(few, key=lambda one: vowels(one.text)) for few in parts(row, BEST_OF)] for row in many]
    return {**compare(own, answers), "kl": math.log(BEST_OF) - (BEST_OF - 1) / BEST_OF, "seconds": 0.0}


def compare(own: Answers, others: Answers) -> dict[str, float]:
    """Reward, wins against the others' answers to the same questions (a tie is half a win), and length."""
    wins = [
        float(vowels(ours.text) > vowels(theirs.text)) + 0.5 * (vowels(ours.text) == vowels(theirs.text))
        for pair in zip(own, others, strict=True)
        for ours, theirs in zip(*pair, strict=True)
    ]
    return {
        "reward": statistics.mean(vowels(one.text) for row in own for one in row),
        "wins": statistics.mean(wins),
        "length": statistics.mean(one.tokens for row in own for one in row),
    }


def drift(policy: Policy, start: Policy, answers: Answers) -> float:
    """Nats a response by which the policy favours its own answers more than the start does."""
    groups = [
        EncodedGroup(
            id=str(number),
            prompt=tuple(encode_prompt(policy.tokenizer, question(number), "")),
            completions=tuple(one.ids for one in own if one.ids),
            label=Tie(),
        )
        for number, own in zip(HELD_OUT, answers, strict=True)
    ]
    total = total_logprob(policy, groups) - total_logprob(start, groups)
    return total / sum(len(group.completions) for group in groups)


@torch.no_grad()
def total_logprob(policy: Policy, groups: Sequence[EncodedGroup]) -> float:
    """Of all completions, nats."""
    total = 0.0
    for chunk in micro_batches(groups, form=policy.form, budget=8192):
        batch = collate(chunk, policy.form)
        total += float(sum_by_owner(policy(batch), batch.owners, sum(batch.counts)).sum())
    return total


def line(name: str, found: Sequence[dict[str, float]]) -> str:
    """Mean ± deviation over the seeds, and how many of them did what is asked."""
    cells = [
        f"{statistics.mean(one[key] for one in found):.{digits}f} ± "
        f"{statistics.stdev(one[key] for one in found):.{digits}f}"
        for key, digits in COLUMNS
    ]
    reached = sum(one["wins"] >= WINS and one["kl"] <= NATS for one in found)
    return f"| {name} | {' | '.join(cells)} | {reached} of {len(found)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, help="keep the run folders here")
    parser.add_argument("--only", nargs="*", choices=ROWS, help="only these algorithms")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    print("| algorithm | reward | wins | KL, nats a response | tokens a response | processor seconds | asked |")
    print("|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as scratch:
        out = arguments.out or Path(scratch)
        folder = build_policy(out / "start")
        start = load_policy(folder)
        data = answer(start, TRAIN, seed=100)
        answers = {seed: answer(start, HELD_OUT, seed=200 + seed) for seed in SEEDS}
        found = [{**compare(answers[seed], answers[seed]), "kl": 0.0, "seconds": 0.0} for seed in SEEDS]
        print(line("the start", found))
        print(
            line(f"best of {BEST_OF}", [judge_best_of(start, answers[seed], 300 + seed) for seed in SEEDS]), flush=True
        )
        for name in arguments.only or ROWS:
            found = []
            for seed in SEEDS:
                run = out / f"{name.replace(' ', '-')}-{seed}"
                seconds = learn(run, folder, ROWS[name], seed, data)
                trained = load_policy(run / "model")
                found.append({**judge(trained, start, answers[seed], 300 + seed), "seconds": seconds})
            print(line(name, found), flush=True)


if __name__ == "__main__":
    main()
