"""A live chat: a person's messages, two answers to each, drawn by lot and written by a worker. Nothing is removed.

Every function runs under the lock of the chat's row, and repeating it with the same submission id finds what it did.
"""

from __future__ import annotations

import itertools
import secrets
import uuid
from typing import Any

from django.db import transaction
from django.utils import timezone

from annotate.imports.conversations import check_prompt
from annotate.imports.rows import PromptRow, RowRefused
from annotate.kinds.options import ChatOptions, read_options
from annotate.models import Author, Chat, ChatOption, ChatTurn, Kind, Membership, Project, Prompt, User
from annotate.services.chat_writing import as_response, latest_text, settle_option
from annotate.services.guidelines import unread_guideline
from annotate.services.prompts import add_prompts
from annotate.services.queue import WARM_CHAT_MODELS, WRITE_CHAT_ANSWERS, enqueue
from annotate.standing import Stage, read_standing

RETRIED = ("late", "silent", "empty", "failed")  # states in which an answer may be asked for again
SEEDS = 2**31
LOTS = secrets.SystemRandom()


class ChatRefused(Exception):
    """This cannot be done now, for the reason it carries; nothing was changed."""


def is_on(project: Project) -> bool:
    return Kind.CHAT in project.kind_options


def chat_options(project: Project) -> ChatOptions:
    options: ChatOptions = read_options(Kind.CHAT, project.kind_options)
    return options


def policies(project: Project) -> list[Author]:
    """The models that may answer here, by the project's rule."""
    models = Author.objects.of_project(project).that_answer().order_by("pk")
    wanted = chat_options(project).authors
    return list(models.filter(pk__in=wanted) if wanted else models)


@transaction.atomic
def send_message(
    *, user: User, project: Project, text: str, submission_id: uuid.UUID, chat_id: int | None = None
) -> ChatTurn:
    """Add the person's message to their open chat, begun if there is none, and ask for two answers.

    `chat_id` is the chat the person had before them. Raises ChatRefused.
    """
    membership = find_membership(project, user, locked=True)
    mine = ChatTurn.objects.filter(chat__project=project, chat__annotator=user)
    if known := mine.filter(submission_id=submission_id).first():
        return known
    refuse_unready(membership)
    chat = Chat.objects.filter(project=project, annotator=user, ended_at=None).first()
    if chat_id and (chat is None or chat.pk != chat_id):
        raise ChatRefused("That chat has been ended meanwhile. Your message is kept here: send it to begin a new chat.")
    if chat is None:
        chat = Chat.objects.create(project=project, annotator=user, system=chat_options(project).system)
    return _add_turn(chat, last_turn(chat), text, submission_id)


@transaction.atomic
def ask_again(*, turn: ChatTurn, submission_id: uuid.UUID, text: str = "") -> ChatTurn:
    """Have the message of a turn answered anew, or another `text` in its place. What it was and what came after it
    are kept, and no longer current. Raises ChatRefused."""
    chat = lock_open_chat(turn)
    if known := chat.turns.filter(submission_id=submission_id).first():
        return known
    refuse_unready(find_membership(chat.project, chat.annotator))
    turn.refresh_from_db()
    if not turn.is_current:
        raise ChatRefused("This message has been answered anew in another tab. Reload the page.")
    dropped = chat.turns.filter(is_current=True, number__gte=turn.number)
    for option in lock_options(list(dropped)):
        settle_option(option)
    dropped.update(is_current=False)
    message = text or turn.prompt.messages[-1]["content"]
    return _add_turn(chat, last_turn(chat), message, submission_id)


@transaction.atomic
def retry_option(*, turn: ChatTurn, position: int) -> bool:
    """Ask for one answer again, after it failed, fell silent or never began; what came of it is kept. False when it
    is on its way already."""
    lock_open_chat(turn)
    turn.refresh_from_db()
    option = next(option for option in lock_options([turn]) if option.position == position)
    if turn.chosen_id or not turn.is_current or option.state(timezone.now()) not in RETRIED:
        return False
    option.text = latest_text(option)
    as_response(option, stopped_early=True)
    now = timezone.now()
    ChatOption.objects.filter(pk=option.pk).update(
        status=ChatOption.Status.QUEUED,
        attempt=option.attempt + 1,
        text="",
        error="",
        response=None,
        queued_at=now,
        heartbeat_at=None,
        finished_at=None,
    )
    enqueue(WRITE_CHAT_ANSWERS, job_id=turn.pk)
    return True


@transaction.atomic
def end_chat(*, chat: Chat) -> None:
    """Close the chat; answers on their way stop, and stay as far as they came. Ending twice changes nothing."""
    locked = Chat.objects.select_for_update().get(pk=chat.pk)
    if locked.ended_at:
        return
    for option in lock_options(list(locked.turns.filter(is_current=True, chosen=None))):
        settle_option(option)
    locked.ended_at = timezone.now()
    locked.save(update_fields=["ended_at"])


def warm_up(project: Project) -> None:
    """Have the models loaded while the person thinks of a message. Costs a worker nothing once they are."""
    enqueue(WARM_CHAT_MODELS, job_id=project.pk)


def last_turn(chat: Chat) -> ChatTurn | None:
    return chat.turns.filter(is_current=True).select_related("prompt", "chosen").order_by("-number").first()


def lock_open_chat(turn: ChatTurn) -> Chat:
    """The turn's chat, locked until the transaction ends. Raises ChatRefused when it has been ended."""
    chat = Chat.objects.select_for_update(of=("self",)).select_related("project", "annotator").get(pk=turn.chat_id)
    if chat.ended_at:
        raise ChatRefused("This chat has been ended. Begin a new one.")
    return chat


def lock_options(turns: list[ChatTurn]) -> list[ChatOption]:
    options = ChatOption.objects.filter(turn__in=turns).select_related("turn__prompt", "author", "response")
    return list(options.order_by("turn_id", "position").select_for_update(of=("self",)))


def find_membership(project: Project, user: User, *, locked: bool = False) -> Membership:
    """The person's membership; locked, their tabs take turns."""
    rows = Membership.objects.select_related("project").filter(project=project, user=user)
    return (rows.select_for_update(no_key=True, of=("self",)) if locked else rows).get()


def refuse_unready(membership: Membership) -> None:
    """Raise ChatRefused, with what to do, when this person cannot send anything here just now."""
    project = membership.project
    if project.archived_at:
        raise ChatRefused("This project is archived; no more answers are collected.")
    if not is_on(project):
        raise ChatRefused("Live chat is not switched on in this project. Its owner can do that in the settings.")
    if not policies(project):
        raise ChatRefused("No model can answer here yet. An owner can add one under Models.")
    if read_standing(membership).stage != Stage.WORK:
        raise ChatRefused("Chat is open to you once you are at work in this project: see under Judge what is missing.")
    if unread_guideline(membership):
        raise ChatRefused("The guidelines have changed. Read them under Judge first; then come back here.")


def _add_turn(chat: Chat, before: ChatTurn | None, text: str, submission_id: uuid.UUID) -> ChatTurn:
    """The message after the turn `before`, and its two answers in the queue."""
    options = chat_options(chat.project)
    number = before.number + 1 if before else 1
    if before and before.chosen is None:
        raise ChatRefused("Choose one of the two answers first; it continues the chat. Your message is kept here.")
    if number > options.most_turns:
        raise ChatRefused(f"This chat has had its {options.most_turns} messages. End it and begin a new one.")
    prompt = _store_prompt(chat, before, text)
    turn = ChatTurn.objects.create(chat=chat, number=number, submission_id=submission_id, prompt=prompt)
    sampling = {"top_p": 1.0, "max_tokens": options.max_tokens}
    for position, (author, temperature) in enumerate(draw_sides(chat.project)):
        ChatOption.objects.create(
            turn=turn,
            position=position,
            author=author,
            sampling={"temperature": temperature, **sampling},
            seed=LOTS.randrange(SEEDS),
        )
    enqueue(WRITE_CHAT_ANSWERS, job_id=turn.pk)
    return turn


def draw_sides(project: Project) -> list[tuple[Author, float]]:
    """(policy, temperature) of the left and the right answer, by lot: two different ones where there are two."""
    ways = list(itertools.product(policies(project), chat_options(project).temperatures))
    return LOTS.sample(ways, 2) if len(ways) > 1 else ways * 2


def _store_prompt(chat: Chat, before: ChatTurn | None, text: str) -> Prompt:
    messages: list[dict[str, Any]] = []
    if before and before.chosen:
        messages = [*before.prompt.messages, {"role": "assistant", "content": before.chosen.text}]
    messages.append({"role": "user", "content": text})
    try:
        check_prompt(chat.system, messages, "message")
    except RowRefused as error:
        raise ChatRefused(f"This cannot be sent: {error}. Shorten it, or begin a new chat.") from error
    row = PromptRow(messages=messages, shape="chat", system=chat.system, source="chat")
    prompt = add_prompts(project=chat.project, rows=[row])[0].prompt
    assert prompt is not None  # without an external id no row is refused
    return prompt
