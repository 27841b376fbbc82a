"""Supervised fine-tuning: imitate good responses. The loss is on response tokens alone; rows are packed, not padded."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from math import exp
from typing import Any

from torch import nn

from training.algorithms.groups import EncodedGroup, Group
from training.algorithms.labels import Demonstration, Label, Pair, Ranking, Rating, Unpaired
from training.algorithms.loop import Job, Outcome, Tools
from training.algorithms.metrics import Evaluation, summarise
from training.algorithms.options.sft import HOLE, SFTConfig
from training.algorithms.packing import Batch
from training.algorithms.plan import Plan
from training.algorithms.policy_job import lengths, logprobs, prepare_policy

NEEDS = "No judgement has a response to imitate: collect demonstrations, or learn from chosen responses too."


def prepare(plan: Plan, tools: Tools) -> Job:
    select = partial(select_good, config=plan.config)
    job = prepare_policy(plan, tools, outcome, select=select, needs=NEEDS, with_reference=False)
    job.size = lambda group: float(len(group.completions[0]))
    job.summarise = summarise_text
    return job


def select_good(group: Group, trained_on: bool, *, config: SFTConfig) -> Group | None:
    """The group with the one response to imitate, its prompt in one of the phrasings."""
    shown = isinstance(group.label, Demonstration)
    place = best_place(group.label)
    if place is None or config.source == ("chosen" if shown else "demonstrations"):
        return None
    return replace(
        group,
        completions=(group.completions[place],),
        finished=group.finished[place : place + 1],
        label=Demonstration(),
        prompt=phrase(group, config),
    )


def best_place(label: Label) -> int | None:
    """Which response to imitate: the demonstration, the chosen, the first of the best; None where none is good."""
    match label:
        case Demonstration():
            return 0
        case Pair(chosen, _, _):
            return chosen
        case Ranking(tiers):
            return tiers[0][0] if len(tiers) > 1 else None
        case Rating(scores):
            known = [score for score in scores if score is not None]
            return scores.index(max(known)) if len(set(known)) > 1 else None
        case Unpaired(desirable):
            return desirable.index(True) if True in desirable else None
    return None


def phrase(group: Group, config: SFTConfig) -> tuple[dict[str, str], ...]:
    """The prompt with its last turn in a phrasing that depends on the seed and the group's id alone.

    Several phrasings a task: Sanh et al. 2021 (T0); Longpre et al. 2023 (FLAN).
    """
    phrasings = config.phrasings()
    digest = hashlib.sha256(f"{config.seed}\n{group.id}".encode()).digest()
    chosen = phrasings[int.from_bytes(digest[:8], "big") % len(phrasings)]
    last = group.prompt[-1]
    return (*group.prompt[:-1], {**last, "content": chosen.replace(HOLE, last["content"])})


def outcome(model: nn.Module, batch: Batch, groups: Sequence[EncodedGroup], config: SFTConfig) -> Outcome:
    """−log π of each response, summed: its size is its tokens, so that the mean is over tokens."""
    losses = -logprobs(model, batch)
    tokens = lengths(groups, losses.device)
    return Outcome(losses, {"nll": losses.detach() / tokens, "tokens": tokens.float()})


def summarise_text(evaluation: Evaluation) -> dict[str, Any]:
    found = summarise(evaluation)
    return {**found, "perplexity": exp(min(found["loss"], 700.0))}
