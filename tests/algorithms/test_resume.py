"""Every algorithm, stopped between two steps and started again, makes the very same model; and a step cut small is the
step."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from tests.algorithms.runs import events, make_rows, make_run, steps
from training.algorithms.trainer import CANCELLED, DONE, run_trainer

CASES = {
    "sft": ("sft", {"templates": "{prompt} | Say: {prompt}"}),
    "dpo with ties": ("dpo", {"ties": "davidson", "strength": "scaled"}),
    "simpo": ("simpo", {"ties": "rao_kupper"}),
    "orpo": ("orpo", {}),
    "a_lol": ("a_lol", {}),
    "ilql": ("ilql", {}),
    "ensemble": ("reward_model", {"heads": 3, "ties": "rao_kupper", "length_control": True, "keep_best": True}),
    "rankings": ("reward_model", {"rankings": "plackett_luce", "ratings": "regress"}),
}
SETTINGS = {"epochs": 3, "checkpoint_every": 2, "eval_every": 3, "learning_rate": 2e-3}


def rows() -> list[dict]:
    """Pairs and ties; every third a ranking of three, every fifth ratings."""
    found = make_rows(22)
    for number, row in enumerate(found):
        if number % 3 == 0:
            row["completions"] = [*row["completions"], f"maybe {number}"]
            row["label"] = {"kind": "ranking", "tiers": [[1], [0, 2]]}
        elif number % 5 == 0:
            row["label"] = {"kind": "rating", "scores": [number / 4, None]} if number % 2 else {
                "kind": "rating", "scores": [3, 1.5]}  # fmt: skip
    return found


def start(folder: Path, model: Path, case: str, **settings) -> Path:
    algorithm, own = CASES[case]
    own = own if algorithm == "reward_model" else own | {"samples": 0}
    return make_run(folder, model, algorithm, SETTINGS | own | settings, train=16, rows=rows())


def weights(run: Path) -> dict[str, torch.Tensor]:
    return load_file(run / "model" / "model.safetensors")


@pytest.mark.parametrize("case", CASES)
def test_stopped_and_started_again_it_makes_the_very_same_model(case, policy_folder, tmp_path):
    plain, stopped = (start(tmp_path / name, policy_folder, case) for name in ("plain", "stopped"))
    assert run_trainer(plain, should_stop=lambda: False) == DONE, events(plain)[-1]
    assert run_trainer(stopped, should_stop=lambda: 3 in steps(stopped, "train")) == CANCELLED
    assert steps(stopped, "train") == [1, 2, 3]
    assert run_trainer(stopped, should_stop=lambda: False) == DONE, events(stopped)[-1]
    left, right = weights(plain), weights(stopped)
    assert left.keys() == right.keys()
    assert all(torch.equal(left[name], right[name]) for name in left)
    for name in ("plumbline.json", "config.json"):
        first, second = plain / "model" / name, stopped / "model" / name
        assert first.exists() == second.exists()
        assert not first.exists() or first.read_text() == second.read_text()


@pytest.mark.parametrize("case", ["ensemble", "rankings", "dpo with ties"])
def test_a_step_cut_small_is_the_step(case, policy_folder, tmp_path):
    losses = []
    for tokens in (10_000, 8):
        run = start(tmp_path / str(tokens), policy_folder, case, micro_batch_tokens=tokens, lora=False)
        assert run_trainer(run, should_stop=lambda: False) == DONE, events(run)[-1]
        losses.append([event["data"]["loss"] for event in events(run) if event["kind"] in ("train", "eval")])
    assert losses[1] == pytest.approx(losses[0], abs=2e-5)
