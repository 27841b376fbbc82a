"""Two processes on one run make what one process makes of the same steps; one of them alone writes the folder."""

import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.algorithms.runs import ROOT, events, make_rows, make_run, steps, trainer_environment, wait_for_step
from training.algorithms.models import load_tokenizer
from training.algorithms.processes import share, unshare
from training.algorithms.trainer import CANCELLED, DONE, run_trainer

PREFERENCES = {"epochs": 2, "batch_size": 6, "eval_every": 3, "checkpoint_every": 2, "lora": False}
RESPONSES = {
    "function": "vowels",
    "batch_size": 3,
    "responses": 2,
    "max_tokens": 8,
    "max_length": 128,
    "passes": 2,
    "mini_batches": 2,
    "normalise_scores": True,
    "kl_target": 2.0,
    "max_steps": 3,
    "checkpoint_every": 2,
    "samples": 1,
    "sample_tokens": 4,
    "eval_prompts": 3,
    "lora": False,
}
SHARDED = {"sharded": True, "keep_best": True, "micro_batch_tokens": 128}
PATIENCE = 300  # seconds: loading torch twice takes long on a busy machine
CASES = {
    "reward_model": PREFERENCES | {"ties": "rao_kupper", "learning_rate": 1e-3, "micro_batch_tokens": 128},
    "dpo": PREFERENCES | {"learning_rate": 1e-3, "samples": 1, "sample_tokens": 4, "keep_best": True},
    "ppo": RESPONSES | {"learning_rate": 2e-3},
}


LAUNCHERS = {
    "ours": ["-m", "training.algorithms", "--processes=2"],
    "torchrun": ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", "-m", "training.algorithms"],
    "accelerate": [
        *("-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes=2", "--num_machines=1"),
        *("--mixed_precision=no", "--dynamo_backend=no", "-m", "training.algorithms"),
    ],
}


def start_processes(run: Path, launcher: str = "ours") -> subprocess.Popen[bytes]:
    """Two trainers on one run: gloo on the processor, DDP through accelerate."""
    return subprocess.Popen(
        [sys.executable, *LAUNCHERS[launcher], str(run)],
        cwd=ROOT,
        env=trainer_environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def told(run: Path, kind: str) -> list[dict[str, float]]:
    """The figures of all events of a kind, but the clock's."""
    clock = {"tokens_per_s", "seconds_left"}
    return [
        {name: value for name, value in event["data"].items() if isinstance(value, float) and name not in clock}
        for event in events(run)
        if event["kind"] == kind
    ]


def weights(run: Path) -> dict[str, torch.Tensor]:
    return load_file(run / "model" / "model.safetensors")


def assert_alike(alone: Path, shared: Path) -> None:
    """The same figures of every step and evaluation, losses to 1e-5, and the same weights in the end."""
    for kind in ("train", "eval"):
        first, second = told(alone, kind), told(shared, kind)
        assert len(first) == len(second) >= 2
        for left, right in zip(first, second, strict=True):
            main = "loss" if "loss" in left else "reward"
            assert left[main] == pytest.approx(right[main], abs=1e-5)
            assert left == pytest.approx(right, abs=1e-4, rel=1e-4, nan_ok=True)
    left, right = weights(alone), weights(shared)
    assert left.keys() == right.keys()
    for name in left:
        torch.testing.assert_close(left[name], right[name], atol=1e-5, rtol=0)


@pytest.mark.parametrize(("algorithm", "launcher"), list(zip(CASES, LAUNCHERS, strict=True)))
def test_two_processes_make_of_a_run_what_one_makes_of_it(algorithm, launcher, policy_folder, tmp_path):
    """13 groups in steps of 6, or 13 prompts in steps of 3 with two mini-batches: the last step of an epoch, or a
    mini-batch, leaves one process with nothing of its own."""
    alone, shared = (make_run(tmp_path / name, policy_folder, algorithm, CASES[algorithm], train=13, test=5)
                     for name in ("alone", "shared"))  # fmt: skip
    assert run_trainer(alone, should_stop=lambda: False) == DONE
    process = start_processes(shared, launcher)
    _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, errors.decode()
    assert events(shared)[0]["data"]["processes"] == 2
    assert_alike(alone, shared)
    assert [(one["kind"], one["step"]) for one in events(alone)] == [
        (one["kind"], one["step"]) for one in events(shared)
    ]


def test_cancelled_then_killed_and_started_again_two_processes_go_on_where_they_were(policy_folder, tmp_path):
    """With half a model each (FSDP). By the file that the site writes: both end after a whole step, which is kept. One
    is killed: both end, and the launcher as if it had been killed itself. The rest is the same."""
    settings = CASES["reward_model"] | SHARDED | {"epochs": 6, "checkpoint_every": 5}
    alone, shared = (make_run(tmp_path / name, policy_folder, "reward_model", settings, train=13, test=5)
                     for name in ("alone", "shared"))  # fmt: skip
    process = start_processes(shared)
    wait_for_step(shared, 3, process)
    (shared / "cancel").touch()
    process.communicate(timeout=PATIENCE)
    assert process.returncode == CANCELLED
    assert events(shared)[-1]["data"]["message"].startswith("Stopped as asked")
    last = steps(shared, "train")[-1]
    assert 3 <= last < 17
    assert f"step-{last:06d}" in [folder.name for folder in (shared / "checkpoints").iterdir()]
    (shared / "cancel").unlink()
    process = start_processes(shared)
    wait_for_step(shared, last + 1, process)
    psutil.Process(process.pid).children()[1].kill()
    process.communicate(timeout=PATIENCE)
    assert process.returncode == -signal.SIGKILL
    process = start_processes(shared)
    _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, errors.decode()
    assert run_trainer(alone, should_stop=lambda: False) == DONE
    assert steps(shared, "train") == list(range(1, 19))
    for name, value in weights(alone).items():
        torch.testing.assert_close(weights(shared)[name], value, atol=1e-4, rtol=0)


def test_what_only_one_process_finds_wrong_ends_both_with_its_sentence(policy_folder, tmp_path):
    """The letter q is not a number to this model, and one group has one."""
    spoilt = shutil.copytree(policy_folder, tmp_path / "spoilt")
    tensors = load_file(spoilt / "model.safetensors")
    tensors["model.embed_tokens.weight"][load_tokenizer(spoilt).convert_tokens_to_ids("q")] = float("nan")
    save_file(tensors, spoilt / "model.safetensors", metadata={"format": "pt"})
    rows = make_rows(8)
    rows[4]["completions"][0] += "q"
    settings = CASES["reward_model"] | {"eval_every": 0}
    run = make_run(tmp_path / "run", spoilt, "reward_model", settings, train=6, test=2, rows=rows)
    process = start_processes(run)
    process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    (error,) = [event["data"]["message"] for event in events(run) if event["kind"] == "error"]
    assert re.match(r"The loss became nan at step 1 \(groups g\d(, g\d)*\): lower the learning rate", error), error
    assert "g4" in error


def test_every_item_is_one_process_share():
    assert share([1, 2, 3]) == [1, 2, 3]
    assert unshare([[1, 4], [2], [3]]) == [1, 2, 3, 4]


def test_two_processes_with_half_a_model_each_make_of_a_run_what_one_makes_of_it(policy_folder, tmp_path):
    """FSDP with adapters: passes of different number, a pass before each update, samples, the best weights."""
    settings = PREFERENCES | SHARDED | {"learning_rate": 1e-3, "lora": True, "samples": 1, "sample_tokens": 4}
    alone, shared = (make_run(tmp_path / name, policy_folder, "kto", settings, train=13, test=5)
                     for name in ("alone", "shared"))  # fmt: skip
    assert run_trainer(alone, should_stop=lambda: False) == DONE
    process = start_processes(shared)
    _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, errors.decode()
    assert_alike(alone, shared)
    assert [event["data"] for event in events(shared) if event["kind"] == "sample"] == [
        event["data"] for event in events(alone) if event["kind"] == "sample"
    ]
