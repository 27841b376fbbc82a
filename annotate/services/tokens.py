"""Keys to the API: a person's own, and those of a project's service accounts. Only a token's SHA-256 is kept."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from annotate.models import ApiToken, Membership, Project, User
from annotate.services.audit import record_audit
from annotate.services.invitations import hash_token

MARK = "plb_"  # what a leaked token is found by
PREFIX_LENGTH = 12
MOST_DAYS = 366
USE_NOTED_EVERY = timedelta(minutes=1)


@transaction.atomic
def create_token(
    *, user: User, name: str, scopes: Sequence[str], days: int, project: Project | None = None
) -> tuple[ApiToken, str]:
    """A token that acts as `user`, in `project` alone when one is named; (its row, the token itself, shown once)."""
    made = _make(user=user, created_by=user, name=name, scopes=scopes, days=days, project=project)
    record_audit(actor=user, action="token.created", project=project, target=made[0], data={"scopes": list(scopes)})
    return made


@transaction.atomic
def create_service_token(
    *, actor: User, project: Project, name: str, role: str, scopes: Sequence[str], days: int
) -> tuple[ApiToken, str]:
    """A token of a new service account, which is a member of the project with this role and signs what it does."""
    account = User.objects.create_user(
        f"service-{secrets.token_hex(6)}@service.invalid", name=f"{name} (service)"[:120]
    )
    account.is_service = True
    account.save(update_fields=["is_service"])
    newest = project.guidelines.order_by("-version").values_list("version", flat=True).first()
    Membership.objects.create(project=project, user=account, role=role, guideline_read=newest or 0)
    made = _make(user=account, created_by=actor, name=name, scopes=scopes, days=days, project=project)
    data = {"scopes": list(scopes), "role": role}
    record_audit(actor=actor, action="service_token.created", project=project, target=made[0], data=data)
    return made


def _make(
    *, user: User, created_by: User, name: str, scopes: Sequence[str], days: int, project: Project | None
) -> tuple[ApiToken, str]:
    if not 1 <= days <= MOST_DAYS:
        raise ValueError(f"A token cannot last {days} days; choose from 1 to {MOST_DAYS}.")
    text = MARK + secrets.token_urlsafe(32)
    token = ApiToken.objects.create(
        user=user,
        project=project,
        name=name,
        scopes=sorted(set(scopes)),
        prefix=text[:PREFIX_LENGTH],
        token_hash=hash_token(text),
        created_by=created_by,
        expires_at=timezone.now() + timedelta(days=days),
    )
    return token, text


@transaction.atomic
def revoke_token(*, actor: User, token: ApiToken) -> bool:
    """Make it stop working, a service account's membership with it. False when it was revoked before."""
    if not ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=timezone.now()):
        return False
    if token.user.is_service:
        Membership.objects.filter(user=token.user, project=token.project).delete()
    record_audit(actor=actor, action="token.revoked", project=token.project, target=token)
    return True


def find_token(text: str) -> ApiToken | None:
    """The open token this is, its user loaded; None for anything else."""
    rows = ApiToken.objects.open().filter(token_hash=hash_token(text), user__is_active=True)
    return rows.select_related("user").first()


def note_use(token: ApiToken) -> None:
    """Remember when it was last used, to the minute."""
    now = timezone.now()
    if token.last_used_at is None or now - token.last_used_at > USE_NOTED_EVERY:
        stale = Q(last_used_at=None) | Q(last_used_at__lt=now - USE_NOTED_EVERY)
        ApiToken.objects.filter(stale, pk=token.pk).update(last_used_at=now)
