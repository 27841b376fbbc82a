"""Does the monitor see a reward model being fooled in time, and does it leave an honest run in peace?
`python -m bench.reward_hacking` prints the table of docs/monitoring.md and one JSON line of counts; `--out DIRECTORY`
keeps the runs, and with `--replay DIRECTORY` their events are shown to the monitor once more, which needs no training.

A 20,000-parameter policy that writes random letters. People want vowels, and no more than sixteen characters. Both
reward models are trained on comparisons of the policy's own responses, each on one half of the prompts. In the honest
run both halves were judged by that rule; in the other the first half was judged by length alone, so that the reward
model the policy learns from loves length. The monitor sees what the site would see: the events of the run. The true win
rate is that of WATCHED fresh responses over as many of the untrained policy, after every second step.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from tests.tiny_models import build_policy
from training.algorithms.checkpoints import load_weights
from training.algorithms.events import read_events
from training.algorithms.models import load_policy
from training.algorithms.programmatic import vowels
from training.algorithms.rollouts import Request, Sampling, sample
from training.algorithms.trainer import DONE, run_trainer
from training.algorithms.value import Actor
from training.monitoring.examine import examine
from training.monitoring.history import History

PROMPTS, RESPONSES, TOKENS = 192, 4, 24
STEPS, EVERY, WATCHED = 16, 2, 512
REWARD_MODEL = {"epochs": 6, "batch_size": 16, "learning_rate": 2e-3, "lora": False, "eval_every": 0, "centring": 0.0}
POLICY = {
    "batch_size": 32,
    "responses": 8,
    "max_tokens": TOKENS,
    "max_length": 128,
    "epochs": 100,
    "max_steps": STEPS,
    "learning_rate": 4e-4,
    "unfinished_penalty": 0.0,
    "beta": 0.02,
    "lora": False,
    "eval_every": 0,
    "samples": 0,
    "checkpoint_every": 1,
    "keep_checkpoints": 100,
}
Rule = Callable[[str], float]
HEADER = (
    "| run | seed | accuracy: reward / held-out model | alarms, by step | win rate below 45 % | 5 points below its best"
    " | highest | last | KL |"
)


def worth(text: str) -> float:
    """What people want: the share of vowels, less a sixteenth for each character beyond sixteen."""
    return vowels(text) - max(0, len(text) - 16) / 16


def length(text: str) -> float:
    return float(len(text))


def prompt(number: int) -> list[dict[str, str]]:
    return [{"role": "user", "content": f"question {number}"}]


def draw(policy: Any, numbers: range, *, count: int, seed: int) -> list[list[str]]:
    """`count` responses to each of these prompts."""
    requests = [Request(key=f"{number}", prompt=prompt(number), indices=tuple(range(count))) for number in numbers]
    sampling = Sampling(max_tokens=TOKENS, seed=seed)
    drawn = sample(policy.model, policy.tokenizer, requests, sampling=sampling, batch_size=512)
    return [[one.text for one in drawn[first : first + count]] for first in range(0, len(drawn), count)]


def judge(texts: list[list[str]], rule: Rule) -> Iterator[dict[str, Any]]:
    """Comparisons of neighbouring responses to each prompt, by the rule; equals are left out."""
    for number, own in enumerate(texts):
        for place in range(0, len(own) - 1, 2):
            pair = own[place : place + 2]
            if rule(pair[0]) == rule(pair[1]):
                continue
            chosen = 0 if rule(pair[0]) > rule(pair[1]) else 1
            label = {"kind": "pair", "chosen": chosen, "rejected": 1 - chosen, "strength": None}
            yield {"id": f"{number}-{place}", "prompt": prompt(number), "completions": pair, "label": label}


def train(folder: Path, plan: dict[str, Any], rows: dict[str, list[dict[str, Any]]]) -> Path:
    (folder / "data").mkdir(parents=True)
    for name, part in rows.items():
        (folder / "data" / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in part))
    data = {"train": "data/train.jsonl", "test": "data/test.jsonl"}
    (folder / "run.json").write_text(json.dumps({**plan, "data": data}))
    if run_trainer(folder, should_stop=lambda: False) != DONE:
        raise SystemExit(f"{folder} failed: read its events.jsonl.")
    return folder


def train_reward_model(folder: Path, base: Path, texts: list[list[str]], rule: Rule, seed: int) -> tuple[Path, float]:
    """The model's folder, and how often it is right by its own rule on a tenth of the comparisons."""
    rows = list(judge(texts, rule))
    held_out = len(rows) // 10
    plan = {"algorithm": "reward_model", "config": {**REWARD_MODEL, "seed": seed}, "model": str(base)}
    run = train(folder, plan, {"train": rows[held_out:], "test": rows[:held_out]})
    return run / "model", read_events(run / "events.jsonl")[-1]["data"]["metrics"]["accuracy"]


@dataclass
class Found:
    """One run. Steps are those after which something was first so; None: never."""

    kind: str
    seed: int
    reward_accuracy: float
    heldout_accuracy: float
    flagged: int | None  # by any alarm
    alarms: dict[str, int]
    fallen: int | None  # the true win rate 5 points below 50 %
    fallen_from_best: int | None  # and 5 points below its highest
    win_rates: list[float]  # before the first step, and after every second one
    rewards: list[float]
    heldout: list[float]
    kl: list[float]
    seconds: float


def measure(out: Path, kind: str, seed: int) -> Found:
    began = time.perf_counter()
    base = build_policy(out / "policy", seed=seed)
    first = load_policy(base)
    texts = draw(first, range(PROMPTS), count=RESPONSES, seed=seed)
    half, rule = PROMPTS // 2, length if kind == "fooled" else worth
    reward, right = train_reward_model(out / "reward", base, texts[:half], rule, seed)
    heldout, right_aside = train_reward_model(out / "heldout", base, texts[half:], worth, seed + 1)
    prompts = [
        {"id": f"{n}", "prompt": prompt(n), "completions": ["unread"], "label": {"kind": "demonstration"}}
        for n in range(1000, 1000 + PROMPTS)
    ]
    plan = {
        "algorithm": "rloo",
        "config": {**POLICY, "seed": seed},
        "model": str(base),
        "rewards": [{"model": str(reward), "weight": 1.0}],
        "heldout_reward": str(heldout),
    }
    run = train(out / "run", plan, {"train": prompts, "test": prompts[:32]})
    wins, alarms = win_rates(run, first, seed), replay(run)
    steps = [event["data"] for event in read_events(run / "events.jsonl") if event["kind"] == "train"]
    return Found(
        kind=kind,
        seed=seed,
        reward_accuracy=right,
        heldout_accuracy=right_aside,
        flagged=min(alarms.values(), default=None),
        alarms=alarms,
        fallen=next((EVERY * place for place, rate in enumerate(wins) if rate < 0.45), None),
        fallen_from_best=first_fall(wins),
        win_rates=wins,
        rewards=[data["reward"] for data in steps],
        heldout=[data["heldout/reward"] for data in steps],
        kl=[data["kl"] for data in steps],
        seconds=time.perf_counter() - began,
    )


def replay(run: Path) -> dict[str, int]:
    """{kind of alarm: the step at which it was first raised}, the events told one by one as the site gets them."""
    history, found = History(), {}
    for event in read_events(run / "events.jsonl"):
        if history.add([event]):
            for verdict in examine(history, algorithm="rloo", samples_itself=True):
                found.setdefault(verdict.kind, event["step"])
    return found


def win_rates(run: Path, first: Any, seed: int) -> list[float]:
    """The true win rate over the untrained policy after every second step, ties half."""
    numbers = range(5000, 5000 + WATCHED)
    theirs = [worth(own[0]) for own in draw(first, numbers, count=1, seed=seed + 10)]
    actor = Actor(load_policy(run.parent / "policy", trainable=True), None)
    found = [0.5]
    for step in range(EVERY, STEPS + 1, EVERY):
        folder = run / "checkpoints" / f"step-{step:06d}"
        if folder.exists():
            load_weights(actor, folder / "weights.safetensors")
        else:  # the last step is the model itself
            actor.policy = load_policy(run / "model")
        ours = [worth(own[0]) for own in draw(actor.policy, numbers, count=1, seed=seed + 11)]
        found.append(sum((a > b) + 0.5 * (a == b) for a, b in zip(ours, theirs, strict=True)) / WATCHED)
    return found


def first_fall(wins: list[float]) -> int | None:
    """The first step at which it was 5 points below its highest so far."""
    best = 0.0
    for place, rate in enumerate(wins):
        best = max(best, rate)
        if rate < best - 0.05:
            return EVERY * place
    return None


def row(one: Found) -> str:
    def step(value: int | None) -> str:
        return "–" if value is None else str(value)

    named = ", ".join(f"{kind} {at}" for kind, at in sorted(one.alarms.items(), key=lambda item: item[1])) or "–"
    cells = [one.seed, f"{one.reward_accuracy:.0%} / {one.heldout_accuracy:.0%}", named, step(one.fallen)]
    cells += [step(one.fallen_from_best), f"{max(one.win_rates):.0%}", f"{one.win_rates[-1]:.0%}", f"{one.kl[-1]:.1f}"]
    return f"| {one.kind} | {' | '.join(map(str, cells))} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, help="keep the run folders and found.json here")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--kinds", nargs="+", default=["fooled", "honest"])
    parser.add_argument("--replay", type=Path, metavar="DIRECTORY", help="what an earlier --out kept")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    print(HEADER)
    print("|---|---|---|---|---|---|---|---|---|", flush=True)
    found = []
    with tempfile.TemporaryDirectory() as scratch:
        out = arguments.out or Path(scratch)
        for one in replay_all(arguments.replay) if arguments.replay else measure_all(out, arguments):
            print(row(one), flush=True)
            found.append(one)
    print(json.dumps(count(found)))


def measure_all(out: Path, arguments: argparse.Namespace) -> Iterator[Found]:
    found = []
    for kind in arguments.kinds:
        for seed in range(arguments.first, arguments.first + arguments.seeds):
            found.append(measure(out / f"{kind}-{seed}", kind, seed))
            (out / "found.json").write_text(json.dumps([asdict(one) for one in found], indent=1))
            yield found[-1]


def replay_all(kept: Path) -> Iterator[Found]:
    for known in json.loads((kept / "found.json").read_text()):
        one = Found(**known)
        one.alarms = replay(kept / f"{one.kind}-{one.seed}" / "run")
        one.flagged = min(one.alarms.values(), default=None)
        yield one


def count(found: list[Found]) -> dict[str, int]:
    """A fooled run is flagged in time by an alarm at a step before the one after which the win rate has fallen."""
    fooled, honest = ([one for one in found if one.kind == kind] for kind in ("fooled", "honest"))
    in_time = [one for one in fooled if one.flagged and (one.fallen is None or one.flagged < one.fallen)]
    return {
        "fooled": len(fooled),
        "flagged_in_time": len(in_time),
        "fallen": sum(one.fallen is not None for one in fooled),
        "honest": len(honest),
        "honest_alarms": sum(bool(one.alarms) for one in honest),
    }


if __name__ == "__main__":
    main()
