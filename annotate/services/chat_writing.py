"""A chat's answers while they are written: taken up, kept, ended. The rows are the truth; workers and pages meet here.

Each change names the attempt it belongs to, so that a worker whose answer was stopped, chosen or begun again by
somebody else changes nothing any more.
"""

from __future__ import annotations

from django.db import models, transaction
from django.utils import timezone

from annotate.models import ChatOption, Response
from annotate.services import live_text
from annotate.services.responses import add_response

Status = ChatOption.Status


@transaction.atomic
def claim_options(*, most: int) -> list[ChatOption]:
    """Take up to `most` answers that wait, longest waiting first, a turn's two together."""
    waiting = ChatOption.objects.filter(status=Status.QUEUED).select_related("turn__prompt", "author")
    waiting = waiting.order_by("queued_at", "turn_id", "position").select_for_update(skip_locked=True, of=("self",))
    options, now = list(waiting[:most]), timezone.now()
    ChatOption.objects.filter(pk__in=[option.pk for option in options]).update(status=Status.WRITING, heartbeat_at=now)
    for option in options:
        option.status, option.heartbeat_at = Status.WRITING, now
    return options


def keep_text(option: ChatOption, text: str) -> bool:
    """Keep what has been written so far. False when nobody wants this attempt any more."""
    return bool(_held(option).update(text=text, heartbeat_at=timezone.now()))


def still_wanted(options: list[ChatOption]) -> set[int]:
    """The ids of those whose attempt is still to be written."""
    rows = ChatOption.objects.filter(pk__in=[option.pk for option in options], status=Status.WRITING)
    attempts = dict(rows.values_list("pk", "attempt"))
    return {option.pk for option in options if attempts.get(option.pk) == option.attempt}


def beat(options: list[ChatOption]) -> None:
    """Say that these are still being worked on."""
    mine = models.Q(pk=None)
    for option in options:
        mine |= models.Q(pk=option.pk, attempt=option.attempt)
    ChatOption.objects.filter(mine, status=Status.WRITING).update(heartbeat_at=timezone.now())


@transaction.atomic
def finish_option(option: ChatOption, *, text: str, tokens: int, finish_reason: str) -> bool:
    """Writing → done, its text a response. False when nobody wants this attempt any more."""
    locked = _held(option).select_related("turn__prompt", "author").select_for_update(of=("self",)).first()
    if locked is None:
        return False
    locked.text, locked.status, locked.finished_at = text, Status.DONE, timezone.now()
    locked.response = as_response(locked, tokens=tokens, finish_reason=finish_reason)
    locked.save(update_fields=["text", "status", "finished_at", "response"])
    return True


def fail_option(option: ChatOption, *, text: str, error: str) -> bool:
    """Writing → failed, keeping what came. `error` may name the model: owners may read it, annotators never."""
    held = _held(option)
    return bool(held.update(status=Status.FAILED, text=text, error=error, finished_at=timezone.now()))


def settle_option(option: ChatOption, *, seen: int | None = None) -> Response | None:
    """End a locked answer where it stands; what came is its response, None when nothing came.

    `seen` is how many bytes of an unfinished text the person had before them.
    """
    if option.status in (Status.DONE, Status.STOPPED):
        return option.response
    option.text = latest_text(option).encode()[:seen].decode(errors="ignore")
    option.status, option.finished_at = Status.STOPPED, timezone.now()
    option.response = as_response(option, stopped_early=True)
    option.save(update_fields=["text", "status", "finished_at", "response"])
    return option.response


def latest_text(option: ChatOption) -> str:
    """What has been kept of this attempt, or what was published where that is more."""
    if option.status != Status.WRITING:
        return option.text
    published = live_text.read([(live_text.key_of(option.pk, option.attempt), 0)])[0].decode(errors="ignore")
    return max(published, option.text, key=len)


def as_response(
    option: ChatOption, *, tokens: int | None = None, finish_reason: str = "", stopped_early: bool = False
) -> Response | None:
    """The attempt's text as a stored response to the turn's prompt."""
    if not option.text.strip():
        return None
    return add_response(
        prompt=option.turn.prompt,
        author=option.author,
        key=f"chat-{option.pk}-{option.attempt}",
        text=option.text,
        sampling={**option.sampling, "stopped_early": True} if stopped_early else option.sampling,
        seed=option.seed + option.attempt - 1,
        token_count=tokens,
        finish_reason=finish_reason,
    )


def _held(option: ChatOption) -> models.QuerySet[ChatOption]:
    return ChatOption.objects.filter(pk=option.pk, attempt=option.attempt, status=Status.WRITING)
