"""Our trainers against TRL's: `python -m bench.training` prints a row a run and, last, the ratios as JSON.

Same weights, groups, order of groups, steps and learning rate; each run is its own process, the two sides take turns,
and a ratio is the median of the pairs: useful tokens a second, ours over TRL's, and peak memory, ours over TRL's. TRL
runs without gradient checkpointing, with its reference cached, in bf16 where the processor is built for it: its best
preset on such machines. Ours runs with its defaults.

`--quick` takes one pair of few steps and ends within five minutes; a cell it has no time for is null. On a machine that
others use, `--threads 1 --by cpu` compares tokens a second of processor time, which neighbours move less.
TRL has had no PPO since 1.13, so `ppo` is null and our own speed is printed.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from bench.training_sides import Cell
from training.algorithms.trainer import cpu_flags

CELLS = (
    Cell(name="rm", algorithm="reward_model"),
    Cell(name="dpo", algorithm="dpo"),
    Cell(name="rm_k4", algorithm="reward_model", completions=4, batch=3),
    Cell(name="rloo", algorithm="rloo", batch=4),
    Cell(name="dpo_32k", algorithm="dpo", vocabulary=32_768, steps=6),
    Cell(name="rm_long_prompts", algorithm="reward_model", prompt=(384, 640), completion=(8, 32), batch=4),
    Cell(name="dpo_long_prompts", algorithm="dpo", prompt=(384, 640), completion=(8, 32), batch=4),
    Cell(name="ppo", algorithm="ppo", batch=16),
)
WITH_MEMORY = ("rm", "dpo", "dpo_32k")
WITHOUT_PEER = ("ppo",)
QUICK_SECONDS = 285.0
RUN_SECONDS = 900.0
RATES = {"wall": "tokens_per_s", "cpu": "tokens_per_cpu_s"}


class OutOfTime(Exception):
    """The time for the whole bench is over."""


def run_side(side: str, cell: Cell, folder: Path, *, ends_at: float) -> dict[str, Any]:
    """One run in a process of its own, stopped when the bench's time is over."""
    description = folder / "cell.json"
    description.write_text(json.dumps(asdict(cell)))
    left = min(RUN_SECONDS, ends_at - time.monotonic())
    if left <= 0:
        raise OutOfTime
    quiet = {"OMP_NUM_THREADS": str(cell.threads), "OMP_WAIT_POLICY": "passive", "HF_HUB_OFFLINE": "1"}
    try:
        done = subprocess.run(
            [sys.executable, "-m", "bench.training_sides", side, str(description), str(folder)],
            env=os.environ | quiet,
            capture_output=True,
            text=True,
            timeout=left,
        )
    except subprocess.TimeoutExpired:
        raise OutOfTime from None
    if done.returncode:
        raise SystemExit(f"{side} {cell.name} failed:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1]) if side != "model" else {}


def run_pair(cell: Cell, *, ends_at: float, ours_first: bool) -> dict[str, dict[str, Any]]:
    """Both sides from the same weights, one after the other."""
    sides = ["ours"] if cell.name in WITHOUT_PEER else ["ours", "trl"] if ours_first else ["trl", "ours"]
    with tempfile.TemporaryDirectory(prefix="plumbline-bench-") as scratch:
        folder = Path(scratch)
        run_side("model", cell, folder, ends_at=ends_at)
        found = {}
        for side in sides:
            found[side] = run_side(side, cell, folder, ends_at=ends_at)
            print(json.dumps(found[side]), flush=True)
    return found


def compare(cell: Cell, *, pairs: int, rate: str, ends_at: float) -> tuple[float | None, float | None]:
    """Median ratios of speed and of memory, ours over TRL's."""
    speeds, memories = [], []
    for number in range(pairs):
        try:
            found = run_pair(cell, ends_at=ends_at, ours_first=number % 2 == 0)
        except OutOfTime:
            print(f"{cell.name}: no time left", file=sys.stderr)
            break
        if "trl" in found:
            speeds.append(found["ours"][rate] / found["trl"][rate])
            memories.append(found["ours"]["peak_mb"] / found["trl"]["peak_mb"])
    if not speeds:
        return None, None
    return round(statistics.median(speeds), 2), round(statistics.median(memories), 2)


def main() -> None:
    names = [cell.name for cell in CELLS]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one pair of few steps, five minutes at most")
    parser.add_argument("--cells", nargs="*", choices=names, default=names)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--by", choices=RATES, default="wall", help="seconds of the clock or of the processor")
    parser.add_argument("--width", type=int, help="of the model: 576 and 30 layers are as large as SmolLM2-135M")
    parser.add_argument("--layers", type=int)
    parser.add_argument("--minutes", type=float, default=120.0, help="the longest the whole may take")
    arguments = parser.parse_args()
    pairs = 1 if arguments.quick else arguments.pairs
    ends_at = time.monotonic() + (QUICK_SECONDS if arguments.quick else 60 * arguments.minutes)
    result: dict[str, float | None] = {}
    for cell in CELLS:
        if cell.name not in arguments.cells:
            continue
        sized = replace(
            cell,
            threads=arguments.threads,
            bf16="avx512_bf16" in cpu_flags(),
            steps=max(3, cell.steps // 3) if arguments.quick else cell.steps,
            width=arguments.width or cell.width,
            layers=arguments.layers or cell.layers,
        )
        speed, memory = compare(sized, pairs=pairs, rate=RATES[arguments.by], ends_at=ends_at)
        result[cell.name] = speed
        if cell.name in WITH_MEMORY:
            result[f"memory_{cell.name}"] = memory
    print(json.dumps(result))


if __name__ == "__main__":
    main()
