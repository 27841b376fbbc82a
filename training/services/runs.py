"""Launching, cancelling and retrying runs."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import Any

from django.conf import settings as site
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from annotate.models import JobStatus, Project, Snapshot, User
from annotate.services.audit import record_audit
from annotate.services.queue import enqueue
from training.algorithms.configs import ALGORITHMS, ConfigError, parse_config, to_dict
from training.algorithms.options.online import NO_FUNCTION
from training.models import ModelVersion, Run, RunReward
from training.services.registry import base_kinds

Kind = ModelVersion.Kind
RUN_TRAINING = "training.run_training"
BEST_FACTS = "best.json"  # what the trainer writes beside the best weights


@transaction.atomic
def launch_run(
    *,
    project: Project,
    user: User,
    algorithm: str,
    snapshot: Snapshot,
    base_model: ModelVersion,
    config: Mapping[str, Any],
    rewards: Mapping[ModelVersion, float] | None = None,
    heldout_reward: ModelVersion | None = None,
    name: str = "",
    in_background: bool = True,
) -> Run:
    """Create a run and queue it for a training worker. `rewards` are the reward models that score its responses, with
    their weights; `heldout_reward` is one that watches them.

    Raises ConfigError for the settings, ValidationError by field for the rest.
    """
    settings = to_dict(parse_config(algorithm, config))
    name = name.strip() or next_name(project, algorithm)
    rewards = rewards or {}
    check_launch(project, algorithm, snapshot, base_model, name)
    check_server(settings.get("rollout_server", ""))
    check_rewards(project, algorithm, settings, rewards)
    check_heldout(project, algorithm, rewards, heldout_reward)
    run = Run.objects.create(
        project=project,
        name=name,
        algorithm=algorithm,
        config=settings,
        snapshot=snapshot,
        base_model=base_model,
        queued_at=timezone.now(),
        created_by=user,
    )
    RunReward.objects.bulk_create(RunReward(run=run, model=model, weight=weight) for model, weight in rewards.items())
    if heldout_reward is not None:
        RunReward.objects.create(run=run, model=heldout_reward, is_held_out=True)
    facts = {"algorithm": algorithm, "snapshot": snapshot.name, "base_model": base_model.name}
    record_audit(actor=user, action="run.launched", project=project, target=run, data=facts)
    if in_background:
        enqueue(RUN_TRAINING, job_id=run.pk)
    return run


def check_launch(project: Project, algorithm: str, snapshot: Snapshot, base_model: ModelVersion, name: str) -> None:
    errors = {}
    if Run.objects.of_project(project).filter(name=name).exists():
        errors["name"] = f"This project already has a run named “{name}”. Choose another name."
    if snapshot.project_id != project.pk:
        errors["snapshot"] = f"Snapshot “{snapshot}” belongs to another project."
    if base_model.project_id != project.pk:
        errors["base_model"] = f"Model “{base_model}” belongs to another project."
    elif base_model.kind not in base_kinds(algorithm):
        label = ALGORITHMS[algorithm].label
        errors["base_model"] = f"{label} cannot start from “{base_model}”, a {base_model.get_kind_display().lower()}."
    if errors:
        raise ValidationError(errors)


def check_server(address: Any) -> None:
    """A worker talks to servers that the site's operator has named, not to any that an owner types."""
    if address and address.rstrip("/") not in site.ROLLOUT_SERVERS:
        known = ", ".join(site.ROLLOUT_SERVERS) or "none"
        message = f"Rollout server cannot be {address!r}: this site may use {known} (ROLLOUT_SERVERS in its settings)."
        raise ConfigError({"rollout_server": message})


def check_rewards(
    project: Project, algorithm: str, settings: Mapping[str, Any], rewards: Mapping[ModelVersion, float]
) -> None:
    """Reward models where something is scored, and there at least one unless a function scores."""
    if not ALGORITHMS[algorithm].scores:
        problem = f"{ALGORITHMS[algorithm].label} scores no responses. Leave the reward models out." if rewards else ""
    elif not rewards and settings["function"] == NO_FUNCTION:
        problem = "Nothing scores the responses. Choose a reward model (train one first), or a programmatic reward."
    elif wrong := [model for model in rewards if model.project_id != project.pk or model.kind != Kind.REWARD]:
        problem = f"“{wrong[0]}” is not a reward model of this project. Choose another."
    elif light := [weight for weight in rewards.values() if not 0 < weight < inf]:
        problem = f"A reward model cannot weigh {light[0]:g}. Give it a weight above 0."
    else:
        problem = ""
    if problem:
        raise ValidationError({"reward_models": problem})


def check_heldout(
    project: Project, algorithm: str, rewards: Mapping[ModelVersion, float], heldout: ModelVersion | None
) -> None:
    """The model that watches must be another than those that are watched."""
    if heldout is None:
        return
    if not ALGORITHMS[algorithm].scores:
        problem = f"{ALGORITHMS[algorithm].label} scores no responses. Leave the held-out reward model out."
    elif heldout.project_id != project.pk or heldout.kind != Kind.REWARD:
        problem = f"“{heldout}” is not a reward model of this project. Choose another."
    elif heldout in rewards:
        problem = f"“{heldout}” scores the responses already. Choose one that the policy does not learn from."
    else:
        return
    raise ValidationError({"heldout_reward": problem})


def next_name(project: Project, algorithm: str) -> str:
    """“DPO 3”: the first number that is free."""
    label = ALGORITHMS[algorithm].label
    taken = set(Run.objects.of_project(project).filter(name__startswith=label).values_list("name", flat=True))
    number = len(taken) + 1
    while f"{label} {number}" in taken:
        number += 1
    return f"{label} {number}"


@transaction.atomic
def cancel_run(*, run: Run, user: User) -> bool:
    """Stop it after its current step, the checkpoint kept. False when it has already ended."""
    changed = run.request_cancel()
    if changed:
        record_audit(actor=user, action="run.cancelled", project=run.project, target=run)
    return changed


@transaction.atomic
def retry_run(*, run: Run, user: User) -> bool:
    """Queue a failed or cancelled run again; it continues from its newest checkpoint. False when under way or done."""
    if not run.queue():
        return False
    Run.objects.filter(pk=run.pk).update(attempts=0, ends_with_best=False)
    record_audit(actor=user, action="run.retried", project=run.project, target=run)
    enqueue(RUN_TRAINING, job_id=run.pk)
    return True


def has_best(run: Run) -> bool:
    """Whether it stopped before its end and has kept the weights of its best evaluation."""
    return run.status in (JobStatus.FAILED, JobStatus.CANCELLED) and (run.directory() / BEST_FACTS).exists()


@transaction.atomic
def finish_with_best(*, run: Run, user: User) -> bool:
    """Make a model of the weights of its best evaluation, without another step. False when it has kept none, is under
    way or done."""
    if not has_best(run) or not run.queue():
        return False
    Run.objects.filter(pk=run.pk).update(attempts=0, ends_with_best=True)
    record_audit(actor=user, action="run.finished_with_best", project=run.project, target=run)
    enqueue(RUN_TRAINING, job_id=run.pk)
    return True
