"""A chat worker: everybody's waiting answers are written together, a token each a round, until none is left."""

from __future__ import annotations

import logging
import threading
import time
from types import TracebackType
from typing import TYPE_CHECKING

from django.db import InterfaceError, OperationalError, connection

from annotate.models import Author, ChatOption, Project
from annotate.services import chat_writing, live_text
from annotate.services.chats import policies
from training.models import ModelVersion
from training.services.jobs import JobFailed, worker_is_stopping
from training.services.warm_models import KEPT, load_warm

if TYPE_CHECKING:
    from training.algorithms.live import LiveBatch, Piece

logger = logging.getLogger(__name__)
AT_ONCE = 16  # answers being written by one worker
LOOK_EVERY = 0.1  # seconds: how soon an unwanted answer stops and a new one begins, if the tokens come as fast
KEEP_EVERY = 0.5  # seconds: how soon the database has the text
BEAT_EVERY = 2.0
GIVE_UP_AFTER = 50.0  # seconds without a token, after which an answer no longer counts as alive
EXPECTED = (JobFailed, OSError, ValueError, RuntimeError)  # files that are gone, models that do not load, no memory


def write_waiting_answers() -> int:
    """Write every answer that waits, and those asked for meanwhile; returns how many were begun."""
    desk = Desk()
    with Pulse(desk):
        desk.take_up()
        while desk.answers and not worker_is_stopping():
            desk.step()
            if time.monotonic() - desk.kept_at > KEEP_EVERY:
                desk.keep()
            if time.monotonic() - desk.looked_at > LOOK_EVERY:
                desk.look()
        desk.put_down()
    return desk.begun


def warm_models(project: Project) -> None:
    """Load the models that answer in the project's chats, as many as are kept."""
    for author in policies(project)[:KEPT]:
        try:
            load_warm(find_policy(author))
        except EXPECTED as error:
            logger.warning("A model for chats could not be loaded: %s", error)


class Answer:
    """An option being written: its text, and how much of it has been published."""

    def __init__(self, option: ChatOption) -> None:
        self.option = option
        self.text = self.published = ""
        self.moved_at = time.monotonic()  # when the last token came

    def next_piece(self) -> str:
        """What is new since it was last asked. A decoder that changes its mind is waited for."""
        if not self.text.startswith(self.published):
            return ""
        piece = self.text[len(self.published) :]
        self.published = self.text
        return piece


class Desk:
    """The answers in hand, by option, and a batch for each model that writes some of them."""

    def __init__(self) -> None:
        self.answers: dict[int, Answer] = {}
        self.batches: dict[int, LiveBatch] = {}
        self.kept_at = self.looked_at = time.monotonic()
        self.begun = 0

    def take_up(self) -> None:
        """Claim what waits, and begin it once all the models it needs are loaded, so that both sides start together."""
        options = chat_writing.claim_options(most=AT_ONCE - len(self.answers))
        self.answers = {**self.answers, **{option.pk: Answer(option) for option in options}}
        self.begun += len(options)
        batches = [(option, batch) for option in options if (batch := self.prepare(option)) is not None]
        pieces = [piece for option, batch in batches if (piece := self.begin(option, batch)) is not None]
        self.hand_out(pieces)

    def prepare(self, option: ChatOption) -> LiveBatch | None:
        """The batch of the option's model, made if need be; None when there is no such model to use."""
        from training.algorithms.live import LiveBatch  # loads torch

        try:
            version = find_policy(option.author)
            if version.pk not in self.batches:
                warm = load_warm(version)
                self.batches[version.pk] = LiveBatch(warm.model, warm.tokenizer, rows=AT_ONCE)
            return self.batches[version.pk]
        except EXPECTED as error:
            self.fail(option.pk, error)
            return None

    def begin(self, option: ChatOption, batch: LiveBatch) -> Piece | None:
        from training.algorithms.rollouts import Request, Sampling

        prompt, place = option.turn.prompt, (option.position,)
        request = Request(key=prompt.content_hash, prompt=prompt.messages, system=prompt.system, indices=place)
        try:
            sampling = Sampling(seed=option.seed + option.attempt - 1, **option.sampling)
            return batch.admit(option.pk, request, sampling)
        except EXPECTED as error:
            self.fail(option.pk, error)
            return None

    def step(self) -> None:
        """One token more for every answer, model by model."""
        for model, batch in list(self.batches.items()):
            if not batch.writings:
                del self.batches[model]
                continue
            try:
                self.hand_out(batch.step())
            except EXPECTED as error:
                for pk in [writing.key for writing in batch.writings]:
                    self.fail(pk, error)

    def hand_out(self, pieces: list[Piece]) -> None:
        """Publish what is new; keep for good what has ended."""
        new = {}
        for piece in pieces:
            answer = self.answers[piece.key]
            answer.text, answer.moved_at = piece.text, time.monotonic()
            if added := answer.next_piece():
                new[live_text.key_of(answer.option.pk, answer.option.attempt)] = added
        if new:
            live_text.publish(new)
        for piece in pieces:
            if piece.reason:
                option = self.answers[piece.key].option
                chat_writing.finish_option(option, text=piece.text, tokens=piece.tokens, finish_reason=piece.reason)
                self.drop(piece.key)

    def keep(self) -> None:
        """Bring the database up to date."""
        for answer in self.answers.values():
            chat_writing.keep_text(answer.option, answer.text)
        self.kept_at = time.monotonic()

    def look(self) -> None:
        """Stop writing what nobody wants any more, and begin what somebody has asked for meanwhile."""
        wanted = chat_writing.still_wanted([answer.option for answer in self.answers.values()])
        for pk in self.answers.keys() - wanted:
            self.drop(pk)
        self.take_up()
        self.looked_at = time.monotonic()

    def fail(self, pk: int, error: Exception | str) -> None:
        logger.warning("Chat option %s failed: %s", pk, error)
        chat_writing.fail_option(self.answers[pk].option, text=self.answers[pk].text, error=str(error))
        self.drop(pk)

    def drop(self, pk: int) -> None:
        for batch in self.batches.values():
            batch.drop(pk)
        self.answers = {key: answer for key, answer in self.answers.items() if key != pk}

    def put_down(self) -> None:
        """The worker stops: whoever waits for an answer is told at once and may ask again."""
        for pk in list(self.answers):
            self.fail(pk, "The worker was stopped.")


class Pulse:
    """Says from a thread of its own that answers are alive, while a model loads or a long prompt is read."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.run, name="pulse of chat answers", daemon=True)

    def __enter__(self) -> None:
        self.thread.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.ended.set()
        self.thread.join()

    def run(self) -> None:
        try:
            while not self.ended.wait(BEAT_EVERY):
                self.beat()
        finally:
            connection.close()

    def beat(self) -> None:
        moved = time.monotonic() - GIVE_UP_AFTER
        alive = [answer.option for answer in self.desk.answers.values() if answer.moved_at > moved]
        try:
            chat_writing.beat(alive)
        except (OperationalError, InterfaceError) as error:
            logger.warning("The database did not take a heartbeat (%s); trying again.", error)
            connection.close()


def find_policy(author: Author) -> ModelVersion:
    version = ModelVersion.objects.filter(author=author, kind=ModelVersion.Kind.POLICY).first()
    if version is None:
        raise JobFailed(f"“{author}” is no model that can write.")
    return version
