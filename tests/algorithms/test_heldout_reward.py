"""A reward model from which nothing is learnt: what it says is told, and the weights it likes best are kept."""

import json
from pathlib import Path

import pytest
from safetensors.torch import load_file

from tests.algorithms.runs import events, make_run
from training.algorithms.models import load_reward_model, save_model
from training.algorithms.texts import describe_texts
from training.algorithms.trainer import CANCELLED, DONE, FAILED, run_trainer

SETTINGS = {
    "function": "vowels",
    "batch_size": 4,
    "responses": 4,
    "max_tokens": 12,
    "max_length": 128,
    "max_steps": 4,
    "epochs": 10,
    "learning_rate": 3e-3,
    "lora": False,
    "eval_every": 1,
    "samples": 0,
}


@pytest.fixture
def run(policy_folder, encoder_folder, tmp_path) -> Path:
    """RLOO for vowels, watched by an untrained reward model."""
    save_model(load_reward_model(encoder_folder, seed=3), tmp_path / "judge")
    run = make_run(tmp_path / "run", policy_folder, "rloo", SETTINGS)
    return change_plan(run, heldout_reward="../judge")


def change_plan(run: Path, **changes: object) -> Path:
    (run / "run.json").write_text(json.dumps(json.loads((run / "run.json").read_text()) | changes))
    return run


def told(run: Path, kind: str) -> list[dict]:
    return [event["data"] for event in events(run) if event["kind"] == kind]


def test_it_is_told_at_every_step_and_changes_nothing_that_is_learnt(run, policy_folder, tmp_path):
    assert run_trainer(run, should_stop=lambda: False) == DONE
    alone = make_run(tmp_path / "alone", policy_folder, "rloo", SETTINGS)
    assert run_trainer(alone, should_stop=lambda: False) == DONE
    watched, unwatched = told(run, "train"), told(alone, "train")
    assert [data["reward"] for data in watched] == [data["reward"] for data in unwatched]
    assert all(-1 <= data["heldout/agreement"] <= 1 and data["heldout/std"] > 0 for data in watched)
    assert "heldout/reward" not in unwatched[0]
    assert all(data["completions/count"] == 16 for data in watched)


def test_a_stopped_run_can_end_with_the_weights_the_held_out_model_liked_best(run):
    asked = iter([False] * 40)
    assert run_trainer(run, should_stop=lambda: next(asked, True)) == CANCELLED
    scores = {event["step"]: event["data"]["heldout/reward"] for event in events(run) if event["kind"] == "eval"}
    best = max(scores, key=lambda step: scores[step])
    kept = load_file(run / "best.safetensors")
    change_plan(run, ends_with_best=True)
    assert run_trainer(run, should_stop=lambda: False) == DONE
    (end,) = told(run, "end")
    assert end["metrics"]["heldout/reward"] == pytest.approx(scores[best])
    model = load_file(run / "model" / "model.safetensors")
    name = "model.layers.0.self_attn.q_proj.weight"
    assert (model[name] == kept[f"policy.model.{name}"]).all()
    assert told(run, "log")[-1]["message"] == f"Ended with the weights of step {best}, the best evaluation."


def test_without_kept_weights_it_says_so(policy_folder, tmp_path):
    run = change_plan(make_run(tmp_path / "run", policy_folder, "rloo", SETTINGS), ends_with_best=True)
    assert run_trainer(run, should_stop=lambda: False) == FAILED
    assert "has kept no best weights" in told(run, "error")[-1]["message"]


def test_texts_are_counted_without_being_read():
    found = describe_texts(["no no no no no no", "", "a b c d a b c d", "I'm sorry, but I cannot help with that."])
    assert found["texts/empty"] == 0.25
    assert found["texts/stuck"] == 0.25
    assert found["texts/repetition"] == pytest.approx((2 / 3 + 0 + 1 / 5 + 0) / 4)
    assert found["texts/refusals"] == 0.25
    assert found["texts/distinct"] == pytest.approx((1 + 4 + 7) / (5 + 7 + 7))
    assert describe_texts([])["texts/distinct"] == 1.0
