"""Who belongs to a project and what they may do there."""

from typing import Any

from django.db import transaction

from annotate.assignment import return_lease
from annotate.models import Lease, Membership, Project, Role, User
from annotate.services.audit import record_audit
from annotate.services.invitations import make_setup_link


class LastOwner(Exception):
    """The change would leave the project without an owner."""


def ensure_setup_link() -> str | None:
    """A fresh link that makes the first owner, or None when there is one."""
    return None if User.objects.filter(is_staff=True).exists() else make_setup_link()


@transaction.atomic
def change_role(*, actor: User, membership: Membership, role: str) -> None:
    """Give a member another role. Raises LastOwner for the only owner."""
    membership = lock_member(membership)
    if membership.role == role:
        return
    refuse_last_owner(membership)
    before, membership.role = membership.role, role
    membership.save(update_fields=["role"])
    data = {"before": before, "after": role}
    record_audit(
        actor=actor, action="member.role_changed", project=membership.project, target=membership.user.email, data=data
    )


@transaction.atomic
def remove_member(*, actor: User, membership: Membership) -> None:
    """Take a person out of the project; what they judged stays, the tasks they hold go back.

    Raises LastOwner for the only owner.
    """
    membership = lock_member(membership)
    refuse_last_owner(membership)
    for lease in Lease.objects.of_project(membership.project).held().filter(annotator=membership.user):
        return_lease(lease=lease)
    record_audit(
        actor=actor,
        action="member.removed",
        project=membership.project,
        target=membership.user.email,
        data={"role": membership.role},
    )
    membership.delete()


@transaction.atomic
def save_preference(*, user: User, name: str, value: Any) -> None:
    """Keep one of the person's own settings of the judging page."""
    locked = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    locked.preferences = {**locked.preferences, name: value}
    locked.save(update_fields=["preferences"])


def lock_member(membership: Membership) -> Membership:
    """The membership as it is now; changes to the project's people wait for each other."""
    Project.objects.select_for_update(no_key=True).get(pk=membership.project_id)
    rows = Membership.objects.select_for_update(of=("self",)).select_related("project", "user")
    return rows.get(pk=membership.pk)


def refuse_last_owner(membership: Membership) -> None:
    owners = Membership.objects.of_project(membership.project).filter(role=Role.OWNER, user__is_service=False)
    others = owners.exclude(pk=membership.pk)
    if membership.role == Role.OWNER and not others.exists():
        raise LastOwner(
            f"{membership.user} is the only owner of {membership.project}. Make somebody else an owner first."
        )
