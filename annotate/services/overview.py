"""The figures of a project's overview: a fixed number of grouped queries, whatever the project's size."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import connection
from django.db.models import Aggregate, Count, FloatField, Max, Q, Sum
from django.db.models.functions import Coalesce, TruncDate
from django.utils import timezone

from annotate.models import (
    Comparison,
    Guideline,
    Judgement,
    Membership,
    Project,
    Prompt,
    Purpose,
    Response,
    Snapshot,
    Task,
)
from annotate.quality.agreement import Z999, Agreement, Share, measure_agreement, measure_share
from annotate.querysets import JudgementQuerySet

DAYS = 30
ACTIVE_DAYS = 7
BIAS_NEEDS = 20  # preferences before a lean to one side is worth a warning

ANSWER = Q(outcome=Judgement.Outcome.ANSWER)
PREFERS = Q(comparison__preference__lt=0) | Q(comparison__preference__gt=0)
SIDED = ANSWER & PREFERS & Q(comparison__first_on_left__isnull=False)
LEFT = ANSWER & (
    Q(comparison__first_on_left=True, comparison__preference__lt=0)
    | Q(comparison__first_on_left=False, comparison__preference__gt=0)
)


class Median(Aggregate):
    function = "percentile_cont"
    template = "%(function)s(0.5) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = FloatField()


@dataclass(frozen=True)
class Totals:
    prompts: int
    responses: int
    tasks_open: int
    tasks_done: int
    tasks_closed: int
    places: int  # answers that the tasks ask for, those of closed tasks apart
    places_free: int
    judgements: int
    imported: int
    active_people: int
    median_seconds: float | None

    @property
    def tasks(self) -> int:
        return self.tasks_open + self.tasks_done + self.tasks_closed

    @property
    def places_taken(self) -> int:
        return self.places - self.places_free


@dataclass(frozen=True)
class Day:
    day: date
    count: int


@dataclass(frozen=True)
class PersonFigures:
    name: str
    answers: int
    skips: int
    median_seconds: float | None
    last_at: datetime
    left: Share | None


@dataclass(frozen=True)
class Step:
    """One thing a new project needs; `url_name` is where it is done."""

    title: str
    text: str
    url_name: str
    done: bool


def count_totals(project: Project) -> Totals:
    tasks = (
        Task.objects.of_project(project)
        .for_work()
        .aggregate(
            tasks_open=Count("pk", filter=Q(closed_at=None, remaining__gt=0)),
            tasks_done=Count("pk", filter=Q(closed_at=None, remaining=0)),
            tasks_closed=Count("pk", filter=Q(closed_at__isnull=False)),
            places=Coalesce(Sum("required_judgements", filter=Q(closed_at=None)), 0),
            places_free=Coalesce(Sum("remaining", filter=Q(closed_at=None)), 0),
        )
    )
    since = timezone.now() - timedelta(days=ACTIVE_DAYS)
    judgements = work_answers(project).aggregate(
        judgements=Count("pk"),
        imported=Count("pk", filter=Q(annotator=None)),
        active_people=Count("annotator", distinct=True, filter=Q(created_at__gte=since)),
        median_seconds=Median("active_seconds"),
    )
    return Totals(
        prompts=Prompt.objects.of_project(project).count(),
        responses=Response.objects.of_project(project).count(),
        **tasks,
        **judgements,
    )


def work_answers(project: Project) -> JudgementQuerySet:
    """Answers that stand to what the project needs; gold, repeats and practice tell about people."""
    return Judgement.objects.of_project(project).answers().filter(task__purpose=Purpose.WORK)


def count_by_day(project: Project) -> list[Day]:
    """Answers given here (not imported) on each of the last thirty days, today last."""
    today = timezone.localdate()
    first = today - timedelta(days=DAYS - 1)
    found = (
        work_answers(project)
        .filter(annotator__isnull=False, created_at__gte=timezone.now() - timedelta(days=DAYS))
        .values_list(TruncDate("created_at"))
        .annotate(count=Count("pk"))
    )
    counts = dict(found)
    return [Day(day=day, count=counts.get(day, 0)) for day in (first + timedelta(days=n) for n in range(DAYS))]


def measure_project_agreement(project: Project) -> Agreement | None:
    """Agreement on first, second, tie or both bad over tasks judged at least twice; None when there is none."""
    statement = f"""
        SELECT firsts, seconds, ties, bad, count(*)
        FROM (
            SELECT count(*) FILTER (WHERE preference < 0) AS firsts, count(*) FILTER (WHERE preference > 0) AS seconds,
                   count(*) FILTER (WHERE preference = 0) AS ties, count(*) FILTER (WHERE both_bad) AS bad
            FROM {Judgement._meta.db_table} AS judgement
            JOIN {Comparison._meta.db_table} AS comparison ON comparison.judgement_id = judgement.id
            JOIN {Task._meta.db_table} AS task ON task.id = judgement.task_id AND task.purpose = 'work'
            WHERE judgement.project_id = %s AND judgement.is_current AND judgement.outcome = 'answer'
                AND NOT judgement.is_adjudication
            GROUP BY judgement.task_id HAVING count(*) >= 2
        ) AS tally
        GROUP BY firsts, seconds, ties, bad
    """
    with connection.cursor() as cursor:
        cursor.execute(statement, [project.pk])
        return measure_agreement([(row[:4], row[4]) for row in cursor.fetchall()])


def list_people(project: Project) -> list[PersonFigures]:
    """Everybody who has answered or skipped here, the busiest first."""
    rows = (
        Judgement.objects.of_project(project)
        .current()
        .filter(annotator__isnull=False, task__purpose=Purpose.WORK, is_adjudication=False)
        .exclude(outcome=Judgement.Outcome.UNDONE)
        .values("annotator__name", "annotator__email", "annotator")
        .annotate(
            answers=Count("pk", filter=ANSWER),
            skips=Count("pk", filter=Q(outcome=Judgement.Outcome.SKIP)),
            median_seconds=Median("active_seconds", filter=ANSWER),
            last_at=Max("created_at"),
            left=Count("pk", filter=LEFT),
            sided=Count("pk", filter=SIDED),
        )
        .order_by("-answers", "annotator__name")
    )
    return [
        PersonFigures(
            name=row["annotator__name"] or row["annotator__email"],
            answers=row["answers"],
            skips=row["skips"],
            median_seconds=row["median_seconds"],
            last_at=row["last_at"],
            left=measure_share(row["left"], row["sided"]),
        )
        for row in rows
    ]


def measure_side_bias(people: list[PersonFigures]) -> Share | None:
    """How often the left response was preferred, over everybody's preferences."""
    shares = [person.left for person in people if person.left]
    return measure_share(sum(share.part for share in shares), sum(share.whole for share in shares))


def project_leans(share: Share | None) -> bool:
    """Whether the answers are enough to say that one side is preferred (95 %)."""
    return share is not None and share.whole >= BIAS_NEEDS and share.differs_from_half


def find_leaning(people: list[PersonFigures]) -> list[PersonFigures]:
    """Those who clearly prefer one side. 99.9 %, because so many are looked at: chance names one in a thousand."""
    return [person for person in people if person.left and clearly_leans(person.left)]


def clearly_leans(share: Share) -> bool:
    strict = measure_share(share.part, share.whole, z=Z999)
    return strict is not None and strict.differs_from_half


def list_steps(project: Project, totals: Totals) -> list[Step]:
    """What a new project needs, in order."""
    members = Membership.objects.of_project(project).count()
    guidelines = Guideline.objects.of_project(project).exclude(body="").exists()
    frozen = Snapshot.objects.of_project(project).exists()
    return [
        Step("Write the guidelines", "What makes one response better than another.", "project-guidelines", guidelines),
        Step("Import prompts", "A file, pasted lines, or judged pairs.", "project-prompts", totals.prompts > 0),
        Step(
            "Invite people",
            "They judge; reviewers watch with you.",
            "project-people",
            members > 1 or totals.imported > 0,
        ),
        Step("Ask a model for responses", "Two or more for each prompt.", "project-models", totals.responses > 0),
        Step("Judge", "Every answer counts from the first.", "judge", totals.judgements > 0),
        Step("Start a round", "Train on what was said, and see whether it is better.", "project-rounds", frozen),
    ]
