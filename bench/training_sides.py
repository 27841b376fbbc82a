"""One measured run of one side: `python -m bench.training_sides SIDE CELL.json FOLDER` prints a JSON line.

Ours is the trainer as the site starts it, on a run folder; TRL is its trainer with the same weights, the same groups in
the same order, and the same settings. Both are imported late, so that neither weighs on the other's memory.
"""

import argparse
import json
import random
import resource
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import LlamaConfig, LlamaForCausalLM, LlamaForSequenceClassification, PreTrainedTokenizerFast

from tests.tiny_models import byte_tokenizer

AS_IT_IS = "{% for message in messages %}{{ message['content'] }}{% endfor %}"
RATE, BETA, MAX_LENGTH = 3e-4, 0.1, 1024
WARM_UP = 1  # steps that are not timed


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A job, and how large it is. Lengths are tokens; a token is a byte."""

    name: str
    algorithm: str  # reward_model, dpo, rloo or ppo
    prompt: tuple[int, int] = (32, 160)
    completion: tuple[int, int] = (8, 128)
    completions: int = 2
    batch: int = 8  # groups a step
    steps: int = 8
    vocabulary: int = 4096
    width: int = 256
    layers: int = 8
    drawn: int = 48  # longest response, of what samples
    threads: int = 2
    bf16: bool = True  # TRL's; ours chooses as it does for its users
    seed: int = 0


def make_rows(cell: Cell) -> list[dict[str, Any]]:
    """Random letters; of a group's completions the first has the most vowels and is the best, and so on down."""
    rng = random.Random(cell.seed)

    def text(size: int, share: float) -> str:
        return "".join(rng.choice("aeiou" if rng.random() < share else "bcdfghjklmnpqrst") for _ in range(size))

    return [
        {
            "id": f"g{number}",
            "prompt": [{"role": "user", "content": text(rng.randint(*cell.prompt), 0.4)}],
            "completions": [
                text(rng.randint(*cell.completion), 0.7 - 0.5 * place / cell.completions)
                for place in range(cell.completions)
            ],
            "label": {"kind": "ranking", "tiers": [[place] for place in range(cell.completions)]},
        }
        for number in range(cell.steps * cell.batch)
    ]


def useful_tokens(cell: Cell) -> float:
    """Tokens a step that a trainer of pairs must see: prompt and end counted with each side of each pair."""
    total = 0
    for row in make_rows(cell):
        sizes = [len(row["prompt"][0]["content"]) + len(one) + 1 for one in row["completions"]]
        total += sum(sizes) * (len(sizes) - 1)
    return total / cell.steps


def make_model(cell: Cell, folder: Path) -> Path:
    """Random weights, saved: a policy, or a reward model whose first scores are both sides' the same."""
    torch.manual_seed(cell.seed)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=byte_tokenizer(["<pad>", "<end>"]), pad_token="<pad>", eos_token="<end>", model_max_length=4096
    )
    tokenizer.chat_template = AS_IT_IS
    config = LlamaConfig(
        vocab_size=cell.vocabulary,
        hidden_size=cell.width,
        intermediate_size=cell.width * 8 // 48 * 16,
        num_hidden_layers=cell.layers,
        num_attention_heads=cell.width // 32,
        max_position_embeddings=MAX_LENGTH,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        num_labels=1,
    )
    rewards = cell.algorithm == "reward_model"
    model = LlamaForSequenceClassification(config) if rewards else LlamaForCausalLM(config)
    model.save_pretrained(folder)
    if cell.algorithm == "ppo":
        LlamaForSequenceClassification(config).save_pretrained(folder.parent / "reward")
        tokenizer.save_pretrained(folder.parent / "reward")
    tokenizer.chat_template = AS_IT_IS
    tokenizer.save_pretrained(folder)
    return folder


def run_ours(cell: Cell, folder: Path) -> dict[str, Any]:
    """The last of `steps` events says how long the steps took."""
    from training.algorithms.trainer import DONE, run_trainer

    run = folder / "ours"
    run.mkdir()
    (run / "train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in make_rows(cell)))
    settings: dict[str, Any] = {
        "batch_size": cell.batch,
        "learning_rate": RATE,
        "schedule": "linear",
        "warmup_ratio": 0.0,
        "weight_decay": 0.0,
        "max_length": MAX_LENGTH,
        "lora": False,
        "eval_every": 0,
        "checkpoint_every": 0,
        "seed": cell.seed,
    }
    if cell.algorithm == "reward_model":
        settings |= {"centring": 0.0, "strength": "ignore"}
    else:
        settings |= {"samples": 0, "beta": BETA}
    if cell.algorithm in ("rloo", "ppo"):
        settings |= {"function": "vowels", "responses": 4, "max_tokens": cell.drawn, "unfinished_penalty": 0.0}
        settings |= {"passes": 1}
    rewards = []
    if cell.algorithm == "ppo":
        settings |= {"function": "none", "critic": "separate"}
        rewards = [{"model": str(folder / "reward"), "weight": 1.0}]
    plan = {
        "algorithm": cell.algorithm,
        "config": settings,
        "model": str(folder / "model"),
        "data": {"train": "train.jsonl"},
        "rewards": rewards,
    }
    (run / "run.json").write_text(json.dumps(plan))
    asked: list[tuple[float, float]] = []  # when, and processor seconds until then: the trainer asks after every step

    def should_stop() -> bool:
        asked.append((time.time(), time.process_time()))
        return False

    if run_trainer(run, should_stop=should_stop) != DONE:
        raise SystemExit(f"{run} failed: read its events.jsonl.")
    should_stop()
    told = [json.loads(line) for line in (run / "events.jsonl").read_text().splitlines()]
    steps = [event for event in told if event["kind"] == "train"]
    return {
        "times": [event["at"] for event in steps],
        "used": [next(used for at, used in asked if at >= event["at"]) for event in steps],
        "losses": [event["data"]["loss"] for event in steps],
        "lengths": [event["data"].get("completions/mean_length") for event in steps],
        "precision": told[0]["data"]["precision"],
    }


def in_our_order(cell: Cell) -> Iterator[dict[str, Any]]:
    """The rows as our trainer's steps see them."""
    rows = make_rows(cell)
    order = torch.randperm(len(rows), generator=torch.Generator().manual_seed(cell.seed * 1_000_003))
    return (rows[place] for place in order.tolist())


def run_trl(cell: Cell, folder: Path) -> dict[str, Any]:
    """No gradient checkpointing, the reference cached, no padding to a multiple: TRL at its best."""
    import trl
    from datasets import Dataset
    from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification, AutoTokenizer, TrainerCallback

    from training.algorithms.programmatic import FUNCTIONS

    times: list[float] = []
    used: list[float] = []

    class Clock(TrainerCallback):
        def on_step_end(self, args: Any, state: Any, control: Any, **unused: Any) -> None:
            if torch.cuda.is_available():
                torch.cuda.synchronize()
            times.append(time.time())
            used.append(time.process_time())

    pairs = [
        {"prompt": row["prompt"][0]["content"], "chosen": chosen, "rejected": rejected}
        for row in in_our_order(cell)
        for place, chosen in enumerate(row["completions"])
        for rejected in row["completions"][place + 1 :]
    ]
    a_group = cell.completions * (cell.completions - 1) // 2
    settings: dict[str, Any] = {
        "output_dir": str(folder / "trl"),
        "per_device_train_batch_size": cell.batch * a_group,
        "max_steps": cell.steps,
        "learning_rate": RATE,
        "seed": cell.seed,
        "train_sampling_strategy": "sequential",
        "logging_steps": 1,
        "report_to": [],
        "save_strategy": "no",
        "disable_tqdm": True,
        "use_cpu": not torch.cuda.is_available(),
        "gradient_checkpointing": False,
        "bf16": cell.bf16,
    }
    if cell.algorithm == "ppo":
        return run_trl_ppo(cell, folder, settings, Clock(), (times, used))
    model, tokenizer = str(folder / "model"), AutoTokenizer.from_pretrained(folder / "model")
    tokenizer.chat_template = None
    shared: dict[str, Any] = {"processing_class": tokenizer, "callbacks": [Clock()]}
    data = Dataset.from_list(pairs)
    if cell.algorithm == "reward_model":
        network = AutoModelForSequenceClassification.from_pretrained(model, dtype=torch.float32)
        arguments = trl.RewardConfig(**settings, max_length=MAX_LENGTH)
        trainer = trl.RewardTrainer(network, arguments, train_dataset=data, **shared)
    elif cell.algorithm == "dpo":
        policy = AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32)
        arguments = trl.DPOConfig(**settings, max_length=MAX_LENGTH, beta=BETA, precompute_ref_log_probs=True)
        trainer = trl.DPOTrainer(policy, None, args=arguments, train_dataset=data, **shared)
    else:
        policy = AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32)
        settings |= {"per_device_train_batch_size": 4 * cell.batch}
        del settings["train_sampling_strategy"]
        arguments = trl.RLOOConfig(
            **settings, num_generations=4, max_completion_length=cell.drawn, beta=BETA, temperature=1.0
        )
        reward = FUNCTIONS["vowels"]

        def score(completions: list[str], **unused: Any) -> list[float]:
            return [reward(text) for text in completions]

        trainer = trl.RLOOTrainer(
            model=policy, reward_funcs=score, args=arguments, train_dataset=data.select_columns(["prompt"]), **shared
        )
    trainer.train()
    logged = [line for line in trainer.state.log_history if "loss" in line]
    return {
        "times": times,
        "used": used,
        "losses": [line["loss"] for line in logged],
        "lengths": [line.get("completions/mean_length") for line in logged],
        "precision": "bf16" if cell.bf16 else "no",
    }


def run_trl_ppo(
    cell: Cell, folder: Path, settings: dict[str, Any], clock: Any, marks: tuple[list[float], list[float]]
) -> dict[str, Any]:
    """TRL 1.12's. It does not log lengths; a policy of random weights hardly ever ends before it must."""
    from bench.training_ppo import train

    own = {"per_device_train_batch_size", "max_steps", "train_sampling_strategy"}
    train(
        folder,
        prompts=[row["prompt"][0]["content"] for row in make_rows(cell)],
        responses=4,
        batch=cell.batch,
        drawn=cell.drawn,
        settings={name: value for name, value in settings.items() if name not in own},
        clock=clock,
    )
    return {
        "times": marks[0],
        "used": marks[1],
        "losses": [None],
        "lengths": [cell.drawn],
        "precision": "bf16" if cell.bf16 else "no",
    }


def arithmetic(cell: Cell) -> float | None:
    """Multiplications and additions a useful token: six a weight that multiplies it, forwards and backwards (Kaplan et
    al. 2020, section 2.1), attention left out. None where tokens are sampled too. What a prompt shared by its answers
    saves is not taken off: it is the work of a trainer of pairs."""
    if cell.algorithm not in ("reward_model", "dpo"):
        return None
    block = 4 * cell.width**2 + 3 * cell.width * (cell.width * 8 // 48 * 16)
    return 6.0 * (cell.layers * block + (cell.vocabulary * cell.width if cell.algorithm == "dpo" else 0))


def matmul_peak(*, bf16: bool) -> float:
    """The device's operations a second, the best of ten products of large square matrices."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    size = 8192 if device == "cuda" else 2048
    matrix = torch.randn(size, size, device=device, dtype=torch.bfloat16 if bf16 else torch.float32)
    best = float("inf")
    for _ in range(10):
        started = time.perf_counter()
        matrix @ matrix
        if device == "cuda":
            torch.cuda.synchronize()
        best = min(best, time.perf_counter() - started)
    return 2 * size**3 / best


def measure(side: str, cell: Cell, folder: Path) -> dict[str, Any]:
    """Seconds a step, useful tokens a second, peak megabytes and the share of the device's peak of one run."""
    torch.set_num_threads(cell.threads)
    found = {"ours": run_ours, "trl": run_trl}[side](cell, folder)
    seconds, used = (
        (marks[-1] - marks[WARM_UP - 1]) / (len(marks) - WARM_UP) for marks in (found.pop("times"), found.pop("used"))
    )
    lengths = [length for length in found.pop("lengths") if length is not None]
    tokens = useful_tokens(cell)
    if lengths:
        prompts = sum(len(row["prompt"][0]["content"]) for row in make_rows(cell)) / cell.steps
        tokens = 4 * (prompts + cell.batch * sum(lengths) / len(lengths))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    if torch.cuda.is_available():
        peak = torch.cuda.max_memory_allocated() / 2**20
    first, last = found["losses"][0], found.pop("losses")[-1]
    work = arithmetic(cell)
    share = None if work is None else work * tokens / seconds / matmul_peak(bf16=found["precision"] == "bf16")
    return {
        "cell": cell.name,
        "side": side,
        "seconds_a_step": round(seconds, 4),
        "tokens_per_s": round(tokens / seconds, 1),
        "tokens_per_cpu_s": round(tokens / used, 1),
        "peak_mb": round(peak),
        "share_of_peak": None if share is None else round(share, 3),
        "loss_first_last": [None if loss is None else round(loss, 4) for loss in (first, last)],
        **found,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("side", choices=("ours", "trl", "model"))
    parser.add_argument("cell", type=Path)
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    cell = Cell(**json.loads(arguments.cell.read_text()))
    if arguments.side == "model":
        make_model(cell, arguments.folder / "model")
        return
    json.dump(measure(arguments.side, cell, arguments.folder), sys.stdout)


if __name__ == "__main__":
    main()
