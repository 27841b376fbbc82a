"""Choosing an answer in a live chat: it continues the conversation, and the choice is a judgement on that history."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import replace

from django.db import transaction
from django.utils import timezone

from annotate.models import Chat, ChatTurn, Kind, Lease, Response, Task, TaskResponse
from annotate.services import judging
from annotate.services.answers.answer import Answer
from annotate.services.answers.comparison import ComparisonAnswer
from annotate.services.answers.shown import LETTERS
from annotate.services.chat_writing import settle_option
from annotate.services.chats import LOTS, ChatRefused, lock_open_chat, lock_options


@transaction.atomic
def choose_answer(
    *,
    turn: ChatTurn,
    submission_id: uuid.UUID,
    answer: Answer,
    seen: Mapping[int, int],
    active_seconds: float | None = None,
) -> ChatTurn:
    """Stop both answers where they stand and continue with the better; a tie or "both bad" is decided by lot.

    `seen` is how many bytes of each answer, by position, the person had before them: what came after that is not what
    they judged. The answers become responses, the choice a judgement of a task of its own, unless one of them has no
    text or both have the same: then there is nothing to compare. Choosing again changes nothing. Raises ChatRefused
    when the answer preferred has no text, or a tie is said of one alone.
    """
    chat = lock_open_chat(turn)
    turn.refresh_from_db()
    if turn.chosen_id:
        return turn
    if not turn.is_current:
        raise ChatRefused("This message has been answered anew in another tab. Reload the page.")
    found = [settle_option(option, seen=seen.get(option.position)) for option in lock_options([turn])]
    turn.chosen = continue_with(answer.said, found)
    first, second = found
    if first and second and first.text.strip() != second.text.strip():
        lease = hold_task(chat, turn, [first, second])
        turn.task = lease.task
        judging.submit_judgement(
            lease=lease,
            submission_id=submission_id,
            answer=replace(answer, shown=()),  # the responses have their numbers only now
            active_seconds=active_seconds,
        )
    turn.save(update_fields=["chosen", "task"])
    return turn


def continue_with(said: ComparisonAnswer, found: list[Response | None]) -> Response:
    """The response the chat goes on with."""
    written = [response for response in found if response]
    if not written:
        raise ChatRefused("Neither answer has a word yet. Wait for one, or ask for new answers.")
    if said.preference:
        chosen = found[said.preference > 0]
        if chosen is None:
            letter, other = LETTERS[said.preference > 0], LETTERS[said.preference < 0]
            raise ChatRefused(f"{letter} has not written a word yet. Wait for it, let it try again, or choose {other}.")
        return chosen
    if len(written) == 1:
        raise ChatRefused("Only one answer has any text, so they cannot be called equal. Choose that one, or wait.")
    return LOTS.choice(written)


def hold_task(chat: Chat, turn: ChatTurn, responses: list[Response]) -> Lease:
    """The turn's own task, in the hands of its person since the message was sent; sides are as they were drawn."""
    task = Task.objects.create(
        project=chat.project,
        kind=Kind.CHAT,
        prompt_id=turn.prompt_id,
        key=f"chat-{turn.pk}",
        required_judgements=1,
        remaining=0,
        reserved_for_id=chat.annotator_id,
    )
    for position, response in enumerate(responses):
        TaskResponse.objects.create(task=task, response=response, position=position)
    return Lease.objects.create(
        task=task,
        annotator_id=chat.annotator_id,
        order=[0, 1],
        leased_at=turn.created_at,
        expires_at=timezone.now(),
    )
