"""How far each online algorithm comes from the same start: `python -m bench.learning` prints the rows of
docs/algorithms.md, `--out DIRECTORY` keeps the runs.

A 20,000-parameter policy that writes random letters is to write vowels; three seeds, 40 steps of 4 prompts with 8
responses of at most 24 tokens. Reward and KL are those of held-out prompts.
"""

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import torch

from tests.tiny_models import build_policy
from training.algorithms.trainer import DONE, run_trainer

SHARED = {
    "function": "vowels",
    "batch_size": 4,
    "responses": 8,
    "max_tokens": 24,
    "max_length": 128,
    "epochs": 20,
    "learning_rate": 3e-3,
    "unfinished_penalty": 0.0,
    "lora": False,
    "eval_every": 0,
    "eval_prompts": 64,
    "samples": 0,
    "checkpoint_every": 0,
}
ALGORITHMS: dict[str, dict[str, Any]] = {
    "ppo": {"passes": 2},
    "rloo": {},
    "grpo": {"learning_rate": 1e-3},
    "reinforce": {},
    "raft": {"learning_rate": 1e-3},
}
SEEDS = (0, 1, 2)
COLUMNS = (("before", 3), ("after", 3), ("kl", 1), ("length", 1), ("seconds", 1))


def make_run(folder: Path, model: Path, algorithm: str, config: dict[str, Any]) -> Path:
    """A run folder whose prompts are numbered questions; the completions of its groups are never read."""
    (folder / "data").mkdir(parents=True)
    for name, numbers in (("train", range(8)), ("test", range(100, 164))):
        rows = [
            {
                "id": f"{name}{number}",
                "prompt": [{"role": "user", "content": f"question {number}"}],
                "completions": ["unread"],
                "label": {"kind": "demonstration"},
            }
            for number in numbers
        ]
        (folder / "data" / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    data = {"train": "data/train.jsonl", "test": "data/test.jsonl"}
    plan = {"algorithm": algorithm, "config": config, "model": str(model), "data": data}
    (folder / "run.json").write_text(json.dumps(plan))
    return folder


def measure(folder: Path, model: Path, algorithm: str, seed: int) -> dict[str, float]:
    """Held-out reward before and after, KL and seconds of one run."""
    run = make_run(folder, model, algorithm, {**SHARED, **ALGORITHMS[algorithm], "seed": seed})
    began = time.perf_counter()
    if run_trainer(run, should_stop=lambda: False) != DONE:
        raise SystemExit(f"{run} failed: read its events.jsonl.")
    seconds = time.perf_counter() - began
    told = [json.loads(line) for line in (run / "events.jsonl").read_text().splitlines()]
    before, after = [event["data"] for event in told if event["kind"] == "eval"]
    return {
        "before": before["reward"],
        "after": after["reward"],
        "kl": after["kl"],
        "length": after["completions/mean_length"],
        "seconds": seconds,
    }


def row(algorithm: str, found: list[dict[str, float]]) -> str:
    def spread(name: str, digits: int) -> str:
        values = [one[name] for one in found]
        return f"{statistics.mean(values):.{digits}f} ± {statistics.stdev(values):.{digits}f}"

    cells = [spread(name, digits) for name, digits in COLUMNS]
    return f"| {algorithm.upper()} | {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, help="keep the run folders here")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as scratch:
        out = arguments.out or Path(scratch)
        model = build_policy(out / "policy")
        rows = [
            row(algorithm, [measure(out / f"{algorithm}-{seed}", model, algorithm, seed) for seed in SEEDS])
            for algorithm in ALGORITHMS
        ]
    print("| algorithm | reward before | after | KL, nats a response | tokens a response | seconds |")
    print("|---|---|---|---|---|---|")
    print("\n".join(rows))


if __name__ == "__main__":
    main()
