"""One evaluation, from the claim to its verdict or to its comparisons in the queue. Workers only."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable
from functools import partial

from django.db import transaction

from annotate.leaderboards.win_rates import measure_win_rate
from annotate.models import JobStatus, Prompt, Response
from annotate.services.responses import add_responses
from training.algorithms.samples import Request, Sample, Sampling
from training.models import Evaluation, EvaluationItem, ModelVersion
from training.services.drawing import BATCH, draw_samples
from training.services.evaluation_people import ask_people
from training.services.jobs import Heartbeat, JobFailed, perform
from training.services.sampling import STORE_EVERY
from training.services.scoring import score_responses

SIDES = ("candidate", "baseline")


def evaluate(evaluation: Evaluation) -> bool:
    """Do the worker's part if it is free; returns whether it was. Its row says how it ended."""
    return not evaluation.asked_at and perform(evaluation, partial(work, evaluation))


def work(evaluation: Evaluation, pulse: Heartbeat) -> None:
    """Write the responses that are missing, then let the reward model judge them, or queue them for people."""
    for side in SIDES:
        write_side(evaluation, side, pulse)
    if evaluation.by == Evaluation.By.PEOPLE:
        ask_people(evaluation)
    else:
        judge_by_rewards(evaluation, pulse)


def response_key(evaluation: Evaluation, model: ModelVersion) -> str:
    """The same for the same model and settings: what one evaluation wrote, the next finds."""
    settings = (evaluation.temperature, evaluation.top_p, evaluation.max_tokens, evaluation.seed)
    return f"e{model.pk}:{hashlib.sha256(repr(settings).encode()).hexdigest()[:16]}"


def write_side(evaluation: Evaluation, side: str, pulse: Heartbeat) -> None:
    """Responses of one side to every prompt. Told to stop, it does so within a token and keeps what was finished."""
    model: ModelVersion = getattr(evaluation, side)
    writer = SideWriter(evaluation, side, model)
    writer.link_known()
    missing = list(evaluation.items.filter(**{f"{side}_response": None}).select_related("prompt"))
    writer.count_progress()
    if not missing:
        return
    writer.prompts = {item.prompt.content_hash: item.prompt for item in missing}
    in_order = sorted(writer.prompts.values(), key=lambda prompt: len(str(prompt.messages)))
    refused = draw_samples(
        model,
        [Request(key=prompt.content_hash, prompt=prompt.messages, system=prompt.system) for prompt in in_order],
        sampling=Sampling(
            temperature=evaluation.temperature,
            top_p=evaluation.top_p,
            max_tokens=evaluation.max_tokens,
            seed=evaluation.seed,
        ),
        pulse=pulse,
        on_sample=writer.take,
    )
    writer.store()
    pulse.check()
    if refused:
        raise JobFailed(
            f"“{model}” refused {len(refused)} of the prompts, so nothing can be compared there. "
            f"{next(iter(refused.values()))}."
        )


class SideWriter:
    """Stores samples of one side as they come, a few at a time, under a claim that still stands."""

    def __init__(self, evaluation: Evaluation, side: str, model: ModelVersion) -> None:
        self.evaluation, self.side, self.model = evaluation, side, model
        self.key = response_key(evaluation, model)
        self.prompts: dict[str, Prompt] = {}
        self.waiting: list[Sample] = []
        self.stored_at = time.monotonic()
        self.patience = 0.0 if model.kind == ModelVersion.Kind.ENDPOINT else STORE_EVERY  # those are paid for

    def take(self, drawn: Sample) -> None:
        self.waiting.append(drawn)
        if len(self.waiting) >= BATCH or time.monotonic() - self.stored_at > self.patience:
            self.store()

    def store(self) -> None:
        """Raises ClaimLost, nothing stored, when another worker has taken the evaluation over."""
        with transaction.atomic():
            add_responses(responses=[self.as_response(drawn) for drawn in self.waiting])
            self.link_known()
            self.count_progress()
        self.waiting, self.stored_at = [], time.monotonic()

    def as_response(self, drawn: Sample) -> Response:
        evaluation = self.evaluation
        return Response(
            prompt=self.prompts[drawn.key],
            author=self.model.author,
            key=self.key,
            text=drawn.text,
            sampling={
                "temperature": evaluation.temperature,
                "top_p": evaluation.top_p,
                "max_tokens": evaluation.max_tokens,
                **drawn.notes,
            },
            seed=evaluation.seed,
            token_count=drawn.tokens,
            finish_reason=drawn.finish_reason,
        )

    def link_known(self) -> None:
        """Give the items their responses, those of earlier evaluations included."""
        items = {item.prompt_id: item for item in self.evaluation.items.filter(**{f"{self.side}_response": None})}
        found = Response.objects.filter(prompt__in=items, key=self.key)
        for response in found:
            setattr(items[response.prompt_id], f"{self.side}_response", response)
        linked = [items[response.prompt_id] for response in found]
        EvaluationItem.objects.bulk_update(linked, [f"{self.side}_response"], batch_size=500)

    def count_progress(self) -> None:
        items = self.evaluation.items
        written = sum(items.filter(**{f"{side}_response__isnull": False}).count() for side in SIDES)
        self.evaluation.beat(progress=written)


def judge_by_rewards(evaluation: Evaluation, pulse: Heartbeat) -> None:
    """Score both sides and end with the win rate. Raises JobFailed when the judge scores nothing."""
    assert evaluation.judge is not None
    paths = [f"{side}_response__{part}" for side in SIDES for part in ("prompt", "author")]
    items = list(evaluation.items.select_related(*paths).order_by("pk"))
    pairs = [item.both() for item in items]
    try:
        scores = score_responses(evaluation.judge, both_sides(pairs), check=pulse.check)
    except ValueError as error:
        raise JobFailed(f"“{evaluation.judge}” could not score the responses: {error}") from error
    rewards = {score.response_id: score.mean for score in scores}
    points = [points_of(first.text == second.text, rewards[first.pk] - rewards[second.pk]) for first, second in pairs]
    rate = measure_win_rate(sum(points), len(points))
    assert rate is not None  # an evaluation has at least one prompt
    with transaction.atomic():
        evaluation.beat(
            win_rate=rate.value,
            low=rate.low,
            high=rate.high,
            count=rate.count,
            decision=decision_of(rate.low, rate.high),
        )
        evaluation.end(JobStatus.SUCCEEDED)


def both_sides(pairs: Iterable[tuple[Response, Response]]) -> list[Response]:
    return [response for pair in pairs for response in pair]


def points_of(is_same: bool, gap: float) -> float:
    """1 for the candidate, 0 for the baseline, ½ for two texts alike to the letter."""
    return 0.5 if is_same or not gap else float(gap > 0)


def decision_of(low: float, high: float) -> str:
    if low > 0.5:
        return Evaluation.Decision.BETTER
    return Evaluation.Decision.WORSE if high < 0.5 else Evaluation.Decision.UNDECIDED
