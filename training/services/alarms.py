"""Alarms: raised once, told to those who asked, open until an owner acknowledges them."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from annotate.models import Membership, Project, Role, User
from annotate.services.audit import record_audit
from annotate.services.queue import enqueue
from annotate.services.webhooks import announce
from training.models import Alarm, Round, Run
from training.models.alarms import AlarmQuerySet

ALARM_RAISED = "alarm.raised"  # the webhooks' event
TELL_ALARM = "training.tell_alarm"


@transaction.atomic
def raise_alarm(
    *,
    project: Project,
    kind: str,
    message: str,
    remedy: str,
    severity: str = Alarm.Severity.WARNING,
    run: Run | None = None,
    round: Round | None = None,
    facts: dict[str, Any] | None = None,
) -> Alarm:
    """Keep the alarm, once a run (or round) and kind, and tell those who asked. One that stops a run asks it to end.

    Raised again, it is the alarm there is: a run that was retried in spite of it is left alone. A warning that has
    become reason to stop becomes so.
    """
    if run is None and round is None:
        raise ValueError(f"The alarm {kind!r} is about neither a run nor a round: name one.")
    about = {"run": run} if run else {"run": None, "round": round}
    said = {"severity": severity, "message": message, "remedy": remedy, "facts": facts or {}}
    alarm, is_new = Alarm.objects.get_or_create(
        **about, kind=kind, defaults={**said, "project": project, "round": round or round_of(run)}
    )
    worse = not is_new and severity == Alarm.Severity.STOP and alarm.severity != Alarm.Severity.STOP
    if worse:
        Alarm.objects.filter(pk=alarm.pk).update(**said, told_at=None, acknowledged_at=None)
        alarm.refresh_from_db()
    if is_new or worse:
        record_audit(actor=None, action="alarm.raised", project=project, target=run or round, data={"alarm": kind})
        if run is not None and severity == Alarm.Severity.STOP:
            run.request_cancel()
        enqueue(TELL_ALARM, job_id=alarm.pk)
    return alarm


def round_of(run: Run | None) -> Round | None:
    """The round that launched the run, if one did."""
    return Round.objects.filter(steps__run=run).first() if run else None


def open_alarms(project: Project) -> AlarmQuerySet:
    """The project's unacknowledged alarms, those that say stop first, then the newest."""
    return Alarm.objects.of_project(project).open().select_related("run", "round").order_by("severity", "-pk")


@transaction.atomic
def acknowledge_alarm(*, alarm: Alarm, user: User, note: str = "") -> bool:
    """An owner has seen it and says what they made of it; False when somebody had already."""
    changed = Alarm.objects.filter(pk=alarm.pk, acknowledged_at=None).update(
        acknowledged_at=timezone.now(), acknowledged_by=user, note=note.strip()
    )
    if changed:
        record_audit(
            actor=user, action="alarm.acknowledged", project=alarm.project, target=alarm, data={"note": note.strip()}
        )
    return bool(changed)


@transaction.atomic
def set_alarm_mail(*, membership: Membership, wanted: bool) -> None:
    """Whether this owner is written to when an alarm is raised."""
    membership.mail_alarms = wanted
    membership.save(update_fields=["mail_alarms"])
    action = "alarm.mail_on" if wanted else "alarm.mail_off"
    record_audit(actor=membership.user, action=action, project=membership.project)


@transaction.atomic
def tell_alarm(alarm: Alarm) -> bool:
    """Write to the owners who asked and to the project's webhooks; False when that was done before.

    Raises what the mail server raises, with nothing marked as told.
    """
    waiting = Alarm.objects.select_for_update(of=("self",)).select_related("project", "run", "round")
    found = waiting.filter(pk=alarm.pk, told_at=None).first()
    if found is None:
        return False
    announce(project=found.project, event=ALARM_RAISED, key=f"alarm-{found.pk}-{found.severity}", data=describe(found))
    write_to_owners(found)
    found.told_at = timezone.now()
    found.save(update_fields=["told_at"])
    return True


def describe(alarm: Alarm) -> dict[str, Any]:
    """What a webhook is told."""
    return {
        "alarm": alarm.pk,
        "kind": alarm.kind,
        "severity": alarm.severity,
        "message": alarm.message,
        "remedy": alarm.remedy,
        "facts": alarm.facts,
        "run": alarm.run_id,
        "round": alarm.round_id,
        "raised_at": alarm.raised_at.isoformat(),
        "url": address(alarm),
    }


def write_to_owners(alarm: Alarm) -> None:
    owners = Membership.objects.of_project(alarm.project).filter(
        role=Role.OWNER, mail_alarms=True, user__is_active=True
    )
    about = alarm.run or alarm.round
    body = f"{alarm.message}\n\nWhat to do: {alarm.remedy}\n\n{address(alarm)}\n"
    for email in owners.values_list("user__email", flat=True):
        send_mail(f"Plumbline: {about} in {alarm.project}", body, None, [email])


def address(alarm: Alarm) -> str:
    if alarm.run_id:
        return settings.SITE_URL + reverse("run-detail", args=[alarm.project_id, alarm.run_id])
    return settings.SITE_URL + reverse("project-alarms", args=[alarm.project_id])
