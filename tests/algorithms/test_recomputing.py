"""Computing blocks again for their gradient changes memory, not results."""

import pytest
import torch

from tests.algorithms.runs import encoded, events, make_run
from training.algorithms.models import load_policy
from training.algorithms.packing import collate
from training.algorithms.recomputing import prepare_recomputing, training_pass
from training.algorithms.trainer import DONE, run_trainer

SETTINGS = {"max_steps": 2, "batch_size": 4, "eval_every": 0, "samples": 1, "sample_tokens": 6, "lora": True}
RESPONSES = {"function": "vowels", "responses": 2, "max_tokens": 6, "max_length": 128, "batch_size": 2}
CASES = {
    "reward_model": {name: SETTINGS[name] for name in ("max_steps", "batch_size", "eval_every", "lora")},
    "dpo": SETTINGS,
    "ppo": SETTINGS | RESPONSES,
}


def told(run):
    clock = {"tokens_per_s", "seconds_left"}
    return [
        {name: value for name, value in event["data"].items() if name not in clock}
        for event in events(run)
        if event["kind"] in ("train", "eval", "sample")
    ]


@pytest.mark.parametrize("algorithm", CASES)
def test_a_run_that_computes_blocks_again_says_the_same(algorithm, policy_folder, tmp_path):
    """Sampling between the steps included: it keeps its cache."""
    runs = []
    for recompute in (False, True):
        settings = {**CASES[algorithm], "recompute": recompute}
        runs.append(make_run(tmp_path / str(recompute), policy_folder, algorithm, settings, train=12, test=3))
        assert run_trainer(runs[-1], should_stop=lambda: False) == DONE
    assert told(runs[0]) == told(runs[1])


def test_blocks_are_computed_twice_in_a_training_pass_alone(policy_folder):
    policy = load_policy(policy_folder, trainable=True)
    prepare_recomputing(policy)
    calls = []
    policy.model.model.layers[0].mlp.register_forward_pre_hook(lambda *_: calls.append(1))
    batch = collate(encoded(policy.tokenizer, 2), policy.form)
    policy(batch).sum().backward()
    assert len(calls) == 1
    with training_pass(policy):
        policy(batch).sum().backward()
    assert len(calls) == 3
    assert not policy.training


def test_what_has_no_blocks_says_so():
    with pytest.raises(ValueError, match="no blocks that could be computed again"):
        prepare_recomputing(torch.nn.Linear(2, 2))
