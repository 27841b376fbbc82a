"""A problem whose solution is known: one prompt, answers of one token, reward 1 for a vowel.

The policy that maximises E[r] − β KL(π ‖ π_ref) is π* ∝ π_ref exp(r/β), here summed exactly over all 259 tokens. Found:
KL(π ‖ π*) at most 0.02 nats (the start is 0.4 away), seed fixed.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch

from tests.algorithms.runs import make_run
from training.algorithms.groups import encode_prompt
from training.algorithms.models import load_policy
from training.algorithms.trainer import DONE, run_trainer

BETA = 0.5
PROMPT = {"role": "user", "content": "say a letter"}
SETTINGS = {
    "function": "vowels",
    "beta": BETA,
    "batch_size": 1,
    "responses": 48,
    "max_tokens": 1,
    "unfinished_penalty": 0.0,
    "lora": False,
    "learning_rate": 5e-3,
    "schedule": "linear",
    "warmup_ratio": 0.0,
    "epochs": 80,
    "eval_every": 0,
    "samples": 0,
    "checkpoint_every": 0,
}


@dataclass(frozen=True)
class Bandit:
    """Log-probabilities of every token as the whole answer."""

    start: torch.Tensor
    rewards: torch.Tensor

    def optimum(self) -> torch.Tensor:
        return (self.start + self.rewards / BETA).log_softmax(0)


def next_token(folder: Path) -> torch.Tensor:
    policy = load_policy(folder)
    policy.model.set_attn_implementation("sdpa")
    ids = torch.tensor([encode_prompt(policy.tokenizer, [PROMPT], "")])
    with torch.no_grad():
        return policy.model(ids).logits[0, -1].double().log_softmax(0)


@pytest.fixture(scope="module")
def bandit(policy_folder) -> Bandit:
    tokenizer = load_policy(policy_folder).tokenizer
    texts = [tokenizer.decode([token], skip_special_tokens=True) for token in range(len(tokenizer))]
    rewards = torch.tensor([float(text != "" and text in "aeiouAEIOU") for text in texts], dtype=torch.float64)
    return Bandit(next_token(policy_folder), rewards)


def distance(first: torch.Tensor, second: torch.Tensor) -> float:
    return float((first.exp() * (first - second)).sum())


def play(run: Path, folder: Path, algorithm: str, **settings: object) -> torch.Tensor:
    make_run(run, folder, algorithm, SETTINGS | settings, train=1, test=0)
    row = json.loads((run / "data" / "train.jsonl").read_text())
    (run / "data" / "train.jsonl").write_text(json.dumps(row | {"prompt": [PROMPT]}) + "\n")
    plan = json.loads((run / "run.json").read_text())
    plan["data"]["test"] = None
    (run / "run.json").write_text(json.dumps(plan))
    assert run_trainer(run, should_stop=lambda: False) == DONE
    return next_token(run / "model")


@pytest.mark.parametrize(
    ("algorithm", "settings"),
    [
        ("reinforce", {}),
        ("rloo", {}),
        ("ppo", {"learning_rate": 3e-3, "passes": 2, "whiten_advantages": False}),
        ("grpo", {"kl_loss": "k2", "scale": False}),
    ],
)
def test_it_finds_the_optimum_of_the_reward_less_the_kl(algorithm, settings, bandit, policy_folder, tmp_path):
    assert distance(bandit.start, bandit.optimum()) > 0.3
    found = play(tmp_path / "run", policy_folder, algorithm, **settings)
    assert distance(found, bandit.optimum()) < 0.02
