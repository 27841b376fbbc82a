"""Which task next for this person: what they have to learn or pass, else the queue's first, and now and then, by lot,
gold or a mirrored repeat in its place.

At work the same statements are run whatever the lot says, so that the time of an answer tells nothing about it.
"""

from __future__ import annotations

import secrets
from typing import Any

from django.db.models import Exists, OuterRef

from annotate.models import Judgement, Kind, Lease, Membership, Purpose, Role, Task, TaskResponse, User
from annotate.querysets import TaskQuerySet
from annotate.standing import Stage

LOTS = secrets.SystemRandom()  # no page can be guessed from another
SIDED = (Kind.COMPARISON, Kind.RANKING)  # kinds in which places could sway people
MIRROR_AFTER = 10  # judgements in between, so that an answer is not remembered
MIRROR_WITHIN = 60  # how far back a repeat may reach
GOLD_LOOKED_AT = 200


def choose_task(membership: Membership, stage: Stage, *, skip_locked: bool) -> Any | None:
    """A locked task, with its size, that this person has not been handed; None when nothing is for them."""
    mine = Task.objects.of_project(membership.project).waiting().not_seen_by(membership.user)
    if stage in (Stage.PRACTICE, Stage.QUALIFICATION):
        return lock_first(mine.filter(purpose=stage.value), skip_locked=skip_locked)
    task = lock_first(mine.for_work(), skip_locked=skip_locked)
    return task and (draw_instead(membership, mine) or task)


def lock_first(tasks: TaskQuerySet, *, skip_locked: bool) -> Any | None:
    rows = tasks.select_related("prompt").with_size().order_by("-priority", "id")
    return rows.select_for_update(skip_locked=skip_locked, of=("self",)).first()


def draw_instead(membership: Membership, mine: TaskQuerySet) -> Any | None:
    """Gold or a mirrored repeat in place of work, at the project's rates; None when the lot falls on work.

    Owners and reviewers know the gold, so they get none.
    """
    project, lot = membership.project, LOTS.random()
    gold_rate = project.gold_rate if membership.role == Role.ANNOTATOR else 0.0
    gold = list(mine.filter(purpose=Purpose.GOLD).values_list("pk", flat=True)[:GOLD_LOOKED_AT]) if gold_rate else []
    judged = find_judged(membership) if project.mirror_rate else []
    candidate = lock_first(mine.filter(pk=LOTS.choice(gold)), skip_locked=True) if gold else None  # also for nothing
    if candidate and lot < gold_rate:
        return candidate
    if judged and gold_rate <= lot < gold_rate + project.mirror_rate:
        return lock_first(mine.filter(pk=make_mirror(LOTS.choice(judged), membership.user).pk), skip_locked=True)
    return None


def find_judged(membership: Membership) -> list[Task]:
    """Work this person judged a while ago, when they judged it with sides, that has not been repeated yet."""
    repeated = Task.objects.filter(mirror_of=OuterRef("task"), reserved_for=membership.user)
    recent = Judgement.objects.of_project(membership.project).answers().filter(annotator=membership.user)
    recent = recent.filter(task__purpose=Purpose.WORK).order_by("-pk")
    rows = recent.annotate(is_repeated=Exists(repeated)).select_related("task")[MIRROR_AFTER:MIRROR_WITHIN]
    return [row.task for row in rows if row.kind in SIDED and not row.is_repeated]


def make_mirror(task: Task, user: User) -> Task:
    """The person's own copy of a task they judged. Its sides are turned when it is handed out."""
    mirror, is_new = Task.objects.get_or_create(
        project_id=task.project_id,
        key=f"mirror:{task.pk}:{user.pk}",
        defaults={
            "kind": task.kind,
            "purpose": Purpose.MIRROR,
            "prompt_id": task.prompt_id,
            "mirror_of": task,
            "reserved_for": user,
            "required_judgements": 1,
            "remaining": 1,
        },
    )
    if is_new:
        copy_places(task, mirror)
    return mirror


def copy_places(task: Task, copy: Task) -> None:
    """The same responses in the same order."""
    places = task.places.order_by("position").values_list("response_id", "position")
    TaskResponse.objects.bulk_create(
        TaskResponse(task=copy, response_id=response, position=position) for response, position in places
    )


def draw_order(task: Any, user: User) -> list[int]:
    """The order in which this person sees the task's responses: by lot, or the other way round than the time before."""
    if task.mirror_of_id:
        before = Lease.objects.filter(task=task.mirror_of_id, annotator=user).values_list("order", flat=True).get()
        return before[::-1]
    order = list(range(task.size))
    LOTS.shuffle(order)
    return order
