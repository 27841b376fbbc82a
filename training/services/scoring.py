"""What reward models say of responses: rows written once, and the job that scores a whole project."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from statistics import mean, stdev
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from annotate.models import JobStatus, Project, Response, User
from annotate.services.audit import record_audit
from annotate.services.queue import enqueue
from training.models import ModelVersion, ResponseScore, Scoring
from training.services.jobs import Heartbeat, perform
from training.services.warm_models import load_warm_reward

if TYPE_CHECKING:
    from training.algorithms.groups import Group

SCORE_RESPONSES = "training.score_responses"
AT_ONCE = 256  # responses between two looks at the clock and the claim
TOKENS_AT_ONCE = 8192
USUAL_LENGTH = 1024  # tokens of prompt and response, for a model whose run says nothing


def score_responses(
    model: ModelVersion, responses: Iterable[Response], *, check: Callable[[], None] | None = None
) -> list[ResponseScore]:
    """The model's score of each response, in the order given; those that are missing are computed and stored first.

    Safe to repeat, and for two workers at once. `check` is called between batches and may raise to stop. Workers only:
    a missing score loads torch. Raises ValueError when the model is no reward model.
    """
    if model.kind != ModelVersion.Kind.REWARD:
        raise ValueError(f"“{model}” is a {model.get_kind_display().lower()}; only a reward model scores responses.")
    found: list[ResponseScore] = []
    for batch in batches(responses):
        if check is not None:
            check()
        found += score_batch(model, batch)
    return found


def score_batch(model: ModelVersion, responses: Sequence[Response]) -> list[ResponseScore]:
    stored = stored_scores(model, responses)
    missing = [response for response in responses if response.pk not in stored]
    if missing:
        rows = [as_score(model, pk, heads) for pk, heads in compute_rewards(model, missing).items()]
        ResponseScore.objects.bulk_create(rows, ignore_conflicts=True)  # another worker may have been first
        stored |= stored_scores(model, missing)
    return [stored[response.pk] for response in responses]


def stored_scores(model: ModelVersion, responses: Iterable[Response]) -> dict[int, ResponseScore]:
    """{response id: score} of those the model has scored."""
    scores = ResponseScore.objects.filter(model=model, response__in=[response.pk for response in responses])
    return {score.response_id: score for score in scores}


def as_score(model: ModelVersion, response_id: int, heads: list[float]) -> ResponseScore:
    spread = stdev(heads) if len(heads) > 1 else 0.0
    return ResponseScore(response_id=response_id, model=model, mean=mean(heads), spread=spread, heads=heads)


def compute_rewards(model: ModelVersion, responses: Sequence[Response]) -> dict[int, list[float]]:
    """{response id: one reward a head}. A prompt is computed once for all its responses of the batch."""
    from training.algorithms.groups import encode_groups  # loads torch
    from training.algorithms.models import context_length, score_heads

    warm = load_warm_reward(model)
    wanted = model.run.config.get("max_length", USUAL_LENGTH) if model.run else USUAL_LENGTH
    grouped = group_by_prompt(responses)
    longest = min(wanted, context_length(warm.model, warm.tokenizer))
    encoded, _ = encode_groups([as_group(group) for group in grouped], warm.tokenizer, max_length=longest)
    rewards = score_heads(warm, encoded, budget=TOKENS_AT_ONCE)
    return {
        response.pk: [float(reward) for reward in heads]
        for group, found in zip(grouped, rewards, strict=True)
        for response, heads in zip(group, found.tolist(), strict=True)
    }


def group_by_prompt(responses: Sequence[Response]) -> list[list[Response]]:
    grouped: dict[int, list[Response]] = {}
    for response in responses:
        grouped.setdefault(response.prompt_id, []).append(response)
    return list(grouped.values())


def as_group(responses: Sequence[Response]) -> Group:
    """One prompt with these responses; nothing was said of them."""
    from training.algorithms.groups import Group, parse_prompt
    from training.algorithms.labels import parse_label

    prompt = responses[0].prompt
    return Group(
        id=str(prompt.pk),
        prompt=parse_prompt(prompt.messages),
        system=prompt.system,
        completions=tuple(response.text for response in responses),
        label=parse_label({"kind": "demonstration"}, len(responses)),
        finished=tuple(response.finish_reason != Response.FinishReason.LENGTH for response in responses),
    )


def batches(responses: Iterable[Response]) -> Iterator[list[Response]]:
    rows = iter(responses)
    while batch := list(islice(rows, AT_ONCE)):
        yield batch


def unscored_responses(model: ModelVersion) -> QuerySet[Response]:
    """Responses of the model's project that it has not scored."""
    scored = ResponseScore.objects.filter(model=model, response=OuterRef("pk"))
    return Response.objects.of_project(model.project).filter(~Exists(scored))


@transaction.atomic
def start_scoring(*, project: Project, user: User, model: ModelVersion) -> Scoring:
    """Queue the scoring of what the model has not scored yet; the one under way if there is one.

    Raises ValidationError when the model is no reward model of the project.
    """
    if model.project_id != project.pk or model.kind != ModelVersion.Kind.REWARD:
        raise ValidationError({"model": f"“{model}” is not a reward model of this project. Choose another."})
    ModelVersion.objects.select_for_update().get(pk=model.pk)  # one of two presses starts it
    known = Scoring.objects.filter(model=model, status__in=[JobStatus.QUEUED, JobStatus.RUNNING]).first()
    if known is not None:
        return known
    total = unscored_responses(model).count()
    scoring = Scoring.objects.create(
        project=project, model=model, total=total, queued_at=timezone.now(), created_by=user
    )
    facts = {"model": model.name, "responses": total}
    record_audit(actor=user, action="scoring.started", project=project, target=scoring, data=facts)
    enqueue(SCORE_RESPONSES, job_id=scoring.pk)
    return scoring


def perform_scoring(scoring: Scoring) -> bool:
    """Do the scoring if it is free; returns whether it was. Its row says how it ended."""
    return perform(scoring, partial(score_all, scoring))


def score_all(scoring: Scoring, pulse: Heartbeat) -> None:
    """Score what is missing, a prompt's responses together; what a worker before this one scored stays."""
    missing = unscored_responses(scoring.model)
    wanted = list(missing.order_by("prompt_id", "pk").values_list("pk", flat=True))
    done = max(0, scoring.total - len(wanted))
    scoring.beat(progress=done, total=done + len(wanted))
    for start in range(0, len(wanted), AT_ONCE):
        rows = Response.objects.filter(pk__in=wanted[start : start + AT_ONCE]).select_related("prompt")
        score_responses(scoring.model, rows.order_by("prompt_id", "pk"), check=pulse.check)
        scoring.beat(progress=min(done + start + AT_ONCE, scoring.total))
    scoring.end(JobStatus.SUCCEEDED)
