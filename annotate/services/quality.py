"""How people judge: the counts behind the page Quality, in a fixed number of statements.

Of each person the newest 500 answers to work are looked at, so that the page costs the same in a year.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import Count, Q

from annotate.models import Comparison, Judgement, Membership, Project, Purpose, Response, Task
from annotate.prepared import tables_of
from annotate.quality.flags import Figures, Flag, find_flags
from annotate.quality.significance import ChiSquare, even_split
from annotate.services.answers.kinds import ANSWER_KINDS, RELATED

RECENT = 500
REPEATS_LOOKED_AT = 5_000
CLEARLY_LONGER = 1.1  # times as many characters

TABLES = tables_of(Judgement, Comparison, Task, Response, Membership)
# Each person's newest answers by an index of their own (`JudgementQuerySet.newest_of` says why a range of one), and
# what others said of each of these tasks, looked up task by task: nothing is read that grows with the project.
HABITS = """
    WITH recent AS MATERIALIZED (
        SELECT member.user_id, answer.* FROM {membership} AS member CROSS JOIN LATERAL (
            SELECT judgement.id, judgement.task_id, judgement.is_quick, judgement.active_seconds
            FROM {judgement} AS judgement JOIN {task} AS task ON task.id = judgement.task_id
            WHERE judgement.annotator_id BETWEEN member.user_id AND member.user_id
                AND judgement.project_id = %(project)s
                AND judgement.is_current AND judgement.outcome = 'answer' AND NOT judgement.is_adjudication
                AND task.purpose = 'work'
            ORDER BY judgement.annotator_id, judgement.id DESC LIMIT %(recent)s
        ) AS answer
        WHERE member.project_id = %(project)s
    ), said AS MATERIALIZED (
        SELECT recent.*, others.*, mine.judgement_id IS NOT NULL AND preference <> 0 AS prefers,
            (preference < 0) = first_on_left AS is_left,
            (SELECT length(text) FROM {response} WHERE id = CASE WHEN preference < 0 THEN first_id ELSE second_id END)
                AS chosen,
            (SELECT length(text) FROM {response} WHERE id = CASE WHEN preference < 0 THEN second_id ELSE first_id END)
                AS rejected
        FROM recent
        LEFT JOIN LATERAL (SELECT * FROM {comparison} WHERE judgement_id = recent.id LIMIT 1) AS mine ON true
        CROSS JOIN LATERAL (
            SELECT count(*) AS shared, count(*) FILTER (WHERE mine.both_bad = theirs.both_bad
                AND coalesce(sign(mine.preference), 9) = coalesce(sign(theirs.preference), 9)) AS same
            FROM {judgement} AS other JOIN {comparison} AS theirs ON theirs.judgement_id = other.id
            WHERE other.task_id = recent.task_id AND other.id <> recent.id AND other.is_current
                AND other.outcome = 'answer' AND NOT other.is_adjudication AND mine.judgement_id IS NOT NULL
        ) AS others
    )
    SELECT user_id, count(*), count(is_quick), count(*) FILTER (WHERE is_quick),
        percentile_cont(0.5) WITHIN GROUP (ORDER BY active_seconds),
        array_agg(is_left ORDER BY id) FILTER (WHERE prefers AND is_left IS NOT NULL),
        count(*) FILTER (WHERE prefers AND greatest(chosen, rejected) >= %(longer)s * least(chosen, rejected)),
        count(*) FILTER (WHERE prefers AND chosen >= %(longer)s * rejected), sum(shared)::int, sum(same)::int
    FROM said GROUP BY user_id""".format(**TABLES)


@dataclass(frozen=True)
class PersonQuality:
    membership: Membership
    figures: Figures
    flags: list[Flag]


def measure_people(project: Project) -> list[PersonQuality]:
    """Everybody in the project who has judged, those with something worth a look first; four statements."""
    figures = measure_figures(project)
    members = Membership.objects.of_project(project).select_related("user").order_by("user__name", "pk")
    people = []
    for member in members:
        if mine := figures.get(member.user_id):
            others = add_up(theirs for person, theirs in figures.items() if person != member.user_id)
            flags = find_flags(mine, others, gold_warn_below=project.gold_warn_below)
            people.append(PersonQuality(member, mine, flags))
    return sorted(people, key=lambda person: -len(person.flags))


def measure_sides(people: Iterable[PersonQuality]) -> ChiSquare:
    """Left against right over everybody's recent preferences."""
    lefts = [left for person in people for left in person.figures.lefts]
    return even_split(sum(lefts), len(lefts))


def measure_figures(project: Project) -> dict[int, Figures]:
    """{user id: what there is to count of this person}."""
    parts: dict[int, dict[str, Any]] = {}
    for user, answers, timed, quick, median, lefts, unlike, longer, shared, same in count_habits(project):
        parts.setdefault(user, {}).update(
            answers=answers,
            timed=timed,
            quick=quick,
            median_seconds=median,
            lefts=lefts or [],
            unlike=unlike,
            longer=longer,
            shared=shared,
            shared_same=same,
        )
    for user, gold, right in count_gold(project):
        parts.setdefault(user, {}).update(gold=gold, gold_right=right)
    for user, (repeats, same) in count_repeats(project).items():
        parts.setdefault(user, {}).update(repeats=repeats, repeats_same=same)
    return {user: Figures(**part) for user, part in parts.items()}


def count_habits(project: Project) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(HABITS, {"project": project.pk, "recent": RECENT, "longer": CLEARLY_LONGER})
        return list(cursor.fetchall())


def count_gold(project: Project) -> Iterable[tuple[int, int, int]]:
    known = Judgement.objects.of_project(project).current().filter(matches_agreed__isnull=False)
    gold = known.filter(task__purpose=Purpose.GOLD, annotator__isnull=False)
    right = Count("pk", filter=Q(matches_agreed=True))
    return gold.values_list("annotator").annotate(whole=Count("pk"), right=right)


def count_repeats(project: Project) -> dict[int, tuple[int, int]]:
    """{user id: (mirrored repeats judged, those judged as the time before)}."""
    answers = Judgement.objects.of_project(project).answers()
    repeats = answers.filter(task__purpose=Purpose.MIRROR).select_related("task", *RELATED)
    again = list(repeats.order_by("-pk")[:REPEATS_LOOKED_AT])
    firsts = answers.filter(task__in=[row.task.mirror_of_id for row in again]).select_related(*RELATED)
    before: dict[tuple[int | None, int | None], Judgement] = {(row.task_id, row.annotator_id): row for row in firsts}
    counts: dict[int, tuple[int, int]] = {}
    for row in again:
        first = before.get((row.task.mirror_of_id, row.annotator_id))
        if first and row.annotator_id:
            repeated, same = counts.get(row.annotator_id, (0, 0))
            counts[row.annotator_id] = (repeated + 1, same + says_the_same(first, row))
    return counts


def says_the_same(first: Judgement, second: Judgement) -> bool:
    kind = ANSWER_KINDS[first.kind]
    return bool(kind.agreed and kind.matches and kind.matches(kind.agreed(second), kind.agreed(first)))


def add_up(figures: Iterable[Figures]) -> Figures:
    """Everybody's counts together."""
    rows = list(figures)
    names = ("unlike", "longer", "shared", "shared_same")
    return Figures(**{name: sum(getattr(row, name) for row in rows) for name in names})
