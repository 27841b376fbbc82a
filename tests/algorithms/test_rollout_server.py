"""Responses drawn by a server: handing weights over, tokens and probabilities back, and what goes wrong."""

from math import log, nan

import pytest
import torch

from tests.algorithms.completions_server import serve
from tests.algorithms.runs import events, make_run
from training.algorithms.configs import ConfigError, parse_config
from training.algorithms.experience import Rollout
from training.algorithms.importance import correct_for_sampler
from training.algorithms.trainer import DONE, FAILED, run_trainer

SETTINGS = {
    "function": "vowels",
    "batch_size": 2,
    "responses": 3,
    "max_tokens": 8,
    "max_length": 128,
    "epochs": 2,
    "max_steps": 3,
    "learning_rate": 2e-2,
    "schedule": "constant",
    "warmup_ratio": 0.0,
    "eval_every": 0,
    "eval_prompts": 2,
    "samples": 0,
    "temperature": 0.7,
    "rollout_model": "tiny",
}


def train(tmp_path, folder, algorithm, address, **settings):
    config = {**SETTINGS, "rollout_server": address, **settings}
    run = make_run(tmp_path / "run", folder, algorithm, config, train=6, test=2)
    return run, run_trainer(run, should_stop=lambda: False)


def figures(run, name):
    return [event["data"][name] for event in events(run) if event["kind"] == "train"]


@pytest.mark.parametrize("algorithm", ["ppo", "rloo", "grpo", "reinforce"])
def test_handed_over_before_every_step_the_weights_are_one(algorithm, policy_folder, tmp_path):
    """What the server says of its tokens is what the training pass says of them: temperature, places, the end."""
    with serve(policy_folder) as server:
        run, status = train(tmp_path, policy_folder, algorithm, server.address, lora=False, rollout_refresh="disk")
    assert status == DONE
    assert figures(run, "sampler/weight") == pytest.approx([1, 1, 1], abs=1e-5)
    assert figures(run, "sampler/unknown") == [0, 0, 0]
    paths = [path for path, _ in server.calls]
    assert paths == (["/update_weights_from_disk"] + ["/v1/completions"] * 2) * 3
    assert [folder.name for folder in (run / "rollout").iterdir()] == ["plumbline-run-step-2"]
    asked = server.calls[1][1]
    assert (asked["n"], asked["temperature"], asked["max_tokens"]) == (3, 0.7, 8)


def test_an_adapter_is_loaded_under_a_new_name_and_the_old_one_dropped(policy_folder, tmp_path):
    with serve(policy_folder) as server:
        run, status = train(tmp_path, policy_folder, "ppo", server.address, rollout_every=2, learning_rate=5e-2)
    assert status == DONE
    said = [(path, body.get("lora_name") or body["model"]) for path, body in server.calls]
    first, second = "plumbline-run-step-0", "plumbline-run-step-2"
    assert said == [
        ("/v1/load_lora_adapter", first),
        *[("/v1/completions", first)] * 4,
        ("/v1/load_lora_adapter", second),
        ("/v1/unload_lora_adapter", first),
        *[("/v1/completions", second)] * 2,
    ]
    weights = figures(run, "sampler/weight")
    assert (weights[0], weights[2]) == pytest.approx((1, 1), abs=1e-4)  # fresh; the second step's sampler was older
    assert abs(weights[1] - 1) > 1e-3


def test_without_tokens_the_text_is_encoded_again_and_its_probability_unknown(policy_folder, tmp_path):
    with serve(policy_folder, names_tokens=False) as server:
        run, status = train(tmp_path, policy_folder, "rloo", server.address, rollout_refresh="never")
    assert status == DONE
    assert figures(run, "sampler/unknown") == [1, 1, 1]
    assert figures(run, "sampler/weight") == [1, 1, 1]


def test_the_best_of_its_responses_are_imitated_without_weights(policy_folder, tmp_path):
    with serve(policy_folder) as server:
        run, status = train(tmp_path, policy_folder, "raft", server.address, rollout_refresh="never")
    assert status == DONE
    assert len(server.calls) == 6
    assert "sampler/weight" not in events(run)[2]["data"]


def test_importance_weights_by_hand():
    """log π − log μ = ln 3, −ln 2 and unknown, cap 2: 2, 0.5 and 1, a token each; both at once for a response: 1.5."""
    made = {"id": "g", "prompt": (1,), "messages": (), "system": ""}
    old = torch.tensor([-1.0, -2.0, -0.5])
    drawn = torch.tensor([-1.0 - log(3), -2.0 + log(2), nan])
    tokens = Rollout(
        **made,
        completions=((7, 8, 9),),
        texts=("x",),
        finished=(True,),
        old=old,
        drawn=drawn,
        advantages=torch.tensor([1.0, -4.0, 3.0]),
    )
    (found,), facts = correct_for_sampler([tokens], cap=2.0)
    assert found.advantages.tolist() == pytest.approx([2.0, -2.0, 3.0])
    assert facts == pytest.approx({"sampler/weight": 3.5 / 3, "sampler/truncated": 1 / 3, "sampler/unknown": 1 / 3})
    responses = Rollout(
        **made,
        completions=((7, 8), (9,)),
        texts=("x", "y"),
        finished=(True, True),
        old=old,
        drawn=drawn,
        advantages=torch.tensor([2.0, -1.0]),
    )
    (found,), _ = correct_for_sampler([responses], cap=2.0)
    assert found.advantages.tolist() == pytest.approx([3.0, -1.0])


def test_a_server_that_is_down_or_refuses_ends_the_run_with_what_to_do(policy_folder, tmp_path):
    with serve(policy_folder) as server:
        run, status = train(
            tmp_path, policy_folder, "ppo", server.address, rollout_refresh="never", rollout_model="other"
        )
    (error,) = [event["data"]["message"] for event in events(run) if event["kind"] == "error"]
    assert status == FAILED
    assert error.endswith("refused v1/completions (404): The model `other` does not exist.")
    run, status = train(tmp_path / "again", policy_folder, "ppo", server.address)
    (error,) = [event["data"]["message"] for event in events(run) if event["kind"] == "error"]
    assert status == FAILED
    assert f"The rollout server at {server.address} did not answer v1/load_lora_adapter in 3 tries" in error
    assert "Start it, then press Retry" in error


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"rollout_server": "gpu-1:8000"}, "rollout_server"),
        ({"rollout_server": "http://gpu-1:8000", "rollout_model": ""}, "rollout_model"),
        ({"rollout_server": "http://gpu-1:8000", "rollout_refresh": "disk"}, "rollout_refresh"),
        ({"rollout_server": "http://gpu-1:8000", "lora": False}, "rollout_refresh"),
    ],
)
def test_settings_of_a_server_that_contradict_each_other_are_named(settings, field):
    with pytest.raises(ConfigError) as refused:
        parse_config("ppo", {"rollout_model": "tiny", **settings})
    assert list(refused.value.errors) == [field]
