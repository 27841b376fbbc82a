"""What each step of a round begins, and how it is seen to have ended.

A step begins once, in the transaction that names in its row what it has begun. `look` answers a status when the step
has ended, "" while it is under way, and raises JobFailed when what it began has failed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from annotate.models import Job, JobStatus, Snapshot, User
from annotate.services.snapshots import create_snapshot, retry_snapshot
from training.models import ModelVersion, Round, RoundStep, Run, RunReward
from training.recipes import parse_plan
from training.services.generations import cancel_generation, retry_generation
from training.services.jobs import JobFailed
from training.services.registry import default_model
from training.services.round_evaluation import begin_evaluate, cancel_evaluations, look_evaluate, retry_evaluations
from training.services.round_responses import begin_queue, begin_respond, look_queue, look_respond
from training.services.runs import cancel_run, launch_run, retry_run

Kind, Status = RoundStep.Kind, RoundStep.Status
SEED = 0  # the split of every round's snapshots: a prompt is held out in all of them or in none
FIRST, SECOND = {"half": "first"}, {"half": "second"}


def begin_snapshot(step: RoundStep) -> None:
    round = step.round
    halves = parse_plan(round.plan).heldout
    step.snapshot = take_snapshot(round, f"{round}", FIRST if halves else {})
    if halves:
        step.heldout_snapshot = take_snapshot(round, f"{round}, held-out half", SECOND)


def take_snapshot(round: Round, name: str, filters: dict[str, str]) -> Snapshot:
    return create_snapshot(
        project=round.project,
        user=round.actor(),
        name=name,
        filters=filters,
        test_fraction=parse_plan(round.plan).test_fraction,
        split_seed=SEED,
    )


def look_snapshot(step: RoundStep) -> str:
    """Both must be built."""
    states = [look_job(snapshot, "Snapshot") for snapshot in (step.snapshot, step.heldout_snapshot) if snapshot]
    return Status.SUCCEEDED if all(states) else ""


def look_job(job: Job | None, what: str) -> str:
    if job is None or job.is_active:
        return ""
    if job.status != JobStatus.SUCCEEDED:
        raise JobFailed(f"{what} “{job}” ended as {job.get_status_display().lower()}. {job.error}".strip())
    return Status.SUCCEEDED


def begin_sft(step: RoundStep) -> None:
    round = step.round
    launch(step, "sft", start_of(round), parse_plan(round.plan).sft_settings)


def begin_reward_model(step: RoundStep) -> None:
    launch(step, "reward_model", backbone_of(step.round), parse_plan(step.round.plan).reward_settings)


def begin_heldout(step: RoundStep) -> None:
    """The same settings on the other half of the prompts, and another seed: nothing in common but the idea."""
    settings = parse_plan(step.round.plan).reward_settings
    seed = int(settings.get("seed", 0)) + 1
    snapshot = step.round.steps.get(kind=Kind.SNAPSHOT).heldout_snapshot
    launch(step, "reward_model", backbone_of(step.round), {**settings, "seed": seed}, snapshot=snapshot)


def begin_policy(step: RoundStep) -> None:
    round = step.round
    plan = parse_plan(round.plan)
    base = round.output_of(Kind.SFT) or start_of(round)
    rewards = {reward_of(round): 1.0} if plan.scores() else {}
    run = launch(step, plan.algorithm, base, plan.policy_settings, rewards=rewards)
    watcher = round.output_of(Kind.HELDOUT_REWARD_MODEL)
    if rewards and watcher is not None:
        RunReward.objects.create(run=run, model=watcher, is_held_out=True)


def launch(
    step: RoundStep,
    algorithm: str,
    base: ModelVersion,
    settings: dict[str, object],
    *,
    snapshot: Snapshot | None = None,
    rewards: dict[ModelVersion, float] | None = None,
) -> Run:
    snapshot = snapshot or step.round.snapshot()
    if snapshot is None:
        raise JobFailed("The round has no snapshot to train on. Cancel it and start another.")
    step.run = launch_run(
        project=step.round.project,
        user=step.round.actor(),
        algorithm=algorithm,
        snapshot=snapshot,
        base_model=base,
        config=settings,
        rewards=rewards,
        name=f"{step.round}: {step.get_kind_display().lower()}",
    )
    return step.run


def start_of(round: Round) -> ModelVersion:
    """The policy that training begins with, by the plan: the one in use at the start, or the one it all came from."""
    policy = round.policy_before
    if parse_plan(round.plan).start_from == "base":
        while policy.parent is not None:
            policy = policy.parent
    return policy


def backbone_of(round: Round) -> ModelVersion:
    backbone = default_model(round.project, ModelVersion.Kind.BACKBONE)
    if backbone is None:
        raise JobFailed("The project has no default encoder to make a reward model from. Choose one under Models.")
    return backbone


def reward_of(round: Round) -> ModelVersion:
    """This round's reward model; when that step was skipped, the one of the newest round that has one."""
    found = round.output_of(Kind.REWARD_MODEL) or earlier_reward(round)
    if found is None:
        raise JobFailed("There is no reward model to train the policy with. Retry the round's reward model.")
    return found


def earlier_reward(round: Round) -> ModelVersion | None:
    models = ModelVersion.objects.of_project(round.project).filter(run__round_step__kind=Kind.REWARD_MODEL)
    return models.filter(run__round_step__round__number__lt=round.number).order_by("-pk").first()


def look_run(step: RoundStep) -> str:
    return look_job(step.run, "Run")


class Step(NamedTuple):
    begin: Callable[[RoundStep], None]
    look: Callable[[RoundStep], str]


STEPS: dict[str, Step] = {
    Kind.SNAPSHOT: Step(begin_snapshot, look_snapshot),
    Kind.SFT: Step(begin_sft, look_run),
    Kind.REWARD_MODEL: Step(begin_reward_model, look_run),
    Kind.HELDOUT_REWARD_MODEL: Step(begin_heldout, look_run),
    Kind.POLICY: Step(begin_policy, look_run),
    Kind.EVALUATE: Step(begin_evaluate, look_evaluate),
    Kind.RESPOND: Step(begin_respond, look_respond),
    Kind.QUEUE: Step(begin_queue, look_queue),
}


def can_skip(step: RoundStep) -> bool:
    """Whether the round has something to go on with when this step is left out."""
    if step.kind == Kind.REWARD_MODEL:
        return earlier_reward(step.round) is not None
    return step.kind != Kind.SNAPSHOT


def retry_jobs(step: RoundStep, user: User) -> bool:
    """Queue again whatever of the step's work has failed; False when it had begun none."""
    if step.run:
        return retry_run(run=step.run, user=user) or True
    if step.kind == Kind.EVALUATE:
        return retry_evaluations(step, user)
    snapshots = [snapshot for snapshot in (step.snapshot, step.heldout_snapshot) if snapshot]
    generations = [generation for generation in (step.generation, step.rival_generation) if generation]
    for snapshot in snapshots:
        retry_snapshot(snapshot=snapshot, user=user)
    for generation in generations:
        retry_generation(generation=generation, user=user)
    return bool(snapshots or generations)


def cancel_jobs(step: RoundStep, user: User) -> None:
    """Tell what the step has under way to stop."""
    if step.run:
        cancel_run(run=step.run, user=user)
    for generation in (step.generation, step.rival_generation):
        if generation:
            cancel_generation(generation=generation, user=user)
    if step.kind == Kind.EVALUATE:
        cancel_evaluations(step, user)
