"""A run's directory: what the trainer is given. `training/algorithms/__main__.py` reads it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from django.conf import settings

from annotate.exports.lines import export_lines
from annotate.models import SnapshotItem
from training.models import Run
from training.services.jobs import JobFailed

TRAIN, TEST = SnapshotItem.Split.TRAIN, SnapshotItem.Split.TEST


Rewards = Sequence[tuple[Path, float]]  # folders of reward models and their weights


def prepare_directory(
    run: Run, *, model_folder: Path, rewards: Rewards = (), heldout_reward: Path | None = None
) -> dict[str, Any]:
    """Write `run.json` and the data, and return facts about the data: {"data": {split: {"rows", "sha256"}}}.

    Data that is already there stays: a resumed run reads what it began with. Raises JobFailed when nothing is left to
    train on.
    """
    directory = run.directory()
    (directory / "data").mkdir(parents=True, exist_ok=True)
    (directory / "cancel").unlink(missing_ok=True)
    tested = choose_people(run) if run.held_out_people else None
    facts = {
        split.value: prepare_data(run, directory / "data" / f"{split.value}.jsonl", split, tested)
        for split in (TRAIN, TEST)
    }
    if not facts[TRAIN.value]["rows"]:
        raise JobFailed(
            f"Snapshot “{run.snapshot}” has no comparison to train on. Judge some tasks, then launch again."
        )
    if tested is not None and not facts[TEST.value]["rows"]:
        raise JobFailed(
            f"The {len(tested)} people to test on have judged none of the prompts that snapshot “{run.snapshot}” holds "
            "out. Hold out a larger share of prompts."
        )
    plan = describe_run(run, model_folder, facts, rewards) | {
        "heldout_reward": str(heldout_reward) if heldout_reward else None,
        "ends_with_best": run.ends_with_best,
    }
    write_whole(directory / "run.json", [json.dumps(plan, indent=1)])
    return {"data": facts}


def prepare_data(
    run: Run, path: Path, split: SnapshotItem.Split, tested: frozenset[str] | None = None
) -> dict[str, Any]:
    """With people to be `tested` on: theirs alone of what is held out, and none of theirs to train on."""
    if not path.exists():
        lines = export_lines(run.snapshot, form="groups", split=split.value)
        if tested is not None:
            lines = (line for line in lines if (annotator_of(line) in tested) == (split == TEST))
        write_whole(path, lines)
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        file.seek(0)
        return {"rows": sum(1 for _ in file), "sha256": digest}


def choose_people(run: Run) -> frozenset[str]:
    """A quarter of the snapshot's people, at least one: the same ones in every run on it. Raises JobFailed for one."""
    names = {annotator_of(line) for line in export_lines(run.snapshot, form="groups")}
    if len(names) < 2:
        raise JobFailed(
            f"All of snapshot “{run.snapshot}” was judged by one person: nobody is left to test on. Have others judge."
        )
    seed = run.snapshot.split_seed
    order = sorted(names, key=lambda name: hashlib.sha256(f"{seed}:{name}".encode()).digest())
    return frozenset(order[: max(1, len(order) // 4)])


def annotator_of(line: str) -> str:
    return str(json.loads(line)["meta"]["annotator"] or "")


def describe_run(run: Run, model_folder: Path, data: dict[str, Any], rewards: Rewards) -> dict[str, Any]:
    """The contents of `run.json`; paths are relative to its folder unless absolute."""
    return {
        "algorithm": run.algorithm,
        "config": run.config,
        "model": str(model_folder),
        "reference": None,
        "reference_cache": str(settings.ARTIFACTS_DIR / "reference-cache"),
        "data": {
            "train": "data/train.jsonl",
            "test": "data/test.jsonl" if data[TEST.value]["rows"] else None,
        },
        "rewards": [{"model": str(folder), "weight": weight} for folder, weight in rewards],
    }


def write_whole(path: Path, pieces: Iterable[str]) -> None:
    """Write a file that is never seen half written."""
    aside = path.with_suffix(".partial")
    with aside.open("w", encoding="utf-8") as file:
        file.writelines(pieces)
    aside.replace(path)


def has_checkpoint(run: Run) -> bool:
    return any((run.directory() / "checkpoints").glob("step-*"))


def output_folder(run: Run) -> Path:
    return run.directory() / "model"


def relative_to_artifacts(folder: Path) -> str:
    """How a ModelVersion names its folder: relative to ARTIFACTS_DIR, absolute when it lies elsewhere."""
    inside = folder.is_relative_to(settings.ARTIFACTS_DIR)
    return str(folder.relative_to(settings.ARTIFACTS_DIR)) if inside else str(folder)
