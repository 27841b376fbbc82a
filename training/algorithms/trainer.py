"""The trainer process: one run folder from its description to its model.

RUN/run.json    {"algorithm", "config", "model", "reference", "data": {"train", "test"}, "reference_cache"}; paths may be relative to RUN
RUN/events.jsonl, RUN/checkpoints/, RUN/model/    what comes out; RUN/cancel asks for a stop; RUN/lock keeps a second trainer out
"""

import fcntl
import json
import os
import platform
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import accelerate
import peft
import torch
import transformers
from accelerate import Accelerator

from training.algorithms import dpo, reward_model
from training.algorithms.checkpoints import list_checkpoints, publish, sweep
from training.algorithms.configs import DPOConfig, RewardModelConfig, parse_config, to_dict
from training.algorithms.events import EventWriter, keep_events_until, read_events
from training.algorithms.groups import EncodedGroup, Group, encode_groups, normalise_weights, read_groups
from training.algorithms.loop import Job, Stopped, TrainingError, train
from training.algorithms.models import Policy, RewardModel, add_lora, load_policy, load_reward_model, save_model
from training.algorithms.preferences import usable_groups
from training.algorithms.reference import attach_reference, digest_file, digest_folder
from training.algorithms.rollouts import Request, Sampling, sample

DONE, FAILED, CANCELLED = 0, 1, 3
LOCK_SECONDS = 30.0


@dataclass(frozen=True, kw_only=True)
class Plan:
    """run.json, checked, with absolute paths."""

    run: Path
    algorithm: str
    config: RewardModelConfig | DPOConfig
    model: Path
    reference: Path | None
    train: Path
    test: Path | None
    reference_cache: Path


def read_plan(run: Path) -> Plan:
    """Raises ValueError (ConfigError for settings) or OSError with a sentence."""
    try:
        row = json.loads((run / "run.json").read_text())
        data = row["data"]
        return Plan(
            run=run,
            algorithm=row["algorithm"],
            config=parse_config(row["algorithm"], row.get("config") or {}),
            model=existing(run / row["model"]),
            reference=existing(run / row["reference"]) if row.get("reference") else None,
            train=existing(run / data["train"]),
            test=existing(run / data["test"]) if data.get("test") else None,
            reference_cache=run / (row.get("reference_cache") or "reference"),
        )
    except json.JSONDecodeError as error:
        raise ValueError(f"{run / 'run.json'} is not JSON: {error}") from error
    except KeyError as error:
        raise ValueError(f"{run / 'run.json'} lacks {error}.") from error


def existing(path: Path) -> Path:
    if not path.exists():
        raise ValueError(f"{path} does not exist: choose another model or make the snapshot's files again.")
    return path


def run_trainer(run: Path, *, should_stop: Callable[[], bool]) -> int:
    """Train the run in this folder, resuming where a former trainer left it. Returns the exit status."""
    run = run.resolve()
    try:
        lock = hold_lock(run / "lock")
    except TimeoutError as error:
        print(error, file=sys.stderr)
        return FAILED
    with lock:
        if (run / "model").exists() and any(event["kind"] == "end" for event in read_events(run / "events.jsonl")):
            return DONE
        sweep(run)
        resume = next(reversed(list_checkpoints(run)), None)
        step = int(resume.name[5:]) if resume else 0
        keep_events_until(run / "events.jsonl", step if resume else None)
        events = EventWriter(run / "events.jsonl")
        try:
            return train_run(read_plan(run), events, resume, lambda: should_stop() or (run / "cancel").exists())
        except Stopped:
            events.write("log", step, {"message": "Stopped as asked; the last whole step is kept."})
            return CANCELLED
        except Exception as error:  # the process ends here: whatever it was, the owner must read it
            message, detail = explain(error)
            events.write("error", step, {"message": message, "detail": detail})
            return FAILED
        finally:
            events.close()


def train_run(plan: Plan, events: EventWriter, resume: Path | None, should_stop: Callable[[], bool]) -> int:
    transformers.utils.logging.disable_progress_bar()
    accelerator = Accelerator(mixed_precision=choose_precision(plan.config.precision))
    torch.manual_seed(plan.config.seed)
    job, report = prepare(plan, accelerator, events, should_stop)
    resumed = int(resume.name[5:]) if resume else 0
    events.write("start", resumed, describe(job) | report | {"resumed_from": resumed})
    metrics = train(job, resume=resume)
    model = accelerator.unwrap_model(job.model, keep_fp32_wrapper=False)
    aside = plan.run / f".model.{os.getpid()}"
    save_model(model, aside)
    publish(aside, plan.run / "model")
    digests = {path.name: digest_file(path) for path in sorted((plan.run / "model").iterdir())}
    events.write("end", job.total_steps, {"model": "model", "sha256": digests, "metrics": metrics})
    return DONE


def prepare(plan: Plan, accelerator: Accelerator, events: EventWriter, should_stop: Callable[[], bool]) -> tuple[Job, dict[str, Any]]:
    """Load model and data; returns the job and what the start event says about the data."""
    config = plan.config
    train_texts, test_texts = read_groups(plan.train), read_groups(plan.test) if plan.test else []
    model = load_policy(plan.model, trainable=True) if isinstance(config, DPOConfig) else load_reward_model(plan.model, seed=config.seed)
    model.to(accelerator.device)
    train_groups, cut = encode_groups(train_texts, model.tokenizer, max_length=config.max_length)
    test_groups, cut_test = encode_groups(test_texts, model.tokenizer, max_length=config.max_length)
    used = normalise_weights(usable_groups(train_groups, ties=config.ties) or no_pairs())
    report = {
        "train_groups": len(used),
        "test_groups": len(test_groups),
        "dropped": len(train_groups) - len(used),
        "prompts_truncated": cut.prompts_cut + cut_test.prompts_cut,
        "completions_truncated": cut.completions_cut + cut_test.completions_cut,
    }
    if isinstance(config, DPOConfig):
        used, test_groups = with_reference(plan, model, used, test_groups, accelerator, should_stop)
    if config.lora and not (isinstance(model, RewardModel) and model.encoder):
        add_lora(model, rank=config.lora_rank, alpha=config.lora_alpha, seed=config.seed)
    compute = dpo.outcome if isinstance(config, DPOConfig) else reward_model.outcome
    job = Job(
        run=plan.run,
        model=model,
        compute=compute,
        train=used,
        test=test_groups,
        config=config,
        accelerator=accelerator,
        events=events,
        should_stop=should_stop,
    )
    if isinstance(config, DPOConfig) and config.samples and test_texts:
        job.on_eval = lambda step: write_samples(job, test_texts[: config.samples], step)
    return job, report


def no_pairs() -> list[EncodedGroup]:
    raise ValueError("Every judgement is a tie and ties are left out: let ties count half, or collect preferences.")


def with_reference(
    plan: Plan,
    model: Policy,
    train_groups: list[EncodedGroup],
    test_groups: list[EncodedGroup],
    accelerator: Accelerator,
    should_stop: Callable[[], bool],
) -> tuple[list[EncodedGroup], list[EncodedGroup]]:
    """Reference log-probabilities of both sets: from the reference's folder, or from the policy before it is trained."""
    source = plan.reference or plan.model
    reference = load_policy(source).to(accelerator.device) if source != plan.model else model
    with accelerator.autocast():
        both = attach_reference(
            reference,
            [*train_groups, *test_groups],
            cache=plan.reference_cache,
            digest=f"{accelerator.mixed_precision}-{digest_folder(source)}",
            budget=2 * plan.config.micro_batch_tokens,
            should_stop=should_stop,
        )
    return both[: len(train_groups)], both[len(train_groups) :]


def write_samples(job: Job, groups: list[Group], step: int) -> None:
    """What the policy answers to the first held-out prompts, greedily."""
    requests = [Request(key=group.id, prompt=group.prompt, system=group.system) for group in groups]
    sampling = Sampling(temperature=0.0, max_tokens=job.config.sample_tokens)
    for answer in sample(job.model.model, job.model.tokenizer, requests, sampling=sampling, should_stop=job.should_stop):
        prompt = next(group.prompt for group in groups if group.id == answer.key)
        job.events.write("sample", step, {"prompt": list(prompt), "text": answer.text, "tokens": answer.tokens})


def describe(job: Job) -> dict[str, Any]:
    parameters = list(job.model.parameters())
    versions = {module.__name__: module.__version__ for module in (torch, transformers, accelerate, peft)}
    device = job.accelerator.device
    return {
        "total_steps": job.total_steps,
        "parameters": sum(parameter.numel() for parameter in parameters),
        "trainable": sum(parameter.numel() for parameter in parameters if parameter.requires_grad),
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else device.type,
        "processes": job.accelerator.num_processes,
        "threads": torch.get_num_threads(),
        "precision": job.accelerator.mixed_precision,
        "config": to_dict(job.config),
        "versions": {"python": platform.python_version(), **versions},
    }


def choose_precision(wanted: str) -> str:
    """accelerate's name for it. On a CPU fp32 is as fast as bf16 for packed rows and takes less memory."""
    if wanted == "auto":
        return "bf16" if torch.cuda.is_available() and torch.cuda.is_bf16_supported() else "no"
    return "bf16" if wanted == "bf16" else "no"


def hold_lock(path: Path) -> TextIO:
    """Lock the run for the life of this process; waits for a former trainer that is just ending."""
    file, deadline = open(path, "w"), time.monotonic() + LOCK_SECONDS
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
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)) or "can't allocate memory" in str(error):
        return "Memory ran out: lower 'Tokens at a time' (micro_batch_tokens), then 'Longest sequence' (max_length).", detail
    if isinstance(error, OSError) and error.errno == 28:
        return "The disk is full: free some space and start the run again; it continues from its last checkpoint.", detail
    if isinstance(error, (TrainingError, ValueError)):
        return str(error), detail
    return f"The trainer failed: {detail}", detail
