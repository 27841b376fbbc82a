"""Projects, their settings and the versions of their guidelines."""

from typing import Any

from django.db import transaction
from django.utils import timezone

from annotate.models import Guideline, Membership, Project, Role, User
from annotate.services.audit import record_audit


@transaction.atomic
def create_project(*, actor: User, name: str, description: str, guidelines: str) -> Project:
    """A project with the standard settings, its maker as owner and the first version of its guidelines."""
    project = Project.objects.create(name=name, description=description, created_by=actor)
    Membership.objects.create(project=project, user=actor, role=Role.OWNER, guideline_read=1)
    Guideline.objects.create(project=project, version=1, body=guidelines, created_by=actor)
    record_audit(actor=actor, action="project.created", project=project, target=name)
    return project


@transaction.atomic
def update_project(*, actor: User, project: Project, changes: dict[str, Any]) -> list[str]:
    """Set the project's settings to `changes`; the names of those that differ from before."""
    locked = Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    before = {name: getattr(locked, name) for name in changes}
    changed = [name for name, value in changes.items() if value != before[name]]
    for name in changed:
        setattr(locked, name, changes[name])
    if changed:
        locked.save(update_fields=changed)
        data = {name: {"before": before[name], "after": changes[name]} for name in changed}
        record_audit(actor=actor, action="project.settings_changed", project=locked, target=locked.name, data=data)
    return changed


@transaction.atomic
def archive_project(*, actor: User, project: Project, archived: bool) -> None:
    """Put a project away, or take it back. Nothing is deleted; an archived project hands out no tasks."""
    rows = Project.objects.filter(pk=project.pk, archived_at__isnull=archived)
    if rows.update(archived_at=timezone.now() if archived else None):
        action = "project.archived" if archived else "project.unarchived"
        record_audit(actor=actor, action=action, project=project, target=project.name)


@transaction.atomic
def save_guidelines(*, actor: User, project: Project, body: str) -> Guideline:
    """A new version of the guidelines, or the newest one when the text is the same."""
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    newest = project.guidelines.order_by("-version").first()
    if newest is not None and newest.body == body:
        return newest
    version = newest.version + 1 if newest else 1
    guideline = Guideline.objects.create(project=project, version=version, body=body, created_by=actor)
    Membership.objects.filter(project=project, user=actor).update(guideline_read=version)  # who wrote it has read it
    record_audit(actor=actor, action="guidelines.saved", project=project, target=f"version {version}")
    return guideline
