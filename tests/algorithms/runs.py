"""Groups and run folders to train on, and the real trainer process."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from training.algorithms.groups import EncodedGroup, Group, encode_groups
from training.algorithms.labels import Pair, Tie

ROOT = Path(__file__).resolve().parents[2]


def make_rows(count: int, *, seed: int = 0) -> list[dict[str, Any]]:
    """Prompts with two completions; the one that begins with "yes" is chosen. Every ninth is a tie."""
    rng = random.Random(seed)
    rows = []
    for number in range(count):
        completions = [
            word + "".join(rng.choice("abc ") for _ in range(rng.randint(3, 20))) for word in ("yes ", "no ")
        ]
        chosen = rng.randint(0, 1)
        if chosen:
            completions.reverse()
        strength = rng.choice([0.25, 0.5, 0.75, 1.0, None])
        pair = {"kind": "pair", "chosen": chosen, "rejected": 1 - chosen, "strength": strength}
        rows.append(
            {
                "id": f"g{number}",
                "prompt": [{"role": "user", "content": "say it " * rng.randint(1, 4)}],
                "system": "",
                "completions": completions,
                "label": {"kind": "tie"} if number % 9 == 8 else pair,
                "weight": rng.choice([0.5, 1.0, 2.0]),
                "meta": {"annotator": "a"},
            }
        )
    return rows


def make_run(
    folder: Path,
    model: Path,
    algorithm: str,
    config: dict[str, Any],
    *,
    train: int = 24,
    test: int = 6,
    seed: int = 0,
    rows: list[dict[str, Any]] | None = None,
) -> Path:
    """A run folder as the site writes it, of made-up rows or those given."""
    rows = rows or make_rows(train + test, seed=seed)
    (folder / "data").mkdir(parents=True)
    for name, part in (("train", rows[:train]), ("test", rows[train:])):
        (folder / "data" / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in part))
    plan = {
        "algorithm": algorithm,
        "config": config,
        "model": str(model),
        "reference": None,
        "data": {"train": "data/train.jsonl", "test": "data/test.jsonl"},
        "reference_cache": None,
    }
    (folder / "run.json").write_text(json.dumps(plan))
    return folder


def encoded(tokenizer: Any, count: int = 6, *, seed: int = 0) -> list[EncodedGroup]:
    groups = []
    for row in make_rows(count, seed=seed):
        label = row["label"]
        pair = Tie() if label["kind"] == "tie" else Pair(label["chosen"], label["rejected"], label["strength"])
        groups.append(
            Group(
                id=row["id"],
                prompt=tuple(row["prompt"]),
                completions=tuple(row["completions"]),
                label=pair,
                weight=row["weight"],
            )
        )
    return encode_groups(groups, tokenizer, max_length=256)[0]


def trainer_environment() -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}


def start_trainer(run: Path, *arguments: str) -> subprocess.Popen[bytes]:
    environment = trainer_environment()
    command = [sys.executable, "-m", "training.algorithms", str(run), *arguments]
    return subprocess.Popen(
        command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )


def train_to_end(run: Path) -> int:
    process = start_trainer(run)
    process.communicate(timeout=300)
    return process.returncode


def events(run: Path) -> list[dict[str, Any]]:
    path = run / "events.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines() if line.endswith("}")] if path.exists() else []


def steps(run: Path, kind: str) -> list[int]:
    return [event["step"] for event in events(run) if event["kind"] == kind]


def wait_for_step(run: Path, step: int, process: subprocess.Popen[bytes], *, seconds: float = 180) -> None:
    """Until the trainer has said that it took this step."""
    deadline = time.monotonic() + seconds
    while step not in steps(run, "train"):
        assert process.poll() is None, process.communicate()[1].decode()
        assert time.monotonic() < deadline, f"no step {step} within {seconds} s"
        time.sleep(0.01)


def kill(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGKILL)
    process.communicate()
