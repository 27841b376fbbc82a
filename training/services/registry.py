"""The models of a project: the base ones, added ones, and what runs made."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q, QuerySet

from annotate.models import Author, Project, User
from annotate.services.audit import record_audit
from training.algorithms.configs import ALGORITHMS
from training.models import ModelVersion, Run
from training.services.run_directory import output_folder, relative_to_artifacts
from training.services.run_events import EventReader

Kind = ModelVersion.Kind
BUILT_IN = ("smollm2-135m-instruct", "minilm-l6-v2")
HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}")


@transaction.atomic
def ensure_base_models(project: Project) -> None:
    """Give the project the site's default policy and reward backbone, each once. Their files come on first use."""
    for kind, origin in ((Kind.POLICY, settings.DEFAULT_POLICY), (Kind.BACKBONE, settings.DEFAULT_REWARD_BACKBONE)):
        models = ModelVersion.objects.of_project(project)
        if models.filter(kind=kind, origin=origin).exists():
            continue
        Project.objects.select_for_update(no_key=True).get(pk=project.pk)  # one of two first visitors makes them
        if models.filter(kind=kind, origin=origin).exists():
            continue
        create_model(
            project=project,
            user=project.created_by,
            kind=kind,
            name=free_name(project, Path(origin).name),
            origin=origin,
            is_default=not models.filter(kind=kind, is_default=True).exists(),
        )


def create_model(
    *,
    project: Project,
    user: User,
    kind: str,
    name: str,
    origin: str = "",
    is_default: bool = False,
    parent: ModelVersion | None = None,
    run: Run | None = None,
) -> ModelVersion:
    """Store a model version; one that writes responses gets the Author they are signed with."""
    author = None
    if kind in ModelVersion.WRITERS:
        signs_as = Author.Kind.ENDPOINT if kind == Kind.ENDPOINT else Author.Kind.MODEL
        author, _ = Author.objects.get_or_create(project=project, kind=signs_as, name=name)
        if ModelVersion.objects.filter(author=author).exists():
            raise ValidationError({"name": f"Another model already signs its responses “{name}”. Choose another name."})
        Author.objects.filter(pk=author.pk, is_imported=True).update(is_imported=False)
    return ModelVersion.objects.create(
        project=project,
        kind=kind,
        name=name,
        origin=origin,
        is_default=is_default,
        parent=parent,
        run=run,
        author=author,
        created_by=user,
    )


@transaction.atomic
def add_model(*, project: Project, user: User, kind: str, name: str, origin: str) -> ModelVersion:
    """Add a model from a Hugging Face id, a folder or a built-in name. Raises ValidationError by field."""
    origin = check_origin(origin)
    name = name.strip() or Path(origin).name
    if ModelVersion.objects.of_project(project).filter(name=name).exists():
        raise ValidationError({"name": f"This project already has a model named “{name}”. Choose another name."})
    model = create_model(project=project, user=user, kind=kind, name=name, origin=origin)
    record_audit(actor=user, action="model.added", project=project, target=model, data={"kind": kind, "origin": origin})
    return model


def check_origin(origin: str) -> str:
    """The origin as it is stored: a built-in name, `organisation/name`, or a folder's absolute path.

    Raises ValidationError when it is none, or a folder that this site does not offer.
    """
    origin = origin.strip()
    if origin in BUILT_IN or (HUB_ID.fullmatch(origin) and ".." not in origin):
        return origin
    if not origin.startswith("/"):
        raise ValidationError(
            {"origin": f"{origin!r} is neither a Hugging Face id (organisation/name) nor a folder (/path/to/model)."}
        )
    return check_folder(Path(origin))


def check_folder(path: Path) -> str:
    folder = path.resolve()
    if not any(folder.is_relative_to(Path(root).resolve()) for root in settings.MODEL_ROOTS):
        allowed = ", ".join(map(str, settings.MODEL_ROOTS))
        message = f"{path} is outside the folders this site takes models from ({allowed}). Set MODEL_ROOTS to add one."
        raise ValidationError({"origin": message})
    if not (folder / "config.json").is_file():
        raise ValidationError({"origin": f"{path} has no config.json. Name a folder in Hugging Face layout."})
    return str(folder)


@transaction.atomic
def make_default(*, model: ModelVersion, user: User) -> None:
    """Let this model be the one of its kind that is used when nobody names another. Raises ValidationError."""
    if model.kind == Kind.ENDPOINT:
        raise ValidationError(f"“{model}” is an endpoint, which is asked when it is named. Choose a policy.")
    Project.objects.select_for_update(no_key=True).get(pk=model.project_id)
    ModelVersion.objects.filter(project=model.project, kind=model.kind, is_default=True).update(is_default=False)
    model.is_default = True
    model.save(update_fields=["is_default"])
    record_audit(
        actor=user, action="model.made_default", project=model.project, target=model, data={"kind": model.kind}
    )


def base_kinds(algorithm: str) -> tuple[ModelVersion.Kind, ...]:
    """The kinds of model it can start from, the usual one first."""
    return tuple(Kind(kind) for kind in ALGORITHMS[algorithm].starts_from)


def writers(project: Project) -> QuerySet[ModelVersion]:
    """The models that can be asked for responses, newest first: policies, and endpoints that were not removed."""
    usable = Q(kind=Kind.POLICY) | Q(kind=Kind.ENDPOINT, endpoint__removed_at=None)
    return ModelVersion.objects.of_project(project).filter(usable).order_by("-id")


def default_model(project: Project, kind: str) -> ModelVersion | None:
    return ModelVersion.objects.of_project(project).filter(kind=kind, is_default=True).first()


def register_output(run: Run) -> ModelVersion:
    """The model version a finished run made, created once. Raises ValueError when the trainer left no model."""
    known = ModelVersion.objects.filter(run=run).first()
    if known is not None:
        return known
    end = read_end(run)
    model = create_model(
        project=run.project,
        user=run.created_by,
        kind=Kind(ALGORITHMS[run.algorithm].makes),
        name=free_name(run.project, run.name),
        parent=run.base_model,
        run=run,
    )
    model.folder = relative_to_artifacts(output_folder(run))
    model.file_hashes, model.metrics = end.get("sha256", {}), end.get("metrics") or run.metrics
    model.save(update_fields=["folder", "file_hashes", "metrics"])
    return model


def read_end(run: Run) -> dict[str, Any]:
    """The trainer's closing event."""
    ends = [event for event in EventReader(run.directory() / "events.jsonl").read() if event["kind"] == "end"]
    if not ends or not (output_folder(run) / "config.json").exists():
        raise ValueError(f"The trainer of run {run.pk} ended well but left no model in {output_folder(run)}.")
    return ends[-1]["data"]


def free_name(project: Project, wanted: str) -> str:
    """`wanted`, or `wanted (2)`, … whichever no model and no author of the project has."""
    models = ModelVersion.objects.of_project(project).filter(name__startswith=wanted).values_list("name", flat=True)
    authors = Author.objects.of_project(project).filter(kind=Author.Kind.MODEL, name__startswith=wanted)
    taken = {*models, *authors.values_list("name", flat=True)}
    number, name = 1, wanted
    while name in taken:
        number += 1
        name = f"{wanted[:110]} ({number})"
    return name
