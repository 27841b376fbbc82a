"""Single-use links: into a project, or to becoming the first owner of the site. Only a token's SHA-256 is kept."""

import hashlib
import secrets
from datetime import timedelta

from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from annotate.models import Invitation, Membership, Project, User
from annotate.services.audit import record_audit

INVITATION_LASTS = timedelta(days=7)
SETUP_LINK_LASTS = timedelta(hours=24)


class InvitationRefused(Exception):
    """The invitation cannot be made or accepted; the text says why and what to do."""


def hash_token(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def link_of(token: str) -> str:
    return settings.SITE_URL.rstrip("/") + reverse("invitation-accept", args=[token])


def find_invitation(token: str) -> Invitation | None:
    """The invitation this link belongs to, whatever became of it."""
    return Invitation.objects.select_related("project", "created_by").filter(token_hash=hash_token(token)).first()


def refusal(invitation: Invitation) -> str:
    """Why this invitation cannot be accepted any more and what to do; empty while it can."""
    ask = (
        "Run `manage.py setup_link` for a new one."
        if invitation.grants_staff
        else "Ask the project's owner for a new one."
    )
    if invitation.accepted_at:
        return "This link has been used. If it was you, sign in; if not, ask for a new link."
    if invitation.revoked_at:
        return f"This link was withdrawn or replaced by a newer one. {ask}"
    if invitation.expires_at <= timezone.now():
        return f"This link has expired. {ask}"
    if invitation.grants_staff and User.objects.filter(is_staff=True).exists():
        return "The first owner exists already. Sign in, or ask them to invite you to a project."
    return ""


@transaction.atomic
def make_setup_link() -> str:
    """A link that makes the site's first owner: it works once, for 24 hours, and replaces earlier ones."""
    earlier = Invitation.objects.filter(project=None, accepted_at=None, revoked_at=None)
    earlier.update(revoked_at=timezone.now())
    token = secrets.token_urlsafe(32)
    Invitation.objects.create(
        grants_staff=True, token_hash=hash_token(token), expires_at=timezone.now() + SETUP_LINK_LASTS
    )
    return link_of(token)


@transaction.atomic
def invite(*, actor: User, project: Project, email: str, role: str) -> str:
    """Invite an address to a project; the link, which is also mailed. An open invitation of it is replaced.

    Raises InvitationRefused when the address belongs to a member.
    """
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    email = email.strip().lower()
    if Membership.objects.of_project(project).filter(user__email=email).exists():
        raise InvitationRefused(f"{email} is a member already. Change the role in the list of members.")
    project.invitations.filter(email__iexact=email, accepted_at=None, revoked_at=None).update(revoked_at=timezone.now())
    token = secrets.token_urlsafe(32)
    invitation = Invitation.objects.create(
        project=project,
        email=email,
        role=role,
        token_hash=hash_token(token),
        created_by=actor,
        expires_at=timezone.now() + INVITATION_LASTS,
    )
    record_audit(actor=actor, action="person.invited", project=project, target=email, data={"role": role})
    transaction.on_commit(lambda: mail_invitation(invitation, link_of(token)), robust=True)
    return link_of(token)


@transaction.atomic
def revoke_invitation(*, actor: User, invitation: Invitation) -> bool:
    """Make the link stop working; False when it was used or revoked before."""
    rows = Invitation.objects.filter(pk=invitation.pk, accepted_at=None, revoked_at=None)
    revoked = bool(rows.update(revoked_at=timezone.now()))
    if revoked:
        record_audit(actor=actor, action="invitation.revoked", project=invitation.project, target=invitation.email)
    return revoked


@transaction.atomic
def accept_as_new_user(*, invitation: Invitation, email: str, name: str, password: str) -> User:
    """Make the user the invitation is for, and their membership. Raises InvitationRefused when it is not open."""
    invitation = lock_open(invitation)
    email = (invitation.email or email).strip().lower()
    if User.objects.filter(email=email).exists():
        raise InvitationRefused(f"{email} has an account already. Sign in, then open this link again.")
    user = User.objects.create_user(email, password, name=name, is_staff=invitation.grants_staff)
    settle(invitation, user)
    return user


@transaction.atomic
def accept_as_user(*, invitation: Invitation, user: User) -> None:
    """Add a signed-in user to the project. Accepting again does nothing.

    Raises InvitationRefused when the invitation is not open, or is for another address.
    """
    if invitation.accepted_by_id == user.pk:
        return
    invitation = lock_open(invitation)
    if invitation.email.lower() != user.email:
        raise InvitationRefused(
            f"This invitation is for {invitation.email or 'the first owner'}; you are signed in as {user.email}. "
            "Sign out and open the link again, or ask for an invitation of your own address."
        )
    settle(invitation, user)


def lock_open(invitation: Invitation) -> Invitation:
    """The invitation, locked until the transaction ends. Raises InvitationRefused when it is not open."""
    locked = Invitation.objects.select_for_update().get(pk=invitation.pk)
    if reason := refusal(locked):
        raise InvitationRefused(reason)
    return locked


def settle(invitation: Invitation, user: User) -> None:
    """Note who accepted and give them what was promised. A member keeps the role they have."""
    invitation.accepted_at, invitation.accepted_by = timezone.now(), user
    invitation.save(update_fields=["accepted_at", "accepted_by"])
    if invitation.project:
        Membership.objects.get_or_create(project=invitation.project, user=user, defaults={"role": invitation.role})
    action = "person.joined" if invitation.project else "site.first_owner_created"
    record_audit(
        actor=user, action=action, project=invitation.project, target=user.email, data={"role": invitation.role}
    )


def is_mailed() -> bool:
    """Whether mail leaves this machine; without a mail server it is only written to the terminal."""
    return not settings.EMAIL_BACKEND.endswith("console.EmailBackend")


def mail_invitation(invitation: Invitation, link: str) -> None:
    context = {"invitation": invitation, "project": invitation.project, "link": link}
    body = render_to_string("account/invitation_email.txt", context)
    subject = f"Invitation to {invitation.project}".replace("\n", " ").replace("\r", " ")
    send_mail(subject, body, None, [invitation.email])
