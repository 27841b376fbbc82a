"""The only doors to a project and what is in it.

A stranger gets 404, because a project's existence is its members' business; a member without the right gets 403.
"""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django_htmx.middleware import HtmxDetails

from annotate.models import Membership, Role, User
from annotate.querysets import ScopedQuerySet

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
    membership = Membership.objects.select_related("project").filter(project_id=project_id, user=user).first()
    if membership is None:
        raise Http404("No such project.")
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
