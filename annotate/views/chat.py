"""The live chat page: one area that shows the chat as it stands. Every action answers with that area, or, without
JavaScript, sends back to the page; refused input comes back with 422 and everything typed."""

import uuid
from collections.abc import Callable
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from annotate.access import SignedInRequest, get_in_project, get_membership
from annotate.forms.chat import LiveAnswerForm, MessageForm
from annotate.models import Chat, ChatTurn, Membership, Project, User
from annotate.querysets import ScopedQuerySet
from annotate.services import chats
from annotate.services.chat_choices import choose_answer
from annotate.services.chat_pages import Place, TurnShown, judged_sides, read_stream, turns_shown
from annotate.views.judging import guideline_in_force, wants_fragment

PAST_SHOWN = 100


@never_cache
@vary_on_headers("HX-Request")
@login_required
@require_http_methods(["GET", "POST"])
def chat(request: SignedInRequest, project_id: int) -> HttpResponse:
    """The person's open chat, or the start of one; POST sends a message."""
    membership = get_membership(request.user, project_id)
    if request.method == "GET":
        return show_chat(request, membership)
    form = MessageForm(request.POST)

    def send() -> object:
        data = form.cleaned_data
        return chats.send_message(
            user=request.user,
            project=membership.project,
            text=data["message"],
            submission_id=data["submission_id"],
            chat_id=data["chat"],
        )

    return act(request, membership, form, send, name="message_form")


@login_required
@require_POST
def choose(request: SignedInRequest, project_id: int, turn_id: int) -> HttpResponse:
    """Say which answer is better; the chat goes on with it."""
    membership = get_membership(request.user, project_id)
    turn = get_own_turn(request.user, membership, turn_id)
    shown = next((shown for shown in turns_shown(turn.chat) if shown.turn.pk == turn.pk), None)
    if shown is None or turn.chosen_id:
        return go_on(request, membership)  # decided already, here or in another tab
    form = LiveAnswerForm(request.POST, project=membership.project, shown=judged_sides(shown))

    def say() -> object:
        return choose_answer(
            turn=turn,
            submission_id=form.cleaned_data["submission_id"],
            answer=form.answer(),
            seen=form.seen(),
            active_seconds=form.cleaned_data["active_seconds"],
        )

    return act(request, membership, form, say, name="form")


@login_required
@require_POST
def again(request: SignedInRequest, project_id: int, turn_id: int) -> HttpResponse:
    """Have a message answered anew; with `message`, another one in its place."""
    membership = get_membership(request.user, project_id)
    turn = get_own_turn(request.user, membership, turn_id)
    edited = "message" in request.POST
    typed = request.POST if edited else {**request.POST.dict(), "message": turn.prompt.messages[-1]["content"]}
    form = MessageForm(typed)

    def ask() -> object:
        data = form.cleaned_data
        text = data["message"] if edited else ""
        return chats.ask_again(turn=turn, submission_id=data["submission_id"], text=text)

    return act(request, membership, form, ask, name="edit_form", edited=turn.pk)


@login_required
@require_POST
def retry(request: SignedInRequest, project_id: int, turn_id: int) -> HttpResponse:
    """Ask for one of the two answers again."""
    membership = get_membership(request.user, project_id)
    turn = get_own_turn(request.user, membership, turn_id)
    position = request.POST.get("position", "")
    if position not in ("0", "1"):
        raise Http404("No such answer.")
    chats.retry_option(turn=turn, position=int(position))
    return go_on(request, membership)


@login_required
@require_POST
def end(request: SignedInRequest, project_id: int, chat_id: int) -> HttpResponse:
    membership = get_membership(request.user, project_id)
    chats.end_chat(chat=get_own_chat(request.user, membership, chat_id))
    return go_on(request, membership)


@never_cache
@login_required
@require_safe
def stream(request: SignedInRequest, project_id: int, turn_id: int) -> JsonResponse:
    """What is new in the two answers since the places the page has come to: ?A=1:120&B=1:done."""
    turn = get_own_turn(request.user, get_membership(request.user, project_id), turn_id)
    places = {letter: read_place(request.GET.get(letter, "")) for letter in ("A", "B")}
    return JsonResponse(read_stream(turn, places))


@login_required
@require_safe
def past(request: SignedInRequest, project_id: int) -> HttpResponse:
    """My chats in this project, newest first."""
    membership = get_membership(request.user, project_id)
    mine = own_chats(request.user, membership.project).prefetch_related("turns__prompt").order_by("-pk")[:PAST_SHOWN]
    rows = [{"chat": row, "turns": [turn for turn in row.turns.all() if turn.is_current]} for row in mine]
    for row in rows:
        row["first"] = min(row["turns"], key=lambda turn: turn.number, default=None)
    return render(request, "chat/past.html", {"project": membership.project, "membership": membership, "rows": rows})


@login_required
@require_safe
def read(request: SignedInRequest, project_id: int, chat_id: int) -> HttpResponse:
    """A chat of mine to read again."""
    membership = get_membership(request.user, project_id)
    row = get_own_chat(request.user, membership, chat_id)
    context = {"project": membership.project, "membership": membership, "chat": row, "turns": turns_shown(row)}
    return render(request, "chat/read.html", context)


def act(
    request: SignedInRequest,
    membership: Membership,
    form: Any,
    action: Callable[[], object],
    *,
    name: str,
    edited: int | None = None,
) -> HttpResponse:
    """Do it if the form allows, and show the chat; what is refused comes back under `name`, as it was typed."""
    if form.is_valid():
        try:
            action()
            return go_on(request, membership)
        except chats.ChatRefused as error:
            form.add_error(None, str(error))
    return show_chat(request, membership, status=422, **{name: form, "edited": edited})


def go_on(request: SignedInRequest, membership: Membership) -> HttpResponse:
    return show_chat(request, membership) if wants_fragment(request) else redirect("chat", membership.project_id)


def show_chat(
    request: SignedInRequest,
    membership: Membership,
    *,
    form: LiveAnswerForm | None = None,
    message_form: MessageForm | None = None,
    edit_form: MessageForm | None = None,
    edited: int | None = None,
    status: int = 200,
) -> HttpResponse:
    """The whole page, or for htmx its area."""
    project = membership.project
    row = own_chats(request.user, membership.project).filter(ended_at=None).first()
    turns = turns_shown(row) if row else []
    waiting = turns[-1] if turns and turns[-1].chosen is None else None
    context = {
        "project": project,
        "membership": membership,
        "chat": row,
        "turns": turns,
        "waiting": waiting,
        "form": form or (waiting and blank_form(membership, waiting)),
        "message_form": message_form,
        "edit_form": edit_form,
        "edited": edited,
        "submission_id": uuid.uuid4(),
        "closed": reason_closed(membership),
    }
    if wants_fragment(request):
        return render(request, "chat/chat.html#area", context, status=status)
    if not context["closed"] and not waiting:
        chats.warm_up(project)
    context["guideline"] = guideline_in_force(project)
    context["has_past"] = own_chats(request.user, membership.project).exclude(ended_at=None).exists()
    return render(request, "chat/chat.html", context, status=status)


def blank_form(membership: Membership, turn: TurnShown) -> LiveAnswerForm:
    return LiveAnswerForm(project=membership.project, shown=judged_sides(turn))


def reason_closed(membership: Membership) -> str:
    """Why nothing can be sent just now; empty when it can."""
    try:
        chats.refuse_unready(membership)
    except chats.ChatRefused as error:
        return str(error)
    return ""


def own_chats(user: User, project: Project) -> ScopedQuerySet:
    return Chat.objects.visible_to(user).of_project(project).filter(annotator=user)


def get_own_chat(user: User, membership: Membership, pk: int) -> Chat:
    found: Chat = get_in_project(own_chats(user, membership.project), membership, pk)
    return found


def get_own_turn(user: User, membership: Membership, pk: int) -> ChatTurn:
    turns = ChatTurn.objects.visible_to(user).filter(chat__annotator=user)
    found: ChatTurn = get_in_project(turns.select_related("chat", "prompt"), membership, pk)
    return found


def read_place(text: str) -> Place:
    """ "1:120" is byte 120 of attempt 1, "1:done" all of it; anything else the beginning."""
    attempt, _, place = text.partition(":")
    if not attempt.isdecimal() or not (place.isdecimal() or place == "done") or len(text) > 20:
        return 0, 0
    return int(attempt), None if place == "done" else int(place)
