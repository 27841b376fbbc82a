"""TRL 1.12's PPO, its last: what `bench.training_sides` runs as TRL's side of the cell `ppo`.

It needs a folder of its own, first on the path: `pip install --no-deps --target DIR trl==1.12.0`.
"""

from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification, AutoTokenizer, TrainerCallback
from trl.experimental.ppo import PPOConfig, PPOTrainer


def train(
    folder: Path,
    *,
    prompts: list[str],
    responses: int,  # to each prompt
    batch: int,  # prompts a step
    drawn: int,
    settings: dict[str, Any],
    clock: TrainerCallback,
) -> list[dict[str, Any]]:
    """One pass over the responses of each step, a critic of its own, prompts in TRL's order -> what it logged."""
    model, scorer = folder / "model", folder / "reward"
    tokenizer = AutoTokenizer.from_pretrained(model, padding_side="left")
    arguments = PPOConfig(
        **settings,
        per_device_train_batch_size=batch * responses,
        local_rollout_forward_batch_size=batch * responses,
        total_episodes=len(prompts) * responses,
        response_length=drawn,
        temperature=1.0,
        num_ppo_epochs=1,
        num_mini_batches=1,
        num_sample_generations=0,
        stop_token="eos",
    )
    rows = Dataset.from_list(
        [{"input_ids": tokenizer(prompt)["input_ids"]} for prompt in prompts for _ in range(responses)]
    )
    policy, reference = (AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32) for _ in range(2))
    critic, rewards = (
        AutoModelForSequenceClassification.from_pretrained(scorer, dtype=torch.float32) for _ in range(2)
    )
    trainer = PPOTrainer(
        args=arguments,
        processing_class=tokenizer,
        model=policy,
        ref_model=reference,
        reward_model=rewards,
        value_model=critic,
        train_dataset=rows,
        eval_dataset=rows.select(range(batch)),
        callbacks=[clock],
    )
    trainer.train()
    return list(trainer.state.log_history)
