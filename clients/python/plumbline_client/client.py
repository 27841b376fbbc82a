"""A thin client of Plumbline's API: a method for each thing one does, and `call` for everything else."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from plumbline_client.downloads import fetch_in_parts
from plumbline_client.errors import ApiError
from plumbline_client.shapes import (
    Alarm,
    Draft,
    Evaluation,
    Generation,
    Import,
    Judged,
    Judgement,
    Leaderboard,
    Model,
    NextTask,
    Project,
    Prompt,
    Report,
    Round,
    Run,
    RunEvent,
    Scoring,
    Snapshot,
    StoredPrompts,
    StoredResponses,
    Task,
    TimeStatement,
    Turn,
    WebhookSecret,
)
from plumbline_client.transport import Answer, Request, Send, send_over_http
from plumbline_client.uploads import encode_form


class Plumbline:
    """`Plumbline("https://plumbline.example.org", "plb_…")`. Every method raises ApiError for what is refused."""

    def __init__(self, site: str, token: str, *, send: Send = send_over_http) -> None:
        self._root = site.rstrip("/") + "/api/v1/"
        self._headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        self._send = send

    def call(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """Any operation: what it answers, parsed. A POST carries a key, so that sending it twice does it once."""
        return self.ask(method, path, body=body, query=query, headers=headers).json()

    def ask(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        content: bytes | None = None,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """The same, with status and headers. `content` is a body that is not JSON; name its Content-Type."""
        url = path if path.startswith("http") else self._root + path
        if query:
            given = {name: str(value).lower() if isinstance(value, bool) else value for name, value in query.items()}
            url += "?" + urlencode(given)
        sent = {**self._headers, **(headers or {})}
        if method == "POST":
            sent.setdefault("Idempotency-Key", str(uuid.uuid4()))
        if body is not None:
            sent["Content-Type"], content = "application/json", json.dumps(body).encode()
        answer = self._send(Request(method, url, sent, content))
        if answer.status >= 400:
            raise problem_of(answer)
        return answer

    def walk(self, path: str, **query: Any) -> Iterator[Any]:
        """Every row of a list, page by page."""
        page = self.call("GET", path, query=query)
        while True:
            yield from page["results"]
            if not page["next"]:
                return
            page = self.call("GET", page["next"])

    def projects(self) -> Iterator[Project]:
        yield from self.walk("projects/")

    def create_project(self, name: str, guidelines: str, *, description: str = "") -> Project:
        body = {"name": name, "description": description, "guidelines": guidelines}
        made: Project = self.call("POST", "projects/", body=body)
        return made

    def prompts(self, project: int, **query: Any) -> Iterator[Prompt]:
        yield from self.walk(f"projects/{project}/prompts/", **query)

    def send_prompts(self, project: int, prompts: Sequence[Mapping[str, Any]]) -> StoredPrompts:
        """At most 1,000; each with text or messages, and perhaps system, tags, source, external_id, responses."""
        stored: StoredPrompts = self.call("POST", f"projects/{project}/prompts/", body={"prompts": list(prompts)})
        return stored

    def send_responses(self, project: int, responses: Sequence[Mapping[str, Any]]) -> StoredResponses:
        """At most 1,000; each with prompt, key, text and author."""
        body = {"responses": list(responses)}
        stored: StoredResponses = self.call("POST", f"projects/{project}/responses/", body=body)
        return stored

    def queue_tasks(self, project: int, tasks: Sequence[Mapping[str, Any]], **options: Any) -> int:
        """Each with prompt and responses; how many are new."""
        return int(self.call("POST", f"projects/{project}/tasks/", body={"tasks": list(tasks), **options})["queued"])

    def tasks(self, project: int, **query: Any) -> Iterator[Task]:
        yield from self.walk(f"projects/{project}/tasks/", **query)

    def judgements(self, project: int, **query: Any) -> Iterator[Judgement]:
        yield from self.walk(f"projects/{project}/judgements/", **query)

    def next_task(self, project: int) -> NextTask:
        found: NextTask = self.call("POST", f"projects/{project}/next-task/")
        return found

    def judge(self, project: int, lease: int, answer: Mapping[str, Any], **said: Any) -> Judged:
        """`said` may have rationale, flags, active_seconds and submission_id. The next task comes with the answer."""
        body = {"submission_id": str(uuid.uuid4()), "answer": answer, **said}
        path = f"projects/{project}/leases/{lease}/judgement/"
        judged: Judged = self.call("POST", path, body=body, query={"next": True})
        return judged

    def skip(self, project: int, lease: int, reason: str, **said: Any) -> Judged:
        body = {"submission_id": str(uuid.uuid4()), "reason": reason, **said}
        judged: Judged = self.call("POST", f"projects/{project}/leases/{lease}/skip/", body=body, query={"next": True})
        return judged

    def undo(self, project: int, judgement: int) -> bool:
        return bool(self.call("POST", f"projects/{project}/my-judgements/{judgement}/undo/")["reopened"])

    def import_file(self, project: int, path: Path, *, contents: str = "", **options: Any) -> Import:
        """Bring a file's rows in, read in the background. `contents` and `options` (tags, columns, id_prefix, …) say
        how; left out, its first row does."""
        address, chosen = f"projects/{project}/imports/", {"contents": contents} if contents else {}
        fields = {"confirm": not options, **chosen}
        body, content_type = encode_form(fields, "file", path.name, path.read_bytes())
        job: Import = self.ask("POST", address, content=body, headers={"Content-Type": content_type}).json()
        if options:
            self.call("PATCH", f"{address}{job['id']}/", body=options)
            self.call("POST", f"{address}{job['id']}/confirm/")
            job = self.call("GET", f"{address}{job['id']}/")
        return job

    def import_text(self, project: int, text: str, filename: str) -> Import:
        """Bring rows in; they are read in the background."""
        body = {"text": text, "filename": filename, "confirm": True}
        job: Import = self.call("POST", f"projects/{project}/imports/", body=body)
        return job

    def freeze(self, project: int, **settings: Any) -> Snapshot:
        snapshot: Snapshot = self.call("POST", f"projects/{project}/snapshots/", body=settings)
        return snapshot

    def download(self, project: int, snapshot: int, form: str, **query: Any) -> Iterator[Any]:
        """The snapshot's lines in this form."""
        answer = self.ask("GET", f"projects/{project}/snapshots/{snapshot}/download/{form}/", query=query)
        for line in answer.body.splitlines():
            yield json.loads(line)

    def save(self, project: int, snapshot: int, form: str, path: Path, **query: Any) -> Path:
        """The same as a file, in any `format`. Call it again when it broke off: where the file was written beforehand
        (POST …/files/) it goes on where it stopped. Raises OSError when nobody answers."""
        address = f"projects/{project}/snapshots/{snapshot}/download/{form}/"
        return fetch_in_parts(lambda headers: self.ask("GET", address, query=query, headers=headers), path)

    def keep_draft(self, project: int, lease: int, answer: Mapping[str, Any], **said: Any) -> None:
        """What is typed so far; the judging page shows it too."""
        self.call("PUT", f"projects/{project}/leases/{lease}/draft/", body={"answer": answer, **said})

    def draft(self, project: int, lease: int) -> Draft:
        found: Draft = self.call("GET", f"projects/{project}/leases/{lease}/draft/")
        return found

    def say(self, project: int, message: str, **options: Any) -> Turn:
        """Send a message to your open chat, begun if there is none; `turn` follows the two answers to it."""
        body = {"submission_id": str(uuid.uuid4()), "message": message, **options}
        sent: Turn = self.call("POST", f"projects/{project}/chats/", body=body)
        return sent

    def turn(self, project: int, turn: int) -> Turn:
        found: Turn = self.call("GET", f"projects/{project}/chat-turns/{turn}/")
        return found

    def choose(self, project: int, turn: int, answer: Mapping[str, Any], **said: Any) -> Turn:
        """Which of the two answers is better; the chat goes on with it."""
        body = {"submission_id": str(uuid.uuid4()), "answer": answer, **said}
        chosen: Turn = self.call("POST", f"projects/{project}/chat-turns/{turn}/choose/", body=body)
        return chosen

    def my_time(self, project: int, month: str = "") -> TimeStatement:
        """Your days of a month such as 2026-11."""
        found: TimeStatement = self.call("GET", f"projects/{project}/my-time/", query={"month": month})
        return found

    def add_webhook(self, project: int, url: str, events: Sequence[str]) -> WebhookSecret:
        """Have an address told of events; `plumbline_client.webhooks.verify` checks what comes there."""
        body = {"url": url, "events": list(events)}
        made: WebhookSecret = self.call("POST", f"projects/{project}/webhooks/", body=body)
        return made

    def models(self, project: int, **query: Any) -> Iterator[Model]:
        yield from self.walk(f"projects/{project}/models/", **query)

    def launch(self, project: int, algorithm: str, **settings: Any) -> Run:
        """`settings` may have base_model, snapshot, config, rewards and name."""
        run: Run = self.call("POST", f"projects/{project}/runs/", body={"algorithm": algorithm, **settings})
        return run

    def run(self, project: int, run: int) -> Run:
        found: Run = self.call("GET", f"projects/{project}/runs/{run}/")
        return found

    def run_events(self, project: int, run: int) -> Iterator[RunEvent]:
        yield from self.walk(f"projects/{project}/runs/{run}/events/", order="oldest")

    def cancel_run(self, project: int, run: int) -> bool:
        return bool(self.call("POST", f"projects/{project}/runs/{run}/cancel/")["changed"])

    def resume_run(self, project: int, run: int) -> bool:
        return bool(self.call("POST", f"projects/{project}/runs/{run}/resume/")["changed"])

    def ask_for_responses(self, project: int, **settings: Any) -> Generation:
        generation: Generation = self.call("POST", f"projects/{project}/generations/", body=settings)
        return generation

    def score(self, project: int, model: int) -> Scoring:
        """Have a reward model score every response it has not scored."""
        scoring: Scoring = self.call("POST", f"projects/{project}/scorings/", body={"model": model})
        return scoring

    def queue_chosen(self, project: int, count: int, **request: Any) -> int:
        """Queue what to judge next by a mix of strategies: random, uncertain, information, contrast; how many."""
        return int(self.call("POST", f"projects/{project}/chosen-pairs/", body={"count": count, **request})["queued"])

    def leaderboard(self, project: int, **query: Any) -> Leaderboard:
        found: Leaderboard = self.call("GET", f"projects/{project}/leaderboard/", query=query)
        return found

    def report(self, project: int, model: int, snapshot: int) -> Report:
        """What a reward model gets right of a snapshot's held-out judgements."""
        made: Report = self.call("POST", f"projects/{project}/models/{model}/reports/", body={"snapshot": snapshot})
        return made

    def card(self, project: int, model: int) -> str:
        """A model's card, in Markdown."""
        return self.ask("GET", f"projects/{project}/models/{model}/card/").body.decode()

    def evaluate(self, project: int, candidate: int, baseline: int, **settings: Any) -> Evaluation:
        """Set one policy against another; `settings` may have by, judge, prompts, overlap."""
        body = {"candidate": candidate, "baseline": baseline, **settings}
        evaluation: Evaluation = self.call("POST", f"projects/{project}/evaluations/", body=body)
        return evaluation

    def begin_round(self, project: int, recipe: int) -> Round:
        turn: Round = self.call("POST", f"projects/{project}/rounds/", body={"recipe": recipe})
        return turn

    def alarms(self, project: int, **query: Any) -> Iterator[Alarm]:
        yield from self.walk(f"projects/{project}/alarms/", **query)


def problem_of(answer: Answer) -> ApiError:
    try:
        found = answer.json() or {}
    except ValueError:
        found = {}
    errors = {entry["field"]: entry["message"] for entry in found.get("errors", [])}
    return ApiError(answer.status, found.get("title", "It did not work"), found.get("detail", ""), errors)
