"""TRL 1.16 as an independent implementation: the same pairs and weights give the same loss and the same gradient."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tests.algorithms.runs import encoded
from training.algorithms import dpo, kto, reward_model
from training.algorithms.labels import Pair, Unpaired
from training.algorithms.models import Policy, load_policy, load_reward_model
from training.algorithms.options.dpo import DPOConfig
from training.algorithms.options.kto import KTOConfig
from training.algorithms.options.reward_model import RewardModelConfig
from training.algorithms.packing import collate
from training.algorithms.policy_job import logprobs, references
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


def move_both(ours: Policy, theirs: Policy) -> None:
    """Away from the reference, by the same noise."""
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for left, right in zip(ours.model.parameters(), theirs.model.parameters(), strict=True):
            noise = 0.01 * torch.randn(left.shape, generator=generator)
            left += noise
            right += noise


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


@pytest.mark.parametrize(
    ("config", "settings"),
    [
        (DPOConfig(beta=0.1), {"loss_type": ["sigmoid"]}),
        (DPOConfig(beta=0.1, loss="ipo", per_token=True), {"loss_type": ["ipo"]}),
        (DPOConfig(beta=0.1, per_token=True), {"loss_type": ["sigmoid_norm"]}),
        (DPOConfig(beta=0.1, loss="robust", label_smoothing=0.2), {"loss_type": ["robust"], "label_smoothing": 0.2}),
    ],
    ids=["sigmoid", "ipo", "per_token", "robust"],
)
def test_dpos_losses_and_gradients_are_trls(config, settings, policy_folder, tmp_path):
    ours, theirs, reference = (
        load_policy(policy_folder, trainable=True),
        load_policy(policy_folder),
        load_policy(policy_folder),
    )
    groups = attach_reference(
        reference, pairs(ours.tokenizer), cache=tmp_path / "cache", digest="r", budget=512, should_stop=lambda: False
    )
    move_both(ours, theirs)
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
        args=trl.DPOConfig(**arguments(tmp_path), beta=0.1, **settings),
        train_dataset=datasets.Dataset.from_list(rows),
        processing_class=theirs.tokenizer,
    )
    loss = peer.compute_loss(peer.model, peer.data_collator(list(peer.train_dataset)))
    loss.backward()
    own = dpo.outcome(ours, collate(groups, "tree"), groups, config).losses.mean()
    own.backward()
    assert own.item() == pytest.approx(loss.item(), rel=1e-6, abs=1e-5)
    assert_same(ours.model, peer.model)


def test_ktos_loss_and_gradient_are_trls(policy_folder, tmp_path):
    """Six flagged responses; TRL's point of comparison pairs each prompt with the response before it."""
    ours, theirs, reference = (load_policy(policy_folder, trainable=True) for _ in range(3))
    flagged = [
        replace(group, completions=group.completions[:1], label=Unpaired((place % 3 == 0,)))
        for place, group in enumerate(pairs(ours.tokenizer))
    ]
    rotated = [
        replace(group, completions=flagged[place - 1].completions, id=f"{group.id} rotated")
        for place, group in enumerate(flagged)
    ]
    settings = {"cache": tmp_path / "cache", "digest": "r", "budget": 512, "should_stop": lambda: False}
    groups, strangers = (attach_reference(reference, part, **settings) for part in (flagged, rotated))
    move_both(ours, theirs)
    decode, end = ours.tokenizer.decode, ours.tokenizer.eos_token
    rows = [
        {
            "prompt": decode(group.prompt),
            "completion": decode(group.completions[0]).removesuffix(end),
            "label": group.label.desirable[0],
        }
        for group in groups
    ]
    for policy in (theirs, reference):
        policy.model.set_attn_implementation("sdpa")
    peer = trl.KTOTrainer(
        theirs.model,
        reference.model,
        args=trl.KTOConfig(**arguments(tmp_path), beta=0.5, undesirable_weight=1.5),
        train_dataset=datasets.Dataset.from_list(rows),
        processing_class=theirs.tokenizer,
    )
    loss = peer.compute_loss(peer.model, peer.data_collator(list(peer.train_dataset)))
    loss.backward()
    with torch.no_grad():
        drift = logprobs(ours, collate(strangers, "tree")) - references(strangers, torch.device("cpu"))
    config = KTOConfig(beta=0.5, undesirable_weight=1.5)
    baseline = kto.Baseline({}, drift.mean().clamp(min=0))
    own = kto.outcome(ours, collate(groups, "tree"), groups, config, baseline=baseline).losses.mean()
    own.backward()
    assert own.item() == pytest.approx(loss.item(), abs=1e-5)
    assert_same(ours.model, peer.model)
