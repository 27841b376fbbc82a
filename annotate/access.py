"""The only doors to a project and what is in it.

A stranger gets 404, because a project's existence is its members' business; a member without the right gets 403.
"""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django_htmx.middleware import HtmxDetails

from annotate.models import Membership, Project, Role, User
from annotate.querysets import ScopedQuerySet
from annotate.statements import MEMBERSHIP, fetch, load, width

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
    membership = load(Membership, rows[0][: width(Membership)])
    membership.project = load(Project, rows[0][width(Membership) : -1])
    membership.newest_guideline = rows[0][-1] or 0
    if membership.role not in roles:
        needed = " or ".join(role.label.lower() for role in map(Role, roles))
        raise PermissionDenied(f"Only a project's {needed} may do this. You are its {membership.role}.")
    return membership


def get_in_project(rows: ScopedQuerySet, membership: Membership, pk: int) -> Any:
    """The row `pk` among `rows` of the membership's project; Http404 when it is another project's or nobody's."""
    row = rows.of_project(membership.project).filter(pk=pk).first()
    if row is None:
        raise Http404(f"No such {rows.model._meta.verbose_name} in this project.")
    return row
