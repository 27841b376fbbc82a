"""One step of every algorithm that learns from its own responses: roll out, judge, give credit, update.

An algorithm is a Method: how rewards become advantages, and a loss. Everything else is here, once. A step of the run is
one batch of prompts with all passes over its responses, so that a checkpoint never has to hold responses.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor, nn

from training.algorithms.advantages import explained_variance
from training.algorithms.experience import (
    PromptGroup,
    Rollout,
    encode_prompts,
    judge_rollouts,
    measure,
    measure_reference,
    response_sums,
    roll_out,
    shape_scores,
)
from training.algorithms.groups import EncodedGroup, read_groups
from training.algorithms.importance import correct_for_sampler
from training.algorithms.kl import AdaptiveBeta, k1, k2, k3
from training.algorithms.loop import Compute, Job, Stopped, Tools, keep_if_best, update
from training.algorithms.metrics import Facts, correlation, extend_facts, mean
from training.algorithms.models import Policy, RewardModel, add_lora, load_policy, load_reward_model
from training.algorithms.options.online import OnlineConfig, PPOConfig, RolloutConfig
from training.algorithms.packing import Batch, micro_batches, step_groups
from training.algorithms.plan import Plan
from training.algorithms.policy_job import write_samples
from training.algorithms.processes import from_all, share, unshare
from training.algorithms.rewards import Judge, load_heldout, load_judge
from training.algorithms.rollout_server import RolloutServer, make_server
from training.algorithms.texts import describe_texts
from training.algorithms.value import Actor, SeparateCritic, TrunkCritic

ADAM_EPSILON = 1e-5  # Huang et al. 2022, "The 37 implementation details of PPO", detail 3
State = dict[str, Any]  # what the method carries from step to step: β, a baseline; JSON
APPROXIMATE_KL, HIGHEST = "approx_kl", "_max"


@dataclass(frozen=True)
class Method:
    """What sets one algorithm apart."""

    credit: Callable[[list[Rollout], Any, State], list[Rollout]]  # a whole step: attaches advantages
    compute: Compute  # per-group sums of losses, and facts summed alike
    size: Callable[[EncodedGroup], float]  # what these sums are divided by: tokens, or responses
    measured: "Measured | None" = None  # where `compute` leaves what its pass says; None: a pass before it says so
    at_once: bool = False  # `compute` can say so only of a whole step in one pass; larger ones are measured before


Measured = dict[str, Rollout]  # by id, with what the update's pass said of them


def tokens_of(group: EncodedGroup) -> float:
    return float(sum(map(len, group.completions)))


def responses_of(group: EncodedGroup) -> float:
    return float(len(group.completions))


def prepare_online(plan: Plan, tools: Tools, method: Method) -> Job:
    """Load policy, critic, reference, reward models and prompts."""
    config: RolloutConfig = plan.config
    device = tools.accelerator.device
    policy = load_policy(plan.model, trainable=True).to(device)
    base = load_reference(plan, policy)
    if config.lora:
        add_lora(policy, rank=config.lora_rank, alpha=config.lora_alpha, seed=config.seed, layers=config.lora_layers)
    actor = Actor(policy, make_critic(plan, policy)).to(device)
    train, report = encode_prompts(read_groups(plan.train), policy, config)
    held_out = read_groups(plan.test) if plan.test else []
    judge, heldout = load_judge(plan.rewards, config, device), load_heldout(plan.heldout_reward, config, device)
    prompts = encode_prompts(held_out, policy, config)[0][: config.eval_prompts]
    player = Player(method, actor, base, judge, prompts, heldout, make_server(config))
    job = Job(
        run=plan.run,
        model=actor,
        product=policy,
        compute=method.compute,
        size=method.size,
        train=train,
        test=[],
        config=config,
        tools=tools,
        report=report,
        adam_epsilon=ADAM_EPSILON,
        take_step=player.take_step,
        state={"beta": config.beta if isinstance(config, OnlineConfig) else 0.0},
    )
    texts = held_out[: config.samples]
    job.on_eval = lambda step: player.evaluate(job, step, lambda: write_samples(policy, tools, config, texts, step))
    return job


def load_reference(plan: Plan, policy: Policy) -> "Reference":
    """The policy without its adapters where that is the same; else a frozen copy."""
    source = plan.reference or plan.model
    if plan.config.lora and source == plan.model:
        return Reference(policy, without_adapters=True)
    return Reference(load_policy(source).to(policy.model.device), without_adapters=False)


@dataclass(frozen=True)
class Reference:
    """Where the policy began: frozen."""

    policy: Policy
    without_adapters: bool

    @torch.no_grad()
    def __call__(self, batch: Batch, temperature: float) -> Tensor:
        """-> (S,) nats"""
        if not self.without_adapters:
            return self.policy(batch, temperature)
        with self.policy.adapters[0].disable_adapter():
            return self.policy(batch, temperature)


def make_critic(plan: Plan, policy: Policy) -> TrunkCritic | SeparateCritic | None:
    """PPO's critic. One of its own begins as the first reward model if that reads the policy's tokens, else as the
    policy."""
    config = plan.config
    if not isinstance(config, PPOConfig):
        return None
    if config.critic == "trunk":
        return TrunkCritic(policy.model.config.get_text_config().hidden_size)
    network = next((model for model in critics(plan) if fits(model, policy)), None)
    if network is None:
        raise ValueError(f"{plan.model} has no scalar head that we know: let the critic be a head on the policy.")
    network.requires_grad_(True)
    if config.lora:
        add_lora(network, rank=config.lora_rank, alpha=config.lora_alpha, seed=config.seed, layers=config.lora_layers)
    return SeparateCritic(network)


def critics(plan: Plan) -> Any:
    for folder in [folder for folder, _ in plan.rewards][:1]:
        yield load_reward_model(folder)
    yield load_reward_model(plan.model)


def fits(model: RewardModel, policy: Policy) -> bool:
    return model.form == policy.form and model.tokenizer.get_vocab() == policy.tokenizer.get_vocab()


@dataclass
class Player:
    """Takes the steps of a run."""

    method: Method
    actor: Actor
    base: Reference
    judge: Judge
    held_out: list[EncodedGroup] = field(default_factory=list)
    heldout: Judge | None = None  # shows whether the judge is being fooled
    server: RolloutServer | None = None  # draws the responses that are learnt from, elsewhere

    def take_step(
        self, job: Job, model: nn.Module, optimizer: torch.optim.Optimizer, step: int
    ) -> tuple[int, dict[str, Any]]:
        """Responses to the step's prompts, then every pass over them. Stops before the first update, or after the
        last."""
        prompts = step_groups(job.train, step=step, batch_size=job.config.batch_size, seed=job.config.seed)
        measured, responses = self.method.measured, job.config.responses
        if self.server is not None:
            self.server.refresh_when_due(self.actor.policy, job.run, step, job.tools)
        played = self.play(job, prompts, responses=responses, key=f"step {step}", fully=measured is None)
        shaped = shape_scores(played, job.config, job.state.setdefault("scores", {}))
        rollouts = self.method.credit(shaped, job.config, job.state)
        corrected: dict[str, Any] = {}
        if self.server is not None and rollouts[0].advantages.numel():
            rollouts, corrected = correct_for_sampler(rollouts, cap=job.config.rollout_weight)
        learnt = learn(job, model, optimizer, rollouts, step) | corrected
        if measured is not None and not played[0].old.numel():
            played, shaped, rollouts = add_measures((played, shaped, rollouts), measured)
        learnt |= {"explained_variance": explain_returns(rollouts)} if rollouts[0].returns.numel() else {}
        told = describe(played, shaped, job.state["beta"]) | {"beta": job.state["beta"]} | learnt
        steer(job, told["kl"], sum(len(rollout.completions) for rollout in played))
        return int(sum(rollout.tokens for rollout in played)), told

    def play(
        self,
        job: Job,
        prompts: Sequence[EncodedGroup],
        *,
        responses: int,
        key: str,
        fully: bool = True,
        here: bool = False,
    ) -> list[Rollout]:
        """Responses, scores and measures (fully, or the reference's alone), the work shared by all processes. Raises
        Stopped on all of them."""
        mine = [prompt for prompt in share(prompts) if isinstance(prompt, PromptGroup)]
        parts = from_all(self.play_share(job, mine, responses=responses, key=key, fully=fully, here=here))
        finished = [part for part in parts if part is not None]
        if len(finished) < len(parts):
            raise Stopped
        return unshare(finished)

    def play_share(
        self, job: Job, prompts: list[PromptGroup], *, responses: int, key: str, fully: bool, here: bool
    ) -> list[Rollout] | None:
        """This process's; None when it was asked to stop."""
        tools, config = job.tools, job.config
        try:
            rollouts = roll_out(
                self.actor.policy,
                prompts,
                tools=tools,
                config=config,
                responses=responses,
                key=key,
                server=None if here else self.server,
            )
            rollouts = judge_rollouts(rollouts, self.judge, self.heldout)
            if fully or (self.method.at_once and not self.fit_one_pass(rollouts, config)):
                return measure(rollouts, self.actor, self.base, tools=tools, config=config)
            return measure_reference(rollouts, self.actor.form, self.base, tools=tools, config=config)
        except Stopped:
            return None

    def fit_one_pass(self, rollouts: Sequence[Rollout], config: RolloutConfig) -> bool:
        return len(micro_batches(rollouts, form=self.actor.form, budget=config.micro_batch_tokens)) == 1

    def evaluate(self, job: Job, step: int, write: Callable[[], None]) -> None:
        """One response to each held-out prompt, the same random numbers every time; then the samples to read."""
        if self.held_out:
            played = self.play(job, self.held_out, responses=1, key="evaluation", here=True)
            told = describe(played, played, job.state["beta"])
            job.final = {name: value for name, value in told.items() if name != "frac_reward_zero_std"}
            job.tools.events.write("eval", step, job.final)
            if self.heldout is not None:
                keep_if_best(job, step, loss=-job.final["heldout/reward"])
        write()


def add_measures(several: Sequence[list[Rollout]], measured: Measured) -> list[list[Rollout]]:
    """Each list with what the update's pass said of its rollouts, on whichever process that was."""
    found: Measured = {}
    for part in from_all(measured):
        found |= part
    measured.clear()
    said = ("old", "entropies", "values", "returns")
    return [
        [replace(one, **{name: getattr(found[one.id], name) for name in said}) for one in rollouts]
        for rollouts in several
    ]


def steer(job: Job, kl: float, responses: int) -> None:
    """Adapt β where the settings name a KL to keep."""
    if isinstance(job.config, OnlineConfig):
        controller = AdaptiveBeta(job.state["beta"], target=job.config.kl_target, horizon=job.config.kl_horizon)
        controller.update(kl, responses)
        job.state["beta"] = controller.beta


def learn(
    job: Job, model: nn.Module, optimizer: torch.optim.Optimizer, rollouts: list[Rollout], step: int
) -> dict[str, Any]:
    """Every pass over the rollouts in mini-batches; ends early where the policy has moved too far from its sampler."""
    config: RolloutConfig = job.config
    limit = config.update_kl_limit if isinstance(config, OnlineConfig) else 0.0
    losses, norms, counted, early = [], [], 0.0, False
    facts: Facts = {}
    for number, groups in enumerate(mini_batches(rollouts, config, step)):
        should_stop = job.tools.should_stop if number == 0 else never  # later the weights have already moved
        done = update(job, model, optimizer, groups, step=step, should_stop=should_stop)
        size = sum(map(job.size, groups))
        extend_facts(facts, done.facts)
        counted += size
        losses.append(done.loss)
        norms.append(done.grad_norm)
        if limit and sum(done.facts[APPROXIMATE_KL]) / size > limit:
            early = True
            break
    means = {name: max(values) if name.endswith(HIGHEST) else sum(values) / counted for name, values in facts.items()}
    return {
        "loss": mean(losses),
        "grad_norm": mean(norms),
        "updates": len(losses),
        "stopped_early": float(early),
        **means,
    }


def never() -> bool:
    return False


def mini_batches(rollouts: list[Rollout], config: RolloutConfig, step: int) -> list[list[Rollout]]:
    """The groups of every update of a step, in order: each pass is a fresh permutation, a function of seed and step."""
    found = []
    for turn in range(config.passes):
        generator = torch.Generator().manual_seed((config.seed * 1_000_003 + step) * 1_009 + turn)
        order = torch.randperm(len(rollouts), generator=generator)
        parts = order.tensor_split(min(config.mini_batches, len(rollouts)))
        found += [[rollouts[place] for place in part.tolist()] for part in parts]
    return found


def describe(played: list[Rollout], shaped: list[Rollout], beta: float) -> dict[str, float]:
    """What a step's responses were like. KL is in nats a response, entropy in nats a token; `reward` is what the judge
    says, `objective` what is maximised: the shaped score less β·KL."""
    rewards = torch.stack([rollout.scores for rollout in played])
    old, base = [rollout.old for rollout in played], [rollout.base for rollout in played]
    kl = {
        name: float(response_sums([estimate(*pair) for pair in zip(old, base, strict=True)], played).mean())
        for name, estimate in (("k1", k1), ("k2", k2), ("k3", k3))
    }
    lengths = torch.tensor([length for rollout in played for length in rollout.lengths], dtype=torch.float32)
    finished = torch.tensor([end for rollout in played for end in rollout.finished], dtype=torch.float32)
    spread = rewards.std(1) if rewards.shape[1] > 1 else torch.full((len(rewards),), float("nan"))
    return {
        "reward": float(rewards.mean()),
        "reward_std": float(rewards.std()) if rewards.numel() > 1 else float("nan"),
        "reward_se": standard_error(rewards),
        "reward_min": float(rewards.min()),
        "reward_max": float(rewards.max()),
        "objective": float(torch.cat([rollout.scores for rollout in shaped]).mean()) - beta * kl["k1"],
        **{
            f"rewards/{name}": float(torch.cat([rollout.parts[name] for rollout in played]).mean())
            for name in played[0].parts
        },
        "kl": kl["k1"],
        **{f"kl/{name}": value for name, value in kl.items()},
        "entropy": float(torch.cat([rollout.entropies for rollout in played]).mean()),
        "completions/mean_length": float(lengths.mean()),
        "completions/clipped_ratio": float(1 - finished.mean()),
        "completions/count": float(rewards.numel()),
        **describe_texts([text for rollout in played for text in rollout.texts]),
        **describe_heldout(played),
        "frac_reward_zero_std": float((spread == 0).float().mean()),
    }


def describe_heldout(played: list[Rollout]) -> dict[str, float]:
    """What the held-out reward model says, and how far it agrees with the judge: the correlation of their scores of the
    responses to one prompt, over all prompts. Where it is not above 0, the judge's reward can rise without anything
    getting better."""
    if not played[0].heldout.numel():
        return {}
    said, scores = (torch.stack([getattr(one, name) for one in played]) for name in ("heldout", "scores"))
    leads = [(values - values.mean(1, keepdim=True)).flatten().tolist() for values in (said, scores)]
    return {
        "heldout/reward": float(said.mean()),
        "heldout/std": float(said.std()) if said.numel() > 1 else float("nan"),
        "heldout/se": standard_error(said),
        **({"heldout/agreement": correlation(*leads)} if said.shape[1] > 1 else {}),
    }


def standard_error(values: Tensor) -> float:
    """Of the mean of (P, n) values: prompts were drawn, and responses to one prompt are alike. NaN for one prompt."""
    return float(values.mean(1).std() / len(values) ** 0.5) if len(values) > 1 else float("nan")


def explain_returns(rollouts: list[Rollout]) -> float:
    values, returns = (
        torch.cat([rollout.values for rollout in rollouts]),
        torch.cat([rollout.returns for rollout in rollouts]),
    )
    return explained_variance(values, returns, torch.ones_like(values))
