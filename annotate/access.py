"""The only doors to a project and what is in it.

A stranger gets 404, because a project's existence is its members' business; a member without the right gets 403.
"""

from collections.abc import Sequence
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django_htmx.middleware import HtmxDetails

from annotate.models import Lease, Membership, Project, Role, User
from annotate.paging import read_number
from annotate.prepared import fetch, load, width
from annotate.querysets import ScopedQuerySet
from annotate.statements import MEMBERSHIP, MEMBERSHIP_AND_LEASE, OWN_LEASE, load_lease

EVERYONE = (Role.OWNER, Role.REVIEWER, Role.ANNOTATOR)
REVIEWERS = (Role.OWNER, Role.REVIEWER)
OWNERS = (Role.OWNER,)


class SignedInRequest(HttpRequest):
    """What a view behind `login_required` is given; for annotations alone."""

    user: User
    htmx: HtmxDetails


def get_membership(user: User, project_id: int, roles: tuple[Role, ...] = EVERYONE) -> Membership:
    """The user's membership of the project, `membership.project` already loaded.

    Raises Http404 for strangers and PermissionDenied for members whose role is not among `roles`.
    """
    rows = fetch(MEMBERSHIP, {"user": user.pk, "project": project_id}) if user.pk else []
    if not rows:
        raise Http404("No such project.")
    membership = load_membership(rows[0])
    if membership.role not in roles:
        needed = " or ".join(role.label.lower() for role in map(Role, roles))
        raise PermissionDenied(f"Only a project's {needed} may do this. You are its {membership.role}.")
    return membership


def load_membership(values: Sequence[Any]) -> Membership:
    """From MEMBER_COLUMNS."""
    membership = load(Membership, values[: width(Membership)])
    membership.project = load(Project, values[width(Membership) : -1])
    membership.newest_guideline = values[-1] or 0
    return membership


def get_membership_and_lease(user: User, project_id: int, lease: object) -> tuple[Membership, Lease]:
    """`get_membership` and `get_own_lease` in one statement."""
    rows = fetch(MEMBERSHIP_AND_LEASE, {"user": user.pk, "project": project_id, "lease": read_number(lease)})
    if not rows:  # one of the two says what is missing
        membership = get_membership(user, project_id)
        return membership, get_own_lease(user, membership.project, lease)
    at_lease = width(Membership) + width(Project) + 1
    membership = load_membership(rows[0][:at_lease])
    return membership, load_lease([row[at_lease:] for row in rows], user, membership.project)


def get_own_lease(user: User, project: Project, pk: object) -> Lease:
    """The person's own lease in this project; Http404 when it is anybody else's, or no number."""
    rows = fetch(OWN_LEASE, {"lease": read_number(pk), "user": user.pk, "project": project.pk})
    if not rows:
        raise Http404("No such task in your hands.")
    return load_lease(rows, user, project)


def get_in_project(rows: ScopedQuerySet, membership: Membership, pk: int) -> Any:
    """The row `pk` among `rows` of the membership's project; Http404 when it is another project's or nobody's."""
    row = rows.of_project(membership.project).filter(pk=pk).first()
    if row is None:
        raise Http404(f"No such {rows.model._meta.verbose_name} in this project.")
    return row
