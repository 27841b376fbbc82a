"""Responses drawn from whatever writes them: a model with files here, or an endpoint. Workers only."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal

from training.algorithms.samples import Request, Sample, Sampling
from training.models import ModelVersion
from training.services.endpoint_asking import ask_endpoint
from training.services.jobs import Heartbeat
from training.services.warm_models import load_warm

BATCH = 32  # sequences at a time: on two cores a quarter faster than 16, for 0.4 GB more beside SmolLM2


def uncounted(cost: Decimal) -> None:
    """For who keeps no account; the endpoint's own is kept anyway."""


def draw_samples(
    version: ModelVersion,
    requests: Sequence[Request],
    *,
    sampling: Sampling,
    pulse: Heartbeat,
    on_sample: Callable[[Sample], None],
    on_cost: Callable[[Decimal], None] = uncounted,
) -> dict[str, str]:
    """Draw what is asked for, handing on each sample as it ends; returns {request key: why} of prompts refused.

    Told to stop, it does so within a token, or with the answers that are on their way from an endpoint. Raises
    JobFailed with a sentence when the model cannot be used.
    """
    if version.kind == ModelVersion.Kind.ENDPOINT:
        return ask_endpoint(
            version.endpoint, requests, sampling=sampling, pulse=pulse, on_sample=on_sample, on_cost=on_cost
        )
    from training.algorithms.rollouts import sample  # loads torch

    warm = load_warm(version)
    pulse.check()
    sample(
        warm.model,
        warm.tokenizer,
        requests,
        sampling=sampling,
        batch_size=BATCH,
        should_stop=pulse.must_stop,
        on_sample=on_sample,
    )
    return {}
