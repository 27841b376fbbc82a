"""What a reviewer decides about how a person stands: let them go on, let them try again, let them in."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from annotate.models import Draft, Judgement, Membership, Purpose, User
from annotate.services.audit import record_audit
from annotate.services.judging import undo_judgement


@transaction.atomic
def lift_pause(*, actor: User, membership: Membership) -> bool:
    """Let a paused person judge again; gold counts from now on. False when they are not paused."""
    rows = Membership.objects.filter(pk=membership.pk, paused_at__isnull=False)
    if not rows.update(paused_at=None, pause_reason="", gold_counts_from=timezone.now()):
        return False
    _record(actor, "member.resumed", membership)
    return True


@transaction.atomic
def pause_member(*, actor: User, membership: Membership, reason: str) -> bool:
    """Keep a person from judging until a reviewer lets them go on. False when they are paused already."""
    rows = Membership.objects.filter(pk=membership.pk, paused_at=None)
    if not rows.update(paused_at=timezone.now(), pause_reason=reason):
        return False
    _record(actor, "member.paused", membership)
    return True


@transaction.atomic
def qualify(*, actor: User, membership: Membership) -> bool:
    """Let a person work without passing the qualification. False when they are qualified already."""
    if not Membership.objects.filter(pk=membership.pk, qualified_at=None).update(qualified_at=timezone.now()):
        return False
    _record(actor, "member.qualified", membership)
    return True


@transaction.atomic
def allow_retry(*, actor: User, membership: Membership) -> bool:
    """Take back a person's qualification answers, so that they are asked again. False when there are none."""
    locked = Membership.objects.select_for_update(no_key=True).get(pk=membership.pk)
    answers = Judgement.objects.of_project(membership.project).current().filter(annotator=membership.user_id)
    tried = answers.filter(task__purpose=Purpose.QUALIFICATION, task__closed_at=None, is_adjudication=False)
    tried = tried.exclude(outcome=Judgement.Outcome.UNDONE).order_by("pk")
    taken_back = [undo_judgement(judgement=judgement) for judgement in tried]
    Draft.objects.filter(annotator=membership.user_id, task__purpose=Purpose.QUALIFICATION).delete()
    if not taken_back:
        return False
    locked.qualified_at = None
    locked.save(update_fields=["qualified_at"])
    _record(actor, "member.may_retry", membership)
    return True


def _record(actor: User, action: str, membership: Membership) -> None:
    record_audit(actor=actor, action=action, project=membership.project, target=membership.user)
