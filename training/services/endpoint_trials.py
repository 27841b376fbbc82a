"""Asking an endpoint one word, to see whether it answers."""

from __future__ import annotations

import time
from typing import NamedTuple

from annotate.models import User
from annotate.services.audit import record_audit
from training.algorithms.samples import Request, Sampling
from training.endpoints.client import Client
from training.endpoints.protocol import Written, estimate_prompt
from training.endpoints.troubles import Denied, Lost, PromptRefused
from training.models import Endpoint
from training.services.endpoint_asking import make_client
from training.services.endpoint_keys import KeyUnreadable
from training.services.endpoint_limits import Aside, Removed, claim_slot, cost_of, count_use, give_back, set_aside

QUESTION = Request(key="trial", prompt=[{"role": "user", "content": "Answer with the one word: ready"}])
TOKENS_IN, TOKENS_OUT = estimate_prompt({"messages": QUESTION.prompt}), 16
MOST_SECONDS = 20.0
EARLY = 2.0  # seconds that a trial comes before its moment at most
SHOWN = 200  # characters of the answer


class Trial(NamedTuple):
    worked: bool
    message: str  # what it said, or why it did not


def try_endpoint(*, endpoint: Endpoint, user: User) -> Trial:
    """One short request at its price and within its limits. Nothing is tried a second time."""
    found = reason_not_to(endpoint) or set_aside(
        endpoint, cost_of(endpoint, tokens_in=TOKENS_IN, tokens_out=TOKENS_OUT)
    )
    if not isinstance(found, Aside):
        return Trial(False, found)
    record_audit(actor=user, action="endpoint.tried", project=endpoint.project, target=endpoint.model)
    began = time.monotonic()
    try:
        with make_client(endpoint, timeout=min(MOST_SECONDS, endpoint.timeout)) as client:
            written = ask(client)
    except (Lost, Denied, PromptRefused, KeyUnreadable) as error:
        give_back(endpoint, found)
        return Trial(False, str(error).rstrip(".") + ".")
    counted = {"tokens_in": written.tokens_in, "tokens_out": written.tokens_out}
    count_use(endpoint, found, **counted, cost=cost_of(endpoint, **counted))
    said = written.text.strip()[:SHOWN] or "(nothing)"
    return Trial(True, f"It answered in {time.monotonic() - began:.1f} s: “{said}”")


def ask(client: Client) -> Written:
    """Again at once where the server has just said how it wants to be asked."""
    sampling = Sampling(max_tokens=TOKENS_OUT)
    try:
        return client.ask(QUESTION, sampling, 0)
    except Lost as lost:
        if lost.after != 0:
            raise
        return client.ask(QUESTION, sampling, 0)


def reason_not_to(endpoint: Endpoint) -> str:
    try:
        wait = claim_slot(endpoint, tokens=TOKENS_IN + TOKENS_OUT)
    except Removed as error:
        return str(error)
    return f"It is asked as often as its limits allow. Try again in {wait:.0f} seconds." if wait > EARLY else ""
