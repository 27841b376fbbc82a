"""A chat as its person sees it: turns, the two answers being written, what was said. Letters only, never an author."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Prefetch
from django.utils import timezone

from annotate.markdown import render_markdown
from annotate.models import Chat, ChatOption, ChatTurn, Judgement, Lease, Response
from annotate.services import live_text
from annotate.services.answers.kinds import describe_judgement
from annotate.services.answers.shown import LETTERS, Shown
from annotate.services.chats import RETRIED

WORDS = {
    "queued": "Waiting for the model…",
    "writing": "Writing…",
    "done": "Finished",
    "cut": "Cut at the length limit",
    "stopped": "Stopped",
    "silent": "Stopped early. What came is kept; you can choose it, or let it try again.",
    "late": "Nothing for a minute. Let it try again, or choose the other answer.",
    "empty": "Ended without a word.",
    "failed": "This answer could not be finished. What came is kept.",
}
FINAL = ("done", "cut", "stopped", "empty", "failed")  # nothing more comes of this attempt
Place = tuple[int, int | None]  # attempt, bytes of it that the page has; None: all of it, rendered


@dataclass(frozen=True)
class AnswerShown:
    letter: str
    position: int
    attempt: int
    state: str
    text: str

    @property
    def end(self) -> int:
        """Its place in the stream, in bytes."""
        return len(self.text.encode())

    @property
    def words(self) -> str:
        return WORDS[self.state]

    @property
    def is_final(self) -> bool:
        return self.state in FINAL

    @property
    def may_retry(self) -> bool:
        return self.state in RETRIED


@dataclass(frozen=True)
class TurnShown:
    """`said` is the person's judgement in words, under `lease` in their history; `asked` how often it was answered."""

    turn: ChatTurn
    message: str
    answers: list[AnswerShown]
    chosen: Response | None
    letter: str
    said: str
    by_lot: bool
    lease: int | None
    asked: int


def turns_shown(chat: Chat) -> list[TurnShown]:
    """The chat's current turns, first to last. Six statements at most, however long it is."""
    turns = list(with_options(chat.turns.filter(is_current=True)).select_related("chosen").order_by("number"))
    asked = Counter(chat.turns.values_list("number", flat=True))
    tasks = [turn.task_id for turn in turns if turn.task_id]
    mine = Judgement.objects.filter(task__in=tasks, annotator=chat.annotator_id).current().select_related("comparison")
    judgements = {judgement.task_id: judgement for judgement in mine}
    held = Lease.objects.filter(task__in=tasks, annotator=chat.annotator_id).values_list("task", "pk")
    leases, published = dict(held), read_published(turns)
    return [
        show_turn(turn, judgements.get(turn.task_id or 0), leases.get(turn.task_id or 0), asked, published)
        for turn in turns
    ]


def with_options(turns: Any) -> Any:
    options = ChatOption.objects.select_related("response").order_by("position")
    return turns.select_related("prompt").prefetch_related(Prefetch("options", options))


def read_published(turns: Sequence[ChatTurn]) -> dict[int, str]:
    """{option id: what the broker has of it}, of answers that are being written."""
    options = [option for turn in turns for option in turn.options.all() if option.status == option.Status.WRITING]
    texts = live_text.read([(live_text.key_of(option.pk, option.attempt), 0) for option in options])
    return {option.pk: text.decode(errors="ignore") for option, text in zip(options, texts, strict=True)}


def show_turn(
    turn: ChatTurn,
    judgement: Judgement | None,
    lease: int | None,
    asked: Mapping[int, int],
    published: Mapping[int, str],
) -> TurnShown:
    options, now = list(turn.options.all()), timezone.now()
    names = {option.response_id: LETTERS[option.position] for option in options if option.response_id}
    comparison = judgement.comparison if judgement and judgement.outcome == Judgement.Outcome.ANSWER else None
    return TurnShown(
        turn=turn,
        message=turn.prompt.messages[-1]["content"],
        answers=[show_answer(option, published.get(option.pk, ""), now) for option in options],
        chosen=turn.chosen,
        letter=names.get(turn.chosen_id or 0, ""),
        said=describe_judgement(judgement, names) if judgement else "",
        by_lot=comparison is not None and not comparison.preference,
        lease=lease,
        asked=asked[turn.number],
    )


def show_answer(option: ChatOption, published: str, now: datetime) -> AnswerShown:
    text = max(option.text, published, key=len)
    return AnswerShown(LETTERS[option.position], option.position, option.attempt, option.state(now), text)


def judged_sides(turn: TurnShown) -> list[Shown]:
    """The two answers as the form of a comparison takes them; their responses are not stored yet."""
    return [Shown(answer.letter, Response(text=answer.text), answer.position) for answer in turn.answers]


def read_stream(turn: ChatTurn, places: Mapping[str, Place]) -> dict[str, Any]:
    """What a page that has come to these places, by letter, lacks. One statement, one call of the broker."""
    options, now = list(turn.options.select_related("response").order_by("position")), timezone.now()
    wanted = [(option, _place(option, places)) for option in options]
    running = [(o, place or 0) for o, place in wanted if o.status == o.Status.WRITING]
    found = live_text.read([(live_text.key_of(option.pk, option.attempt), place) for option, place in running])
    new = {option.pk: text for (option, _), text in zip(running, found, strict=True)}
    answers = {LETTERS[option.position]: _news(option, place, new.get(option.pk, b""), now) for option, place in wanted}
    return {"over": turn.chosen_id is not None or not turn.is_current, "answers": answers}


def _place(option: ChatOption, places: Mapping[str, Place]) -> int | None:
    attempt, place = places.get(LETTERS[option.position], (0, 0))
    return place if attempt == option.attempt else 0


def _news(option: ChatOption, place: int | None, published: bytes, now: datetime) -> dict[str, Any]:
    """One answer's state, and its text from `place` on: plain while it is written, rendered once nothing more comes."""
    state = option.state(now)
    news = {"attempt": option.attempt, "state": state, "words": WORDS[state], "retry": state in RETRIED}
    if state in FINAL:
        return {**news, "final": True, **({} if place is None else {"html": render_markdown(option.text)})}
    piece = max(option.text.encode()[place:], published, key=len)
    return {**news, "final": False, "text": piece.decode(errors="ignore"), "end": (place or 0) + len(piece)}
