"""Live chats: a message, two answers on their way, a choice that continues the conversation and is a judgement.

Ask for the turn again, with If-None-Match, to follow its answers while they are written.
"""

from __future__ import annotations

from typing import Any

from django.db.models import Count, Q
from django.http import Http404

from annotate.access import EVERYONE
from annotate.api.answers import read_answer_to
from annotate.api.operations import Call, operation
from annotate.api.paging import Page, page_of
from annotate.api.problems import Conflict, conflicting
from annotate.api.serializers.chats import (
    AgainSerializer,
    ChatQuery,
    ChatRowSerializer,
    ChatSerializer,
    NewChoiceSerializer,
    NewMessageSerializer,
    RetrySerializer,
    TurnSerializer,
)
from annotate.api.serializers.snapshots import StartedSerializer
from annotate.forms.chat import LiveAnswerForm
from annotate.models import Chat, Kind, Scope
from annotate.services import chats
from annotate.services.chat_choices import choose_answer
from annotate.services.chat_pages import TurnShown, judged_sides, turns_shown
from annotate.views.chat import get_own_chat, get_own_turn, own_chats


def find_turn(call: Call, pk: int) -> TurnShown:
    """The caller's turn as it is shown. Raises Http404, also for one that was answered anew."""
    turn = get_own_turn(call.user, call.membership, pk)
    shown = next((shown for shown in turns_shown(turn.chat) if shown.turn.pk == turn.pk), None)
    if shown is None:
        raise Http404("This message was answered anew; its chat has the turn in its place.")
    return shown


@operation("GET", scope=Scope.JUDGE, roles=EVERYONE, query=ChatQuery, answer=ChatRowSerializer, paged=True)
def list_own_chats(call: Call) -> Page:
    """Your chats in the project."""
    rows = own_chats(call.user, call.project)
    rows = rows.filter(ended_at=None) if call.query["open"] else rows
    return page_of(rows.annotate(messages=Count("turns", filter=Q(turns__is_current=True))), call.query)


@operation("GET", scope=Scope.JUDGE, roles=EVERYONE, answer=ChatSerializer)
def show_chat(call: Call, pk: int) -> dict[str, Any]:
    """A chat of yours with its turns."""
    return describe(get_own_chat(call.user, call.membership, pk))


def describe(chat: Chat) -> dict[str, Any]:
    facts = {name: getattr(chat, name) for name in ("id", "created_at", "ended_at")}
    return {**facts, "turns": turns_shown(chat)}


@operation(
    "POST",
    scope=Scope.JUDGE,
    roles=EVERYONE,
    body=NewMessageSerializer,
    answer=TurnSerializer,
    status=201,
    conflicts=True,
    example={"submission_id": "7f0c1c2e-5d0a-4c4e-9a55-0d6f6e2b8a11", "message": "How long do I boil an egg?"},
)
def send_message(call: Call) -> TurnShown:
    """Send a message to your open chat, begun if there is none. Two answers to it are on their way then."""
    data = call.data
    with conflicting(chats.ChatRefused):
        turn = chats.send_message(
            user=call.user,
            project=call.project,
            text=data["message"],
            submission_id=data["submission_id"],
            chat_id=data.get("chat"),
        )
    return find_turn(call, turn.pk)


@operation("POST", scope=Scope.JUDGE, roles=EVERYONE, answer=ChatSerializer)
def end_a_chat(call: Call, pk: int) -> dict[str, Any]:
    """Close a chat. Answers on their way stop, and stay as far as they came."""
    chats.end_chat(chat=get_own_chat(call.user, call.membership, pk))
    return describe(get_own_chat(call.user, call.membership, pk))


@operation("GET", scope=Scope.JUDGE, roles=EVERYONE, answer=TurnSerializer)
def show_turn(call: Call, pk: int) -> TurnShown:
    """A message with its two answers, as far as they are."""
    return find_turn(call, pk)


@operation(
    "POST",
    scope=Scope.JUDGE,
    roles=EVERYONE,
    body=NewChoiceSerializer,
    answer=TurnSerializer,
    conflicts=True,
    example={"submission_id": "7f0c1c2e-5d0a-4c4e-9a55-0d6f6e2b8a11", "answer": {"preference": -3}},
)
def choose_an_answer(call: Call, pk: int) -> TurnShown:
    """Say which answer is better. Both end where they are, and the chat goes on with the better.

    A choice made already stays: correct it through its lease.
    """
    turn, shown, data = get_own_turn(call.user, call.membership, pk), find_turn(call, pk), call.data
    if turn.chosen_id:
        return shown
    form = read_choice(call, shown)
    with conflicting(chats.ChatRefused):
        choose_answer(
            turn=turn,
            submission_id=data["submission_id"],
            answer=form.answer(),
            seen=form.seen(),
            active_seconds=data.get("active_seconds"),
        )
    return find_turn(call, pk)


def read_choice(call: Call, shown: TurnShown) -> LiveAnswerForm:
    """The form of the chat's page, filled in from the body and valid. Raises Invalid."""
    data = call.data
    beside: dict[str, tuple[Any, str]] = {
        **{f"flags_{letter.lower()}": (flags, f"flags.{letter}") for letter, flags in data["flags"].items()},
        **{f"seen_{letter.lower()}": (place, f"seen.{letter}") for letter, place in data["seen"].items()},
    }
    if data["rationale"]:
        beside["rationale"] = data["rationale"], "rationale"
    control = {"submission_id": str(data["submission_id"]), "active_seconds": data.get("active_seconds")}

    def make_form(values: dict[str, Any]) -> LiveAnswerForm:
        return LiveAnswerForm({**values, **control}, project=call.project, shown=judged_sides(shown))

    form = read_answer_to(Kind.CHAT, data["answer"], make_form, beside)
    assert isinstance(form, LiveAnswerForm)
    return form


@operation(
    "POST",
    scope=Scope.JUDGE,
    roles=EVERYONE,
    body=AgainSerializer,
    answer=TurnSerializer,
    status=201,
    conflicts=True,
    example={"submission_id": "7f0c1c2e-5d0a-4c4e-9a55-0d6f6e2b8a11", "message": "And a large one?"},
)
def ask_again(call: Call, pk: int) -> TurnShown:
    """Have a message answered anew, or another one in its place. What it was is kept, and no longer current."""
    turn = get_own_turn(call.user, call.membership, pk)
    with conflicting(chats.ChatRefused):
        new = chats.ask_again(turn=turn, submission_id=call.data["submission_id"], text=call.data.get("message", ""))
    return find_turn(call, new.pk)


@operation("POST", scope=Scope.JUDGE, roles=EVERYONE, body=RetrySerializer, answer=StartedSerializer, conflicts=True)
def retry_an_answer(call: Call, pk: int) -> dict[str, bool]:
    """Ask for one of the two answers again, after it failed, fell silent or never began."""
    turn = get_own_turn(call.user, call.membership, pk)
    if not turn.is_current:
        raise Conflict("This message was answered anew; its chat has the turn in its place.")
    with conflicting(chats.ChatRefused):
        return {"changed": chats.retry_option(turn=turn, position="AB".index(call.data["letter"]))}
