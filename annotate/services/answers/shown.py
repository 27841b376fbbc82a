"""The responses of a task as one person sees them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from annotate.models import Lease, Response, Task, TaskResponse
from annotate.prepared import fetch, load
from annotate.statements import RESPONSES_IN_ORDER

LETTERS = "ABCDEFGHI"


@dataclass(frozen=True)
class Shown:
    """A response under the letter it has on the page; `position` is its place in the task's own order."""

    letter: str
    response: Response
    position: int


def responses_shown(lease: Lease) -> list[Shown]:
    """The task's responses in the order of the lease: A is on the left, or on top."""
    responses = lease.task.in_order
    if responses is None:
        responses = [load(Response, row) for row in fetch(RESPONSES_IN_ORDER, {"task": lease.task_id})]
    return [Shown(LETTERS[place], responses[position], position) for place, position in enumerate(lease.order)]


def task_responses(task: Task) -> list[Response]:
    """In the task's own order, which no annotator is shown, each with its author."""
    return [place.response for place in task.places.select_related("response__author").order_by("position")]


def letters_of(leases: Sequence[Lease]) -> dict[int, dict[int, str]]:
    """{task id: {response id: the letter this lease showed it under}}, in one statement; leases of one person."""
    places = TaskResponse.objects.filter(task__in={lease.task_id for lease in leases})
    found = {(task, position): pk for task, position, pk in places.values_list("task", "position", "response")}
    return {
        lease.task_id: {found[lease.task_id, position]: LETTERS[place] for place, position in enumerate(lease.order)}
        for lease in leases
    }
