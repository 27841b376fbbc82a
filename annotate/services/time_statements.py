"""Who worked how long on which day: what pay is reckoned from.

The time is what the page measured of each submission (the tab visible, a sign of life within the last minute), never
more than had passed since the task was handed out. Each submission, correction and skip counts its own time once; a
day is that of the submission, in the site's time zone.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.utils import timezone

from annotate.models import Project, User
from annotate.services.tallies import TABLES, over_work, read_work

HEADER = ["day", "person", "email", "answers", "skips", "active_seconds", "active_hours", "time_zone"]
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet would execute

BY_DAY = """
    SELECT work.day, person.name, person.email, sum(answers)::int, sum(skips)::int, sum(active_seconds)
    FROM work JOIN {user} AS person ON person.id = work.annotator_id
    WHERE work.day >= %(first)s AND work.day < %(after)s
    GROUP BY person.id, work.day ORDER BY work.day DESC, person.name, person.email
""".format(**TABLES)
DAYS, OWN_DAYS = over_work(BY_DAY, of_one=False), over_work(BY_DAY, of_one=True)


@dataclass(frozen=True)
class WorkDay:
    day: date
    person: str
    email: str
    answers: int
    skips: int
    active_seconds: float

    @property
    def active_hours(self) -> float:
        return round(self.active_seconds / 3600, 2)


@dataclass(frozen=True)
class Month:
    """A calendar month in the site's time zone."""

    first: date

    @classmethod
    def parse(cls, text: str) -> Month:
        """ "2026-11"; the present month for "". Raises ValueError for anything else."""
        if not text:
            return cls(timezone.localdate().replace(day=1))
        first = datetime.strptime(text, "%Y-%m").date()
        if not 2000 <= first.year < 2100:
            raise ValueError(f"{text} is not a month of this century.")
        return cls(first)

    def __str__(self) -> str:
        return f"{self.first:%Y-%m}"

    @property
    def previous(self) -> Month:
        return Month((self.first - timedelta(days=1)).replace(day=1))

    @property
    def next(self) -> Month:
        return Month((self.first + timedelta(days=31)).replace(day=1))

    @property
    def is_past(self) -> bool:
        return self.next.first <= timezone.localdate()

    def bounds(self) -> tuple[datetime, datetime]:
        """Its first moment and that of the month after."""
        return midnight(self.first), midnight(self.next.first)


def midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))


def list_work_days(*, project: Project, month: Month, user: User | None = None) -> list[WorkDay]:
    """The days of this month on which somebody (or `user`) sent something in, the newest first. One statement."""
    values = {"project": project.pk, "first": month.first, "after": month.next.first}
    rows = read_work(OWN_DAYS, {**values, "user": user.pk}) if user else read_work(DAYS, values)
    return [WorkDay(*row) for row in rows]


def write_csv(days: Iterable[WorkDay]) -> Iterator[str]:
    """The statement as lines of CSV, seconds to a tenth. No cell begins as a formula would."""
    zone = timezone.get_current_timezone_name()
    yield _line(HEADER)
    for day in days:
        seconds = f"{day.active_seconds:.1f}"
        person, email = (harmless(text) for text in (day.person, day.email))
        yield _line([f"{day.day}", person, email, day.answers, day.skips, seconds, f"{day.active_hours:.2f}", zone])


def harmless(text: str) -> str:
    """Text that a spreadsheet shows instead of executing it."""
    return f"'{text}" if text.startswith(FORMULA) else text


def _line(cells: Sequence[object]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerow(cells)
    return buffer.getvalue()
