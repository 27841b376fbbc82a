"""Does the gate of a round tell a policy that has collapsed from one that is better? `python -m bench.collapse` prints
the table of docs/monitoring.md, and one JSON line of counts.

A 20,000-parameter policy that writes random letters, and people who like vowels. Three DPO rounds a chain, each on all
judgements so far: the chain "base" begins each from the base, as the built-in recipe does; "current" goes on from the
policy before; "fast" does so too, with three times the learning rate, which is what collapses. Each round's policy is
set against the one before by the hidden rule, and its responses and its log-probabilities are shown to the gate as a
round would show them. Every policy is gone on from, refused or not, unless `--gate` is given.
"""

import argparse
import json
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from bench.reward_hacking import draw, judge, train
from tests.tiny_models import build_policy
from training.algorithms.events import read_events
from training.algorithms.models import load_policy
from training.algorithms.programmatic import vowels
from training.monitoring.collapse import find_collapse, mean_length, share_broken

ROUNDS, PROMPTS, EXAM = 3, 40, 128
FIRST_EXAM = 5000  # the exam's prompts are never trained on
DPO = {"epochs": 4, "batch_size": 8, "warmup_ratio": 0.0, "max_length": 128, "lora": False}
QUIET = {"eval_every": 0, "samples": 0}
CHAINS = {"base": 1e-3, "current": 1e-3, "fast": 3e-3}  # learning rates
WORSE = 0.4  # true win rate over the policy before
HEADER = (
    "| chain | seed | round | true win rate over the one before | characters (before) | empty or stuck (before) "
    "| chosen lost | refused |\n|---|---|---|---|---|---|---|---|"
)


@dataclass
class Turn:
    """One round's policy beside the one before."""

    chain: str
    seed: int
    round: int
    win_rate: float  # true, over the policy before, on EXAM prompts
    characters: tuple[float, float]  # now and before, a response
    broken: tuple[float, float]  # shares
    fallen: float  # share of the chosen responses' log-probability
    nats: float
    refused: str


def turn_chain(out: Path, chain: str, seed: int, *, gate: bool) -> list[Turn]:
    base = current = build_policy(out / "policy", seed=seed, ends=False)
    turns, tested, learnt = list[Turn](), list[dict[str, Any]](), list[dict[str, Any]]()
    for number in range(1, ROUNDS + 1):
        texts = draw(load_policy(current), range(PROMPTS), count=2, seed=10 * seed + number)
        rows = [{**row, "id": f"{number}-{row['id']}"} for row in judge(texts, vowels)]
        held_out = PROMPTS // 5
        tested, learnt = tested + rows[:held_out], learnt + rows[held_out:]
        config = {**DPO, **QUIET, "learning_rate": CHAINS[chain], "seed": seed}
        plan = {"algorithm": "dpo", "config": config, "model": str(base if chain == "base" else current)}
        run = train(out / f"round-{number}", plan, {"train": learnt, "test": tested})
        turns.append(compare(run, current, chain, seed, number))
        if not (gate and turns[-1].refused):
            current = run / "model"
    return turns


def compare(run: Path, before: Path, chain: str, seed: int, number: int) -> Turn:
    exam = range(FIRST_EXAM, FIRST_EXAM + EXAM)
    ours, theirs = (
        [own[0] for own in draw(load_policy(model), exam, count=1, seed=1)] for model in (run / "model", before)
    )
    gaps = [vowels(mine) - vowels(other) for mine, other in zip(ours, theirs, strict=True)]
    evaluations = [event["data"] for event in read_events(run / "events.jsonl") if event["kind"] == "eval"]
    first, last = evaluations[0]["logps/chosen"], evaluations[-1]["logps/chosen"]
    verdict = find_collapse(ours, theirs, first=evaluations[0], last=evaluations[-1])
    return Turn(
        chain=chain,
        seed=seed,
        round=number,
        win_rate=sum(0.5 if not gap else float(gap > 0) for gap in gaps) / EXAM,
        characters=(mean_length(ours), mean_length(theirs)),
        broken=(share_broken(ours), share_broken(theirs)),
        fallen=(first - last) / abs(first),
        nats=first - last,
        refused=verdict.message if verdict else "",
    )


def row(turn: Turn) -> str:
    (now, then), (broken, broken_before) = turn.characters, turn.broken
    cells = [turn.chain, turn.seed, turn.round, f"{turn.win_rate:.2f}", f"{now:.1f} ({then:.1f})"]
    cells += [f"{broken:.0%} ({broken_before:.0%})", f"{turn.fallen:.0%}, {turn.nats:.0f} nats", turn.refused or "–"]
    return f"| {' | '.join(map(str, cells))} |"


def count(turns: list[Turn]) -> dict[str, int]:
    worse, better = [one for one in turns if one.win_rate < WORSE], [one for one in turns if one.win_rate > 0.5]
    return {
        "policies": len(turns),
        "worse": len(worse),
        "worse_refused": sum(bool(one.refused) for one in worse),
        "better": len(better),
        "better_refused": sum(bool(one.refused) for one in better),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--chains", nargs="+", choices=CHAINS, default=list(CHAINS))
    parser.add_argument("--gate", action="store_true", help="go on from the policy before where the gate refuses")
    parser.add_argument("--out", type=Path, help="keep the run folders and found.json here")
    options = parser.parse_args()
    torch.set_num_threads(1)
    began, turns = time.monotonic(), list[Turn]()
    print(HEADER, flush=True)
    with tempfile.TemporaryDirectory() as scratch:
        out = options.out or Path(scratch)
        for chain in options.chains:
            for seed in range(options.seeds):
                found = turn_chain(out / f"{chain}-{seed}", chain, seed, gate=options.gate)
                print("\n".join(map(row, found)), flush=True)
                turns += found
                (out / "found.json").write_text(json.dumps([asdict(turn) for turn in turns], indent=1))
    print(json.dumps({**count(turns), "seconds": round(time.monotonic() - began, 1)}))


if __name__ == "__main__":
    main()
