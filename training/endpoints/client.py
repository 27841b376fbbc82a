"""One request to another model, over a connection that only goes where it may.

The name is resolved by `addresses.resolve` when a connection is made, and the connection goes to the very address that
was checked; the certificate is checked against the name. Redirects and the environment's proxies are not followed.
"""

from __future__ import annotations

import json
import ssl
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import httpcore2

from training.algorithms.samples import Request, Sampling
from training.endpoints.addresses import resolve
from training.endpoints.protocol import PATHS, Dialect, Written, build_body, read_answer
from training.endpoints.troubles import Lost, PromptRefused, read_said, trouble_of

CONNECT = 10.0  # seconds at most to be let in
MOST_BYTES = 4 * 1024 * 1024
BROKEN = (httpcore2.NetworkError, httpcore2.TimeoutException, httpcore2.ProtocolError, OSError)


class Guarded(httpcore2.SyncBackend):
    """Connects to the first address that lets it in, if all of them are allowed. Raises Denied or Lost."""

    def __init__(self, allowed: Sequence[str]) -> None:
        self.allowed = tuple(allowed)

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        trouble: Exception = Lost(f"{host} has no address")
        for address in resolve(host, port, self.allowed):
            try:
                return super().connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                trouble = error
        raise trouble


class Client:
    """Asks one model. Its threads share the connections, and what was found out about the server."""

    def __init__(
        self,
        *,
        base_url: str,
        key: str,
        protocol: str,
        model: str,
        timeout: float,
        at_once: int,
        allowed: Sequence[str],
    ) -> None:
        self.url = f"{base_url}/{PATHS[protocol]}"
        self.host = str(urlsplit(base_url).hostname)
        self.key, self.protocol, self.model, self.timeout = key, protocol, model, timeout
        self.dialect = Dialect()
        self.pool = httpcore2.ConnectionPool(
            ssl_context=ssl.create_default_context(),
            max_connections=at_once,
            keepalive_expiry=20.0,
            network_backend=Guarded(allowed),
        )

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *error: object) -> None:
        self.pool.close()

    def ask(self, request: Request, sampling: Sampling, index: int) -> Written:
        """One draw. Raises Lost, Denied or PromptRefused."""
        body = build_body(
            protocol=self.protocol,
            model=self.model,
            request=request,
            sampling=sampling,
            index=index,
            dialect=self.dialect,
        )
        status, headers, told = self.post(body)
        if status == 200:
            try:
                return read_answer(told, protocol=self.protocol, asked=body)
            except Lost as lost:
                said = read_said(told, key=self.key) if b'"error"' in told else ""
                raise Lost(f"{self.host}: {lost}{': ' + said if said else ''}") from lost
        said = read_said(told, key=self.key)
        trouble = trouble_of(status, said, who=self.host, model=self.model, after=seconds_to_wait(headers))
        if isinstance(trouble, PromptRefused) and self.learn(said, body):
            raise Lost(str(trouble), after=0.0)
        raise trouble

    def learn(self, said: str, body: dict[str, Any]) -> bool:
        """Whether the server says what it wants otherwise, so that the same may be asked again in its way."""
        if "max_completion_tokens" in said and "max_tokens" in body:
            self.dialect.limit = "max_completion_tokens"
            return True
        if "seed" in said.lower() and "seed" in body:
            self.dialect.has_seed = False
            return True
        return False

    def post(self, body: dict[str, Any]) -> tuple[int, dict[bytes, bytes], bytes]:
        """(status, headers in lower case, body). Raises Lost, or Denied for an address that is not allowed."""
        headers: dict[bytes | str, bytes | str] = {
            "Content-Type": "application/json",
            "Accept": "application/json",
            "User-Agent": "Plumbline",
        }
        if self.key:
            headers["Authorization"] = f"Bearer {self.key}"
        wait = {"connect": min(CONNECT, self.timeout), "read": self.timeout, "write": self.timeout, "pool": None}
        ends = time.monotonic() + self.timeout
        try:
            with self.pool.stream(
                "POST",
                self.url,
                headers=headers,
                content=json.dumps(body).encode(),
                extensions={"timeout": wait},
            ) as answer:
                told = self.read(answer, ends)
                return answer.status, {name.lower(): value for name, value in answer.headers}, told
        except BROKEN as error:
            what = "took too long" if isinstance(error, httpcore2.TimeoutException) else "could not be reached"
            detail = f" ({error})" if str(error) else ""
            raise Lost(f"{self.host} {what}{detail}") from error

    def read(self, answer: httpcore2.Response, ends: float) -> bytes:
        """The whole answer, unless it is too long or comes too slowly."""
        parts, size = [], 0
        for part in answer.iter_stream():
            parts.append(part)
            size += len(part)
            if size > MOST_BYTES:
                raise Lost(f"{self.host} sent more than {MOST_BYTES // 1024**2} MB")
            if time.monotonic() > ends:
                raise Lost(f"{self.host} took longer than {self.timeout:g} seconds")
        return b"".join(parts)


def seconds_to_wait(headers: dict[bytes, bytes]) -> float | None:
    """What Retry-After asks for, as seconds or as a date; None when it asks for nothing."""
    told = headers.get(b"retry-after", b"").decode("latin-1").strip()
    if not told:
        return None
    try:
        return max(0.0, min(float(told), 86_400.0)) or None
    except ValueError:
        pass
    try:
        until = parsedate_to_datetime(told)
    except ValueError:
        return None
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max(0.0, (until - datetime.now(UTC)).total_seconds()) or None
