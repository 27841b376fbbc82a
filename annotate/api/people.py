"""A project's people and the invitations on their way."""

from __future__ import annotations

from typing import Any

from annotate.access import OWNERS, get_in_project
from annotate.api.operations import Call, operation
from annotate.api.paging import Page, page_of
from annotate.api.problems import conflicting, refused
from annotate.api.serializers.projects import (
    InvitationLinkSerializer,
    InvitationSerializer,
    MemberSerializer,
    NewInvitationSerializer,
    RoleSerializer,
)
from annotate.models import Invitation, Membership, Scope
from annotate.services.invitations import InvitationRefused, invite, revoke_invitation
from annotate.services.people import LastOwner, change_role, remove_member


@operation("GET", scope=Scope.ADMIN, roles=OWNERS, answer=MemberSerializer, paged=True)
def list_members(call: Call) -> Page:
    """The people of the project."""
    rows = Membership.objects.visible_to(call.user).of_project(call.project).select_related("user")
    return page_of(rows, call.query)


def get_member(call: Call, pk: int) -> Membership:
    rows = Membership.objects.visible_to(call.user).select_related("user", "project")
    found: Membership = get_in_project(rows, call.membership, pk)
    return found


@operation("GET", scope=Scope.ADMIN, roles=OWNERS, answer=MemberSerializer)
def show_member(call: Call, pk: int) -> Membership:
    """One member."""
    return get_member(call, pk)


@operation(
    "PATCH",
    scope=Scope.ADMIN,
    roles=OWNERS,
    body=RoleSerializer,
    answer=MemberSerializer,
    conflicts=True,
    guards=show_member,
    example={"role": "reviewer"},
)
def change_member(call: Call, pk: int) -> Membership:
    """Give a member another role."""
    member = get_member(call, pk)
    with conflicting(LastOwner):
        change_role(actor=call.user, membership=member, role=call.data.get("role", member.role))
    return get_member(call, pk)


@operation("DELETE", scope=Scope.ADMIN, roles=OWNERS, conflicts=True)
def remove_a_member(call: Call, pk: int) -> None:
    """Take somebody out of the project. What they judged stays."""
    with conflicting(LastOwner):
        remove_member(actor=call.user, membership=get_member(call, pk))


@operation("GET", scope=Scope.ADMIN, roles=OWNERS, answer=InvitationSerializer, paged=True)
def list_invitations(call: Call) -> Page:
    """The invitations that can still be accepted."""
    return page_of(Invitation.objects.visible_to(call.user).of_project(call.project).open(), call.query)


@operation(
    "POST",
    scope=Scope.ADMIN,
    roles=OWNERS,
    body=NewInvitationSerializer,
    answer=InvitationLinkSerializer,
    status=201,
    repeatable=False,
    example={"email": "dave@example.org", "role": "annotator"},
)
def invite_somebody(call: Call) -> dict[str, Any]:
    """Invite an address; an open invitation of it is replaced.

    The link is mailed where the site has a mail server. It is told here once, so a key for repeats is not taken.
    """
    with refused(InvitationRefused, field="email"):
        link = invite(actor=call.user, project=call.project, email=call.data["email"], role=call.data["role"])
    return {"email": call.data["email"], "link": link}


@operation("DELETE", scope=Scope.ADMIN, roles=OWNERS)
def revoke_an_invitation(call: Call, pk: int) -> None:
    """Make the link of an invitation stop working."""
    rows = Invitation.objects.visible_to(call.user).select_related("project")
    revoke_invitation(actor=call.user, invitation=get_in_project(rows, call.membership, pk))


@operation(
    "POST",
    scope=Scope.ADMIN,
    roles=OWNERS,
    answer=InvitationLinkSerializer,
    status=201,
    repeatable=False,
    conflicts=True,
)
def renew_an_invitation(call: Call, pk: int) -> dict[str, Any]:
    """A new link in the place of an invitation's, good for another seven days."""
    rows = Invitation.objects.visible_to(call.user).filter(accepted_at=None)
    invitation: Invitation = get_in_project(rows, call.membership, pk)
    with conflicting(InvitationRefused):
        link = invite(actor=call.user, project=call.project, email=invitation.email, role=invitation.role)
    return {"email": invitation.email, "link": link}
