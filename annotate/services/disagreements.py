"""Tasks whose answers are apart, for a reviewer to decide."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Exists, OuterRef

from annotate.models import Judgement, Kind, Project, Task
from annotate.quality.disagreement import compare_comparisons, compare_rankings, compare_ratings, widest
from annotate.querysets import TaskQuerySet
from annotate.services.answers.kinds import ANSWER_KINDS, RELATED

DISTANCES = {
    Kind.COMPARISON: compare_comparisons,
    Kind.CHAT: compare_comparisons,
    Kind.RANKING: compare_rankings,
    Kind.RATING: compare_ratings,
}
LISTED_FROM = 0.2  # a tie against a preference is 0.5; two neighbours of four swapped are 0.17
PAGE_SIZE = 25
LOOKED_AT_ONCE = 100
MOST_LOOKED_AT = 500  # tasks a page, however few of them disagree


@dataclass(frozen=True)
class Disagreement:
    task: Task
    answers: int
    distance: float  # 0 … 1, between the two that are furthest apart


@dataclass(frozen=True)
class Page:
    """`older` is where to go on, None when every task has been looked at."""

    rows: list[Disagreement]
    older: int | None


def find_disagreements(*, project: Project, decided: bool = False, before: int | None = None) -> Page:
    """The newest tasks that people answered differently, or with `decided` those that a reviewer has settled.

    At most 500 tasks are looked at, two statements for each hundred.
    """
    tasks = reviewable(project, decided)
    rows: list[Disagreement] = []
    for _ in range(MOST_LOOKED_AT // LOOKED_AT_ONCE):
        chunk = list((tasks.filter(pk__lt=before) if before else tasks)[:LOOKED_AT_ONCE])
        for found in measure(chunk):
            if decided or found.distance >= LISTED_FROM:
                rows.append(found)
            before = found.task.pk
            if len(rows) == PAGE_SIZE:
                return Page(rows, before)
        if len(chunk) < LOOKED_AT_ONCE:
            return Page(rows, None)
    return Page(rows, before)


def reviewable(project: Project, decided: bool) -> TaskQuerySet:
    """Tasks of work for several people, with or without a reviewer's decision, newest first."""
    decision = Exists(Judgement.objects.decisions().filter(task=OuterRef("pk")))
    tasks = Task.objects.of_project(project).for_work().select_related("prompt").order_by("-pk")
    if decided:
        return tasks.filter(decision)
    return tasks.filter(~decision, kind__in=DISTANCES, required_judgements__gte=2)


def measure(tasks: Sequence[Task]) -> list[Disagreement]:
    """How far the standing answers to each task are apart, in the order of the tasks."""
    answers: dict[int, list[Judgement]] = defaultdict(list)
    for judgement in Judgement.objects.answers().filter(task__in=tasks).select_related(*RELATED).order_by("pk"):
        answers[judgement.task_id].append(judgement)
    return [Disagreement(task, len(answers[task.pk]), distance_of(task, answers[task.pk])) for task in tasks]


def distance_of(task: Task, answers: Sequence[Judgement]) -> float:
    compare, agreed = DISTANCES.get(Kind(task.kind)), ANSWER_KINDS[task.kind].agreed
    return widest(compare, [agreed(answer) for answer in answers]) if compare and agreed else 0.0
