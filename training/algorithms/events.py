"""What a run says while it runs: one JSON object a line, flushed, in `events.jsonl`; the same for people on
stderr, and the figures for TensorBoard in `tensorboard/`."""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from training.algorithms.tensorboard import EventFile

KINDS = ("start", "train", "eval", "checkpoint", "sample", "end", "error", "log")


class EventWriter:
    """Appends events to a file. One writer a run: the caller holds the run's lock."""

    def __init__(self, path: Path) -> None:
        self.step = 0  # of the last event
        self.board = EventFile(path.parent / "tensorboard", read_events(path))
        self.file = path.open("a", encoding="utf-8")

    def write(self, kind: str, step: int, data: dict[str, Any]) -> None:
        if kind not in KINDS:
            raise ValueError(f"There is no event kind {kind!r}: use one of {', '.join(KINDS)}.")
        self.step = step
        line = {"kind": kind, "step": step, "at": time.time(), "data": finite(data)}
        self.file.write(json.dumps(line, ensure_ascii=False, allow_nan=False) + "\n")
        self.file.flush()
        self.board.add(line)
        print(f"{kind} step {step} {brief(data)}", file=sys.stderr, flush=True)

    def close(self) -> None:
        self.file.close()
        self.board.close()


class SilentWriter(EventWriter):
    """Held by the processes beside the main one. Of a run's events only a failure is theirs to tell: it may be that
    the main process learns nothing but that they are gone."""

    def __init__(self, path: Path) -> None:
        self.step = 0
        self.path = path

    def write(self, kind: str, step: int, data: dict[str, Any]) -> None:
        self.step = step
        if kind == "error":
            line = {"kind": kind, "step": step, "at": time.time(), "data": finite(data)}
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line, ensure_ascii=False, allow_nan=False) + "\n")

    def close(self) -> None:
        pass


def brief(data: dict[str, Any]) -> str:
    """The plain values of an event, on one line."""
    shown = {name: value for name, value in data.items() if isinstance(value, (int, float, str))}
    return " ".join(
        f"{name}={value:.5g}" if isinstance(value, float) else f"{name}={value}" for name, value in shown.items()
    )


def finite(value: Any) -> Any:
    """The same value with NaN and infinities as null: JSON has no such numbers."""
    if isinstance(value, float):
        return value if value - value == 0 else None
    if isinstance(value, dict):
        return {name: finite(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(item) for item in value]
    return value


def read_events(path: Path) -> list[dict[str, Any]]:
    """Every whole line; a last line torn by a kill is left out."""
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8", errors="replace").split("\n")
    return [json.loads(line) for line in lines[:-1] if line]


def keep_events_until(path: Path, step: int | None) -> None:
    """Drop what came after the checkpoint of `step`, so that a resumed run's file reads as one unbroken run.

    None, for no checkpoint, drops everything. Written aside and renamed.
    """
    past = [event for event in read_events(path) if step is not None and event["step"] <= step]
    kept = [event for event in past if event["kind"] not in ("error", "end")]
    aside = path.with_suffix(".tmp")
    with open(aside, "w", encoding="utf-8") as file:
        file.writelines(json.dumps(event, ensure_ascii=False) + "\n" for event in kept)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)
