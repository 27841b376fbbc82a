"""From the trainer's `events.jsonl` to the run's rows."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from training.models import Run, RunEvent

Event = dict[str, Any]  # {"kind", "step", "at", "data"}
CHUNK = 500
LOG_LINES, LOG_BYTES = 40, 16_384
SAMPLE = "sample"
OURS = ("restarted",)  # kinds that this side writes; the trainer's file does not know them


class EventReader:
    """Reads what a growing file has gained, and starts over when a resumed trainer has replaced it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._offset = 0
        self._inode = 0
        self.started_over = False

    def read(self) -> list[Event]:
        """The new whole lines. `started_over` says whether they are from the file's beginning, a second time."""
        self.started_over = False
        if not self.path.exists():
            return []
        with self.path.open("rb") as file:
            self._notice_replacement(file.fileno())
            file.seek(self._offset)
            text = file.read()
        whole = text[: text.rfind(b"\n") + 1]
        self._offset += len(whole)
        return [json.loads(line, parse_constant=lambda name: None) for line in whole.splitlines() if line.strip()]

    def _notice_replacement(self, handle: int) -> None:
        now = os.fstat(handle)
        if self._inode and (now.st_ino != self._inode or now.st_size < self._offset):
            self._offset, self.started_over = 0, True
        self._inode = now.st_ino


def store_events(run: Run, events: Iterable[Event]) -> None:
    """Insert the events; one told again (same kind and step) replaces itself."""
    newest = {(event["kind"], event["step"]): event for event in gather_samples(run, events) if event["kind"] != "log"}
    rows = [
        RunEvent(
            run=run,
            kind=event["kind"],
            step=event["step"],
            data=without_nul(event["data"]),
            created_at=datetime.fromtimestamp(event["at"], tz=UTC),
        )
        for event in newest.values()
    ]
    RunEvent.objects.bulk_create(
        rows,
        batch_size=CHUNK,
        update_conflicts=True,
        unique_fields=["run", "kind", "step"],
        update_fields=["data", "created_at"],
    )


def gather_samples(run: Run, events: Iterable[Event]) -> Iterator[Event]:
    """The same events, the samples of a step as one: {"samples": […]}, with those stored before."""
    rows = run.events.filter(kind=SAMPLE).values_list("step", "data")
    known: dict[int, list[Any]] | None = None
    for event in events:
        if event["kind"] != SAMPLE:
            yield event
            continue
        known = {step: data["samples"] for step, data in rows} if known is None else known
        samples = known.setdefault(event["step"], [])
        if event["data"] not in samples:
            samples.append(event["data"])
        yield {**event, "data": {"samples": list(samples)}}


def forget_events_after(run: Run, step: int) -> None:
    """Drop what a resumed trainer has taken back: it goes through those steps again."""
    run.events.filter(step__gt=step).exclude(kind__in=OURS).delete()
    run.events.filter(kind__in=["error", "end"]).delete()


def summarise(run: Run, events: Iterable[Event]) -> dict[str, Any]:
    """What these events change in the run's row: progress, total, time left, metrics, facts."""
    changes: dict[str, Any] = {}
    for event in events:
        data = event["data"]
        if event["kind"] == "start":
            changes["total"] = data.get("total_steps", run.total)
            changes["facts"] = {**run.facts, **without_nul(data)}
        elif event["kind"] == "train":
            changes.update(progress=event["step"], seconds_left=data.get("seconds_left"))
        elif event["kind"] == "eval":
            changes["metrics"] = without_nul(data)
    return changes


def last_error(path: Path) -> str:
    """The trainer's own sentence about why it ended, or nothing."""
    messages = [event["data"].get("message", "") for event in EventReader(path).read() if event["kind"] == "error"]
    return without_nul(messages[-1]) if messages else ""


def read_log_tail(path: Path) -> str:
    """The last lines of a log, whatever its size."""
    if not path.exists():
        return ""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - LOG_BYTES))
        lines = file.read().decode("utf-8", errors="replace").splitlines()
    # A progress bar rewrites its line with carriage returns: its last state is what counts.
    return without_nul("\n".join(line.split("\r")[-1] for line in lines[-LOG_LINES:]))


def without_nul(value: Any) -> Any:
    """The same JSON value without NUL characters, which Postgres cannot hold."""
    if isinstance(value, str):
        return value.replace("\x00", "\N{REPLACEMENT CHARACTER}")
    if isinstance(value, list):
        return [without_nul(item) for item in value]
    if isinstance(value, dict):
        return {without_nul(name): without_nul(item) for name, item in value.items()}
    return value
