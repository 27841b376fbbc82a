"""A person's own figures in a project. They are about that person alone and give away nobody else's answers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from django.db import connection
from django.db.models import Count, Q, Sum
from django.db.models.functions import Coalesce, TruncDate
from django.utils import timezone

from annotate.models import Comparison, Judgement, Kind, Project, Task, User
from annotate.quality.agreement import Share, measure_share

DAYS = 30
LEAST_SHARED = 10  # tasks that others judged too; of fewer, somebody could tell what another person said


@dataclass(frozen=True)
class OwnDay:
    day: date
    count: int
    active_seconds: float


@dataclass(frozen=True)
class OwnStatistics:
    answers: int
    skips: int
    corrections: int
    active_seconds: float
    by_kind: list[tuple[str, int]]
    days: list[OwnDay]

    @property
    def seconds_each(self) -> float | None:
        """Active seconds for one answer or skip, over everything sent in; None before the first."""
        sent = self.answers + self.skips + self.corrections
        return self.active_seconds / sent if sent else None


def own_statistics(*, user: User, project: Project) -> OwnStatistics:
    """Three statements over the person's own judgements."""
    mine = Judgement.objects.of_project(project).filter(annotator=user, is_adjudication=False)
    stands = Q(is_current=True)
    counts = mine.aggregate(
        answers=Count("pk", filter=stands & Q(outcome=Judgement.Outcome.ANSWER)),
        skips=Count("pk", filter=stands & Q(outcome=Judgement.Outcome.SKIP)),
        corrections=Count("pk", filter=Q(is_current=False, outcome=Judgement.Outcome.ANSWER)),
        active_seconds=Coalesce(Sum("active_seconds"), 0.0),
    )
    kinds = mine.answers().values_list("kind").annotate(count=Count("pk")).order_by("-count", "kind")
    by_kind = [(str(Kind(kind).label), count) for kind, count in kinds]
    return OwnStatistics(**counts, by_kind=by_kind, days=own_days(user=user, project=project))


def own_days(*, user: User, project: Project) -> list[OwnDay]:
    """The last thirty days, today last: answers that stand, and the time of everything sent in."""
    today = timezone.localdate()
    first = today - timedelta(days=DAYS - 1)
    rows = (
        Judgement.objects.of_project(project)
        .filter(annotator=user, is_adjudication=False, created_at__gte=timezone.now() - timedelta(days=DAYS))
        .values_list(TruncDate("created_at"))
        .annotate(
            count=Count("pk", filter=Q(is_current=True, outcome=Judgement.Outcome.ANSWER)),
            seconds=Coalesce(Sum("active_seconds"), 0.0),
        )
    )
    found = {day: (count, seconds) for day, count, seconds in rows}
    days = (first + timedelta(days=number) for number in range(DAYS))
    return [OwnDay(day, *found.get(day, (0, 0.0))) for day in days]


def own_agreement(*, user: User, project: Project) -> Share | None:
    """How often this person's comparisons say what most others say (first, second, tie or both bad), with interval.

    Over tasks that others judged too and on which they have one opinion; None for fewer than ten of them.
    """
    statement = f"""
        WITH said AS (
            SELECT judgement.task_id, judgement.annotator_id,
                   CASE WHEN both_bad THEN 3 WHEN preference = 0 THEN 2 WHEN preference > 0 THEN 1 ELSE 0 END AS answer
            FROM {Judgement._meta.db_table} AS judgement
            JOIN {Comparison._meta.db_table} AS comparison ON comparison.judgement_id = judgement.id
            JOIN {Task._meta.db_table} AS task ON task.id = judgement.task_id AND task.purpose = 'work'
            WHERE judgement.project_id = %s AND judgement.is_current AND judgement.outcome = 'answer'
              AND NOT judgement.is_adjudication
        )
        SELECT answer, firsts, seconds, ties, bad, count(*)
        FROM (
            SELECT mine.answer,
                   count(*) FILTER (WHERE other.answer = 0) AS firsts,
                   count(*) FILTER (WHERE other.answer = 1) AS seconds,
                   count(*) FILTER (WHERE other.answer = 2) AS ties, count(*) FILTER (WHERE other.answer = 3) AS bad
            FROM said AS mine JOIN said AS other ON other.task_id = mine.task_id
            WHERE mine.annotator_id = %s AND other.annotator_id IS DISTINCT FROM mine.annotator_id
            GROUP BY mine.task_id, mine.answer
        ) AS tally
        GROUP BY answer, firsts, seconds, ties, bad
    """
    with connection.cursor() as cursor:
        cursor.execute(statement, [project.pk, user.pk])
        return share_with_most(cursor.fetchall())


def share_with_most(rows: Iterable[tuple[int, ...]]) -> Share | None:
    """The share of tasks whose answer is the others' most frequent one, out of rows (answer, tally of the four
    answers, number of tasks); tasks on which the others are divided are left out."""
    alike = whole = 0
    for answer, *tally, count in rows:
        if tally.count(max(tally)) > 1:
            continue
        whole += count
        alike += count * (tally[answer] == max(tally))
    return measure_share(alike, whole) if whole >= LEAST_SHARED else None
