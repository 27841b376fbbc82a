"""How far a person has come: numbers about themselves alone."""

from dataclasses import dataclass

from django.utils import timezone

from annotate.models import Lease, Project, Purpose, Task, User
from annotate.services.tallies import over_work, read_work
from annotate.services.tasks import WAITING_SHOWN_UP_TO, count_waiting

ANSWERED = over_work(
    """ SELECT coalesce(sum(standing_answers) FILTER (WHERE day = %(today)s), 0)::int,
        coalesce(sum(standing_answers), 0)::int
    FROM work WHERE NOT is_adjudication""",
    of_one=True,
)


@dataclass(frozen=True)
class Progress:
    today: int
    total: int
    waiting: int
    is_rough: bool = False  # where an exact count that stood still would tell gold from work

    @property
    def waiting_in_words(self) -> str:
        if self.is_rough and 0 < self.waiting < WAITING_SHOWN_UP_TO:
            return f"{self.waiting // 10 * 10}+" if self.waiting >= 10 else "under 10"
        return f"{WAITING_SHOWN_UP_TO}+" if self.waiting >= WAITING_SHOWN_UP_TO else str(self.waiting)

    def as_dict(self) -> dict[str, object]:
        return {"today": self.today, "total": self.total, "waiting": self.waiting_in_words}


def own_progress(*, user: User, project: Project) -> Progress:
    """Tasks the person has answered today and in all, and those that wait for them. Reads their own rows alone, of
    their answers those of the last hours."""
    asked = {"project": project.pk, "user": user.pk, "today": timezone.localdate()}
    today, total = read_work(ANSWERED, asked)[0]
    ahead = Lease.objects.of_project(project).held().filter(annotator=user, is_ahead=True).count()
    waiting = count_waiting(user=user, project=project) + ahead
    return Progress(today=today, total=total, waiting=waiting, is_rough=hides_other_tasks(project))


def hides_other_tasks(project: Project) -> bool:
    """Whether gold or repeats are mixed in with work."""
    if project.mirror_rate:
        return True
    gold = Task.objects.of_project(project).waiting().filter(purpose=Purpose.GOLD)
    return bool(project.gold_rate) and gold.exists()
