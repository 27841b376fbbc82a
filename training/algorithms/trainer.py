"""The trainer process: from a run folder to its model.

RUN/run.json says what to do (see plan.py); RUN/events.jsonl, RUN/checkpoints/ and RUN/model/ are what comes out.
RUN/cancel asks for a stop; RUN/lock, held for the life of the process, keeps a second trainer out.
"""

import fcntl
import os
import platform
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import accelerate
import peft
import torch
import transformers

from training.algorithms import (
    a_lol,
    best_of_n,
    dpo,
    grpo,
    ilql,
    kto,
    orpo,
    ppo,
    reinforce,
    reward_model,
    rloo,
    sft,
    simpo,
)
from training.algorithms.checkpoints import list_checkpoints, publish, sweep
from training.algorithms.configs import to_dict
from training.algorithms.events import EventWriter, SilentWriter, keep_events_until, read_events
from training.algorithms.loop import Job, Stopped, Tools, TrainingError, end_with_best, train
from training.algorithms.models import save_model
from training.algorithms.plan import read_plan
from training.algorithms.processes import from_main, is_main, join_launcher, leave_launcher, several, start_accelerator
from training.algorithms.reference import digest_file

DONE, FAILED, CANCELLED = 0, 1, 3
LOCK_SECONDS = 30.0
SMALL_MODEL_BYTES = 16_000_000
PREPARE = {
    "reward_model": reward_model.prepare,
    "sft": sft.prepare,
    "dpo": dpo.prepare,
    "simpo": simpo.prepare,
    "orpo": orpo.prepare,
    "kto": kto.prepare,
    "a_lol": a_lol.prepare,
    "ilql": ilql.prepare,
    "ppo": ppo.prepare,
    "rloo": rloo.prepare,
    "grpo": grpo.prepare,
    "reinforce": reinforce.prepare,
    "raft": best_of_n.prepare,
}


def run_trainer(run: Path, *, should_stop: Callable[[], bool]) -> int:
    """Train the run in this folder, resuming where a former trainer left it. Returns the exit status.

    Under a launcher every process calls this; the main one alone holds the lock and writes the folder.
    """
    run = run.resolve()
    join_launcher()
    with ExitStack() as held:
        begun = from_main(begin(run, held) if is_main() else None)
        if begun.status is not None:
            return begun.status
        events = EventWriter(run / "events.jsonl") if is_main() else SilentWriter(run / "events.jsonl")
        try:
            train_run(run, events, begun.resume, lambda: should_stop() or (run / "cancel").exists())
            status = DONE
        except Stopped:
            events.write("log", events.step, {"message": "Stopped as asked; the last whole step is kept."})
            status = CANCELLED
        except Exception as error:  # the process ends here: whatever it was, the owner must read it
            tell_failure(run, events, error)
            return FAILED
        finally:
            events.close()
        leave_launcher()
        return status


@dataclass(frozen=True)
class Begun:
    """What the main process found in the folder: nothing to do, or where to go on."""

    status: int | None = None
    resume: Path | None = None


def begin(run: Path, held: ExitStack) -> Begun:
    """Lock the folder, and clear away what a killed trainer left half done."""
    try:
        held.enter_context(hold_lock(run / "lock"))
    except TimeoutError as error:
        print(error, file=sys.stderr)
        return Begun(status=FAILED)
    if (run / "model").exists() and any(event["kind"] == "end" for event in read_events(run / "events.jsonl")):
        return Begun(status=DONE)
    sweep(run)
    resume = next(reversed(list_checkpoints(run)), None)
    keep_events_until(run / "events.jsonl", step_of(resume) if resume else None)
    return Begun(resume=resume)


def tell_failure(run: Path, events: EventWriter, error: Exception) -> None:
    """Once: what all processes found is the main one's to tell, and a lost connection is no news after its cause."""
    alike = isinstance(error, TrainingError | ValueError)
    told = several() and any(event["kind"] == "error" for event in read_events(run / "events.jsonl")[-1:])
    if (is_main() and not told) or not (is_main() or alike):
        message, detail = explain(error)
        events.write("error", events.step, {"message": message, "detail": detail})


def train_run(run: Path, events: EventWriter, resume: Path | None, should_stop: Callable[[], bool]) -> None:
    plan = read_plan(run)
    transformers.utils.logging.disable_progress_bar()
    transformers.utils.logging.set_verbosity_error()
    torch.manual_seed(plan.config.seed)
    accelerator = start_accelerator(choose_precision(plan.config.precision, plan.model))
    job = PREPARE[plan.algorithm](plan, Tools(accelerator, events, should_stop))
    resumed = step_of(resume)
    events.write("start", resumed, {**describe(job), **job.report, "resumed_from": resumed})
    metrics = end_with_best(job) if plan.ends_with_best else train(job, resume=resume)
    if not is_main():
        return
    save(job)
    digests = {path.name: digest_file(path) for path in sorted((run / "model").iterdir())}
    events.write("end", job.total_steps, {"model": "model", "sha256": digests, "metrics": metrics})


def save(job: Job) -> None:
    if job.finish is not None:
        job.finish()
    aside = job.run / f".model.{os.getpid()}"
    save_model(job.product or job.model, aside, notes=job.notes(job))
    publish(aside, job.run / "model")


def step_of(checkpoint: Path | None) -> int:
    return int(checkpoint.name.removeprefix("step-")) if checkpoint else 0


def describe(job: Job) -> dict[str, Any]:
    parameters = list(job.model.parameters())
    versions = {module.__name__: module.__version__ for module in (torch, transformers, accelerate, peft)}
    device = job.tools.accelerator.device
    return {
        "total_steps": job.total_steps,
        "parameters": sum(parameter.numel() for parameter in parameters),
        "trainable": sum(parameter.numel() for parameter in parameters if parameter.requires_grad),
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else device.type,
        "processes": job.tools.accelerator.num_processes,
        "threads": torch.get_num_threads(),
        "precision": job.tools.accelerator.mixed_precision,
        "config": to_dict(job.config),
        "versions": {"python": platform.python_version(), **versions},
    }


def choose_precision(wanted: str, model: Path) -> str:
    """accelerate's name for it: weights stay in fp32, "bf16" runs the matrix products in bf16.

    With AVX512-BF16 a step of 5 million weights takes half the processor time it takes in fp32 (docs/performance.md);
    models below 4 million are fast enough and stay exact.
    """
    if wanted != "auto":
        return "bf16" if wanted == "bf16" else "no"
    if torch.cuda.is_available():
        return "bf16" if torch.cuda.is_bf16_supported() else "no"
    large = sum(path.stat().st_size for path in model.glob("*.safetensors")) >= SMALL_MODEL_BYTES
    built = "avx512_bf16" in cpu_flags()
    return "bf16" if large and built else "no"


def cpu_flags() -> set[str]:
    """What the processor can do, by Linux's names; empty elsewhere."""
    path = Path("/proc/cpuinfo")
    return set(path.read_text().split()) if path.exists() else set()


def hold_lock(path: Path) -> TextIO:
    """Lock the run for the life of this process; waits for a former trainer that is just ending."""
    file, deadline = path.open("w"), time.monotonic() + LOCK_SECONDS
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return file
        except BlockingIOError:
            if time.monotonic() > deadline:
                file.close()
                raise TimeoutError(f"Another trainer holds {path}: wait for it to end, or cancel it.") from None
            time.sleep(0.1)


def explain(error: Exception) -> tuple[str, str]:
    """One sentence for the owner, and the technical detail."""
    detail = f"{type(error).__name__}: {error}"
    if isinstance(error, MemoryError | torch.OutOfMemoryError) or "can't allocate memory" in str(error):
        lower = "lower 'Tokens at a time', then 'Longest sequence', in the run's settings; or use 'Recompute'"
        return f"Memory ran out: {lower}.", detail
    if isinstance(error, OSError) and error.errno == 28:
        return "The disk is full: free some space and start the run again; it goes on from its last checkpoint.", detail
    if isinstance(error, TrainingError | ValueError):
        return str(error), detail
    return f"The trainer failed: {detail}", detail
