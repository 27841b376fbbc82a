"""A batch of requests to an endpoint: some at once, as often as its limits allow, tried again where that may help.

Threads only wait for answers. Everything that touches the database happens in the thread that called: it takes the next
moment, counts what an answer cost as soon as it is here, and hands the answer on to be stored.
"""

from __future__ import annotations

import random
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from decimal import Decimal
from heapq import heappop, heappush
from typing import Any

from django.conf import settings

from training.algorithms.samples import Request, Sample, Sampling
from training.endpoints.client import Client
from training.endpoints.protocol import Written, estimate_prompt
from training.endpoints.troubles import Denied, Lost, PromptRefused
from training.models import Endpoint
from training.services.endpoint_keys import KeyUnreadable, unseal
from training.services.endpoint_limits import (
    Aside,
    Removed,
    claim_slot,
    cost_of,
    count_use,
    give_back,
    put_off,
    set_aside,
)
from training.services.jobs import Heartbeat, JobFailed

FIRST_WAIT, LONGEST_WAIT = 1.0, 60.0  # seconds before a request is tried again: doubled each time
LONGEST_ASKED = 300.0  # a server that asks to wait longer than this stops the job
LOOK_EVERY = 0.2
ALL_REFUSED = 5  # so many prompts refused and none answered: it is not the prompts


@dataclass
class Draw:
    """One response to be asked for."""

    request: Request
    index: int
    tokens: int  # it may cost at most, the prompt's estimated
    worst: Decimal  # dollars it may cost at most
    tries: int = 0
    aside: Aside | None = None  # what is counted for it while it is on its way


def make_client(endpoint: Endpoint, *, timeout: float | None = None) -> Client:
    """Raises KeyUnreadable."""
    return Client(
        base_url=endpoint.base_url,
        key=unseal(endpoint.sealed_key),
        protocol=endpoint.protocol,
        model=endpoint.remote_name,
        timeout=timeout or endpoint.timeout,
        at_once=endpoint.at_once,
        allowed=settings.ENDPOINT_PRIVATE_HOSTS,
    )


def ask_endpoint(
    endpoint: Endpoint,
    requests: Sequence[Request],
    *,
    sampling: Sampling,
    pulse: Heartbeat,
    on_sample: Callable[[Sample], None],
    on_cost: Callable[[Decimal], None],
) -> dict[str, str]:
    """Ask for every draw; returns {request key: why} of the prompts that the model does not take.

    Told to stop, it asks for nothing more and takes the answers that are on their way. Raises JobFailed with a sentence
    when nothing more can be asked; what was answered until then has been handed on.
    """
    try:
        client = make_client(endpoint)
    except KeyUnreadable as error:
        raise JobFailed(f"“{endpoint}”: {error}") from error
    with client, ThreadPoolExecutor(endpoint.at_once, thread_name_prefix="endpoint") as pool:
        asking = Asking(endpoint, client, pool, sampling, pulse, on_sample, on_cost)
        asking.waiting.extend(asking.draw_of(request, index) for request in requests for index in request.indices)
        return asking.run()


@dataclass
class Asking:
    endpoint: Endpoint
    client: Client
    pool: ThreadPoolExecutor
    sampling: Sampling
    pulse: Heartbeat
    on_sample: Callable[[Sample], None]
    on_cost: Callable[[Decimal], None]

    def __post_init__(self) -> None:
        self.waiting: deque[Draw] = deque()
        self.later: list[tuple[float, int, Draw]] = []  # a heap by when each may be asked again
        self.running: dict[Future[Written], Draw] = {}
        self.refused: dict[str, str] = {}
        self.answered = 0
        self.trouble = ""
        self.slot: float | None = None  # when the next may be asked, once that is claimed
        self.lost = 0

    def draw_of(self, request: Request, index: int) -> Draw:
        turns = [{"content": request.system}, *request.prompt]
        prompt, most = estimate_prompt({"messages": turns}), self.sampling.max_tokens
        worst = cost_of(self.endpoint, tokens_in=prompt, tokens_out=most)
        return Draw(request, index, prompt + most, worst)

    def run(self) -> dict[str, str]:
        while self.running or (self.is_wanted() and (self.waiting or self.later)):
            self.begin()
            self.rest()
            for future in [future for future in self.running if future.done()]:
                self.take(future, self.running.pop(future))
        if self.trouble:
            raise JobFailed(self.trouble)
        return self.refused

    def is_wanted(self) -> bool:
        return not self.trouble and not self.pulse.must_stop()

    def begin(self) -> None:
        """Ask for what may be asked for now."""
        while self.is_wanted() and len(self.running) < self.endpoint.at_once:
            draw = self.peek()
            if draw is None or not self.is_time(draw) or not self.is_affordable(draw):
                return
            self.drop_first()
            self.slot = None
            self.running[self.pool.submit(self.client.ask, draw.request, self.sampling, draw.index)] = draw

    def peek(self) -> Draw | None:
        """The next draw: one that is to be tried again, once it is due, before the others."""
        if self.later and self.later[0][0] <= time.monotonic():
            return self.later[0][2]
        while self.waiting and self.waiting[0].request.key in self.refused:
            self.waiting.popleft()
        return self.waiting[0] if self.waiting else None

    def drop_first(self) -> None:
        if self.later and self.later[0][0] <= time.monotonic():
            heappop(self.later)
        else:
            self.waiting.popleft()

    def is_affordable(self, draw: Draw) -> bool:
        """Whether it fits under the limits with all that is on its way, everybody's, should each cost the most it can;
        the money is set aside for it."""
        found = set_aside(self.endpoint, draw.worst)
        if isinstance(found, Aside):
            draw.aside = found
        elif not self.running:
            self.trouble = found
        return isinstance(found, Aside)

    def is_time(self, draw: Draw) -> bool:
        if self.slot is None:
            try:
                self.slot = time.monotonic() + claim_slot(self.endpoint, tokens=draw.tokens)
            except Removed as error:
                self.trouble = str(error)
                return False
        return self.slot <= time.monotonic()

    def rest(self) -> None:
        """Until an answer is here, or something may be asked (again), but never for long."""
        now = time.monotonic()
        moments = [*([self.slot] if self.slot else []), *([self.later[0][0]] if self.later else [])]
        seconds = min([LOOK_EVERY, *(moment - now for moment in moments if moment > now)])
        if self.running:
            wait(self.running, timeout=seconds, return_when=FIRST_COMPLETED)
        elif self.waiting or self.later:
            self.pulse.wait(seconds)

    def take(self, future: Future[Written], draw: Draw) -> None:
        assert draw.aside is not None
        if future.exception():
            give_back(self.endpoint, draw.aside)
        try:
            written = future.result()
        except Lost as lost:
            self.try_again(draw, lost)
        except Denied as denied:
            self.trouble = self.trouble or f"“{self.endpoint}”: {denied}"
        except PromptRefused as refused:
            self.note_refusal(draw, str(refused))
        else:
            self.keep(draw, draw.aside, written)

    def keep(self, draw: Draw, aside: Aside, written: Written) -> None:
        """Count it first: it is paid for, whatever becomes of it."""
        cost = cost_of(self.endpoint, tokens_in=written.tokens_in, tokens_out=written.tokens_out)
        count_use(self.endpoint, aside, tokens_in=written.tokens_in, tokens_out=written.tokens_out, cost=cost)
        self.on_cost(cost)
        self.answered += 1
        notes: dict[str, Any] = {"tokens_in": written.tokens_in, "cost": float(cost), "served_by": written.served_by}
        if written.is_estimated:
            notes["tokens_estimated"] = True
        self.on_sample(
            Sample(
                key=draw.request.key,
                index=draw.index,
                text=written.text,
                tokens=written.tokens_out,
                finish_reason=written.finish_reason,
                notes=notes,
            )
        )

    def try_again(self, draw: Draw, lost: Lost) -> None:
        """Later: after what the server asks for, or twice as long each time, a part of it by chance."""
        draw.tries += 1
        if draw.tries > self.endpoint.max_retries:
            self.give_up(f"{lost}. It was asked {draw.tries} times for one response")
        elif lost.after is not None and lost.after > LONGEST_ASKED:
            self.give_up(f"{lost}. It asks to wait {lost.after:.0f} seconds")
        else:
            doubled = min(FIRST_WAIT * 2 ** (draw.tries - 1), LONGEST_WAIT) * random.uniform(0.5, 1.0)
            seconds = doubled if lost.after is None else lost.after
            if lost.after:
                put_off(self.endpoint, seconds=lost.after)
                self.slot = None
            self.lost += 1
            heappush(self.later, (time.monotonic() + seconds, self.lost, draw))

    def give_up(self, why: str) -> None:
        self.trouble = self.trouble or (
            f"“{self.endpoint}”: {why}. Ask for fewer requests a minute, or wait; then press “Write the rest”, which "
            "asks only for what is missing."
        )

    def note_refusal(self, draw: Draw, why: str) -> None:
        self.refused[draw.request.key] = why
        if len(self.refused) >= ALL_REFUSED and not self.answered:
            self.trouble = self.trouble or f"“{self.endpoint}” takes none of the prompts. {why}."
