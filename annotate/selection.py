"""Which task next for this person: what they have to learn or pass, else the queue's first, and now and then, by lot,
gold or a mirrored repeat in its place.

At work the same statements are run whatever the lot says, so that the time of an answer tells nothing about it.

Whoever has judged a hundred thousand tasks that wait for others still would be walked past all of them. So the queue is
looked at in parts: its front, where what is urgent stands; then what comes behind the work this person judged last; and
only when both have nothing, all of it.
"""

from __future__ import annotations

import secrets
from typing import Any

from django.db.models import Exists, OuterRef

from annotate.models import Judgement, Kind, Membership, Purpose, Role, Task, TaskResponse, User
from annotate.standing import Stage

LOTS = secrets.SystemRandom()  # no page can be guessed from another
SIDED = (Kind.COMPARISON, Kind.RANKING)  # kinds in which places could sway people
MIRROR_AFTER = 10  # judgements in between, so that an answer is not remembered
MIRROR_WITHIN = 60  # how far back a repeat may reach
GOLD_LOOKED_AT = 200
FRONT_LENGTH = 200  # tasks that wait
MOST_RESPONSES = 9  # of a task, A to I

NOTHING_INSTEAD = {"gold_looked_at": 0, "which_gold": 0.0, "is_gold": False, "mirror": None}


def ask_for_task(membership: Membership, stage: Stage) -> dict[str, Any]:
    """Which task, and the order of its responses, as `TAKE_PLACE` reads it."""
    is_work = stage not in (Stage.PRACTICE, Stage.QUALIFICATION)
    purpose = Purpose.WORK if is_work else Purpose(stage.value)
    asked = {"project": membership.project_id, "user": membership.user_id, "purpose": purpose.value}
    return asked | {"order": draw_order()} | (draw_instead(membership) if is_work else NOTHING_INSTEAD)


def draw_instead(membership: Membership) -> dict[str, Any]:
    """The lot on gold or a mirrored repeat in place of work, at the project's rates, as `TAKE_PLACE` reads it.

    Owners and reviewers know the gold, so they get none.
    """
    project, lot = membership.project, LOTS.random()
    gold_rate = project.gold_rate if membership.role == Role.ANNOTATOR else 0.0
    judged = find_judged(membership) if project.mirror_rate else []
    is_mirror = bool(judged) and gold_rate <= lot < gold_rate + project.mirror_rate
    return {
        "gold_looked_at": GOLD_LOOKED_AT if gold_rate else 0,
        "which_gold": LOTS.random(),
        "is_gold": lot < gold_rate,
        "mirror": make_mirror(LOTS.choice(judged), membership.user).pk if is_mirror else None,
    }


def find_judged(membership: Membership) -> list[Task]:
    """Work this person judged a while ago, when they judged it with sides, that has not been repeated yet."""
    repeated = Task.objects.filter(mirror_of=OuterRef("task"), reserved_for=membership.user)
    recent = Judgement.objects.of_project(membership.project).answers().newest_of(membership.user)
    recent = recent.filter(task__purpose=Purpose.WORK)
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


def draw_order() -> list[int]:
    """An order of as many responses as a task may have, by lot; of fewer, the same without the others."""
    order = list(range(MOST_RESPONSES))
    LOTS.shuffle(order)
    return order
