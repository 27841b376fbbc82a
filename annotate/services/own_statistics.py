"""A person's own figures in a project. They are about that person alone and give away nobody else's answers."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from django.db import connection
from django.utils import timezone

from annotate.models import Comparison, Judgement, Kind, Project, Task, User
from annotate.quality.agreement import Share, measure_share
from annotate.services.tallies import over_work, read_work

DAYS = 30
LEAST_SHARED = 10  # tasks that others judged too; of fewer, somebody could tell what another person said

BY_KIND = over_work(
    """ SELECT day, kind, sum(answers)::int, sum(standing_answers)::int, sum(standing_skips)::int, sum(active_seconds)
    FROM work WHERE NOT is_adjudication GROUP BY day, kind""",
    of_one=True,
)


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
    """One statement, over the person's days."""
    counts, days, by_kind = Counter[str](), defaultdict[date, tuple[int, float]](lambda: (0, 0.0)), Counter[str]()
    for day, kind, answers, standing, skips, seconds in read_work(BY_KIND, {"project": project.pk, "user": user.pk}):
        counts.update(answers=standing, skips=skips, corrections=answers - standing)
        by_kind[kind] += standing
        days[day] = days[day][0] + standing, days[day][1] + seconds
    return OwnStatistics(
        answers=counts["answers"],
        skips=counts["skips"],
        corrections=counts["corrections"],
        active_seconds=sum(seconds for _, seconds in days.values()),
        by_kind=[
            (str(Kind(kind).label), n) for kind, n in sorted(by_kind.items(), key=lambda row: (-row[1], row[0])) if n
        ],
        days=[OwnDay(day, *days[day]) for day in last_days()],
    )


def last_days() -> list[date]:
    """The last thirty, today last."""
    today = timezone.localdate()
    return [today - timedelta(days=number) for number in reversed(range(DAYS))]


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
