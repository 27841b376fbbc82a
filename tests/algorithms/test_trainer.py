"""The trainer process: killed, cancelled, failed, done twice; what it leaves in the run folder."""

import fcntl
import hashlib
import json
import shutil
import signal
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification

from tests.algorithms.runs import events, kill, make_run, start_trainer, steps, train_to_end, wait_for_step
from training.algorithms import trainer
from training.algorithms.events import keep_events_until, read_events
from training.algorithms.trainer import CANCELLED, DONE, FAILED, run_trainer

LONG = {"epochs": 12, "checkpoint_every": 5, "eval_every": 7, "learning_rate": 1e-3, "keep_checkpoints": 2}


def run_here(run: Path) -> int:
    return run_trainer(run, should_stop=lambda: False)


def weights(run: Path) -> dict[str, torch.Tensor]:
    return load_file(run / "model" / "model.safetensors")


def assert_same_weights(first: Path, second: Path) -> None:
    left, right = weights(first), weights(second)
    assert left.keys() == right.keys()
    assert all(torch.equal(left[name], right[name]) for name in left)


def told(run: Path) -> list[tuple[str, int, object]]:
    """The events without their times, starts and checkpoints: what must not depend on an interruption."""
    clock = {"tokens_per_s", "seconds_left"}
    return [
        (event["kind"], event["step"], {name: value for name, value in event["data"].items() if name not in clock})
        for event in events(run)
        if event["kind"] in ("train", "eval", "sample")
    ]


@pytest.mark.parametrize(
    ("algorithm", "backbone"), [("reward_model", "encoder_folder"), ("dpo", "policy_folder"), ("kto", "policy_folder")]
)
def test_killed_at_any_step_it_resumes_to_the_very_same_weights_and_events(algorithm, backbone, request, tmp_path):
    folder = request.getfixturevalue(backbone)
    unbroken = make_run(tmp_path / "unbroken", folder, algorithm, LONG)
    assert run_here(unbroken) == DONE
    broken = make_run(tmp_path / "broken", folder, algorithm, LONG)
    process = start_trainer(broken)
    wait_for_step(broken, 12, process)
    kill(process)
    assert not (broken / "model").exists()
    assert train_to_end(broken) == DONE
    resumed = [event["data"]["resumed_from"] for event in events(broken) if event["kind"] == "start"]
    assert resumed[0] == 0
    assert resumed[1] >= 10
    assert_same_weights(unbroken, broken)
    assert told(unbroken) == told(broken)
    total = 12 * -(-events(broken)[0]["data"]["train_groups"] // 8)
    assert steps(broken, "train") == list(range(1, total + 1))
    assert len(list((broken / "checkpoints").iterdir())) == 2


def test_sigterm_ends_it_after_the_step_with_a_checkpoint_it_can_go_on_from(policy_folder, tmp_path):
    run = make_run(tmp_path / "run", policy_folder, "reward_model", LONG | {"checkpoint_every": 0, "epochs": 50})
    process = start_trainer(run)
    wait_for_step(run, 3, process)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=300)
    assert process.returncode == CANCELLED
    last = steps(run, "train")[-1]
    assert steps(run, "checkpoint") == [last]
    assert (run / "checkpoints" / f"step-{last:06d}" / "weights.safetensors").exists()
    assert events(run)[-1]["data"]["message"].startswith("Stopped as asked")


@pytest.mark.parametrize("algorithm", ["reward_model", "dpo"])
def test_a_cancel_file_stops_it_and_once_removed_it_ends_as_if_nothing_had_been(algorithm, policy_folder, tmp_path):
    plain = make_run(tmp_path / "plain", policy_folder, algorithm, LONG | {"epochs": 2})
    run = make_run(tmp_path / "run", policy_folder, algorithm, LONG | {"epochs": 2})
    (run / "cancel").touch()
    assert run_here(run) == CANCELLED
    assert steps(run, "train") == []
    (run / "cancel").unlink()
    assert run_here(run) == DONE
    assert run_here(plain) == DONE
    assert_same_weights(plain, run)
    assert told(plain) == told(run)


def test_what_it_leaves_loads_and_matches_its_digests(policy_folder, tmp_path):
    for algorithm, loader in (("dpo", AutoModelForCausalLM), ("reward_model", AutoModelForSequenceClassification)):
        run = make_run(tmp_path / algorithm, policy_folder, algorithm, {"epochs": 1})
        assert run_here(run) == DONE
        end = events(run)[-1]
        assert end["kind"] == "end"
        assert end["data"]["metrics"]["pairs"] == 6 - end["data"]["metrics"]["ties"]
        for name, digest in end["data"]["sha256"].items():
            assert hashlib.sha256((run / "model" / name).read_bytes()).hexdigest() == digest
        loader.from_pretrained(run / end["data"]["model"])
        start = events(run)[0]["data"]
        assert start["total_steps"] == steps(run, "train")[-1] == end["step"]
        assert start["trainable"] < start["parameters"]
        assert (start["device"], start["prompts_truncated"], start["completions_truncated"]) == ("cpu", 0, 0)
        assert {"torch", "transformers", "peft", "accelerate", "python"} <= start["versions"].keys()


def test_a_run_that_is_done_is_not_done_again(policy_folder, tmp_path):
    run = make_run(tmp_path / "run", policy_folder, "reward_model", {"epochs": 1})
    assert run_here(run) == DONE
    before = (run / "events.jsonl").read_bytes()
    assert run_here(run) == DONE
    assert (run / "events.jsonl").read_bytes() == before


def test_a_supervised_trainer_ends_with_its_parent(policy_folder, tmp_path):
    run = make_run(tmp_path / "run", policy_folder, "reward_model", LONG | {"epochs": 50})
    process = start_trainer(run, "--supervised")
    wait_for_step(run, 2, process)
    process.stdin.close()
    process.wait(timeout=300)
    assert not (run / "model").exists()
    with (run / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # free again


def test_a_second_trainer_waits_and_then_says_who_is_in_the_way(policy_folder, tmp_path, monkeypatch, capsys):
    run = make_run(tmp_path / "run", policy_folder, "reward_model", {"epochs": 1})
    monkeypatch.setattr(trainer, "LOCK_SECONDS", 0.2)
    with (run / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert run_here(run) == FAILED
    assert "Another trainer holds" in capsys.readouterr().err
    assert not (run / "events.jsonl").exists()


def error_of(run: Path) -> str:
    assert run_here(run) == FAILED
    last = events(run)[-1]
    assert last["kind"] == "error"
    return last["data"]["message"]


def test_a_bad_line_a_bad_setting_and_a_missing_model_are_named(policy_folder, tmp_path):
    run = make_run(tmp_path / "run", policy_folder, "dpo", {"epochs": 1})
    lines = (run / "data" / "train.jsonl").read_text().splitlines()
    (run / "data" / "train.jsonl").write_text("\n".join([*lines[:6], "{broken", *lines[7:]]))
    assert "data/train.jsonl, line 7: this is not JSON" in error_of(run)
    plan = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps(plan | {"config": {"beta": -1}}))
    assert error_of(run) == "Beta cannot be -1: the least is 0.001."
    (run / "run.json").write_text(json.dumps(plan | {"model": "nowhere"}))
    assert "nowhere does not exist" in error_of(run)
    assert len(events(run)) == 1  # a new attempt starts a new story


def test_a_model_with_broken_weights_stops_with_a_sentence(policy_folder, tmp_path):
    broken = shutil.copytree(policy_folder, tmp_path / "broken")
    tensors = load_file(broken / "model.safetensors")
    tensors["model.norm.weight"][3] = float("nan")
    save_file(tensors, broken / "model.safetensors", metadata={"format": "pt"})
    run = make_run(tmp_path / "run", broken, "reward_model", {"epochs": 1})
    message = error_of(run)
    assert message.startswith("The loss became nan at step 1 (groups g")
    assert "lower the learning rate" in message


def test_running_out_of_memory_names_the_setting_to_lower():
    for error in (
        torch.OutOfMemoryError("CUDA out of memory"),
        MemoryError(),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 1 bytes"),
    ):
        assert trainer.explain(error)[0].startswith("Memory ran out: lower 'Tokens at a time'")
    assert trainer.explain(OSError(28, "No space left on device"))[0].startswith("The disk is full")


def test_events_after_the_checkpoint_are_dropped_and_a_torn_line_with_them(tmp_path):
    path = tmp_path / "events.jsonl"
    kinds = [("start", 0), ("train", 1), ("train", 2), ("checkpoint", 2), ("train", 3), ("error", 2)]
    path.write_text("".join(json.dumps({"kind": kind, "step": step}) + "\n" for kind, step in kinds) + '{"kind": "tr')
    assert len(read_events(path)) == 6
    keep_events_until(path, 2)
    assert [(event["kind"], event["step"]) for event in read_events(path)] == kinds[:4]
    keep_events_until(path, None)
    assert read_events(path) == []


def test_it_ends_with_the_weights_of_the_best_evaluation_also_when_killed_between(policy_folder, tmp_path):
    """A rate far too high makes the held-out loss worse again; the model is the one of the lowest."""
    wild = LONG | {"keep_best": True, "learning_rate": 0.3, "eval_every": 3, "epochs": 8, "warmup_ratio": 0.5}
    unbroken = make_run(tmp_path / "unbroken", policy_folder, "reward_model", wild)
    assert run_here(unbroken) == DONE
    losses = {event["step"]: event["data"]["loss"] for event in events(unbroken) if event["kind"] == "eval"}
    best = min(losses, key=losses.get)
    assert best < max(losses)
    assert events(unbroken)[-1]["data"]["metrics"]["loss"] == losses[best]
    assert f"Kept the weights of step {best}," in events(unbroken)[-2]["data"]["message"]
    broken = make_run(tmp_path / "broken", policy_folder, "reward_model", wild)
    process = start_trainer(broken)
    wait_for_step(broken, best + 6, process)  # a checkpoint lies behind the best
    kill(process)
    assert train_to_end(broken) == DONE
    assert_same_weights(unbroken, broken)
