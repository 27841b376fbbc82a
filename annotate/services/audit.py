"""The audit log: one row for everything an owner would want to ask about later."""

from annotate.models import AuditEvent, Project, User


def record_audit(
    *, actor: User | None, action: str, project: Project | None = None, target: object = "", data: dict | None = None
) -> AuditEvent:
    """Note that `actor` (None: the system) did `action` ("project.created") to `target`. Call it in the transaction
    of the change itself, so that neither stands without the other."""
    return AuditEvent.objects.create(
        actor=actor, action=action, project=project, target=str(target)[:200], data=data or {}
    )
