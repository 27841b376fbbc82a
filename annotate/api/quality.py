"""Quality: known answers, disagreements and decisions, what is said about answers, how people judge."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from annotate.access import EVERYONE, REVIEWERS, get_in_project
from annotate.api.answers import read_answer_to
from annotate.api.operations import Call, operation
from annotate.api.paging import Page, page_of
from annotate.api.problems import Conflict, Invalid, refused
from annotate.api.serializers.quality import (
    CommentSerializer,
    DecidedSerializer,
    DisagreementQuery,
    DisagreementSerializer,
    KnownTaskSerializer,
    MessageThreadSerializer,
    NewCommentSerializer,
    NewDecisionSerializer,
    NewKnownSerializer,
    NewStandingSerializer,
    OwnCommentSerializer,
    QualitySerializer,
    RetiredSerializer,
)
from annotate.api.serializers.snapshots import StartedSerializer
from annotate.models import Comment, Judgement, Membership, Purpose, Scope, Task
from annotate.services import reviews, standings
from annotate.services.answers.answer import Answer
from annotate.services.disagreements import find_disagreements
from annotate.services.known_answers import (
    KNOWN,
    NotComparable,
    known_tasks,
    mark_known,
    retire_known,
    set_agreed_answer,
    with_results,
)
from annotate.services.quality import measure_people
from annotate.views.judging import get_own_judgement
from annotate.views.kinds import KINDS
from annotate.views.known_answers import in_own_order

DECISIONS = {"lift": standings.lift_pause, "retry": standings.allow_retry, "qualify": standings.qualify}


def get_task(call: Call, pk: int) -> Task:
    tasks = Task.objects.visible_to(call.user).select_related("prompt", "project")
    found: Task = get_in_project(tasks, call.membership, pk)
    return found


def read_said(task: Task, data: Mapping[str, Any]) -> Answer:
    """What the body says of the task, letters in the task's own order. Raises Invalid."""

    def make_form(values: dict[str, Any]) -> Any:
        form = KINDS[task.kind].form(values, project=task.project, shown=in_own_order(task))
        for name in ("submission_id", "rationale"):
            form.fields.pop(name, None)
        return form

    return read_answer_to(task.kind, data["answer"], make_form).answer()


@operation("GET", scope=Scope.READ, roles=REVIEWERS, answer=KnownTaskSerializer, paged=True)
def list_known_tasks(call: Call) -> Page:
    """Tasks whose answer is known: gold, practice, qualification."""
    return page_of(with_results(known_tasks(Task.objects.visible_to(call.user).of_project(call.project))), call.query)


@operation(
    "PUT",
    scope=Scope.WRITE,
    roles=REVIEWERS,
    body=NewKnownSerializer,
    answer=KnownTaskSerializer,
    conflicts=True,
    example={"purpose": "gold", "answer": {"preference": -3}, "explanation": "The second makes up a fact."},
)
def agree_on_answer(call: Call, pk: int) -> Task:
    """Copy a task as one whose answer is known, or change what was agreed on about one that is."""
    task = get_task(call, pk)
    if task.purpose == Purpose.MIRROR:
        raise Conflict("This task is a repeat for one person; agree on the answer to the task it repeats.")
    said = {"answer": read_said(task, call.data), "explanation": call.data["explanation"]}
    with refused(NotComparable, field="answer"):
        if task.purpose in KNOWN:
            set_agreed_answer(actor=call.user, known=task, **said)
        else:
            task = mark_known(actor=call.user, task=task, purpose=call.data["purpose"], **said)
    known: Task = get_in_project(with_results(Task.objects.visible_to(call.user)), call.membership, task.pk)
    return known


@operation("PUT", scope=Scope.WRITE, roles=REVIEWERS, body=RetiredSerializer, answer=StartedSerializer)
def retire_known_task(call: Call, pk: int) -> dict[str, bool]:
    """Hand a task with a known answer out no more, or again."""
    tasks = known_tasks(Task.objects.visible_to(call.user).select_related("project"))
    known = get_in_project(tasks, call.membership, pk)
    return {"changed": retire_known(actor=call.user, known=known, retired=call.data["retired"])}


@operation("GET", scope=Scope.READ, roles=REVIEWERS, query=DisagreementQuery, answer=DisagreementSerializer, paged=True)
def list_disagreements(call: Call) -> Page:
    """Tasks that people answered differently, the newest first, or those that a reviewer has settled."""
    found = find_disagreements(project=call.project, decided=call.query["decided"], before=call.query.get("cursor"))
    return Page(found.rows, found.older)


@operation(
    "POST",
    scope=Scope.JUDGE,
    roles=REVIEWERS,
    body=NewDecisionSerializer,
    answer=DecidedSerializer,
    status=201,
    conflicts=True,
)
def decide(call: Call, pk: int) -> Judgement:
    """A reviewer's decision about a task. What people said stays; snapshots take the decision."""
    task, data = get_task(call, pk), call.data
    if not reviews.can_be_decided(task):
        raise Conflict(f"What people wrote has no single right answer; a {task.kind} is not decided.")
    return reviews.decide_task(
        task=task,
        reviewer=call.user,
        submission_id=data["submission_id"],
        answer=read_said(task, data),
        reason=data["reason"],
    )


def get_judgement(call: Call, pk: int) -> Judgement:
    rows = Judgement.objects.visible_to(call.user).filter(annotator__isnull=False, is_adjudication=False)
    found: Judgement = get_in_project(rows.select_related("project"), call.membership, pk)
    return found


@operation("GET", scope=Scope.READ, roles=REVIEWERS, answer=CommentSerializer, paged=True)
def list_comments(call: Call, pk: int) -> Page:
    """What was said to a judgement's annotator about its task, and what they answered."""
    judgement = get_judgement(call, pk)
    rows = Comment.objects.visible_to(call.user).filter(pk__in=thread(judgement))
    return page_of(rows.select_related("author"), call.query)


def thread(judgement: Judgement) -> Any:
    assert judgement.annotator_id is not None
    rows = reviews.thread_of(task_id=judgement.task_id, annotator_id=judgement.annotator_id)
    return rows.order_by().values("pk")


@operation("POST", scope=Scope.WRITE, roles=REVIEWERS, body=NewCommentSerializer, answer=CommentSerializer, status=201)
def comment(call: Call, pk: int) -> Comment:
    """Say something to the person who made a judgement, or send its task back to them."""
    judgement = get_judgement(call, pk)
    if judgement.annotator_id == call.user.pk:
        raise Invalid({"body": "This judgement is your own; nobody would read it."})
    return reviews.comment_on(judgement=judgement, author=call.user, **call.data)


@operation("GET", scope=Scope.JUDGE, roles=EVERYONE, answer=OwnCommentSerializer, paged=True)
def list_own_comments(call: Call, pk: int) -> Page:
    """What reviewers said about a judgement of yours, and what you answered."""
    judgement = get_own_judgement(call.user, call.project, pk)
    rows = Comment.objects.visible_to(call.user).filter(pk__in=thread(judgement))
    return page_of(rows.select_related("judgement"), call.query)


@operation(
    "POST",
    scope=Scope.JUDGE,
    roles=EVERYONE,
    body=NewCommentSerializer,
    answer=OwnCommentSerializer,
    status=201,
    conflicts=True,
)
def reply(call: Call, pk: int) -> Comment:
    """Answer what reviewers said about a judgement of yours."""
    judgement = get_own_judgement(call.user, call.project, pk)
    last = reviews.thread_of(task_id=judgement.task_id, annotator_id=call.user.pk).last()
    if last is None:
        raise Conflict("Nobody has said anything about this judgement.")
    data = {name: call.data[name] for name in ("submission_id", "body")}
    return reviews.comment_on(judgement=last.judgement, author=call.user, **data)


@operation("GET", scope=Scope.JUDGE, roles=EVERYONE, answer=MessageThreadSerializer, paged=True)
def list_own_messages(call: Call) -> Page:
    """The newest word of every thread you are part of, as the person judged or as a reviewer."""
    threads = Comment.objects.filter(pk__in=reviews.threads_for(call.user).order_by().values("pk"))
    page = page_of(threads.filter(project=call.project).select_related("judgement"), call.query)
    waiting = reviews.unseen_by(call.user).filter(pk__in=[row.pk for row in page.rows]).values_list("pk", flat=True)
    unread = set(waiting)
    rows = [{"row": row, "is_yours": row.author_id == call.user.pk, "is_unread": row.pk in unread} for row in page.rows]
    return Page(rows, page.following)


@operation("GET", scope=Scope.READ, roles=REVIEWERS, answer=QualitySerializer)
def show_quality(call: Call) -> dict[str, Any]:
    """How each person judges: counts, and what is worth a look."""
    return {"people": measure_people(call.project)}


@operation(
    "POST",
    scope=Scope.WRITE,
    roles=REVIEWERS,
    body=NewStandingSerializer,
    answer=StartedSerializer,
    example={"decision": "pause", "reason": "Please read the guidelines again."},
)
def decide_standing(call: Call, pk: int) -> dict[str, bool]:
    """Pause a person, let them go on, let them try the qualification again, or let them in without it."""
    rows = Membership.objects.visible_to(call.user).select_related("user", "project")
    member: Membership = get_in_project(rows, call.membership, pk)
    decision, reason = call.data["decision"], call.data["reason"].strip()
    if decision == "pause":
        if not reason:
            raise Invalid({"reason": "Say why; the person reads it."})
        return {"changed": standings.pause_member(actor=call.user, membership=member, reason=reason)}
    return {"changed": DECISIONS[decision](actor=call.user, membership=member)}
