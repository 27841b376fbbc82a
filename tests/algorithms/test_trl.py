"""TRL 1.16 as an independent implementation: the same pairs and weights give the same loss and the same gradient."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tests.algorithms.runs import encoded
from training.algorithms import dpo, reward_model
from training.algorithms.labels import Pair
from training.algorithms.models import load_policy, load_reward_model
from training.algorithms.options.dpo import DPOConfig
from training.algorithms.options.reward_model import RewardModelConfig
from training.algorithms.packing import collate
from training.algorithms.reference import attach_reference

datasets = pytest.importorskip("datasets")
trl = pytest.importorskip("trl")


def arguments(folder: Path) -> dict:
    return {
        "output_dir": str(folder),
        "use_cpu": True,
        "report_to": [],
        "per_device_train_batch_size": 6,
        "max_steps": 1,
        "save_strategy": "no",
        "disable_tqdm": True,
        "bf16": False,
        "gradient_checkpointing": False,
    }


def pairs(tokenizer) -> list:
    """Six groups, all of them pairs of weight 1."""
    groups = [replace(group, weight=1.0) for group in encoded(tokenizer, 7) if isinstance(group.label, Pair)]
    return groups[:6]


def gradients(model: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {name: p.grad for name, p in model.named_parameters() if p.grad is not None}


def assert_same(ours: torch.nn.Module, theirs: torch.nn.Module) -> None:
    left, right = gradients(ours), gradients(theirs)
    assert left.keys() == right.keys()
    for name in left:
        torch.testing.assert_close(left[name], right[name], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("centring", [0.0, 0.05])
def test_the_reward_models_loss_and_gradient_are_trls(centring, policy_folder, tmp_path):
    ours = load_reward_model(policy_folder).requires_grad_(True)
    groups = pairs(ours.tokenizer)
    rows = [
        {
            "chosen_ids": [*group.prompt, *group.completions[group.label.chosen]],
            "rejected_ids": [*group.prompt, *group.completions[group.label.rejected]],
        }
        for group in groups
    ]
    theirs = load_reward_model(policy_folder)
    theirs.model.set_attn_implementation("sdpa")
    settings = trl.RewardConfig(**arguments(tmp_path), center_rewards_coefficient=centring or None)
    peer = trl.RewardTrainer(
        theirs.model.requires_grad_(True),
        settings,
        train_dataset=datasets.Dataset.from_list(rows),
        processing_class=theirs.tokenizer,
    )
    loss = peer.compute_loss(peer.model, peer.data_collator(list(peer.train_dataset)))
    loss.backward()
    config = RewardModelConfig(strength="ignore", centring=centring)
    own = reward_model.outcome(ours, collate(groups, "tree"), groups, config).losses.mean()
    own.backward()
    assert own.item() == pytest.approx(loss.item(), abs=1e-5)
    assert_same(ours.model, peer.model)


def test_dpos_loss_and_gradient_are_trls(policy_folder, tmp_path):
    ours, theirs, reference = (
        load_policy(policy_folder, trainable=True),
        load_policy(policy_folder),
        load_policy(policy_folder),
    )
    groups = attach_reference(
        reference, pairs(ours.tokenizer), cache=tmp_path / "cache", digest="r", budget=512, should_stop=lambda: False
    )
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for left, right in zip(ours.model.parameters(), theirs.model.parameters(), strict=True):
            noise = 0.01 * torch.randn(left.shape, generator=generator)
            left += noise
            right += noise
    decode, end = ours.tokenizer.decode, ours.tokenizer.eos_token
    rows = [
        {
            "prompt": decode(group.prompt),
            "chosen": decode(group.completions[group.label.chosen]).removesuffix(end),
            "rejected": decode(group.completions[group.label.rejected]).removesuffix(end),
        }
        for group in groups
    ]
    for policy in (theirs, reference):
        policy.model.set_attn_implementation("sdpa")
    peer = trl.DPOTrainer(
        theirs.model.requires_grad_(True),
        reference.model,
        args=trl.DPOConfig(**arguments(tmp_path), beta=0.1),
        train_dataset=datasets.Dataset.from_list(rows),
        processing_class=theirs.tokenizer,
    )
    loss = peer.compute_loss(peer.model, peer.data_collator(list(peer.train_dataset)))
    loss.backward()
    own = dpo.outcome(ours, collate(groups, "tree"), groups, DPOConfig(beta=0.1)).losses.mean()
    own.backward()
    assert abs(own.item() - 0.693147) > 0.01
    assert own.item() == pytest.approx(loss.item(), abs=1e-5)
    assert_same(ours.model, peer.model)
