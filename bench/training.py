"""Our trainers against TRL's: `python -m bench.training` prints a row a run and, last, the ratios as JSON.

Same weights, groups, order of groups, steps and learning rate; each run is its own process, the two sides take turns,
and a ratio is the median of the pairs: useful tokens a second, ours over TRL's, and peak memory, ours over TRL's. TRL
runs without gradient checkpointing, with its reference cached, in bf16 where the processor is built for it: its best
preset on such machines. Ours runs with its defaults.

`--quick` takes one pair of two timed steps and ends within five minutes; a cell it has no time for is null. On a
machine that others use, `--threads 1 --by cpu` compares tokens a second of processor time, which neighbours move less.
TRL has had no PPO since 1.13: `pip install --no-deps --target DIR trl==1.12.0` and `--trl-ppo DIR` compare with its
last; without, `ppo` is null and our own speed is printed.
"""

import argparse
import itertools
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
    Cell(name="rloo", algorithm="rloo", batch=4, steps=6),
    Cell(name="dpo_32k", algorithm="dpo", vocabulary=32_768, steps=4),
    Cell(name="rm_long_prompts", algorithm="reward_model", prompt=(384, 640), completion=(8, 32), batch=4),
    Cell(name="dpo_long_prompts", algorithm="dpo", prompt=(384, 640), completion=(8, 32), batch=4),
    Cell(name="ppo", algorithm="ppo", batch=4, steps=4),
)
WITH_MEMORY = ("rm", "dpo", "dpo_32k")
QUICK_SECONDS = 285.0
RUN_SECONDS = 900.0
RATES = {"wall": "tokens_per_s", "cpu": "tokens_per_cpu_s"}


class OutOfTime(Exception):
    """The time for the whole bench is over."""


def run_side(side: str, cell: Cell, folder: Path, *, ends_at: float, trl_ppo: Path | None) -> dict[str, Any]:
    """One run in a process of its own, stopped when the bench's time is over."""
    description = folder / "cell.json"
    description.write_text(json.dumps(asdict(cell)))
    left = min(RUN_SECONDS, ends_at - time.monotonic())
    if left <= 0:
        raise OutOfTime
    quiet = {"OMP_NUM_THREADS": str(cell.threads), "HF_HUB_OFFLINE": "1"}
    if side == "trl" and cell.algorithm == "ppo":
        quiet["PYTHONPATH"] = os.pathsep.join([str(trl_ppo), os.environ.get("PYTHONPATH", "")])
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


def run_pair(
    cell: Cell, home: Path, *, ends_at: float, trl_ppo: Path | None, ours_first: bool
) -> dict[str, dict[str, Any]]:
    """Both sides from the same weights, one after the other. `home` keeps the weights for the next pair."""
    if not home.exists():
        home.mkdir()
        run_side("model", cell, home, ends_at=ends_at, trl_ppo=trl_ppo)
    sides = ["ours", "trl"] if ours_first else ["trl", "ours"]
    if cell.algorithm == "ppo" and trl_ppo is None:
        sides = ["ours"]
    found = {}
    with tempfile.TemporaryDirectory(dir=home) as scratch:
        folder = Path(scratch)
        for name in ("model", "reward"):
            (folder / name).symlink_to(home / name)
        for side in sides:
            found[side] = run_side(side, cell, folder, ends_at=ends_at, trl_ppo=trl_ppo)
            print(json.dumps(found[side]), flush=True)
    return found


def compare(
    cells: list[Cell], *, pairs: int, rate: str, ends_at: float, trl_ppo: Path | None
) -> dict[str, list[tuple[float, float]]]:
    """Ratios of speed and of memory, ours over TRL's, of each cell's pairs. The cells take turns, so that a bench that
    runs out of time has fewer pairs of each."""
    found: dict[str, list[tuple[float, float]]] = {cell.name: [] for cell in cells}
    with tempfile.TemporaryDirectory(prefix="plumbline-bench-") as scratch:
        for number, cell in itertools.product(range(pairs), cells):
            home = Path(scratch) / cell.name
            try:
                pair = run_pair(cell, home, ends_at=ends_at, trl_ppo=trl_ppo, ours_first=number % 2 == 0)
            except OutOfTime:
                print(f"No time left at pair {number + 1}, {cell.name}.", file=sys.stderr)
                break
            if "trl" in pair:
                ours, theirs = pair["ours"], pair["trl"]
                found[cell.name].append((ours[rate] / theirs[rate], ours["peak_mb"] / theirs["peak_mb"]))
    return found


def medians(ratios: list[tuple[float, float]]) -> tuple[float | None, float | None]:
    if not ratios:
        return None, None
    speeds, memories = zip(*ratios, strict=True)
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
    parser.add_argument("--minutes", type=float, default=20.0, help="the longest the whole may take")
    parser.add_argument("--trl-ppo", type=Path, help="folder with TRL 1.12, for the cell ppo")
    arguments = parser.parse_args()
    pairs = 1 if arguments.quick else arguments.pairs
    ends_at = time.monotonic() + (QUICK_SECONDS if arguments.quick else 60 * arguments.minutes)
    cells = [
        replace(
            cell,
            threads=arguments.threads,
            bf16="avx512_bf16" in cpu_flags(),
            steps=3 if arguments.quick else cell.steps,
            width=arguments.width or cell.width,
            layers=arguments.layers or cell.layers,
        )
        for cell in CELLS
        if cell.name in arguments.cells
    ]
    if arguments.trl_ppo is None and "ppo" in arguments.cells:
        print("ppo: no peer without --trl-ppo, as TRL has had no PPO since 1.13.", file=sys.stderr)
    found = compare(cells, pairs=pairs, rate=RATES[arguments.by], ends_at=ends_at, trl_ppo=arguments.trl_ppo)
    result: dict[str, float | None] = {}
    for name, ratios in found.items():
        result[name], memory = medians(ratios)
        if name in WITH_MEMORY:
            result[f"memory_{name}"] = memory
    print(json.dumps(result))


if __name__ == "__main__":
    main()
