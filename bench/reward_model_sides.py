"""The sides that bench.reward_models compares: each takes a split of pairs and says what it gets right of the test
part, 1, 0, or a half where both score the same."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import AutoModel

from training.algorithms.groups import EncodedGroup, encode_groups, parse_group
from training.algorithms.models import (
    load_reward_model,
    load_tokenizer,
    save_model,
    score,
)
from training.algorithms.packing import steps_per_epoch
from training.algorithms.trainer import DONE, choose_precision, run_trainer

Rows = Sequence[dict[str, Any]]
WARM_UP, DECAY, CENTRING = 0.05, 0.01, 0.01
EMBEDDED = {"max_length": 256}  # the embeddings' own limit
PENALTIES = (1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 0.3, 1.0, 3.0)


def prefer_longer(folder: Path, work: Path, split: dict[str, Rows], settings: dict[str, Any]) -> list[float]:
    """The response with more characters."""
    return rights([tuple(float(len(text)) for text in row["completions"]) for row in split["test"]])


def rights(scores: Sequence[tuple[float, ...]]) -> list[float]:
    """The chosen one is the first."""
    return [float(chosen > rejected) + 0.5 * (chosen == rejected) for chosen, rejected in scores]


def train_ours(folder: Path, work: Path, split: dict[str, Rows], settings: dict[str, Any]) -> list[float]:
    """The site's trainer on a run folder; stopped, it goes on from its last checkpoint."""
    work.mkdir(parents=True, exist_ok=True)
    (work / "train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in split["train"]))
    plan = {
        "algorithm": "reward_model",
        "config": {
            **settings,
            "warmup_ratio": WARM_UP,
            "weight_decay": DECAY,
            "centring": CENTRING,
            "schedule": "linear",
            "checkpoint_every": 50,
        },
        "model": str(folder),
        "data": {"train": "train.jsonl"},
    }
    (work / "run.json").write_text(json.dumps(plan))
    if run_trainer(work, should_stop=lambda: False) != DONE:
        raise SystemExit(f"{work} failed: read its events.jsonl.")
    return judge(work / "model", split["test"], settings)


def judge(folder: Path, rows: Rows, settings: dict[str, Any]) -> list[float]:
    model = load_reward_model(folder, seed=0)
    groups = encode(rows, folder, settings)
    with torch.autocast("cpu", torch.bfloat16, enabled=choose_precision("auto", folder) == "bf16"):
        return rights([(chosen, rejected) for chosen, rejected in score(model, groups, budget=2048)])


def encode(rows: Rows, folder: Path, settings: dict[str, Any]) -> list[EncodedGroup]:
    groups = [parse_group(json.dumps(row)) for row in rows]
    return encode_groups(groups, load_tokenizer(folder), max_length=settings["max_length"])[0]


def train_trl(folder: Path, work: Path, split: dict[str, Rows], settings: dict[str, Any]) -> list[float]:
    """TRL's RewardTrainer from the same weights and head, on the same tokens, for as many steps at the same rates. Its
    collator has no segment ids, so that both parts of a text are in the first segment."""
    import trl
    from datasets import Dataset
    from transformers import AutoModelForSequenceClassification

    save_model(load_reward_model(folder, seed=settings["seed"]), work / "start")
    network = AutoModelForSequenceClassification.from_pretrained(work / "start", dtype=torch.float32)
    tokenizer = load_tokenizer(folder)
    groups = encode(split["train"], folder, settings)
    data = Dataset.from_list([{"chosen_ids": whole(group, 0), "rejected_ids": whole(group, 1)} for group in groups])
    steps = settings["epochs"] * steps_per_epoch(len(groups), settings["batch_size"])
    arguments = trl.RewardConfig(
        output_dir=str(work / "trl"),
        per_device_train_batch_size=settings["batch_size"],
        max_steps=steps,
        learning_rate=settings["learning_rate"],
        lr_scheduler_type="linear",
        warmup_steps=round(WARM_UP * steps),
        weight_decay=DECAY,
        center_rewards_coefficient=CENTRING,
        max_length=settings["max_length"],
        seed=settings["seed"],
        bf16=choose_precision("auto", folder) == "bf16",
        gradient_checkpointing=False,
        use_cpu=True,
        report_to=[],
        save_strategy="no",
        logging_steps=20,
        disable_tqdm=True,
    )
    trainer = trl.RewardTrainer(network, arguments, train_dataset=data, processing_class=tokenizer)
    trainer.train()
    network.eval()
    return rights(
        [
            tuple(float(reward(network, whole(group, place))) for place in (0, 1))
            for group in encode(split["test"], folder, settings)
        ]
    )


def whole(group: EncodedGroup, place: int) -> list[int]:
    return [*group.prompt, *group.completions[place]]


@torch.no_grad()
def reward(network: Any, ids: Sequence[int]) -> Tensor:
    return network(input_ids=torch.tensor([ids])).logits[0, 0]


def fit_linear(folder: Path, work: Path, split: dict[str, Rows], settings: dict[str, Any]) -> list[float]:
    """Logistic regression on the difference of two frozen embeddings, each of the response alone and in its context;
    the penalty is the one with the best validation accuracy."""
    known = embed_once(work.parent / "embeddings.safetensors", folder, [row for rows in split.values() for row in rows])
    leads = {name: torch.stack([known[row["id"]] for row in rows]) for name, rows in split.items()}
    deviation = leads["train"].std(0)
    scaled = {name: lead / deviation for name, lead in leads.items()}
    weights = [fit_logistic(scaled["train"], penalty) for penalty in PENALTIES]
    best = max(weights, key=lambda own: float((scaled["validation"] @ own > 0).float().mean()))
    return [float(lead > 0) + 0.5 * float(lead == 0) for lead in scaled["test"] @ best]


def fit_logistic(leads: Tensor, penalty: float) -> Tensor:
    """Bradley–Terry without an intercept: leads (N, d) -> weights (d,)."""
    weights = torch.zeros(leads.shape[1], requires_grad=True)
    optimizer = torch.optim.LBFGS([weights], max_iter=200, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = F.softplus(-(leads @ weights)).mean() + penalty * (weights**2).sum() / 2
        loss.backward()
        return loss

    optimizer.step(closure)
    return weights.detach()


def embed_once(path: Path, folder: Path, rows: Rows) -> dict[str, Tensor]:
    """The chosen one's embeddings less the rejected one's, (2d,), of each row by its id; kept for the next seed."""
    if not path.exists():
        save_file(embed_leads(folder, rows), path)
    return load_file(path)


@torch.no_grad()
def embed_leads(folder: Path, rows: Rows) -> dict[str, Tensor]:
    model = AutoModel.from_pretrained(folder, dtype=torch.float32).eval()
    start = load_tokenizer(folder).cls_token_id
    found = {}
    for group in encode(rows, folder, EMBEDDED):
        chosen, rejected = (
            torch.cat([embed(model, whole(group, place)), embed(model, [start, *group.completions[place]])])
            for place in (0, 1)
        )
        found[group.id] = chosen - rejected
    return found


def embed(model: Any, ids: Sequence[int]) -> Tensor:
    """Mean over the tokens, of length 1: as the model's authors use it. -> (d,)"""
    return F.normalize(model(input_ids=torch.tensor([ids])).last_hidden_state[0].mean(0), dim=0)
