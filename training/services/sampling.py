"""One generation, from the claim to its comparison tasks. Workers only."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from decimal import Decimal
from functools import partial
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import F

from annotate.models import JobStatus, Prompt, Response
from annotate.services.responses import add_responses
from training.algorithms.samples import Request, Sample, Sampling
from training.models import Generation, ModelVersion
from training.services.choosing_draws import Chooser
from training.services.drawing import BATCH, draw_samples
from training.services.jobs import Heartbeat, JobFailed, perform
from training.services.pairing import generation_key, queue_comparisons

MOST_NAMED = 5  # prompts that a sentence names
STORE_EVERY = 2.0  # seconds: the page shows them about then


class Missing(NamedTuple):
    """The responses to a prompt that are not stored yet, by number."""

    prompt: Prompt
    indices: tuple[int, ...]


def generate(generation: Generation) -> bool:
    """Do the generation if it is free; returns whether it was. Its row says how it ended."""
    return perform(generation, partial(write_responses, generation))


def write_responses(generation: Generation, pulse: Heartbeat) -> None:
    """Write what is missing, batch by batch, then queue the comparisons."""
    missing = find_missing(generation)
    generation.beat(progress=generation.total - sum(len(item.indices) for item in missing))
    refused: dict[str, str] = {}
    if missing:
        refused = write_missing(generation, missing, pulse)
        pulse.check()
    if refused and not generation.progress:
        raise JobFailed(describe_refused(missing, refused))
    with transaction.atomic():
        if generation.queue_tasks:
            queue_comparisons(generation)
        generation.end(JobStatus.SUCCEEDED, error=describe_refused(missing, refused))


def describe_refused(missing: Iterable[Missing], refused: Mapping[str, str]) -> str:
    """Which prompts the model does not take and why, the first few of them; "" for none."""
    prompts = [item.prompt for item in missing if item.prompt.content_hash in refused]
    if not prompts:
        return ""
    named = [f"Prompt {prompt.pk}: {refused[prompt.content_hash]}." for prompt in prompts[:MOST_NAMED]]
    rest = [f"And {len(prompts) - MOST_NAMED} more."] if len(prompts) > MOST_NAMED else []
    return "\n".join([f"Left out, because the model refused them: {len(prompts)} of the prompts.", *named, *rest])


def find_missing(generation: Generation) -> list[Missing]:
    """What is still to be written, short prompts first, so that neighbours are of about one length."""
    prompts = list(Prompt.objects.filter(generations=generation))
    prefix = generation_key(generation)
    stored = set(Response.objects.filter(prompt__in=prompts, key__startswith=prefix).values_list("prompt_id", "key"))
    wanted = range(generation.responses_per_prompt)
    found = [
        Missing(prompt, tuple(index for index in wanted if (prompt.pk, f"{prefix}{index}") not in stored))
        for prompt in sorted(prompts, key=lambda prompt: len(str(prompt.messages)))
    ]
    return [item for item in found if item.indices]


class Writer:
    """Stores samples as they come, a few at a time: whole batches under a claim that still stands, or nothing."""

    def __init__(self, generation: Generation, prompts: Iterable[Prompt]) -> None:
        self.generation = generation
        self.prompts = {prompt.content_hash: prompt for prompt in prompts}
        self.waiting: list[Response] = []
        self.tokens = 0  # drawn for those that wait
        self.stored_at = time.monotonic()
        is_paid_for = generation.model.kind == ModelVersion.Kind.ENDPOINT
        self.patience = 0.0 if is_paid_for else STORE_EVERY

    def take(self, drawn: Sample) -> None:
        self.keep(drawn, drawn.tokens, {})

    def keep(self, drawn: Sample, tokens: int, about: dict[str, Any]) -> None:
        """A response, the tokens drawn for it, and what is noted beside how it was sampled."""
        self.waiting.append(as_response(self.generation, self.prompts[drawn.key], drawn, about))
        self.tokens += tokens
        if len(self.waiting) >= BATCH or time.monotonic() - self.stored_at > self.patience:
            self.store()

    def store(self) -> None:
        """Raises ClaimLost, nothing stored, when another worker has taken the generation over."""
        seconds = time.monotonic() - self.stored_at
        with transaction.atomic():
            self.generation.beat(
                progress=self.generation.progress + len(self.waiting),
                tokens_written=self.generation.tokens_written + self.tokens,
                writing_seconds=self.generation.writing_seconds + seconds,
            )
            add_responses(responses=self.waiting)
        self.waiting, self.tokens, self.stored_at = [], 0, time.monotonic()

    def spend(self, cost: Decimal) -> None:
        Generation.objects.filter(pk=self.generation.pk).update(cost=F("cost") + cost)


def write_missing(generation: Generation, missing: list[Missing], pulse: Heartbeat) -> dict[str, str]:
    """Sample what is missing; {prompt's hash: why} of those refused. Told to stop, it keeps what was finished."""
    prompts, n = [item.prompt for item in missing], generation.best_of
    requests = [
        Request(
            key=prompt.content_hash,
            prompt=prompt.messages,
            system=prompt.system,
            indices=tuple(draw for index in item.indices for draw in range(index * n, (index + 1) * n)),
        )
        for prompt, item in zip(prompts, missing, strict=True)
    ]
    sampling = Sampling(
        temperature=generation.temperature,
        top_p=generation.top_p,
        max_tokens=generation.max_tokens,
        seed=generation.seed,
    )
    writer = Writer(generation, prompts)
    refused = draw_samples(
        generation.model,
        requests,
        sampling=sampling,
        pulse=pulse,
        on_sample=writer.take if n == 1 else Chooser(generation, requests, writer.keep).take,
        on_cost=writer.spend,
    )
    writer.store()
    return refused


def as_response(generation: Generation, prompt: Prompt, drawn: Sample, about: dict[str, Any]) -> Response:
    return Response(
        prompt=prompt,
        author=generation.model.author,
        key=f"{generation_key(generation)}{drawn.index}",
        text=drawn.text,
        sampling={
            "temperature": generation.temperature,
            "top_p": generation.top_p,
            "max_tokens": generation.max_tokens,
            **drawn.notes,
            **about,
        },
        seed=generation.seed,
        token_count=drawn.tokens,
        finish_reason=drawn.finish_reason,
    )
