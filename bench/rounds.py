"""Does the loop, left to itself, make the policy better? `python -m bench.rounds` prints one JSON line a round.

A site of its own, a policy of 20,000 parameters that writes random letters, and annotators who like vowels but never
say so. The owner writes one recipe and starts one generation; then the annotators judge what waits, over HTTP, and
rounds begin by themselves when enough has been judged. At the end each round's policy is set against the base on
prompts the project never had, by the hidden rule itself.
"""

import argparse
import json
import math
import statistics
import sys
import tempfile
import time
from pathlib import Path

import torch

from tests.round_visits import join, judge_by, vowel_share, wait_for_round, write_recipe
from tests.smoke import generate, running_site, set_up
from tests.visitor import Visitor
from training.algorithms.models import load_policy
from training.algorithms.rollouts import Request, Sampling, sample

TOKENS = 24
EXAM, EACH = 128, 4  # prompts that are never trained on, responses of each side to every one
JOB_SECONDS = 900
# Where a policy of each algorithm starts from, and its settings: DPO learns all judgements so far, each time anew, from
# the base; what samples for itself goes on from the policy in use, a short way each round.
SAMPLING = {
    "batch_size": "4",
    "responses": "8",
    "max_steps": "12",
    "learning_rate": "0.002",
    "max_tokens": str(TOKENS),
    "unfinished_penalty": "0",
    "eval_prompts": "0",
}
RECIPES = {
    "dpo": ("base", {"epochs": "4", "learning_rate": "0.001", "batch_size": "8", "warmup_ratio": "0"}),
    "rloo": ("current", SAMPLING),
    "ppo": ("current", SAMPLING),
    "raft": ("current", SAMPLING),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--prompts", type=int, default=160)
    parser.add_argument("--algorithm", choices=RECIPES, default="rloo")
    parser.add_argument("--steps", help="of each policy run, instead of the recipe's own")
    parser.add_argument("--out", type=Path, help="keep the site's files here")
    options = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory(prefix="plumbline-rounds-") as folder:
        out = options.out or Path(folder)
        out.mkdir(parents=True, exist_ok=True)
        with running_site(out) as (site, link):
            lines = turn(site, link, options.algorithm, options.prompts, options.rounds, options.steps)
        for line, found in zip(lines, examine(out, options.algorithm), strict=True):
            print(json.dumps({**line, **found}))


def turn(site: str, link: str, algorithm: str, prompts: int, rounds: int, steps: str | None) -> list[dict[str, object]]:
    """Set the project up, then judge until so many rounds have turned by themselves."""
    owner = Visitor(site)
    project = set_up(owner, link)
    people = [join(owner, project, site, name) for name in ("Ada", "Ben")]
    import_questions(owner, project, prompts)
    generate(owner, project, "responses", "tasks", tokens=str(TOKENS))
    start, settings = RECIPES[algorithm]
    write_recipe(
        owner,
        project,
        algorithm=algorithm,
        policy=settings | ({"max_steps": steps} if steps else {}),
        reward={},
        start_from=start,
        trigger="judgements",
        enough_judgements=str(prompts * 9 // 10),  # somebody may hold the last task and look away
        max_tokens=str(TOKENS),
        prompts=str(prompts),
        tasks=str(prompts),
    )
    lines = []
    for number in range(1, rounds + 1):
        started = time.monotonic()
        judged = sum(judge_by(person, project, vowel_share, most=-(-prompts // len(people))) for person in people)
        line = wait_for_round(owner, project, number, JOB_SECONDS)
        print(line, file=sys.stderr)
        lines.append({"round": number, "judged": judged, "seconds": round(time.monotonic() - started, 1), "line": line})
    return lines


def import_questions(owner: Visitor, project: str, count: int) -> None:
    rows = [{"question_id": number, "category": "generic", "turns": [f"question {number}"]} for number in range(count)]
    owner.open(f"{project}imports/new/")
    text = "\n".join(json.dumps(row) for row in rows).encode()
    owner.send(owner.form("contents"), files={"file": ("prompts.jsonl", text)})
    page = owner.address
    owner.send(owner.form("confirm"), confirm="1")
    owner.wait_until(page, ".pill-success", JOB_SECONDS)


def examine(out: Path, algorithm: str) -> list[dict[str, object]]:
    """For each policy run, in order: its share of vowels and its true win rate over the base, with 95 % interval."""
    base = answers(out / "models" / "policy")
    return [compare(answers(folder / "model"), base) for folder in policy_runs(out, algorithm)]


def policy_runs(out: Path, algorithm: str) -> list[Path]:
    folders = sorted((out / "var" / "artifacts" / "runs").iterdir(), key=lambda folder: int(folder.name))
    return [folder for folder in folders if json.loads((folder / "run.json").read_text())["algorithm"] == algorithm]


def answers(model: Path) -> list[list[str]]:
    """EACH responses to every prompt of the exam."""
    policy = load_policy(model)
    requests = [
        Request(key=str(number), prompt=[{"role": "user", "content": f"exam {number}"}], indices=tuple(range(EACH)))
        for number in range(EXAM)
    ]
    drawn = sample(
        policy.model, policy.tokenizer, requests, sampling=Sampling(max_tokens=TOKENS, seed=1), batch_size=256
    )
    return [[one.text for one in drawn[place : place + EACH]] for place in range(0, len(drawn), EACH)]


def compare(new: list[list[str]], base: list[list[str]]) -> dict[str, object]:
    """Each response against each of the base's to the same prompt; a tie is half a win; prompts are the sample."""
    shares = [
        statistics.mean(wins(vowel_share(ours), vowel_share(theirs)) for ours in mine for theirs in other)
        for mine, other in zip(new, base, strict=True)
    ]
    rate, half = statistics.mean(shares), 1.96 * statistics.stdev(shares) / math.sqrt(len(shares))
    return {
        "true_win_rate": round(rate, 3),
        "interval": [round(rate - half, 3), round(rate + half, 3)],
        "vowels": round(statistics.mean(vowel_share(text) for row in new for text in row), 3),
        "vowels_base": round(statistics.mean(vowel_share(text) for row in base for text in row), 3),
    }


def wins(ours: float, theirs: float) -> float:
    return 0.5 if ours == theirs else float(ours > theirs)


if __name__ == "__main__":
    main()
