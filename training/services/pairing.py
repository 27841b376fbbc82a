"""Which responses of a generation are set against each other."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from itertools import pairwise
from typing import NamedTuple

from django.db import transaction

from annotate.models import Response
from annotate.services.tasks import create_comparison_tasks
from training.models import Generation

Pair = tuple[Response, Response]


class Pairs(NamedTuple):
    kept: list[Pair]
    dropped: int  # nothing to compare: alike to the letter, empty, or no opponent


def generation_key(generation: Generation) -> str:
    """What the keys of its responses begin with, before the number of the draw."""
    return f"g{generation.pk}:"


@transaction.atomic
def queue_comparisons(generation: Generation) -> None:
    """Make the comparison tasks of a finished generation, each once however often this is called."""
    found = pair_responses(generation)
    create_comparison_tasks(
        project=generation.project, pairs=found.kept, overlap=generation.overlap, key_prefix=f"g{generation.pk}"
    )
    generation.beat(tasks_queued=len(found.kept), pairs_dropped=found.dropped)


def pair_responses(generation: Generation) -> Pairs:
    """Two by two in the order drawn (1–2, 3–4, …), or each with a response of the opponent."""
    own = responses_by_prompt(own_responses(generation))
    if generation.opponent is None:
        wanted = [pair for responses in own.values() for pair in list(pairwise(responses))[::2]]
        missing = 0
    else:
        theirs = responses_by_prompt(opponent_responses(generation, list(own)))
        wanted = [pair for prompt, responses in own.items() for pair in zip_around(responses, theirs.get(prompt, []))]
        missing = sum(len(responses) for prompt, responses in own.items() if prompt not in theirs)
    kept = [in_neutral_order(pair) for pair in wanted if is_comparable(pair)]
    return Pairs(kept, len(wanted) - len(kept) + missing)


def own_responses(generation: Generation) -> Iterable[Response]:
    prefix = generation_key(generation)
    prompts = generation.chosen_prompts.values("prompt")
    responses = Response.objects.filter(prompt__in=prompts, key__startswith=prefix).select_related("prompt")
    return sorted(responses, key=lambda response: (response.prompt_id, int(response.key.removeprefix(prefix))))


def opponent_responses(generation: Generation, prompts: list[int]) -> Iterable[Response]:
    """What the opponent has written to these prompts, newest first."""
    author = generation.opponent.author if generation.opponent else None
    return Response.objects.filter(prompt__in=prompts, author=author).select_related("prompt").order_by("-id")


def responses_by_prompt(responses: Iterable[Response]) -> dict[int, list[Response]]:
    found = defaultdict(list)
    for response in responses:
        found[response.prompt_id].append(response)
    return dict(found)


def zip_around(own: list[Response], theirs: list[Response]) -> list[Pair]:
    """Each of ours with the next of theirs, from the start again when theirs run out."""
    return [(response, theirs[index % len(theirs)]) for index, response in enumerate(own)] if theirs else []


def is_comparable(pair: Pair) -> bool:
    first, second = (response.text.strip() for response in pair)
    return bool(first) and bool(second) and first != second


def in_neutral_order(pair: Pair) -> Pair:
    """Ordered by a hash, so that a place in a task says nothing about who wrote the response."""
    first, second = sorted(pair, key=lambda response: hashlib.sha256(f"{response.pk}".encode()).digest())
    return first, second
