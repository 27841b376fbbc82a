"""What a reward model gets right of held-out judgements and of pairs that should be easy, and whether more judgements
would help. Workers only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

import numpy as np

from annotate.models import JobStatus, Response, SnapshotItem
from training.algorithms.embeddings import Embedder
from training.corruptions import CORRUPTIONS, Corruption
from training.learning_curve import draw_curve
from training.models import RewardReport
from training.reward_figures import Scored, accuracy_row, describe_pairs
from training.services.artifacts import ensure_files
from training.services.jobs import Heartbeat, JobFailed, perform
from training.services.report_groups import annotator_groups
from training.services.report_pairs import ReportPair, known_pairs, read_pairs
from training.services.scoring import batches, compute_rewards, score_responses

MOST_SPOILT = 200  # preferred responses that are spoilt in each way
TRAIN, TEST = SnapshotItem.Split.TRAIN.value, SnapshotItem.Split.TEST.value


def make_report(report: RewardReport) -> bool:
    """Make it if it is free; returns whether it was. Its row says how it ended."""
    return perform(report, partial(fill_report, report))


def fill_report(report: RewardReport, pulse: Heartbeat) -> None:
    """Raises JobFailed when nothing was held out."""
    held_out = read_pairs(report.snapshot, TEST)
    if not any(not pair.tie for pair in held_out):
        raise JobFailed(
            f"Snapshot “{report.snapshot}” holds out no comparison. Hold out a larger share, then try again."
        )
    own, train = known_pairs(report.project), read_pairs(report.snapshot, TRAIN)
    work = Work(report, pulse)
    ids = {response for pair in held_out for response in (pair.chosen, pair.rejected)}
    ids |= {response for pair in own for response in pair}
    report.beat(total=len(ids) + len({pair.chosen for pair in held_out[:MOST_SPOILT]}) * len(CORRUPTIONS))
    scores = work.score(ids)
    scored = [Scored(pair, scores[pair.chosen], scores[pair.rejected]) for pair in held_out]
    figures = describe_pairs(scored, annotator_groups(report.project))
    figures["suite"] = [*spoil(work, held_out, scores), *own_suite(own, scores)]
    figures["curve"] = learning_curve(report, train, held_out, pulse)
    report.beat(figures=figures, progress=report.total)
    report.end(JobStatus.SUCCEEDED)


class Work:
    """Scores texts and says how far it has come."""

    def __init__(self, report: RewardReport, pulse: Heartbeat) -> None:
        self.report = report
        self.pulse = pulse
        self.done = 0

    def score(self, ids: set[int]) -> dict[int, float]:
        """{response id: score}; kept, so that another report finds it."""
        found: dict[int, float] = {}
        rows = Response.objects.filter(pk__in=ids).select_related("prompt").order_by("prompt_id", "pk")
        for batch in batches(rows):
            told = score_responses(self.report.model, batch, check=self.pulse.check)
            found |= {one.response_id: one.mean for one in told}
            self.tell(len(batch))
        return found

    def score_spoilt(self, responses: Sequence[Response]) -> dict[int, float]:
        """{number: score} of responses that are stored nowhere."""
        found: dict[int, float] = {}
        for batch in batches(responses):
            self.pulse.check()
            heads = compute_rewards(self.report.model, batch)
            found |= {number: sum(values) / len(values) for number, values in heads.items()}
            self.tell(len(batch))
        return found

    def tell(self, more: int) -> None:
        self.done += more
        self.report.beat(progress=min(self.done, self.report.total))


def spoil(work: Work, pairs: Sequence[ReportPair], scores: dict[int, float]) -> list[dict[str, Any]]:
    """Preferred responses against themselves, spoilt: how often the whole one scores higher."""
    wanted = list(dict.fromkeys(pair.chosen for pair in pairs if not pair.tie))[:MOST_SPOILT]
    rows = Response.objects.filter(pk__in=wanted).select_related("prompt").in_bulk()
    chosen = [rows[pk] for pk in wanted]
    return [judge_corruption(work, corruption, chosen, scores) for corruption in CORRUPTIONS]


def judge_corruption(
    work: Work, corruption: Corruption, chosen: Sequence[Response], scores: dict[int, float]
) -> dict[str, Any]:
    spoilt = []
    for place, response in enumerate(chosen):
        other = next((one for one in (*chosen[place + 1 :], *chosen) if one.prompt_id != response.prompt_id), None)
        text = corruption.spoil(response.text, other.text if other else "")
        if text is not None:
            spoilt.append(Response(pk=response.pk, prompt=response.prompt, text=text))
    found = work.score_spoilt(spoilt)
    leads = [scores[pk] - score for pk, score in found.items()]
    return {**accuracy_row(corruption.name, leads), "help": corruption.help}


def own_suite(pairs: Sequence[tuple[int, int]], scores: dict[int, float]) -> list[dict[str, Any]]:
    if not pairs:
        return []
    leads = [scores[chosen] - scores[rejected] for chosen, rejected in pairs]
    row = accuracy_row("Known answers", leads)
    return [{**row, "help": "The project's own pairs: comparisons whose answer is agreed on."}]


def learning_curve(
    report: RewardReport, train: Sequence[ReportPair], held_out: Sequence[ReportPair], pulse: Heartbeat
) -> dict[str, Any]:
    """By the base model of the reward model's run, untrained; by the model itself where it was made elsewhere."""
    base = report.model.run.base_model if report.model.run else report.model
    decided = [[pair for pair in pairs if not pair.tie] for pairs in (train, held_out)]
    ids = {response for pairs in decided for pair in pairs for response in (pair.chosen, pair.rejected)}
    responses = list(Response.objects.filter(pk__in=ids).select_related("prompt").order_by("pk"))
    report.beat(total=report.total + len(responses))
    done = report.progress

    def tell(count: int) -> None:
        pulse.check()
        report.beat(progress=done + count)

    texts = [(one.prompt.messages, one.prompt.system, one.text) for one in responses]
    vectors = Embedder(ensure_files(base)).embed(texts, check=tell).numpy()
    place = {response.pk: number for number, response in enumerate(responses)}
    leads = [
        np.array([vectors[place[pair.chosen]] - vectors[place[pair.rejected]] for pair in pairs], dtype=np.float64)
        for pairs in decided
    ]
    curve = draw_curve(leads[0], leads[1], prompts=[pair.prompt for pair in decided[0]])
    return {**asdict(curve), "base": str(base)}
