"""What a policy did: its responses to a step's prompts, what they scored, what was thought of every token."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from math import nan
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from training.algorithms.groups import EncodedGroup, Group, Message, encode_prompt
from training.algorithms.labels import Label, Tie
from training.algorithms.loop import Stopped, Tools
from training.algorithms.models import Policy, context_length
from training.algorithms.options.online import RolloutConfig
from training.algorithms.packing import Batch, Form, collate, micro_batches
from training.algorithms.policy_losses import clip_scores, penalise_unfinished
from training.algorithms.rewards import Judge, normalise
from training.algorithms.rollout_server import Answer, RolloutServer
from training.algorithms.rollouts import Request, Sample, Sampling, sample
from training.algorithms.value import Actor, Reading

SAMPLED_TOGETHER = 32


def nothing() -> Tensor:
    return torch.empty(0)


@dataclass(frozen=True, kw_only=True)
class PromptGroup(EncodedGroup):
    """A prompt to answer; it has no completions yet."""

    completions: tuple[tuple[int, ...], ...] = ()
    label: Label = field(default_factory=Tie)  # nobody compares a rollout
    messages: tuple[Message, ...]
    system: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Rollout(PromptGroup):
    """n responses to one prompt, S tokens in all, one response after the other; log-probabilities in nats."""

    texts: tuple[str, ...]
    finished: tuple[bool, ...]  # the response ended by itself
    parts: dict[str, Tensor] = field(default_factory=dict)  # (n,) each: what every source of reward said
    scores: Tensor = field(default_factory=nothing)  # (n,) the reward, without KL
    heldout: Tensor = field(default_factory=nothing)  # (n,) what the held-out reward model says; empty without one
    drawn: Tensor = field(default_factory=nothing)  # (S,) as a rollout server says; NaN: it does not
    old: Tensor = field(default_factory=nothing)  # (S,) under the policy as it was before the step
    base: Tensor = field(default_factory=nothing)  # (S,) under the reference
    entropies: Tensor = field(default_factory=nothing)  # (S,) of the policy
    values: Tensor = field(default_factory=nothing)  # (S,) the critic's, 0 without one
    after: Tensor = field(default_factory=nothing)  # (n,) the critic's after the last token
    advantages: Tensor = field(default_factory=nothing)  # (n,) or (S,), as the algorithm needs them
    returns: Tensor = field(default_factory=nothing)  # (S,) what the critic should have said

    @property
    def lengths(self) -> list[int]:
        return [len(completion) for completion in self.completions]


def encode_prompts(
    groups: Sequence[Group], policy: Policy, config: RolloutConfig
) -> tuple[list[EncodedGroup], dict[str, int]]:
    """The different prompts among the groups, in order, and what was cut: prompts lose their beginning."""
    room = min(config.max_length, context_length(policy.model, policy.tokenizer)) - config.max_tokens
    if room < 1:
        raise ValueError(
            f"Longest response is {config.max_tokens}: that leaves no room for a prompt in the model's context. "
            "Lower it."
        )
    different: dict[tuple[str, ...], Group] = {}
    for group in groups:
        texts = (text for message in group.prompt for text in (message["role"], message["content"]))
        different.setdefault((group.system, *texts), group)
    prompts: list[EncodedGroup] = []
    cut = 0
    for group in different.values():
        ids = encode_prompt(policy.tokenizer, group.prompt, group.system)
        cut += len(ids) > room
        prompts.append(PromptGroup(id=group.id, prompt=tuple(ids[-room:]), messages=group.prompt, system=group.system))
    return prompts, {"prompts": len(prompts), "prompts_truncated": cut}


def roll_out(
    policy: Policy,
    prompts: Sequence[PromptGroup],
    *,
    tools: Tools,
    config: RolloutConfig,
    responses: int,
    key: str,
    server: RolloutServer | None = None,
) -> list[Rollout]:
    """Draw `responses` for each prompt; what is drawn here depends on seed, key and prompt alone. Raises Stopped."""
    sampling = Sampling(temperature=config.temperature, max_tokens=config.max_tokens, seed=config.seed)
    requests = [
        Request(
            key=f"{key}/{prompt.id}",
            prompt=prompt.messages,
            system=prompt.system,
            indices=tuple(range(responses)),
            ids=prompt.prompt,
        )
        for prompt in prompts
    ]
    drawn: Sequence[Sample | Answer]
    if server is not None:
        drawn = server.sample(policy, requests, sampling=sampling, should_stop=tools.should_stop)
    else:
        with tools.accelerator.autocast():
            drawn = sample(
                policy.model,
                policy.tokenizer,
                requests,
                sampling=sampling,
                batch_size=SAMPLED_TOGETHER,
                should_stop=tools.should_stop,
            )
    if len(drawn) < len(prompts) * responses:
        raise Stopped
    rollouts = []
    for place, prompt in enumerate(prompts):
        own = drawn[place * responses : (place + 1) * responses]
        rollouts.append(
            Rollout(
                id=prompt.id,
                prompt=prompt.prompt,
                messages=prompt.messages,
                system=prompt.system,
                completions=tuple(answer.ids for answer in own),
                texts=tuple(answer.text for answer in own),
                finished=tuple(answer.finish_reason == "stop" for answer in own),
                drawn=torch.tensor([value for answer in own for value in told_logprobs(answer)]),
            )
        )
    return rollouts


def told_logprobs(answer: Sample | Answer) -> Sequence[float]:
    """One a token, NaN where the server did not say; none for what was drawn here."""
    if isinstance(answer, Sample):
        return ()
    return answer.logprobs or (nan,) * len(answer.ids)


def judge_rollouts(rollouts: Sequence[Rollout], judge: Judge, heldout: Judge | None = None) -> list[Rollout]:
    """Attach what every source says and its mixture; beside them what the held-out judge says."""
    groups = [
        Group(
            id=rollout.id,
            prompt=rollout.messages,
            system=rollout.system,
            completions=rollout.texts,
            label=rollout.label,
            finished=rollout.finished,
        )
        for rollout in rollouts
    ]
    scores, parts = judge.score(groups)
    sizes = [len(rollout.completions) for rollout in rollouts]
    split = {name: values.split(sizes) for name, values in parts.items()}
    aside = heldout.score(groups)[0].split(sizes) if heldout else [nothing()] * len(sizes)
    return [
        replace(rollout, scores=own, heldout=said, parts={name: pieces[place] for name, pieces in split.items()})
        for place, (rollout, own, said) in enumerate(zip(rollouts, scores.split(sizes), aside, strict=True))
    ]


def shape_scores(rollouts: Sequence[Rollout], config: RolloutConfig, moments: dict[str, Any]) -> list[Rollout]:
    """Normalise, clip and penalise the scores of a whole step, in this order, as the settings say."""
    sizes = [len(rollout.completions) for rollout in rollouts]
    scores = torch.cat([rollout.scores for rollout in rollouts])
    if config.normalise_scores:
        scores = normalise(scores, moments)
    scores = clip_scores(scores, limit=config.score_clip)
    finished = torch.tensor([end for rollout in rollouts for end in rollout.finished])
    scores = penalise_unfinished(
        scores, finished, penalty=config.unfinished_penalty, replace=config.unfinished == "replace"
    )
    return [replace(rollout, scores=own) for rollout, own in zip(rollouts, scores.split(sizes), strict=True)]


def measure(
    rollouts: Sequence[Rollout],
    actor: Actor,
    base: Callable[..., Tensor],
    *,
    tools: Tools,
    config: RolloutConfig,
) -> list[Rollout]:
    """Attach what the training forward pass says of every token: the sampler's own figures are never used.

    `base` is a forward pass of the reference, (batch, temperature) -> (S,). Raises Stopped.
    """
    found: dict[int, Rollout] = {}
    with torch.no_grad(), tools.accelerator.autocast():
        for own, batch in cut_into_passes(rollouts, actor.form, tools=tools, config=config):
            known = attach_reading(own, actor(batch, config.temperature, True), batch)
            bases = base(batch, config.temperature).float().cpu().split([sum(rollout.lengths) for rollout in own])
            for rollout, one, reference in zip(own, known, bases, strict=True):
                found[id(rollout)] = replace(one, base=reference)
    return [found[id(rollout)] for rollout in rollouts]


def attach_reading(rollouts: Sequence[Rollout], reading: Reading, batch: Batch) -> list[Rollout]:
    """Attach what one forward pass, with entropies, says of every token and of what comes after the last; zeros where
    there is no critic."""
    assert reading.entropies is not None
    zeros, tokens = torch.zeros_like(reading.logprobs), [sum(rollout.lengths) for rollout in rollouts]
    values = zeros if reading.values is None else reading.values
    after = zeros[: sum(batch.counts)] if reading.after is None else reading.after
    parts = (part.detach().float().cpu().split(tokens) for part in (reading.logprobs, reading.entropies, values))
    ends = after.detach().cpu().split(batch.counts)
    return [
        replace(rollout, old=old, entropies=entropies, values=expected, after=end)
        for rollout, old, entropies, expected, end in zip(rollouts, *parts, ends, strict=True)
    ]


def measure_reference(
    rollouts: Sequence[Rollout],
    form: Form,
    base: Callable[..., Tensor],
    *,
    tools: Tools,
    config: RolloutConfig,
) -> list[Rollout]:
    """Attach what the reference says of every token, and nothing else; as `measure`."""
    found: dict[int, Rollout] = {}
    with torch.no_grad(), tools.accelerator.autocast():
        for own, batch in cut_into_passes(rollouts, form, tools=tools, config=config):
            values = base(batch, config.temperature).float().cpu().split([sum(rollout.lengths) for rollout in own])
            found |= {id(one): replace(one, base=value) for one, value in zip(own, values, strict=True)}
    return [found[id(rollout)] for rollout in rollouts]


def cut_into_passes(
    rollouts: Sequence[Rollout], form: Form, *, tools: Tools, config: RolloutConfig
) -> Iterator[tuple[list[Rollout], Batch]]:
    """Forward passes that need no gradient. Raises Stopped between two of them."""
    for chunk in micro_batches(rollouts, form=form, budget=2 * config.micro_batch_tokens):
        if tools.should_stop():
            raise Stopped
        own = [rollout for rollout in chunk if isinstance(rollout, Rollout)]
        yield own, collate(own, form).to(tools.accelerator.device)


def by_response(values: Sequence[Tensor], rollouts: Sequence[Rollout]) -> tuple[Tensor, Tensor]:
    """Token values of each rollout as one row a response: (C, T) padded with 0, and the mask, 1 = counts."""
    rows = [row for value, rollout in zip(values, rollouts, strict=True) for row in value.split(rollout.lengths)]
    return pad_sequence(rows, batch_first=True), pad_sequence([torch.ones_like(row) for row in rows], batch_first=True)


def by_rollout(rows: Tensor, rollouts: Sequence[Rollout]) -> list[Tensor]:
    """The way back: (C, T) -> (S,) for each rollout."""
    found, first = [], 0
    for rollout in rollouts:
        found.append(torch.cat([rows[first + place, :length] for place, length in enumerate(rollout.lengths)]))
        first += len(rollout.lengths)
    return found


def response_sums(values: Sequence[Tensor], rollouts: Sequence[Rollout]) -> Tensor:
    """(P, n): token values added up over each response; every rollout has the same number of them."""
    rows, _ = by_response(values, rollouts)
    return rows.sum(1).view(len(rollouts), -1)
