"""People who judge over HTTP as the page does, in a process of their own, as fast as they are answered.

A cycle is one judgement: the answer to the task shown is sent with the number of the task held ready, which is shown at
once, and the server's reply brings the one after it (`static/js/judging/outbox.js`). So each cycle sends one answer and
receives one prompt with its two responses.
"""

import http.client
import json
import multiprocessing
import random
import re
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

TOKEN = re.compile(r"X-CSRFToken&quot;: &quot;(\w+)|X-CSRFToken\": \"(\w+)")
LEASE = re.compile(r'data-lease="(\d+)"')
SUBMISSION = re.compile(r'name="submission_id" value="([0-9a-f-]{36})"')
CHOICES = ("-4", "-3", "-2", "-1", "1", "2", "3", "4")
UNLIMITED = 10**9
PATIENCE = 30  # seconds for one answer, and for a server that comes back


@dataclass
class Accepted:
    """An answer that the server took: its id, what it said, and when, in seconds of the monotonic clock."""

    submission: str
    choice: str
    started: float
    seconds: float


@dataclass
class Report:
    accepted: list[Accepted] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    broken: int = 0  # connections that ended without an answer
    finished: bool = False  # nothing was left to judge


class Annotator:
    """One person's page: the task shown, the one held ready, and the connection that a browser would keep."""

    def __init__(self, address: str, project: int, session: str, *, patient: bool = False) -> None:
        self.where, self.path, self.patient = urlsplit(address), f"/projects/{project}/judge/", patient
        self.cookies = {"sessionid": session}
        self.token, self.shown, self.ready = "", "", ""
        self.report = Report()
        self.connection = self._connect()

    def open(self) -> bool:
        """The whole page, and the task after the one on it; False when nothing waits for this person."""
        page = self.ask("GET", self.path).decode()
        if found := TOKEN.search(page):
            self.token = found[1] or found[2]
        self.shown = page if LEASE.search(page) else ""
        self._fetch_ahead()
        return bool(self.shown)

    def judge(self, choice: str) -> Accepted:
        """Answer the task shown; afterwards the next one is shown, if there is any."""
        submission = find(SUBMISSION, self.shown)
        fields = {"lease": lease_of(self.shown), "submission_id": submission, "active_seconds": "20.0"}
        fields |= {"choice": choice, "rationale": ""}
        if self.ready:
            fields["next"] = lease_of(self.ready)
        started = time.monotonic()
        answer = self.ask("POST", self.path, fields)
        taken = Accepted(submission, choice, started, time.monotonic() - started)
        if answer.startswith(b"{"):
            self.shown, self.ready = self.ready, json.loads(answer)["ahead"] or ""
        else:
            self.shown = answer.decode() if LEASE.search(answer.decode()) else ""
            self._fetch_ahead()
        return taken

    def ask(self, method: str, path: str, fields: dict[str, Any] | None = None) -> bytes:
        """The body of a good answer. Raises Refused for any other; a patient person tries again when there is none."""
        give_up = time.monotonic() + PATIENCE
        while True:
            try:
                return self._ask_once(method, path, fields)
            except (OSError, http.client.HTTPException) as error:
                self.connection.close()
                self.connection = self._connect()
                self.report.broken += 1
                if not self.patient or time.monotonic() > give_up:
                    raise Refused(f"{method} {path}: {type(error).__name__}") from error
                time.sleep(0.25)

    def _ask_once(self, method: str, path: str, fields: dict[str, Any] | None) -> bytes:
        headers, body = self.written(fields)
        self.connection.request(method, path, body, headers)
        answer = self.connection.getresponse()
        content = answer.read()
        for cookie in answer.headers.get_all("Set-Cookie") or []:
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
        if answer.status != 200:
            raise Refused(f"{answer.status} {method} {path}")
        return content

    def written(self, fields: dict[str, Any] | None) -> tuple[dict[str, str], str | None]:
        """(headers, body) of a request as the page sends it."""
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        headers["Accept-Encoding"] = "gzip, deflate, br"
        if fields is None:
            return headers, None
        headers |= {"Content-Type": "application/x-www-form-urlencoded", "HX-Request": "true"}
        headers |= {"X-CSRFToken": self.token, "Origin": f"{self.where.scheme}://{self.where.netloc}"}
        return headers, urlencode(fields)

    def _fetch_ahead(self) -> None:
        self.ready = ""
        if self.shown:
            path = f"{self.path}ahead/?lease={lease_of(self.shown)}"
            self.ready = json.loads(self.ask("GET", path))["ahead"] or ""

    def _connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(self.where.hostname or "", self.where.port, timeout=PATIENCE)


class ApiAnnotator(Annotator):
    """The same through the API: a token in place of the session, and each answer brings the next task."""

    def open(self) -> bool:
        self.path = self.path.replace("/projects/", "/api/v1/projects/").removesuffix("judge/")
        return self._show(json.loads(self.ask("POST", f"{self.path}next-task/", {})))

    def judge(self, choice: str) -> Accepted:
        submission = str(uuid.uuid4())
        fields = {"submission_id": submission, "answer": {"preference": int(choice)}, "active_seconds": 20.0}
        started = time.monotonic()
        answer = self.ask("POST", f"{self.path}leases/{self.shown}/judgement/?next=true", fields)
        taken = Accepted(submission, choice, started, time.monotonic() - started)
        self._show(json.loads(answer)["next"])
        return taken

    def written(self, fields: dict[str, Any] | None) -> tuple[dict[str, str], str | None]:
        headers = {"Authorization": f"Bearer {self.cookies['sessionid']}", "Content-Type": "application/json"}
        return headers, None if fields is None else json.dumps(fields)

    def _show(self, told: dict[str, Any]) -> bool:
        self.shown = str(told["lease"]["id"]) if told["lease"] else ""
        return bool(self.shown)


class Refused(Exception):
    """The server answered with something else than 200, or not at all."""


def lease_of(area: str) -> str:
    return find(LEASE, area)


def find(pattern: re.Pattern[str], area: str) -> str:
    found = pattern.search(area)
    if found is None:
        raise Refused(f"The page has no {pattern.pattern}")
    return found[1]


def drive(
    address: str,
    project: int,
    sessions: Sequence[str],
    *,
    seconds: float,
    cycles: int = UNLIMITED,
    pause: float = 0.0,
    api: bool = False,
) -> list[Report]:
    """Let a person for each session, or token of the API, judge for so long, or so often; what became of it.

    Between two answers a person waits `pause` seconds on average, anything from none to twice that."""
    people = [(ApiAnnotator if api else Annotator)(address, project, session) for session in sessions]
    for person in people:
        person.open()
    until = time.monotonic() + seconds
    threads = [
        threading.Thread(target=work, args=(person, until, cycles, pause, random.Random(seed)))
        for seed, person in enumerate(people)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [person.report for person in people]


def work(person: Annotator, until: float, cycles: int, pause: float, lots: random.Random) -> None:
    report = person.report
    while len(report.accepted) < cycles:
        time.sleep(2 * pause * lots.random())
        if time.monotonic() >= until:
            return
        if not person.shown and not look_again(person):
            report.finished = True
            return
        try:
            report.accepted.append(person.judge(lots.choice(CHOICES)))
        except Refused as error:
            report.errors.append(str(error))
            look_again(person)


def look_again(person: Annotator) -> bool:
    """Reload the page, as a person does who sees an error or nothing to do."""
    try:
        return person.open()
    except Refused as error:
        person.report.errors.append(str(error))
        return False


@contextmanager
def driving(*arguments: Any, **options: Any) -> Iterator[Future[list[Report]]]:
    """`drive` in a process of its own, so that its work is not this one's; its reports to come."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield pool.submit(drive, *arguments, **options)


def drive_apart(*arguments: Any, **options: Any) -> list[Report]:
    with driving(*arguments, **options) as reports:
        return reports.result()
