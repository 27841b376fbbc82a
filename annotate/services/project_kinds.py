"""Which kinds of judgement a project collects, and how."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from annotate.kinds.options import write_options
from annotate.models import Kind, Project, User
from annotate.services.projects import update_project


def enabled_kinds(project: Project) -> list[Kind]:
    """Comparisons always; each other kind once an owner has turned it on."""
    return [kind for kind in Kind if kind == Kind.COMPARISON or kind in project.kind_options]


@transaction.atomic
def set_kind_options(*, actor: User, project: Project, kind: str, options: Any) -> bool:
    """Turn the kind on with these options, or off with None; whether that changed anything.

    Tasks of the kind that exist stay as they are.
    """
    stored = Project.objects.select_for_update(no_key=True).get(pk=project.pk).kind_options
    others = {name: value for name, value in stored.items() if name != kind}
    wanted = others if options is None else {**others, kind: write_options(options)}
    return bool(update_project(actor=actor, project=project, changes={"kind_options": wanted}))
