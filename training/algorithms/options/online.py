"""Settings of the algorithms that sample responses and learn from their rewards."""

from dataclasses import dataclass

from training.algorithms.options.shared import SCHEDULES, PolicyConfig
from training.algorithms.programmatic import FUNCTIONS
from training.algorithms.settings import (
    BASIC,
    DATA,
    LOSS,
    MODEL,
    OPTIMISER,
    PROGRESS,
    REWARD,
    SAMPLER,
    choice,
    number,
    setting,
    switch,
)

NO_FUNCTION = "none"
REWARDS = (
    (NO_FUNCTION, "The reward model alone"),
    *((name, name.replace("_", " ").capitalize()) for name in FUNCTIONS),
)
UNFINISHED = (("subtract", "Subtract the penalty"), ("replace", "Give it minus the penalty instead"))
BASELINES = (("running", "Mean of past rewards"), ("batch", "Mean of the step"), ("none", "None"))
CRITICS = (("trunk", "A head on the policy"), ("separate", "A network of its own"))
CUT = (("terminal", "Is over"), ("bootstrap", "Would have gone on as the critic expects"))
KL_LOSSES = (("k3", "k3, as published"), ("k2", "k2, whose gradient is exact"))
LORA, DISK, NEVER = "lora", "disk", "never"
REFRESHES = (
    (LORA, "As a LoRA adapter (vLLM)"),
    (DISK, "As a folder of weights (SGLang)"),
    (NEVER, "Never: it draws from what it was started with"),
)
AVERAGES = (("response", "Every response the same"), ("token", "Every token the same"))


@dataclass(frozen=True, kw_only=True)
class RolloutConfig(PolicyConfig):
    """Prompts are answered by the policy, and the answers scored."""

    epochs: int = number(1, "Epochs", "Passes over the prompts.", BASIC, min=1, max=1000)
    batch_size: int = number(8, "Batch size", "Prompts in one step.", BASIC, min=1, max=4096)
    responses: int = number(4, "Responses", "Drawn for each prompt in a step.", BASIC, min=2, max=256)
    max_tokens: int = number(
        128, "Longest response", "Tokens; a response that reaches it is cut.", DATA, min=1, max=65_536
    )
    temperature: float = number(
        1.0, "Temperature", "Of sampling, and of all probabilities that are compared.", DATA, min=0.05, max=5.0
    )
    function: str = choice(
        NO_FUNCTION,
        "Programmatic reward",
        "A function of the text, added to the reward model's score.",
        REWARD,
        REWARDS,
    )
    function_weight: float = number(
        1.0,
        "Weight of the programmatic reward",
        "Beside the reward model's 1.",
        REWARD,
        min=-100.0,
        max=100.0,
        step=0.1,
    )
    pessimism: float = number(
        0.0,
        "Pessimism",
        "With a reward model of several heads: how many standard deviations below their mean the score lies.",
        REWARD,
        min=0.0,
        max=10.0,
        step=0.1,
    )
    normalise_scores: bool = switch(
        False, "Normalise scores", "To mean 0 and deviation 1 of all scores so far in the run.", REWARD
    )
    score_clip: float = number(
        0.0,
        "Score limit",
        "Scores are held within it, after normalising; 0 is off.",
        REWARD,
        min=0.0,
        max=1000.0,
        step=0.5,
    )
    unfinished_penalty: float = number(
        1.0,
        "Penalty for no end",
        "For a response that was cut before it ended; 0 is off.",
        REWARD,
        min=0.0,
        max=1000.0,
        step=0.1,
    )
    unfinished: str = choice("subtract", "A response without an end", "What the penalty does.", REWARD, UNFINISHED)
    passes: int = number(1, "Passes", "Over the responses of a step.", OPTIMISER, min=1, max=100)
    mini_batches: int = number(
        1, "Mini-batches", "Updates in one pass; each takes a share of the prompts.", OPTIMISER, min=1, max=4096
    )
    eval_prompts: int = number(
        32,
        "Evaluation prompts",
        "Held-out prompts answered and scored at every evaluation.",
        PROGRESS,
        min=0,
        max=10_000,
    )

    rollout_server: str = setting(
        "",
        "Rollout server",
        "Address of a server that draws the responses, with the completions protocol of OpenAI: vLLM, SGLang. Empty "
        "draws them here.",
        SAMPLER,
    )
    rollout_model: str = setting(
        "", "Model name there", "By which the server knows the model it was started with.", SAMPLER
    )
    rollout_refresh: str = choice(
        LORA, "Handing over", "How the server gets the policy's new weights.", SAMPLER, REFRESHES
    )
    rollout_every: int = number(
        1, "Hand over every", "Steps; in between, responses are of an older policy.", SAMPLER, min=1, max=1_000_000
    )
    rollout_weight: float = number(
        2.0,
        "Limit of importance weights",
        "What a response of the server counts for beside one of the policy's own: the ratio of their probabilities, at "
        "most this.",
        SAMPLER,
        min=1.0,
        max=100.0,
        step=0.5,
    )

    def contradictions(self) -> dict[str, str]:
        if self.rollout_server and (problems := self.server_problems()):
            return problems
        if self.max_tokens >= self.max_length:
            return {
                "max_tokens": f"Longest response cannot be {self.max_tokens} when prompt and response together have "
                f"{self.max_length} tokens: lower it, or raise Longest sequence."
            }
        if self.mini_batches > self.batch_size:
            return {
                "mini_batches": f"Mini-batches cannot be {self.mini_batches} when a step has {self.batch_size} "
                "prompts: lower it, or raise Batch size."
            }
        return super().contradictions()

    def server_problems(self) -> dict[str, str]:
        """What stands against drawing responses elsewhere."""
        if not self.rollout_server.startswith(("http://", "https://")):
            return {
                "rollout_server": f"Rollout server cannot be {self.rollout_server!r}: it begins with http:// or https://."
            }
        if not self.rollout_model:
            return {"rollout_model": "Name the model as the server does, or leave Rollout server empty."}
        if (self.rollout_refresh == LORA) != self.lora and self.rollout_refresh != NEVER:
            wanted = "a folder of weights" if self.rollout_refresh == LORA else "a LoRA adapter"
            now = "with" if self.lora else "without"
            return {"rollout_refresh": f"A policy trained {now} LoRA is handed over as {wanted}: choose that."}
        return {}


@dataclass(frozen=True, kw_only=True)
class OnlineConfig(RolloutConfig):
    """Policy gradients on fresh responses, held near the reference."""

    beta: float = number(
        0.05, "Beta", "Weight of the KL to the reference: higher stays nearer.", LOSS, min=0.0, max=100.0, step=0.01
    )
    kl_target: float = number(
        0.0, "KL wanted", "Beta is steered towards so many nats a response; 0 keeps beta.", LOSS, min=0.0, max=10_000.0
    )
    kl_horizon: int = number(10_000, "KL horizon", "Responses in which beta adapts.", LOSS, min=1, max=1_000_000_000)
    clip: float = number(
        0.2,
        "Clip",
        "How far a probability may move from the sampled one before its gradient stops.",
        LOSS,
        min=0.01,
        max=10.0,
    )
    entropy_bonus: float = number(0.0, "Entropy bonus", "Rewards being undecided; 0 is off.", LOSS, min=0.0, max=10.0)
    whiten_advantages: bool = switch(False, "Whiten advantages", "To mean 0 and deviation 1 over the step.", LOSS)
    update_kl_limit: float = number(
        0.0,
        "KL limit of a step",
        "The passes end early once the policy has moved so many nats a token from the sampled one; 0 is off.",
        OPTIMISER,
        min=0.0,
        max=100.0,
    )


@dataclass(frozen=True, kw_only=True)
class ReinforceConfig(OnlineConfig):
    """REINFORCE with a baseline (Williams 1992)."""

    responses: int = number(1, "Responses", "Drawn for each prompt in a step.", BASIC, min=1, max=256)
    batch_size: int = number(32, "Batch size", "Prompts in one step.", BASIC, min=1, max=4096)
    baseline: str = choice("running", "Baseline", "What a reward is compared with.", LOSS, BASELINES)
    baseline_decay: float = number(
        0.9, "Memory of the baseline", "Share of the old mean that a step keeps.", LOSS, min=0.0, max=0.9999
    )


@dataclass(frozen=True, kw_only=True)
class RLOOConfig(OnlineConfig):
    """REINFORCE with the other responses to the prompt as baseline (Ahmadian et al. 2024)."""


@dataclass(frozen=True, kw_only=True)
class PPOConfig(OnlineConfig):
    """Proximal policy optimisation with a critic (Schulman et al. 2017; Ziegler et al. 2019)."""

    responses: int = number(1, "Responses", "Drawn for each prompt in a step.", BASIC, min=1, max=256)
    batch_size: int = number(32, "Batch size", "Prompts in one step.", BASIC, min=1, max=4096)
    schedule: str = choice("linear", "Schedule", "How the learning rate falls after the warm-up.", OPTIMISER, SCHEDULES)
    passes: int = number(4, "Passes", "Over the responses of a step.", OPTIMISER, min=1, max=100)
    whiten_advantages: bool = switch(True, "Whiten advantages", "To mean 0 and deviation 1 over the step.", LOSS)
    whiten_rewards: bool = switch(
        False, "Whiten rewards", "Token rewards to deviation 1 over the step, their mean kept.", LOSS
    )
    discount: float = number(1.0, "Discount", "Of later rewards (gamma).", LOSS, min=0.0, max=1.0, step=0.01)
    trace: float = number(
        0.95, "Trace", "Lambda: 1 trusts the rewards alone, 0 the critic alone.", LOSS, min=0.0, max=1.0, step=0.01
    )
    cut: str = choice("terminal", "A response cut by length", "What it is worth after its last token.", LOSS, CUT)
    critic: str = choice("trunk", "Critic", "A network of its own takes as much memory again.", MODEL, CRITICS)
    value_coefficient: float = number(
        0.1, "Weight of the critic's loss", "Beside the policy's 1.", LOSS, min=0.0, max=100.0, step=0.05
    )
    value_clip: float = number(
        0.2,
        "Clip of the critic",
        "How far a value may move in one step; 0 is off.",
        LOSS,
        min=0.0,
        max=100.0,
        step=0.05,
    )


@dataclass(frozen=True, kw_only=True)
class GRPOConfig(OnlineConfig):
    """Advantages from the responses to one prompt, the KL in the loss (Shao et al. 2024)."""

    responses: int = number(8, "Responses", "Drawn for each prompt in a step.", BASIC, min=2, max=256)
    beta: float = number(
        0.04, "Beta", "Weight of the KL to the reference: higher stays nearer.", LOSS, min=0.0, max=100.0, step=0.01
    )
    kl_loss: str = choice("k3", "KL as a loss", "Which estimate of it is minimised.", LOSS, KL_LOSSES)
    scale: bool = switch(
        True, "Divide by the deviation", "Of the rewards of a prompt's responses; off is Dr. GRPO.", LOSS
    )
    average: str = choice("response", "Average", "What counts the same in the loss.", LOSS, AVERAGES)


@dataclass(frozen=True, kw_only=True)
class RAFTConfig(RolloutConfig):
    """Rejection sampling: the policy imitates its own best responses (Dong et al. 2023)."""
