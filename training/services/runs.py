"""Launching, cancelling and retrying runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from annotate.models import Project, Snapshot, User
from annotate.services.audit import record_audit
from annotate.services.queue import enqueue
from training.algorithms.configs import ALGORITHMS, parse_config, to_dict
from training.models import ModelVersion, Run
from training.services.registry import base_kinds

RUN_TRAINING = "training.run_training"


@transaction.atomic
def launch_run(
    *,
    project: Project,
    user: User,
    algorithm: str,
    snapshot: Snapshot,
    base_model: ModelVersion,
    config: Mapping[str, Any],
    name: str = "",
    in_background: bool = True,
) -> Run:
    """Create a run and queue it for a training worker.

    Raises ConfigError for the settings, ValidationError by field for the rest.
    """
    settings = to_dict(parse_config(algorithm, config))
    name = name.strip() or next_name(project, algorithm)
    check_launch(project, algorithm, snapshot, base_model, name)
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
    Run.objects.filter(pk=run.pk).update(attempts=0)
    record_audit(actor=user, action="run.retried", project=run.project, target=run)
    enqueue(RUN_TRAINING, job_id=run.pk)
    return True
