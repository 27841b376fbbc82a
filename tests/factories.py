"""Rows for tests, made with plain functions. Whatever a test does not name has a sensible value."""

import hashlib
import json
import uuid

from annotate.models import (
    Author,
    ChatTurn,
    Comparison,
    Guideline,
    Judgement,
    Membership,
    Project,
    Prompt,
    Response,
    Role,
    Task,
    TaskResponse,
    User,
)
from annotate.services.chats import send_message
from tests.numbering import NUMBERS

PASSWORD = "correct horse battery staple"


def make_user(name: str, *, is_staff: bool = False) -> User:
    return User.objects.create_user(f"{name.lower()}@example.org", PASSWORD, name=name, is_staff=is_staff)


def make_project(owner: User, *, name: str = "Kitchen advice", **settings: object) -> Project:
    """A project with its owner and the first version of its guidelines."""
    project = Project.objects.create(name=name, created_by=owner, **settings)
    add_member(project, owner, Role.OWNER)
    Guideline.objects.create(project=project, version=1, body="Prefer the more helpful answer.", created_by=owner)
    return project


def add_member(project: Project, user: User, role: str) -> Membership:
    return Membership.objects.create(project=project, user=user, role=role, guideline_read=1)


def make_prompt(project: Project, text: str = "", *, system: str = "") -> Prompt:
    messages = [{"role": "user", "content": text or f"How long do I boil {next(NUMBERS)} eggs?"}]
    content = json.dumps([system, messages], sort_keys=True).encode()
    return Prompt.objects.create(
        project=project, messages=messages, system=system, content_hash=hashlib.sha256(content).hexdigest()
    )


def make_author(project: Project, name: str = "model one", kind: str = Author.Kind.MODEL) -> Author:
    return Author.objects.get_or_create(project=project, name=name, kind=kind)[0]


def make_response(prompt: Prompt, text: str = "Seven minutes.", *, author: Author | None = None) -> Response:
    author = author or make_author(prompt.project)
    return Response.objects.create(prompt=prompt, author=author, key=f"draw-{next(NUMBERS)}", text=text)


def make_task(project: Project, *, prompt: Prompt | None = None, overlap: int = 1, priority: int = 0) -> Task:
    """A comparison of two responses to one prompt."""
    prompt = prompt or make_prompt(project)
    task = Task.objects.create(
        project=project,
        prompt=prompt,
        key=f"task-{next(NUMBERS)}",
        priority=priority,
        required_judgements=overlap,
        remaining=overlap,
    )
    for position, text in enumerate(["Seven minutes.", "It depends on the size."]):
        TaskResponse.objects.create(task=task, response=make_response(prompt, text), position=position)
    return task


def make_judgement(
    task: Task,
    annotator: User | None,
    preference: int | None = -4,
    *,
    points: int | None = 8,
    first_on_left: bool | None = True,
    **fields: object,
) -> Judgement:
    """What one person said of a task, straight into the database: a negative preference favours its first response,
    None says both are bad. The task's places and leases are left as they are."""
    judgement = Judgement.objects.create(
        project=task.project,
        task=task,
        kind=task.kind,
        annotator=annotator,
        **{"outcome": Judgement.Outcome.ANSWER, "submission_id": uuid.uuid4(), **fields},
    )
    first, second = (place.response for place in task.places.order_by("position"))
    Comparison.objects.create(
        judgement=judgement,
        first=first,
        second=second,
        points=points,
        preference=preference,
        both_bad=preference is None,
        first_on_left=first_on_left,
    )
    return judgement


def make_chat_turn(
    project: Project, user: User, text: str = "How long do I boil an egg?", **options: object
) -> ChatTurn:
    """A person's message in their open chat, two answers to it in the queue. Chat is switched on for the project."""
    project.kind_options = {**project.kind_options, "chat": options}
    project.save(update_fields=["kind_options"])
    if not project.authors.filter(kind=Author.Kind.MODEL).exists():
        make_author(project)
    return send_message(user=user, project=project, text=text, submission_id=uuid.uuid4())
