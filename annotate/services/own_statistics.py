"""A person's own figures in a project. They are about that person alone and give away nobody else's answers."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from django.db import connection
from django.utils import timezone

from annotate.models import Comparison, Judgement, Kind, Project, Task, User
from annotate.prepared import tables_of
from annotate.quality.agreement import Share, measure_share
from annotate.services.tallies import over_work, read_work

DAYS = 30
LOOKED_AT = 1_000  # of a person's comparisons, for their agreement with others
LEAST_SHARED = 10  # tasks that others judged too; of fewer, somebody could tell what another person said

BY_KIND = over_work(
    """ SELECT day, kind, sum(answers)::int, sum(standing_answers)::int, sum(standing_skips)::int, sum(active_seconds)
    FROM work WHERE NOT is_adjudication GROUP BY day, kind""",
    of_one=True,
)

ANSWER = """
    CASE WHEN {said}.both_bad THEN 3 WHEN {said}.preference = 0 THEN 2 WHEN {said}.preference > 0 THEN 1 ELSE 0 END"""
# The person's newest comparisons by an index of their own (`JudgementQuerySet.newest_of` says why a range of one), each
# with what others said of the task, looked up task by task.
TALLY_OF_OTHERS = """
    WITH own AS MATERIALIZED (
        SELECT judgement.task_id, {mine} AS answer
        FROM {judgement} AS judgement JOIN {comparison} AS mine ON mine.judgement_id = judgement.id
        JOIN {task} AS task ON task.id = judgement.task_id AND task.purpose = 'work'
        WHERE judgement.annotator_id BETWEEN %(user)s AND %(user)s AND judgement.project_id = %(project)s
            AND judgement.is_current AND judgement.outcome = 'answer' AND NOT judgement.is_adjudication
        ORDER BY judgement.annotator_id, judgement.id DESC LIMIT %(most)s
    )
    SELECT own.answer, firsts, seconds, ties, bad, count(*) FROM own CROSS JOIN LATERAL (
        SELECT count(*) FILTER (WHERE said.answer = 0) AS firsts, count(*) FILTER (WHERE said.answer = 1) AS seconds,
            count(*) FILTER (WHERE said.answer = 2) AS ties, count(*) FILTER (WHERE said.answer = 3) AS bad
        FROM (
            SELECT {theirs} AS answer
            FROM {judgement} AS other JOIN {comparison} AS theirs ON theirs.judgement_id = other.id
            WHERE other.task_id = own.task_id AND other.annotator_id IS DISTINCT FROM %(user)s
                AND other.is_current AND other.outcome = 'answer' AND NOT other.is_adjudication
        ) AS said
    ) AS others
    WHERE firsts + seconds + ties + bad > 0
    GROUP BY own.answer, firsts, seconds, ties, bad
""".format(
    **tables_of(Judgement, Comparison, Task),
    mine=ANSWER.format(said="mine"),
    theirs=ANSWER.format(said="theirs"),
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

    Over those of their newest 1,000 that others judged too and on which they have one opinion; None for fewer than ten.
    """
    with connection.cursor() as cursor:
        cursor.execute(TALLY_OF_OTHERS, {"project": project.pk, "user": user.pk, "most": LOOKED_AT})
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
