"""Training runs: the algorithms and their settings, launching, watching, cancelling, resuming."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from annotate.access import OWNERS, REVIEWERS, get_in_project
from annotate.api.operations import Call, operation
from annotate.api.paging import Page, PageQuery, page_of
from annotate.api.problems import Invalid, invalid, refused
from annotate.api.serializers.snapshots import StartedSerializer
from annotate.models import Scope, Snapshot
from annotate.querysets import JobQuerySet
from annotate.services.snapshots import SnapshotError, create_snapshot
from training.algorithms.configs import ALGORITHMS, Algorithm, ConfigError, parse_config
from training.api.models import chosen_model, models_of, named_model
from training.api.serializers.runs import AlgorithmsSerializer, NewRunSerializer, RunEventSerializer, RunSerializer
from training.models import ModelVersion, Run, RunEvent
from training.services.registry import base_kinds
from training.services.runs import cancel_run, finish_with_best, launch_run, retry_run

NAMES = {"reward_models": "rewards"}  # what the API calls a field of the launch form


@operation("GET", scope=Scope.READ, answer=AlgorithmsSerializer)
def list_algorithms(call: Call) -> dict[str, Any]:
    """Every algorithm with its settings, their defaults and limits."""
    return {"algorithms": [describe(name, algorithm) for name, algorithm in ALGORITHMS.items()]}


def describe(name: str, algorithm: Algorithm) -> dict[str, Any]:
    settings = [
        {
            "name": item.name,
            "default": item.default,
            "title": item.metadata["label"],
            **{key: item.metadata[key] for key in ("help", "min", "max")},
            "choices": [value for value, _ in item.metadata["choices"]] if item.metadata["choices"] else None,
        }
        for item in fields(algorithm.config)
    ]
    facts = {key: getattr(algorithm, key) for key in ("makes", "starts_from", "scores")}
    return {"name": name, "title": algorithm.label, **facts, "settings": settings}


def runs_of(call: Call) -> JobQuerySet:
    rows: JobQuerySet = Run.objects.visible_to(call.user).select_related("created_by", "output", "project")
    return rows.prefetch_related("rewards")


def get_run(call: Call, pk: int) -> Run:
    found: Run = get_in_project(runs_of(call), call.membership, pk)
    return found


@operation("GET", scope=Scope.READ, roles=REVIEWERS, answer=RunSerializer, paged=True)
def list_runs(call: Call) -> Page:
    """The project's runs."""
    return page_of(runs_of(call).of_project(call.project), call.query)


@operation("GET", scope=Scope.READ, roles=REVIEWERS, answer=RunSerializer)
def show_run(call: Call, pk: int) -> Run:
    """One run: how far it is and what it has measured."""
    return get_run(call, pk)


@operation(
    "POST",
    scope=Scope.TRAIN,
    roles=OWNERS,
    body=NewRunSerializer,
    answer=RunSerializer,
    status=201,
    example={"algorithm": "dpo", "snapshot": 1, "config": {"beta": 0.2, "learning_rate": 1e-5}},
)
def launch(call: Call) -> Run:
    """Launch a training run.

    Every setting that cannot be used is named under `errors`, as `config.learning_rate`.
    """
    data = call.data
    try:
        parse_config(data["algorithm"], data["config"])
        with transaction.atomic():
            run = launch_run(
                project=call.project,
                user=call.user,
                algorithm=data["algorithm"],
                snapshot=chosen_snapshot(call),
                base_model=chosen_model(call, "base_model", kinds=base_kinds(data["algorithm"])),
                config=data["config"],
                rewards=chosen_rewards(call),
                heldout_reward=named_model(call, "heldout_reward") if "heldout_reward" in data else None,
                name=data["name"],
            )
    except ConfigError as error:
        raise Invalid({f"config.{name}": text for name, text in error.errors.items()}) from error
    except ValidationError as error:
        problem = invalid(error, otherwise="name")
        raise Invalid({NAMES.get(name, name): text for name, text in problem.errors.items()}) from error
    return get_run(call, run.pk)


def chosen_snapshot(call: Call) -> Snapshot:
    """The snapshot named, or a new one of all judgements so far. Raises Invalid."""
    if "snapshot" not in call.data:
        with refused(SnapshotError, field="snapshot"):
            return create_snapshot(project=call.project, user=call.user)
    rows = Snapshot.objects.visible_to(call.user).of_project(call.project)
    found = rows.filter(pk=call.data["snapshot"]).first()
    if found is None:
        raise Invalid({"snapshot": f"There is no snapshot {call.data['snapshot']} in this project."})
    return found


def chosen_rewards(call: Call) -> dict[ModelVersion, float]:
    sent = {entry["model"]: entry["weight"] for entry in call.data["rewards"]}
    found = models_of(call).of_project(call.project).in_bulk(sent)
    if missing := [pk for pk in sent if pk not in found]:
        raise Invalid({"rewards": f"There is no model {missing[0]} in this project."})
    return {found[pk]: weight for pk, weight in sent.items()}


@operation("GET", scope=Scope.READ, roles=REVIEWERS, query=PageQuery, answer=RunEventSerializer, paged=True)
def list_run_events(call: Call, pk: int) -> Page:
    """What the trainer wrote: losses, evaluations, checkpoints, samples. `order=oldest` follows it as it goes."""
    return page_of(RunEvent.objects.filter(run=get_run(call, pk)), call.query)


@operation("POST", scope=Scope.TRAIN, roles=OWNERS, answer=StartedSerializer)
def cancel_a_run(call: Call, pk: int) -> dict[str, bool]:
    """Stop a run after its current step; its checkpoint is kept."""
    return {"changed": cancel_run(run=get_run(call, pk), user=call.user)}


@operation("POST", scope=Scope.TRAIN, roles=OWNERS, answer=StartedSerializer)
def resume_a_run(call: Call, pk: int) -> dict[str, bool]:
    """Go on with a failed or cancelled run from its newest checkpoint."""
    return {"changed": retry_run(run=get_run(call, pk), user=call.user)}


@operation("POST", scope=Scope.TRAIN, roles=OWNERS, answer=StartedSerializer)
def end_with_best(call: Call, pk: int) -> dict[str, bool]:
    """Make a model of the best weights of a run that stopped early, without another step."""
    return {"changed": finish_with_best(run=get_run(call, pk), user=call.user)}
