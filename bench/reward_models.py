"""Reward models on real judgements: `python -m bench.reward_models FILE --out DIRECTORY` prints the table of
docs/algorithms.md.

FILE holds HH-RLHF pairs (chosen and rejected transcripts, .jsonl or .jsonl.gz). A seed divides them by prompt, 80 to
train on, 10 to choose settings by, 10 to be judged by once, and draws the order and the head as well. Every cell (who,
model, seed) is a line of DIRECTORY/cells.jsonl as soon as it is done and is not computed again.
"""

import argparse
import gzip
import json
import random
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from annotate.imports.pairs import read_pair
from annotate.imports.rows import Options, RowRefused
from bench.reward_model_sides import fit_linear, prefer_longer, train_ours, train_trl
from training.algorithms.metrics import wilson_interval
from training.algorithms.pretrained import MINILM, SMOLLM2, materialise

SEEDS = (0, 1, 2)
PARTS = ("train", "validation", "test")
DRAWS = 4000  # of the bootstrap
SETTINGS: dict[str, dict[str, Any]] = {
    MINILM: {"learning_rate": 1e-4, "epochs": 1, "batch_size": 8, "max_length": 160},
    SMOLLM2: {"learning_rate": 5e-4, "epochs": 1, "batch_size": 8, "max_length": 160, "lora_layers": 10},
}
Split = dict[str, Sequence[dict[str, Any]]]


@dataclass(frozen=True)
class Cell:
    """Who learns, with which model ("" where there is none), from which seed."""

    side: str
    model: str
    seed: int


SIDES: dict[str, Callable[[Path, Path, Split, dict[str, Any]], list[float]]] = {
    "longer wins": prefer_longer,
    "frozen embedding, linear": fit_linear,
    "ours": train_ours,
    "TRL": train_trl,
}
CELLS = [
    Cell(side, model, seed)
    for side, model in (
        ("longer wins", ""),
        ("frozen embedding, linear", MINILM),
        ("ours", MINILM),
        ("TRL", MINILM),
        ("ours", SMOLLM2),
    )
    for seed in SEEDS
]


def read_rows(path: Path) -> list[dict[str, Any]]:
    """Each pair as a line of a trainer's file, by the rules of the site's importer; what it refuses is counted."""
    opened = gzip.open if path.suffix == ".gz" else open
    rows, refused = [], 0
    with opened(path, "rt", encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                pair = read_pair(json.loads(line), Options())
            except RowRefused:
                refused += 1
                continue
            rows.append(
                {
                    "id": f"row{number}",
                    "prompt": pair.prompt.messages,
                    "completions": [response.text for response in pair.responses],
                    "label": {"kind": "pair", "chosen": 0, "rejected": 1, "strength": None},
                }
            )
    print(f"{len(rows)} pairs, {refused} refused")
    return rows


def divide(rows: Sequence[dict[str, Any]], seed: int) -> Split:
    """80/10/10 by prompt."""
    prompts = sorted({json.dumps(row["prompt"]) for row in rows})
    random.Random(seed).shuffle(prompts)
    tenth = len(prompts) // 10
    part = {
        prompt: PARTS[2 if place < tenth else 1 if place < 2 * tenth else 0] for place, prompt in enumerate(prompts)
    }
    return {name: [row for row in rows if part[json.dumps(row["prompt"])] == name] for name in PARTS}


def compute(cell: Cell, rows: Sequence[dict[str, Any]], out: Path, models: Path) -> dict[str, Any]:
    """What the cell got right of its held-out pairs, in their order."""
    split = divide(rows, cell.seed)
    folder = materialise(cell.model, models) if cell.model else out
    settings = {**SETTINGS.get(cell.model, {}), "seed": cell.seed}
    work = out / f"{cell.side.split()[0]}-{cell.model or 'none'}-{cell.seed}"
    began, used = time.perf_counter(), time.process_time()
    right = SIDES[cell.side](folder, work, split, settings)
    return {
        **vars(cell),
        "settings": settings,
        "seconds": round(time.perf_counter() - began),
        "cpu_seconds": round(time.process_time() - used),
        "accuracy": statistics.mean(right),
        "right": dict(zip((row["id"] for row in split["test"]), right, strict=True)),
    }


def read_cells(path: Path) -> dict[Cell, dict[str, Any]]:
    found = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    return {Cell(one["side"], one["model"], one["seed"]): one for one in found}


def bootstrap(values: Sequence[float]) -> tuple[float, float]:
    """95 % interval of the mean."""
    table = torch.tensor(values)
    drawn = torch.randint(len(values), (DRAWS, len(values)), generator=torch.Generator().manual_seed(0))
    means = table[drawn].mean(1).sort().values
    return float(means[int(0.025 * DRAWS)]), float(means[int(0.975 * DRAWS)])


def rows_of_table(found: dict[Cell, dict[str, Any]]) -> Iterator[str]:
    """One line a side and model: each seed, all held-out pairs together, and the lead over the linear baseline."""
    linear = {cell.seed: one["right"] for cell, one in found.items() if cell.side == "frozen embedding, linear"}
    for side, model in dict.fromkeys((cell.side, cell.model) for cell in CELLS):
        own = {cell.seed: one for cell, one in found.items() if (cell.side, cell.model) == (side, model)}
        if not own:
            continue
        right = [value for one in own.values() for value in one["right"].values()]
        low, high = wilson_interval(sum(right), len(right))
        leads = [
            value - linear[seed][name]
            for seed, one in own.items()
            if seed in linear
            for name, value in one["right"].items()
        ]
        ahead = (
            ""
            if not leads or side.startswith("frozen")
            else "{:+.3f} ({:+.3f} to {:+.3f})".format(statistics.mean(leads), *bootstrap(leads))
        )
        each = ", ".join(f"{own[seed]['accuracy']:.3f}" for seed in sorted(own))
        seconds = statistics.mean(one["cpu_seconds"] for one in own.values())
        yield (
            f"| {side} | {model or '–'} | {each} | {sum(right) / len(right):.3f} ({low:.3f}–{high:.3f}) | {ahead} "
            f"| {len(right)} | {seconds:.0f} |"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--out", type=Path, required=True, help="finished cells, and the run folders")
    parser.add_argument("--models-dir", type=Path, default=Path("var/models"))
    parser.add_argument("--side", choices=SIDES, help="only this side")
    parser.add_argument("--model", choices=list(SETTINGS), help="only this model")
    parser.add_argument("--seed", type=int, choices=SEEDS, help="only this seed")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    arguments.out.mkdir(parents=True, exist_ok=True)
    path = arguments.out / "cells.jsonl"
    rows = read_rows(arguments.file)
    for cell in CELLS:
        wanted = all(
            asked in (None, own)
            for asked, own in (
                (arguments.side, cell.side),
                (arguments.model, cell.model),
                (arguments.seed, cell.seed),
            )
        )
        if wanted and cell not in read_cells(path):
            done = compute(cell, rows, arguments.out, arguments.models_dir)
            with path.open("a") as file:
                file.write(json.dumps(done) + "\n")
            print(f"{cell}: {done['accuracy']:.3f}, {done['seconds']} s", flush=True)
    print("| who | model | seeds 0, 1, 2 | together (95 %) | lead over linear (95 %) | pairs | processor s |")
    print("|---|---|---|---|---|---|---|")
    print("\n".join(rows_of_table(read_cells(path))))


if __name__ == "__main__":
    main()
