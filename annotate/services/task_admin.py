"""What an owner changes about a task that is already in the queue."""

from django.db import transaction
from django.utils import timezone

from annotate import assignment
from annotate.models import Project, Task, User
from annotate.querysets import TaskQuerySet
from annotate.services.audit import record_audit

MOST_PEOPLE = 50


class TaskChangeRefused(ValueError):
    """A change that cannot be made; the message says why."""


@transaction.atomic
def close_task(*, task: Task, user: User) -> bool:
    """Hand it out no more; what is being judged may still come in. False when it was closed already."""
    if not Task.objects.filter(pk=task.pk, closed_at=None).update(closed_at=timezone.now()):
        return False
    record_audit(actor=user, action="task.closed", project=task.project, target=task)
    return True


@transaction.atomic
def withdraw_tasks(*, project: Project, tasks: TaskQuerySet, actor: User | None, reason: str) -> int:
    """Hand out none of these any more; what is being judged may still come in. Returns how many were open."""
    open_ones = list(tasks.of_project(project).filter(closed_at=None).values_list("pk", flat=True))
    closed = Task.objects.filter(pk__in=open_ones, closed_at=None).update(closed_at=timezone.now())
    if closed:
        record_audit(actor=actor, action="tasks.withdrawn", project=project, target=reason, data={"tasks": closed})
    return closed


@transaction.atomic
def reopen_task(*, task: Task, user: User) -> bool:
    """Hand it out again while places are free. False when it was not closed."""
    if not Task.objects.filter(pk=task.pk, closed_at__isnull=False).update(closed_at=None):
        return False
    record_audit(actor=user, action="task.reopened", project=task.project, target=task)
    return True


@transaction.atomic
def change_overlap(*, task: Task, user: User, required: int) -> None:
    """Have this many people judge it. Raises TaskChangeRefused when that is impossible."""
    if not 1 <= required <= MOST_PEOPLE:
        raise TaskChangeRefused(f"{required} people cannot judge a task; choose from 1 to {MOST_PEOPLE}.")
    before = task.required_judgements
    try:
        assignment.set_required_judgements(task=task, required=required)
    except ValueError as error:
        raise TaskChangeRefused(str(error)) from error
    record_audit(
        actor=user, action="task.overlap", project=task.project, target=task, data={"from": before, "to": required}
    )
