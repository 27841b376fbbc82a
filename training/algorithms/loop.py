"""The one training loop: optimiser steps over groups, evaluation, checkpoints, events.

An algorithm is a function from a forward pass to one loss a group. Everything else is here, once: gradient accumulation
with global denominators, clipping, the schedule, the held-out set, cancelling, resuming.
"""

import json
import os
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from training.algorithms.checkpoints import load_checkpoint, load_weights, save_checkpoint, save_weights
from training.algorithms.configs import Config
from training.algorithms.events import EventWriter, finite
from training.algorithms.groups import EncodedGroup
from training.algorithms.metrics import Evaluation, Facts, extend_facts, join_evaluations, mean, summarise
from training.algorithms.models import NUMBERS, Policy, RewardModel
from training.algorithms.packing import Batch, collate, micro_batches, step_groups, steps_per_epoch
from training.algorithms.processes import from_all, is_main, several, share
from training.algorithms.recomputing import prepare_recomputing, training_pass
from training.algorithms.schedule import build_optimizer, learning_rate
from training.algorithms.sharding import gathered, make_whole, shard, whole

BEST, BEST_FACTS = "best.safetensors", "best.json"


class Stopped(Exception):
    """The run was asked to stop; the last whole step is kept."""


class TrainingError(Exception):
    """Training cannot go on; the message is a sentence for the owner that says what to do."""


@dataclass(frozen=True)
class Outcome:
    """What an algorithm makes of one forward pass over G groups, before any mean is taken."""

    losses: Tensor  # (G,) with gradient
    facts: dict[str, Tensor]  # (G,) each, detached; NaN = says nothing about this group
    scores: Tensor | None = None  # (C,) of the completions, detached, where the algorithm scores them


Compute = Callable[[Any, Batch, Sequence[EncodedGroup], Any], Outcome]  # model, batch, its groups, config


@dataclass(frozen=True)
class Tools:
    """What every algorithm is handed: the device, where to tell, whether to stop."""

    accelerator: Accelerator
    events: EventWriter
    should_stop: Callable[[], bool]  # this process's own answer

    def stop_together(self) -> None:
        """Raise Stopped on every process if one of them was asked to stop; every process must come here."""
        if any(from_all(self.should_stop())):
            raise Stopped


def one(group: EncodedGroup) -> float:
    return 1.0


def no_notes(job: "Job") -> dict[str, Any]:
    return {}


@dataclass(kw_only=True)
class Job:
    """One run: what to train, on what, how, and whom to tell."""

    run: Path
    model: Any  # Policy, RewardModel or Actor: has a `form`, and takes a Batch
    compute: Compute
    train: list[EncodedGroup]  # weights of mean 1
    test: list[EncodedGroup]
    config: Config
    tools: Tools
    report: dict[str, int] = field(default_factory=dict)  # what was cut and left out, for the start event
    size: Callable[[EncodedGroup], float] = one  # what a group's loss counts for in the mean: 1, or its tokens
    before: Callable[[Sequence[EncodedGroup]], None] | None = None  # sees an update's, or the held-out, groups first
    summarise: Callable[[Evaluation], dict[str, Any]] = summarise
    notes: Callable[["Job"], dict[str, Any]] = no_notes  # what whoever uses the finished model must know
    on_eval: Callable[[int], None] | None = None
    take_step: "TakeStep | None" = None  # None: one update on the step's share of `train`
    product: Policy | RewardModel | None = None  # what is saved in the end, where it is not the whole model
    finish: Callable[[], None] | None = None  # makes the product what it shall be, once all steps are taken
    state: dict[str, Any] = field(default_factory=dict)  # JSON that a checkpoint must hold beside weights
    adam_epsilon: float = 1e-8
    sharded: bool = False  # each of several processes holds a share of the model
    keep_best: bool = False  # end with the weights of the lowest held-out loss
    best: dict[str, Any] = field(default_factory=dict)  # that evaluation, with its step
    evaluated: int = -1  # the last step that was evaluated
    final: dict[str, Any] = field(default_factory=dict)  # the last evaluation

    @property
    def total_steps(self) -> int:
        planned = self.config.epochs * steps_per_epoch(len(self.train), self.config.batch_size)
        return min(planned, self.config.max_steps) if self.config.max_steps else planned


TakeStep = Callable[[Job, nn.Module, torch.optim.Optimizer, int], tuple[int, dict[str, Any]]]  # -> tokens, what to tell


def train(job: Job, *, resume: Path | None = None) -> dict[str, Any]:
    """Run to the last step and return the final evaluation. Raises Stopped (a checkpoint is kept) or TrainingError."""
    config, total, step = job.config, job.total_steps, 0
    if spread := job.sharded and several():
        shard(job.model)
    optimizer = build_optimizer(
        job.model, peak=config.learning_rate, weight_decay=config.weight_decay, epsilon=job.adam_epsilon
    )
    model = job.tools.accelerator.prepare_model(job.model, evaluation_mode=spread)  # that is, not copied to each
    optimizer = job.tools.accelerator.prepare_optimizer(optimizer)
    if config.recompute:
        prepare_recomputing(job.model)
    if resume is not None:
        state = load_checkpoint(resume, model=job.model, optimizer=optimizer)
        step, job.evaluated, job.final = state["step"], state["evaluated"], state["final"]
        job.state.update(state["job"])
        job.best = state.get("best", {})
    clock = Clock(step, total)
    try:
        evaluate_when_due(job, step, total)
        while step < total:
            train_step(job, model, optimizer, step, clock)
            step += 1
            evaluate_when_due(job, step, total)
            if config.checkpoint_every and step % config.checkpoint_every == 0 and step < total:
                keep(job, optimizer, step)
            if step < total:
                job.tools.stop_together()
    except Stopped:
        optimizer.zero_grad(set_to_none=True)
        keep(job, optimizer, step)
        raise
    go_back_to_best(job, total)
    make_whole(job.model)
    return job.final


@dataclass
class Clock:
    """Time left, from the pace of this process."""

    first: int
    total: int
    started: float = field(default_factory=time.monotonic)

    def seconds_left(self, step: int) -> float:
        done = step - self.first
        return (time.monotonic() - self.started) / done * (self.total - step) if done else 0.0


def train_step(job: Job, model: nn.Module, optimizer: torch.optim.Optimizer, step: int, clock: Clock) -> None:
    """One step of the run and what is told of it."""
    began = time.monotonic()
    tokens, told = (job.take_step or take_one_update)(job, model, optimizer, step)
    data = {
        "learning_rate": rate_of(job, step),
        **told,
        "epoch": (step + 1) / steps_per_epoch(len(job.train), job.config.batch_size),
        "tokens_per_s": tokens / (time.monotonic() - began),
        "seconds_left": clock.seconds_left(step + 1),
    }
    job.tools.events.write("train", step + 1, data)


def take_one_update(
    job: Job, model: nn.Module, optimizer: torch.optim.Optimizer, step: int
) -> tuple[int, dict[str, Any]]:
    groups = step_groups(job.train, step=step, batch_size=job.config.batch_size, seed=job.config.seed)
    done = update(job, model, optimizer, groups, step=step, should_stop=job.tools.should_stop)
    facts = {name: mean(values) for name, values in done.facts.items()}
    return done.tokens, {"loss": done.loss, "grad_norm": done.grad_norm, **facts}


@dataclass(frozen=True)
class Update:
    """What one optimiser update found, before it changed the weights: all processes the same."""

    loss: float
    grad_norm: float
    tokens: int
    facts: Facts


@dataclass
class Part:
    """One process's share of an update."""

    loss: float = 0.0
    tokens: int = 0
    facts: Facts = field(default_factory=dict)
    trouble: str = ""


def update(
    job: Job,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    groups: Sequence[EncodedGroup],
    *,
    step: int,
    should_stop: Callable[[], bool],
) -> Update:
    """One optimiser update, cut into passes that fit the memory; the result does not depend on how it is cut, nor on
    how many processes share it.

    `should_stop` is asked before each pass, or before the first where several processes must agree, and raises Stopped
    with the weights untouched.
    """
    accelerator = job.tools.accelerator
    if any(from_all(should_stop())):
        raise Stopped
    if job.before is not None:
        with whole(job.model):
            job.before(groups)
    parts = from_all(add_gradients(job, model, groups, step=step, should_stop=should_stop))
    for part in parts:
        if part.trouble:
            raise TrainingError(part.trouble)
    limit = job.config.max_grad_norm or float("inf")
    norm = float(gathered(accelerator.clip_grad_norm_([p for p in model.parameters() if p.requires_grad], limit)))
    if trouble := not_finite("gradient", norm, step, groups):
        raise TrainingError(trouble)
    for group in optimizer.param_groups:
        group["lr"] = rate_of(job, step) * group["lr_scale"]
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    facts: Facts = {}
    for part in parts:
        extend_facts(facts, part.facts)
    return Update(sum(part.loss for part in parts), norm, sum(part.tokens for part in parts), facts)


def add_gradients(
    job: Job, model: nn.Module, groups: Sequence[EncodedGroup], *, step: int, should_stop: Callable[[], bool]
) -> Part:
    """This process's passes. The last one adds up the gradients of all processes, so each must have one: a process
    without groups of its own takes another's for nothing."""
    accelerator, config, part = job.tools.accelerator, job.config, Part()
    mine, counted = share(groups), sum(job.size(group) for group in groups)
    passes = micro_batches(mine or groups[:1], form=job.model.form, budget=config.micro_batch_tokens)
    real = len(passes) if mine else 0
    if job.sharded:  # blocks are gathered together: all compute as many passes, the last ones for nothing
        passes = [*passes, *[passes[-1]] * (max(from_all(len(passes))) - len(passes))]
    for number, chunk in enumerate(passes, start=1):
        if not several() and should_stop():
            raise Stopped
        synced = accelerator.autocast() if number == len(passes) else accelerator.no_sync(model)
        with synced, training_pass(model) if config.recompute else nullcontext():
            batch = collate(chunk, job.model.form).to(accelerator.device)
            outcome = job.compute(model, batch, chunk, config)
            weights = torch.tensor(
                [group.weight if number <= real else 0.0 for group in chunk], device=accelerator.device
            )
            loss = (outcome.losses * weights).sum() / counted
            part.trouble = part.trouble or not_finite("loss", float(loss.detach()), step, chunk)
            accelerator.backward((loss + anchor(job.model)) * accelerator.num_processes)
        if number <= real:
            part.loss, part.tokens = part.loss + float(loss.detach()), part.tokens + batch.tokens
            add_facts(part.facts, outcome)
    return part


def anchor(model: nn.Module) -> Tensor | float:
    """0, with a gradient to the numbers beside the weights: a loss may leave them out, and processes must have
    gradients of the same parameters."""
    numbers = [one for name, one in model.named_parameters() if NUMBERS in name.split(".")] if several() else []
    return sum((0.0 * one for one in numbers), 0.0)


def rate_of(job: Job, step: int) -> float:
    config = job.config
    return learning_rate(
        step,
        peak=config.learning_rate,
        total=job.total_steps,
        warmup_ratio=config.warmup_ratio,
        schedule=config.schedule,
    )


def not_finite(what: str, value: float, step: int, groups: Sequence[EncodedGroup]) -> str:
    """Why training must stop before the weights are spoilt, naming step and groups; empty for a finite value."""
    if value - value == 0:
        return ""
    names = ", ".join(group.id for group in groups[:8])
    return (
        f"The {what} became {value} at step {step + 1} (groups {names}): "
        "lower the learning rate, or look at these groups."
    )


def add_facts(facts: Facts, outcome: Outcome) -> None:
    extend_facts(facts, {name: values.tolist() for name, values in outcome.facts.items()})


def evaluate_when_due(job: Job, step: int, total: int) -> None:
    """Evaluate at the start, every `eval_every` steps and at the end, each once also across a resume."""
    every = job.config.eval_every
    due = step in (0, total) or (every and step % every == 0)
    if not due or job.evaluated == step:
        return
    if job.test:
        with whole(job.model):
            job.final = evaluate(job)
        job.tools.events.write("eval", step, job.final)
        if job.keep_best:
            keep_if_best(job, step, loss=job.final["loss"])
    if job.on_eval is not None:
        with whole(job.model):
            job.on_eval(step)
    job.evaluated = step
    if step < total:
        job.tools.stop_together()


def keep_if_best(job: Job, step: int, *, loss: float) -> None:
    """Keep the weights of the evaluation just made if no other had a lower loss, and write down what it found."""
    if not loss < job.best.get("best_loss", float("inf")):
        return
    job.best = {**job.final, "step": step, "best_loss": loss}
    save_weights(job.model, job.run / BEST)
    if is_main():
        aside = job.run / f".{BEST_FACTS}.{os.getpid()}"
        aside.write_text(json.dumps(finite(job.best)))
        aside.replace(job.run / BEST_FACTS)


def end_with_best(job: Job) -> dict[str, Any]:
    """Take the weights of the best evaluation as they lie in the run's folder; returns what it found. Raises
    TrainingError when no evaluation was kept."""
    if not (job.run / BEST_FACTS).exists():
        raise TrainingError("This run has kept no best weights. Press Retry to go on from its newest checkpoint.")
    found = json.loads((job.run / BEST_FACTS).read_text())
    load_weights(job.model, job.run / BEST)
    message = f"Ended with the weights of step {found['step']}, the best evaluation."
    job.tools.events.write("log", found["step"], {"message": message})
    job.final = {name: value for name, value in found.items() if name not in ("step", "best_loss")}
    return job.final


def go_back_to_best(job: Job, total: int) -> None:
    """End with the weights of the best evaluation, where that was not the last."""
    if job.keep_best and job.best and job.best["step"] < total:
        load_weights(job.model, job.run / BEST)
        job.final = {name: value for name, value in job.best.items() if name not in ("step", "best_loss")}
        message = f"Kept the weights of step {job.best['step']}, where the held-out loss was {job.best['loss']:.4f}."
        job.tools.events.write("log", total, {"message": message})


def evaluate(job: Job) -> dict[str, Any]:
    """Loss, facts and scores over the held-out groups, each counted once, the work shared by all processes."""
    found, stopped = Evaluation([], [], [], {}, []), False
    if job.before is not None:
        job.before(job.test)
    with torch.no_grad():
        for chunk in micro_batches(share(job.test), form=job.model.form, budget=2 * job.config.micro_batch_tokens):
            if stopped := job.tools.should_stop():
                break
            batch = collate(chunk, job.model.form).to(job.tools.accelerator.device)
            outcome = job.compute(job.model, batch, chunk, job.config)
            add_outcome(found, chunk, outcome, job.size)
    parts = from_all((stopped, found))
    if any(stopped for stopped, _ in parts):
        raise Stopped
    return job.summarise(join_evaluations([found for _, found in parts]))


def add_outcome(
    found: Evaluation, chunk: Sequence[EncodedGroup], outcome: Outcome, size: Callable[[EncodedGroup], float]
) -> None:
    found.groups.extend(chunk)
    found.losses.extend(outcome.losses.tolist())
    found.sizes.extend(map(size, chunk))
    add_facts(found.facts, outcome)
    if outcome.scores is not None:
        parts = outcome.scores.split([len(group.completions) for group in chunk])
        found.scores.extend(tuple(part.tolist()) for part in parts)


def keep(job: Job, optimizer: torch.optim.Optimizer, step: int) -> None:
    """Write the checkpoint of this step and say so; one process's is everyone's."""
    state = {"evaluated": job.evaluated, "final": job.final, "best": job.best, "job": job.state}
    folder = save_checkpoint(
        job.run, step=step, model=job.model, optimizer=optimizer, state=state, keep=job.config.keep_checkpoints
    )
    job.tools.events.write("checkpoint", step, {"path": str(folder.relative_to(job.run))})
