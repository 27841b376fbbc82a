"""What people judge next: pairs of responses, chosen by the strategies of `annotate.choosing`, with the reason kept."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import numpy as np
from django.db import transaction

from annotate.choosing.mixing import Candidate, choose
from annotate.choosing.worth import difference
from annotate.models import Kind, Project, Response, Task, TaskResponse, User
from annotate.services.audit import record_audit
from annotate.services.tasks import create_comparison_tasks
from training.models import ChosenTask, ModelVersion, ResponseScore
from training.services.pairing import in_neutral_order, is_comparable

RESPONSES_A_PROMPT = 8  # of which all pairs are looked at
Pair = tuple[Response, Response]


@dataclass(frozen=True, kw_only=True)
class ChosenPair:
    """Two responses to a prompt, in a neutral order, and why they were chosen."""

    first: Response
    second: Response
    strategy: str
    reason: str
    value: float | None = None
    chance: float | None = None
    model: ModelVersion | None = None
    facts: dict[str, Any] = field(default_factory=dict)  # {"mix", "seed", "pool"}


def choose_pairs(
    project: Project,
    responses: Iterable[Response],
    *,
    count: int,
    mix: Mapping[str, float],
    seed: int,
    model: ModelVersion | None = None,
) -> list[ChosenPair]:
    """At most `count` pairs among these responses that no comparison has asked about yet.

    `mix` weighs the strategies of `annotate.choosing.mixing`; a tenth is always by lot. `model` is the reward model
    whose stored scores count, by default the newest that has scored any of them; without scores the lot takes the
    strategies that need some. The same arguments choose the same. Raises ValueError for a mix that means nothing.
    """
    pairs = open_pairs(project, responses)
    wanted = {response.pk for pair in pairs for response in pair}
    model = model or newest_scorer(project, wanted)
    scores = heads_of(model, wanted)
    temperature = float((model.metrics.get("temperature") if model else None) or 1.0)
    candidates = [as_candidate(pair, scores, temperature) for pair in pairs]
    facts = {"mix": dict(mix), "seed": seed, "pool": len(pairs)}
    return [
        ChosenPair(
            first=pairs[pick.place][0],
            second=pairs[pick.place][1],
            strategy=pick.strategy,
            reason=pick.reason[:300],
            value=pick.value,
            chance=pick.chance,
            model=model,
            facts=facts,
        )
        for pick in choose(candidates, count=count, mix=mix, seed=seed)
    ]


def open_pairs(project: Project, responses: Iterable[Response]) -> list[Pair]:
    """Pairs of the newest responses to each prompt that differ and are in no comparison task, in a fixed order."""
    ids = {response.pk for response in responses}
    rows = Response.objects.of_project(project).filter(pk__in=ids).select_related("prompt", "author").order_by("-pk")
    grouped: dict[int, list[Response]] = defaultdict(list)
    for response in rows:
        if len(grouped[response.prompt_id]) < RESPONSES_A_PROMPT:
            grouped[response.prompt_id].append(response)
    known = asked_pairs({response.pk for group in grouped.values() for response in group})
    pairs = [pair for prompt in sorted(grouped) for pair in combinations(grouped[prompt], 2)]
    return [
        in_neutral_order(pair)
        for pair in pairs
        if is_comparable(pair) and frozenset(response.pk for response in pair) not in known
    ]


def asked_pairs(responses: set[int]) -> set[frozenset[int]]:
    """Pairs of these responses that a comparison task is about."""
    places = TaskResponse.objects.filter(response__in=responses, task__kind=Kind.COMPARISON)
    tasks: dict[int, list[int]] = defaultdict(list)
    for task, response in places.values_list("task", "response"):
        tasks[task].append(response)
    return {frozenset(pair) for pair in tasks.values()}


def newest_scorer(project: Project, responses: set[int]) -> ModelVersion | None:
    """The newest reward model of the project that has scored any of these responses."""
    rewards = ModelVersion.objects.of_project(project).filter(kind=ModelVersion.Kind.REWARD)
    return rewards.filter(scores__response__in=responses).order_by("-pk").first()


def heads_of(model: ModelVersion | None, responses: set[int]) -> dict[int, list[float]]:
    """{response id: one reward a head}."""
    if model is None:
        return {}
    scores = ResponseScore.objects.filter(model=model, response__in=responses)
    return dict(scores.values_list("response", "heads"))


def as_candidate(pair: Pair, scores: Mapping[int, list[float]], temperature: float) -> Candidate:
    first, second = pair
    mean = deviation = None
    if first.pk in scores and second.pk in scores:
        mean, deviation = difference(np.array(scores[first.pk]), np.array(scores[second.pk]), temperature=temperature)
    return Candidate(
        prompt=first.prompt_id,
        prompt_text=" ".join(message["content"] for message in first.prompt.messages),
        first_text=first.text,
        second_text=second.text,
        mean=mean,
        deviation=deviation,
        contrast=describe_contrast(pair),
    )


def describe_contrast(pair: Pair) -> str:
    """In what two responses differ beside their text: their authors, else their temperatures; "" in neither."""
    first, second = pair
    if first.author_id != second.author_id:
        names = sorted([first.author.name, second.author.name])
        return f"“{names[0]}” against “{names[1]}”"
    warmth = [response.sampling.get("temperature") for response in pair]
    if None in warmth or warmth[0] == warmth[1]:
        return ""
    low, high = sorted(float(value) for value in warmth)
    return f"“{first.author.name}” at temperature {low:g} against {high:g}"


@transaction.atomic
def queue_chosen(
    *,
    project: Project,
    pairs: Sequence[ChosenPair],
    overlap: int,
    key_prefix: str,
    priority: int = 0,
    user: User | None = None,
) -> int:
    """A comparison task for each pair, its reason kept beside it; returns how many are new. Safe to repeat.

    `key_prefix` must hold no other tasks' keys. `user` is who chose by hand, for the audit.
    """
    made = create_comparison_tasks(
        project=project,
        pairs=[(pair.first, pair.second) for pair in pairs],
        overlap=overlap,
        priority=priority,
        key_prefix=key_prefix,
    )
    tasks = tasks_of(project, key_prefix)
    ChosenTask.objects.bulk_create(
        [
            ChosenTask(
                task_id=tasks[frozenset((pair.first.pk, pair.second.pk))],
                strategy=pair.strategy,
                value=pair.value,
                chance=pair.chance,
                reason=pair.reason,
                model=pair.model,
                facts=pair.facts,
            )
            for pair in pairs
        ],
        ignore_conflicts=True,
    )
    if made and user is not None:
        facts = {"tasks": made, **(pairs[0].facts if pairs else {})}
        record_audit(actor=user, action="tasks.chosen", project=project, target=f"{made} tasks", data=facts)
    return made


def tasks_of(project: Project, key_prefix: str) -> dict[frozenset[int], int]:
    """{the two responses: task} of the tasks whose key begins with this prefix."""
    tasks = Task.objects.of_project(project).filter(key__startswith=f"{key_prefix}:")
    found: dict[int, list[int]] = defaultdict(list)
    for task, response in tasks.values_list("pk", "places__response"):
        found[task].append(response)
    return {frozenset(pair): task for task, pair in found.items()}
