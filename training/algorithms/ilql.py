"""ILQL (Snell et al. 2022, "Offline RL for natural language generation with implicit language Q-learning").

A response is a walk through tokens with its reward at the end. Two Q heads learn what each next token is worth, a V
head an upper expectile of it, and the finished policy is π_β(a|s) exp(β(Q(s, a) − V(s))), where π_β imitates the data.

The Q heads are linear in the policy's last hidden state (the paper's have a layer between). So is log π_β, and V is the
same for every token: the finished policy has ordinary logits, whose matrix is the head's plus β times the mean of both
Q's. It is saved so, and whatever can serve the model can serve it.

The worth of a response travels back one token a step, and no faster than the slow copy follows: long responses take
many steps.

Left out on purpose: a transformer of its own for the values, and a slow copy of more than the Q heads (trlx does as we
do); the decoding's top-k.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from statistics import mean, pstdev
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from training.algorithms.a_lol import NEEDS, Rewards, rewards, select_rewarded
from training.algorithms.groups import EncodedGroup
from training.algorithms.logprobs import sum_by_owner, token_logprobs
from training.algorithms.loop import Job, Outcome, Tools, take_one_update
from training.algorithms.models import Policy
from training.algorithms.offline_losses import expectile_loss, one_step_targets
from training.algorithms.options.ilql import ILQLConfig
from training.algorithms.packing import Batch
from training.algorithms.plan import Plan
from training.algorithms.policy_job import prepare_policy

SAME = "Every response has the same reward, so none is better than another: collect judgements of bad responses too."
SCALED = ("final_logit_softcapping", "logits_scaling", "logit_scale")  # settings that make logits more than a product


class Reading(NamedTuple):
    """One forward pass over C responses of S tokens, fp32; the heads of a Q are the first axis."""

    logprobs: Tensor  # (S,) nats, of π_β
    q: Tensor  # (2, S) worth of each token
    q_logprobs: Tensor  # (2, S) of each token under softmax(Q)
    slow_q: Tensor  # (S,) the lesser of the slow copies' Q, without gradient
    v: Tensor  # (S,) worth of the state before each token


class ValueHeads(nn.Module):
    """Q and V of states h (S, d). Q(s, a) = level(s) + w_a·h: the level is no matter to the policy (Wang et al. 2016).

    The two Q's start apart, so that the lesser of them is a guess on the safe side.
    """

    slow_actions: Tensor
    slow_levels: Tensor

    def __init__(self, width: int, vocabulary: int, *, seed: int) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        self.actions = nn.Parameter(0.1 * width**-0.5 * torch.randn(2, vocabulary, width, generator=generator))
        self.levels = nn.Parameter(torch.zeros(2, width))
        self.value = nn.Linear(width, 1)
        nn.init.zeros_(self.value.weight)
        nn.init.zeros_(self.value.bias)
        self.register_buffer("slow_actions", self.actions.detach().clone())
        self.register_buffer("slow_levels", self.levels.detach().clone())

    def forward(self, hidden: Tensor, targets: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """hidden (S, d), targets (S,) -> the last four of a Reading"""
        with torch.autocast(hidden.device.type, enabled=False):
            hidden = hidden.float()
            advantages = hidden @ self.actions.mT  # (2, S, V)
            chosen = advantages.gather(-1, targets.expand(2, -1)[..., None])[..., 0]
            q_logprobs = torch.stack([token_logprobs(one, targets) for one in advantages])
            with torch.no_grad():
                slow = (self.slow_actions[:, targets] * hidden).sum(-1) + self.slow_levels @ hidden.T
            return chosen + self.levels @ hidden.T, q_logprobs, slow.amin(0), self.value(hidden)[:, 0]

    def follow(self, rate: float) -> None:
        """Polyak: the slow copies go this share of the way to the Q's."""
        self.slow_actions.lerp_(self.actions.detach(), rate)
        self.slow_levels.lerp_(self.levels.detach(), rate)


class ValuedPolicy(nn.Module):
    """A policy and what it thinks that tokens are worth, on one trunk."""

    def __init__(self, policy: Policy, *, seed: int) -> None:
        super().__init__()
        self.policy, self.form = policy, policy.form
        vocabulary, width = policy.model.get_output_embeddings().weight.shape
        self.score = ValueHeads(width, vocabulary, seed=seed)  # named so that it is not decayed

    def forward(self, batch: Batch) -> Reading:
        logits, hidden = self.policy.predict(batch, with_hidden=True)
        assert hidden is not None
        return Reading(token_logprobs(logits, batch.targets), *self.score(hidden[batch.sources], batch.targets))


def prepare(plan: Plan, tools: Tools) -> Job:
    worth: dict[str, Rewards] = {}
    compute = partial(outcome, worth=worth)
    job = prepare_policy(plan, tools, compute, select=select_rewarded, needs=NEEDS, with_reference=False)
    worth |= standardise({group.id: rewards(group.label) for group in (*job.train, *job.test)}, job.train)
    policy, config = job.model, plan.config
    require_plain_logits(policy)
    job.model = ValuedPolicy(policy, seed=config.seed).to(tools.accelerator.device)
    job.size = lambda group: float(sum(scored_tokens(group, worth)))
    job.product, job.finish = policy, lambda: lean(policy, job.model.score, config.beta)
    if job.on_eval is not None:
        job.on_eval = partial(show_leaning, job, policy, job.on_eval)
    job.take_step = take_step
    return job


def require_plain_logits(policy: Policy) -> None:
    settings = policy.model.config.get_text_config()
    if found := [name for name in SCALED if getattr(settings, name, None) not in (None, 1.0)]:
        raise ValueError(f"ILQL cannot put its values into a model with {found[0]}: choose another model or algorithm.")


def standardise(told: dict[str, Rewards], train: Sequence[EncodedGroup]) -> dict[str, Rewards]:
    """Rewards of mean 0 and deviation 1 over the training responses, so that β and the weights keep their meaning."""
    known = [reward for group in train for reward in told[group.id] if reward is not None]
    middle, spread = mean(known), pstdev(known)
    if not spread:
        raise ValueError(SAME)
    return {
        name: tuple(None if reward is None else (reward - middle) / spread for reward in row)
        for name, row in told.items()
    }


def padded(group: EncodedGroup, worth: dict[str, Rewards]) -> Rewards:
    """A reward, or None, for each completion."""
    row = worth[group.id]
    return (*row, *[None] * len(group.completions))[: len(group.completions)]


def scored_tokens(group: EncodedGroup, worth: dict[str, Rewards]) -> list[int]:
    """Tokens of each completion that something was said of, 0 for others."""
    pairs = zip(group.completions, padded(group, worth), strict=True)
    return [0 if reward is None else len(tokens) for tokens, reward in pairs]


def take_step(job: Job, model: nn.Module, optimizer: torch.optim.Optimizer, step: int) -> tuple[int, dict[str, Any]]:
    told = take_one_update(job, model, optimizer, step)
    job.model.score.follow(job.config.target_rate)
    return told


def outcome(
    model: nn.Module, batch: Batch, groups: Sequence[EncodedGroup], config: ILQLConfig, *, worth: dict[str, Rewards]
) -> Outcome:
    """Each group's losses, summed over the tokens of responses that something was said of."""
    read: Reading = model(batch)
    told = [reward for group in groups for reward in padded(group, worth)]
    device = read.v.device
    given = torch.tensor([reward or 0.0 for reward in told], device=device)
    counts = torch.tensor([float(reward is not None) for reward in told], device=device)[batch.owners]
    targets = one_step_targets(given, read.v.detach(), batch.owners, discount=config.discount)
    parts = {
        "loss/q": ((read.q - targets) ** 2).sum(0),
        "loss/v": expectile_loss(read.slow_q - read.v, expectile=config.expectile),
        "loss/caution": -read.q_logprobs.sum(0),
        "loss/imitation": -read.logprobs,
    }
    weights = {"loss/caution": config.conservative_weight, "loss/imitation": config.cloning_weight}
    losses = sum((weights.get(name, 1.0) * part for name, part in parts.items()), torch.zeros_like(read.v))
    of_group = torch.repeat_interleave(
        torch.arange(len(groups), device=device), torch.tensor(batch.counts, device=device)
    )

    def total(values: Tensor) -> Tensor:
        return sum_by_owner(values * counts, of_group[batch.owners], len(groups))

    tokens = total(torch.ones_like(read.v))
    values = {"values/q": read.q.mean(0), "values/v": read.v, "values/advantage": read.slow_q - read.v}
    return Outcome(total(losses), {name: total(one.detach()) / tokens for name, one in (parts | values).items()})


def lean(policy: Policy, heads: ValueHeads, beta: float) -> None:
    """Put β times the mean of the Q's into the policy's output matrix, untied from the embeddings."""
    head: Any = policy.model.get_output_embeddings()
    head.weight = nn.Parameter(head.weight.detach() + beta * heads.actions.detach().mean(0), requires_grad=False)
    policy.model.config.get_text_config().tie_word_embeddings = False
    policy.model.config.tie_word_embeddings = False


@contextmanager
def leaning(policy: Policy, heads: ValueHeads, beta: float) -> Iterator[None]:
    """The finished policy for a while."""
    head: Any = policy.model.get_output_embeddings()
    own, tied = head.weight, policy.model.config.tie_word_embeddings
    lean(policy, heads, beta)
    try:
        yield
    finally:
        head.weight = own
        policy.model.config.get_text_config().tie_word_embeddings = tied
        policy.model.config.tie_word_embeddings = tied


def show_leaning(job: Job, policy: Policy, show: Callable[[int], None], step: int) -> None:
    """Samples as the finished policy would write them."""
    with leaning(policy, job.model.score, job.config.beta):
        show(step)
