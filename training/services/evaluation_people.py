"""An evaluation that people judge: its comparisons in the queue, what was said so far, when it is enough."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from annotate.leaderboards.sequential import Look, watch
from annotate.models import JobStatus, Judgement, Task, User
from annotate.models.tasks import EVALUATION_KEYS
from annotate.querysets import TaskQuerySet
from annotate.services.task_admin import withdraw_tasks
from annotate.services.tasks import create_comparison_tasks
from training.models import Evaluation, EvaluationItem
from training.services.pairing import in_neutral_order, is_comparable

ALPHA = 0.05  # the chance that any look at an evaluation misleads
PRIORITY = 5  # before the project's usual tasks: a verdict waits for them


@transaction.atomic
def ask_people(evaluation: Evaluation) -> None:
    """Queue a blind comparison of every pair that differs; from here on the evaluation waits for people."""
    items = list(evaluation.items.select_related("candidate_response__prompt", "baseline_response__prompt"))
    asked = [in_neutral_order(item.both()) for item in items if is_comparable(item.both())]
    create_comparison_tasks(
        project=evaluation.project,
        pairs=asked,
        overlap=evaluation.overlap,
        priority=PRIORITY,
        key_prefix=f"{EVALUATION_KEYS}{evaluation.pk}",
    )
    link_tasks(evaluation, items)
    Task.objects.filter(evaluated__evaluation=evaluation).update(closed_at=None)  # one that was cancelled goes on
    evaluation.beat(asked_at=timezone.now())
    settle(evaluation)


def link_tasks(evaluation: Evaluation, items: list[EvaluationItem]) -> None:
    tasks = Task.objects.of_project(evaluation.project).filter(key__startswith=f"{EVALUATION_KEYS}{evaluation.pk}:")
    found = {task.prompt_id: task for task in tasks}
    for item in items:
        item.task = found.get(item.prompt_id)
    EvaluationItem.objects.bulk_update(items, ["task"], batch_size=500)


@dataclass(frozen=True)
class Observed:
    """A pair that is judged: what it gives the candidate (1, ½, 0), by how many people."""

    item: EvaluationItem
    points: float
    people: int


def observe(evaluation: Evaluation) -> list[Observed]:
    """The pairs judged so far, in the order in which they were: each once all the people it needs have said theirs.

    A pair that needs nobody (alike to the letter, or one side empty) takes its place as soon as one after it in the
    queue is judged: put first, it would tell the rule about these prompts only.
    """
    if not evaluation.asked_at:
        return []
    rows = evaluation.items.select_related("prompt", "candidate_response", "baseline_response", "task")
    items = list(rows.order_by("pk"))
    said = answers_of(evaluation)
    placed: list[tuple[int, Observed]] = []
    waiting: list[EvaluationItem] = []
    is_done = evaluation.status == JobStatus.SUCCEEDED or not open_tasks(evaluation).exists()
    for item in items:
        answers = said.get(item.task_id or 0, [])
        if item.task is None:
            waiting.append(item)
        elif is_complete(item.task, answers):
            points = sum(points_of(item, answer) for answer in answers) / len(answers)
            newest = max(answer.pk for answer in answers)
            placed += [(newest, Observed(one, without_asking(one), 0)) for one in waiting]
            placed.append((newest, Observed(item, points, len(answers))))
            waiting = []
    last = max((place for place, _ in placed), default=0)
    placed += [(last, Observed(item, without_asking(item), 0)) for item in waiting if is_done]
    return [observed for _, observed in sorted(placed, key=lambda pair: pair[0])]


def is_complete(task: Task, answers: list[Judgement]) -> bool:
    if not answers:
        return False
    decided = any(answer.is_adjudication for answer in answers)
    return decided or len(answers) >= task.required_judgements or task.closed_at is not None


def answers_of(evaluation: Evaluation) -> dict[int, list[Judgement]]:
    """{task id: the answers that count}."""
    rows = Judgement.objects.final().filter(task__evaluated__evaluation=evaluation).select_related("comparison")
    found = defaultdict(list)
    for row in rows.order_by("pk"):
        found[row.task_id].append(row)
    return found


def points_of(item: EvaluationItem, answer: Judgement) -> float:
    """1 where the candidate was preferred, 0 where the baseline was, ½ for a tie or two bad responses."""
    preference = answer.comparison.preference
    if not preference:
        return 0.5
    preferred = answer.comparison.first_id if preference < 0 else answer.comparison.second_id
    return float(preferred == item.candidate_response_id)


def without_asking(item: EvaluationItem) -> float:
    """½ for two responses alike, else the one that says something wins."""
    candidate, baseline = (response.text.strip() for response in item.both())
    return 0.5 if candidate == baseline else float(bool(candidate))


def watch_observed(evaluation: Evaluation) -> list[Look]:
    """The interval after each pair; of an evaluation that has ended, up to the pair it ended with."""
    points = [one.points for one in observe(evaluation)]
    kept = points[: evaluation.count] if evaluation.has_ended else points
    return watch(kept, alpha=ALPHA, margin=evaluation.margin)


@transaction.atomic
def follow_evaluation(evaluation: Evaluation) -> bool:
    """Take up what people said since; end when it is decided or nothing is left to judge. Whether it ended.

    Safe to call at any time, and by two at once.
    """
    locked = Evaluation.objects.with_people().select_for_update().filter(pk=evaluation.pk).first()
    return locked is not None and settle(locked)


def settle(evaluation: Evaluation) -> bool:
    seen = watch_observed(evaluation)
    last = seen[-1] if seen else None
    if last:
        evaluation.beat(win_rate=last.mean, low=last.low, high=last.high, count=last.count, decision=last.decision)
    is_decided = last is not None and evaluation.decided
    if not is_decided and open_tasks(evaluation).exists():
        return False
    evaluation.end(JobStatus.SUCCEEDED)
    withdraw(evaluation, actor=None)
    return True


def open_tasks(evaluation: Evaluation) -> TaskQuerySet:
    """Comparisons that still need somebody."""
    return Task.objects.filter(evaluated__evaluation=evaluation).unanswered()


def withdraw(evaluation: Evaluation, *, actor: User | None) -> int:
    """Hand out no more of its comparisons; those in somebody's hands may still come in."""
    return withdraw_tasks(
        project=evaluation.project, tasks=open_tasks(evaluation), actor=actor, reason=f"evaluation {evaluation.pk}"
    )
