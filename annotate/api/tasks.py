"""Tasks: what is to be judged, and how far it is."""

from __future__ import annotations

from typing import Any

from annotate.access import OWNERS, REVIEWERS, get_in_project
from annotate.api.operations import Call, operation
from annotate.api.paging import Page, page_of
from annotate.api.problems import Invalid, refused
from annotate.api.serializers.tasks import (
    JudgementQuery,
    JudgementSerializer,
    NewTasksSerializer,
    QueuedSerializer,
    TaskChangeSerializer,
    TaskPlanSerializer,
    TaskQuery,
    TaskSerializer,
)
from annotate.models import Judgement, Kind, Response, Scope, Task
from annotate.querysets import JudgementQuerySet, TaskQuerySet
from annotate.services.answers.kinds import RELATED
from annotate.services.audit import record_audit
from annotate.services.new_tasks import USUAL_SIZES, Plan, allowed_sizes, create_new_tasks
from annotate.services.project_kinds import enabled_kinds
from annotate.services.task_admin import TaskChangeRefused, change_overlap, close_task, reopen_task
from annotate.services.tasks import Item, create_tasks


def tasks_of(call: Call) -> TaskQuerySet:
    return Task.objects.visible_to(call.user).with_progress().select_related("project").prefetch_related("places")


@operation("GET", scope=Scope.READ, roles=REVIEWERS, query=TaskQuery, answer=TaskSerializer, paged=True)
def list_tasks(call: Call) -> Page:
    """The project's tasks."""
    rows = tasks_of(call).of_project(call.project).in_state(call.query.get("state", ""))
    chosen = {name: call.query[name] for name in ("kind", "purpose", "prompt") if name in call.query}
    return page_of(rows.filter(**chosen), call.query)


@operation("GET", scope=Scope.READ, roles=REVIEWERS, answer=TaskSerializer)
def show_task(call: Call, pk: int) -> Task:
    """One task."""
    found: Task = get_in_project(tasks_of(call), call.membership, pk)
    return found


@operation(
    "POST",
    scope=Scope.WRITE,
    roles=OWNERS,
    body=NewTasksSerializer,
    answer=QueuedSerializer,
    example={"kind": "comparison", "tasks": [{"prompt": 1, "responses": [1, 2]}], "overlap": 3},
)
def queue_tasks(call: Call) -> dict[str, int]:
    """Queue tasks from responses you name; at most 1,000 at once.

    The same responses under the same prefix are queued once, whatever their order.
    """
    check_kind(call)
    ids = {pk for sent in call.data["tasks"] for pk in sent["responses"]}
    responses = Response.objects.visible_to(call.user).of_project(call.project).in_bulk(ids)
    items = [read_item(number, sent, responses) for number, sent in enumerate(call.data["tasks"])]
    with refused(ValueError, field="tasks"):
        queued = create_tasks(
            project=call.project,
            kind=call.data["kind"],
            items=items,
            overlap=call.data.get("overlap", call.project.overlap),
            priority=call.data["priority"],
            key_prefix=call.data["key_prefix"],
        )
    if queued:
        data = {"kind": call.data["kind"], "tasks": queued}
        record_audit(actor=call.user, action="tasks.created", project=call.project, target=f"{queued} tasks", data=data)
    return {"queued": queued}


def check_kind(call: Call) -> None:
    kind = Kind(call.data["kind"])
    if kind not in USUAL_SIZES:
        raise Invalid({"kind": f"Tasks of {kind.label.lower()} are made by chatting, not by hand."})
    if kind not in enabled_kinds(call.project):
        raise Invalid({"kind": f"{kind.label} is off in this project. An owner turns it on in the settings."})


def read_item(number: int, sent: dict[str, Any], responses: dict[int, Response]) -> Item:
    if missing := [pk for pk in sent["responses"] if pk not in responses]:
        raise Invalid({f"tasks.{number}.responses": f"There is no response {missing[0]} in this project."})
    return Item(sent["prompt"], tuple(responses[pk] for pk in sent["responses"]))


@operation(
    "POST",
    scope=Scope.WRITE,
    roles=OWNERS,
    body=TaskPlanSerializer,
    answer=QueuedSerializer,
    example={"kind": "comparison", "tag": "egg"},
)
def queue_planned_tasks(call: Call) -> dict[str, int]:
    """Queue tasks out of the responses that prompts have, at most 5,000 at once.

    The same plan again queues nothing twice.
    """
    check_kind(call)
    kind = Kind(call.data["kind"])
    size = call.data.get("size", USUAL_SIZES[kind])
    if size not in (sizes := allowed_sizes(kind)):
        raise Invalid({"size": f"{size} is not possible: {kind.label} takes from {sizes[0]} to {sizes[-1]}."})
    plan = Plan(kind=kind, size=size, **{name: call.data[name] for name in ("tag", "only_new", "with_written")})
    overlap = call.data.get("overlap", call.project.overlap)
    queued = create_new_tasks(
        project=call.project, plan=plan, actor=call.user, overlap=overlap, priority=call.data["priority"]
    )
    return {"queued": queued}


@operation(
    "PATCH",
    scope=Scope.WRITE,
    roles=OWNERS,
    body=TaskChangeSerializer,
    answer=TaskSerializer,
    guards=show_task,
    example={"required_judgements": 5},
)
def change_task(call: Call, pk: int) -> Task:
    """Have more or fewer people judge it, close it, or open it again."""
    task: Task = get_in_project(tasks_of(call), call.membership, pk)
    if "required_judgements" in call.data:
        with refused(TaskChangeRefused, field="required_judgements"):
            change_overlap(task=task, user=call.user, required=call.data["required_judgements"])
    if "closed" in call.data:
        (close_task if call.data["closed"] else reopen_task)(task=task, user=call.user)
    changed: Task = get_in_project(tasks_of(call), call.membership, pk)
    return changed


def judgements_of(call: Call) -> JudgementQuerySet:
    rows = Judgement.objects.visible_to(call.user).of_project(call.project)
    return rows.select_related("annotator", "guideline", *RELATED)


@operation("GET", scope=Scope.READ, roles=REVIEWERS, query=JudgementQuery, answer=JudgementSerializer, paged=True)
def list_judgements(call: Call) -> Page:
    """What everybody said. For training data make a snapshot: it is frozen, and streamed."""
    rows = judgements_of(call)
    chosen = {name: call.query[name] for name in ("task", "annotator", "kind") if name in call.query}
    rows = rows.filter(**chosen)
    return page_of(rows.current() if call.query["current"] else rows, call.query)


@operation("GET", scope=Scope.READ, roles=REVIEWERS, answer=JudgementSerializer)
def show_judgement(call: Call, pk: int) -> Judgement:
    """One judgement."""
    found: Judgement = get_in_project(judgements_of(call), call.membership, pk)
    return found
