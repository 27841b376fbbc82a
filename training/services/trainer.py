"""The trainer process: start it, follow it, stop it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

from annotate.models import ClaimLost
from training.models import Run
from training.services.jobs import Heartbeat, JobFailed, WorkerStopping, worker_is_stopping
from training.services.monitors import Watch
from training.services.run_directory import has_checkpoint
from training.services.run_events import (
    EventReader,
    forget_events_after,
    last_error,
    read_log_tail,
    store_events,
    summarise,
)

TICK = 0.5  # seconds between two looks at the process
CANCEL_PATIENCE = 8.0  # seconds to finish its step, after which an older checkpoint has to do
FIRST_CHECKPOINT_PATIENCE = 60.0  # the same while there is no checkpoint to fall back on
STOP_PATIENCE = 4.0  # seconds when the worker itself is being stopped
DONE, CANCELLED = 0, 3
SECRETS = ("DATABASE_URL", "BROKER_URL", "SECRET_KEY", "EMAIL_URL")


@contextmanager
def trainer_process(directory: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A trainer at work in `directory`. It dies when this block ends, or when this process does (its input closes)."""
    command = [sys.executable, "-m", "training.algorithms", str(directory), "--supervised"]
    command += ["--processes", str(settings.TRAINING_PROCESSES)]
    environment = {name: value for name, value in os.environ.items() if name not in SECRETS}
    with (directory / "trainer.log").open("ab") as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=settings.BASE_DIR,
            env=environment,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


class Follower:
    """Copies what the trainer says into the run's row and events."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.directory = run.directory()
        self.reader = EventReader(self.directory / "events.jsonl")
        self.watch = Watch(run)

    def copy(self) -> None:
        """Store the news. Raises ClaimLost when the run has been given to another worker."""
        events = self.reader.read()
        if self.reader.started_over:
            forget_events_after(self.run, max((event["step"] for event in events), default=0))
            self.watch.start_over()
        changes = summarise(self.run, events)
        log_tail = read_log_tail(self.directory / "trainer.log")
        if log_tail != self.run.log_tail:
            changes["log_tail"] = log_tail
        if changes:
            self.run.beat(**changes)
        if events:
            store_events(self.run, events)
            self.watch.look(events)


def follow_trainer(run: Run, pulse: Heartbeat) -> int:
    """Run the trainer once, to its end; returns its exit status (negative: the signal that killed it).

    Raises ClaimLost and WorkerStopping, the trainer stopped before.
    """
    follower = Follower(run)
    with trainer_process(run.directory()) as process:
        patience = Patience(run)
        while process.poll() is None:
            follower.copy()
            if pulse.claim_lost:
                raise ClaimLost(f"run {run.pk} is held by another worker")
            if worker_is_stopping():
                stop_gently(process)
                raise WorkerStopping
            if pulse.cancel_requested and patience.is_over():
                process.kill()
            wait_briefly(process, TICK)
        follower.copy()
        return process.returncode


class Patience:
    """Asks a trainer to finish its step, and says when it has had long enough."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.asked_at: float | None = None

    def is_over(self) -> bool:
        if self.asked_at is None:
            (self.run.directory() / "cancel").touch()
            self.asked_at = time.monotonic()
        waited = time.monotonic() - self.asked_at
        return waited > (CANCEL_PATIENCE if has_checkpoint(self.run) else FIRST_CHECKPOINT_PATIENCE)


def stop_gently(process: subprocess.Popen[bytes]) -> None:
    """Give it time for a checkpoint, then no more."""
    process.terminate()
    wait_briefly(process, STOP_PATIENCE)


def wait_briefly(process: subprocess.Popen[bytes], seconds: float) -> None:
    """Until the process ends, at most so long, without reading its output."""
    try:
        process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        return


def describe_death(code: int) -> str:
    """How a process ended, in words: "killed by SIGKILL"."""
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"ended with status {code}"


def failure(run: Run, code: int) -> JobFailed:
    """The trainer's own message, or what can be said without one."""
    told = last_error(run.directory() / "events.jsonl")
    return JobFailed(told or f"The trainer {describe_death(code)} without a message. Its last log lines are below.")
