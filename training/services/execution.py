"""One training run, from the claim to the registered model."""

from __future__ import annotations

import shutil
import subprocess
from functools import partial
from time import time

from django.conf import settings
from django.db import transaction

from annotate.models import JobStatus, Snapshot
from annotate.services.snapshots import build_snapshot
from training.models import Run
from training.services.artifacts import ensure_files
from training.services.cards import write_card
from training.services.jobs import Heartbeat, JobCancelled, JobFailed, perform
from training.services.registry import register_output
from training.services.run_directory import prepare_directory
from training.services.run_events import read_log_tail, store_events
from training.services.trainer import CANCELLED, DONE, describe_death, failure, follow_trainer

MAX_STARTS = 3
SNAPSHOT_POLL = 1.0  # seconds


def train_run(run: Run) -> bool:
    """Do the run if it is free; returns whether it was. Its row says how it ended."""
    return perform(run, partial(train, run))


def train(run: Run, pulse: Heartbeat) -> None:
    """The work of a claimed run. Raises JobFailed, JobCancelled, WorkerStopping or ClaimLost."""
    wait_for_snapshot(run.snapshot, pulse)
    pulse.check()
    model_folder = ensure_files(run.base_model)
    sources = list(run.rewards.select_related("model").order_by("pk"))
    rewards = [(ensure_files(source.model), source.weight) for source in sources if not source.is_held_out]
    heldout = next((ensure_files(source.model) for source in sources if source.is_held_out), None)
    facts = prepare_directory(run, model_folder=model_folder, rewards=rewards, heldout_reward=heldout)
    run.beat(facts={**run.facts, **facts, "commit": current_commit()})
    pulse.check()
    for start in range(1, MAX_STARTS + 1):
        code = follow_trainer(run, pulse)
        if code == DONE:
            return succeed(run)
        if pulse.cancel_requested:
            raise JobCancelled
        if code > 0 and code != CANCELLED:
            raise failure(run, code)
        note_restart(run, start, code)
    raise JobFailed(
        f"The trainer was stopped {MAX_STARTS} times from outside (last: {describe_death(code)}). "
        "If the machine ran out of memory, lower “Tokens at a time” or choose a smaller model; then press Retry."
    )


def wait_for_snapshot(snapshot: Snapshot, pulse: Heartbeat) -> None:
    """Build the snapshot if nobody does; else wait until it is built. Raises JobFailed when it cannot be."""
    while snapshot.status != JobStatus.SUCCEEDED:
        pulse.check()
        if snapshot.status == JobStatus.QUEUED:
            build_snapshot(snapshot)
        elif snapshot.has_ended:
            raise JobFailed(
                f"Snapshot “{snapshot}” could not be built: {snapshot.error or snapshot.get_status_display()}"
            )
        else:
            pulse.wait(SNAPSHOT_POLL)
        snapshot.refresh_from_db()


def succeed(run: Run) -> None:
    """Register the model with its card and end the run, all or nothing."""
    with transaction.atomic():
        write_card(register_output(run))
        run.end(JobStatus.SUCCEEDED)


def note_restart(run: Run, start: int, code: int) -> None:
    """Say on the run's page that the trainer died and begins again from its newest checkpoint."""
    data = {"message": f"The trainer was {describe_death(code)}", "start": start}
    store_events(run, [{"kind": "restarted", "step": run.progress, "at": time(), "data": data}])
    run.beat(log_tail=read_log_tail(run.directory() / "trainer.log"))


def current_commit() -> str:
    """The commit this code is from, or nothing where there is no git."""
    git = shutil.which("git")
    if git is None or not (settings.BASE_DIR / ".git").exists():
        return ""
    answer = subprocess.run(
        [git, "rev-parse", "HEAD"], cwd=settings.BASE_DIR, capture_output=True, text=True, check=False
    )
    return answer.stdout.strip()
