"""The overview's figures, counted at once for a small project and in the background for a large one.

Counting reads every answer of the project. What was counted is kept in the cache with its time, which the page shows;
whoever looks at figures older than five minutes has them counted again.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.core.cache import cache
from django.utils import timezone
from redis.exceptions import RedisError

from annotate.models import Judgement, Project, Task
from annotate.quality.agreement import Agreement
from annotate.services.overview import (
    Day,
    PersonFigures,
    Totals,
    count_by_day,
    count_totals,
    list_people,
    measure_project_agreement,
)
from annotate.services.queue import COUNT_FIGURES, enqueue

logger = logging.getLogger(__name__)

FRESH_FOR = timedelta(minutes=5)
KEPT_FOR = timedelta(days=30)
COUNTING_TAKES_UP_TO = timedelta(minutes=10)  # then it is asked for again


@dataclass(frozen=True)
class Figures:
    """`counted_at` is None where they were counted for this very page."""

    totals: Totals
    days: list[Day]
    agreement: Agreement | None
    people: list[PersonFigures]
    counted_at: datetime | None = None


def read_figures(project: Project) -> Figures | None:
    """The project's figures as they are now, or, of a large project, as they were last counted; None before that."""
    if not is_large(project):
        return measure_figures(project)
    found: Figures | None = None
    try:
        found = cache.get(key_of(project))
        is_stale = found is None or found.counted_at is None or found.counted_at < timezone.now() - FRESH_FOR
        if is_stale and cache.add(f"{key_of(project)}:asked", True, COUNTING_TAKES_UP_TO.total_seconds()):
            enqueue(COUNT_FIGURES, job_id=project.pk)
    except RedisError as error:
        logger.warning("The cache cannot be read (%s); project %s has no figures.", error, project.pk)
    return found


def count_figures(project: Project) -> None:
    """Count once more and keep it."""
    figures = measure_figures(project, counted_at=timezone.now())
    cache.set(key_of(project), figures, KEPT_FOR.total_seconds())
    cache.delete(f"{key_of(project)}:asked")


def measure_figures(project: Project, *, counted_at: datetime | None = None) -> Figures:
    totals = count_totals(project)
    return Figures(
        totals=totals,
        days=count_by_day(project) if totals.judgements > totals.imported else [],
        agreement=measure_project_agreement(project),
        people=list_people(project),
        counted_at=counted_at,
    )


def is_large(project: Project) -> bool:
    """Whether there is more to read than a page should wait for; reads no more rows than that."""
    most = settings.FIGURES_COUNTED_AT_ONCE
    rows = (Judgement.objects.of_project(project), Task.objects.of_project(project))
    return any(found.values("pk")[: most + 1].count() > most for found in rows)


def key_of(project: Project) -> str:
    return f"figures:{project.pk}:{project.created_at.isoformat()}"  # its time tells databases apart
