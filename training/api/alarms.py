"""Alarms: what monitors saw go wrong."""

from __future__ import annotations

from annotate.access import OWNERS, REVIEWERS, get_in_project
from annotate.api.operations import Call, operation
from annotate.api.paging import Page, page_of
from annotate.api.serializers.snapshots import StartedSerializer
from annotate.models import Scope
from training.api.serializers.rounds import AlarmMailSerializer, AlarmQuery, AlarmSerializer, NoteSerializer
from training.models import Alarm
from training.models.alarms import AlarmQuerySet
from training.services.alarms import acknowledge_alarm, set_alarm_mail


def alarms_of(call: Call) -> AlarmQuerySet:
    rows: AlarmQuerySet = Alarm.objects.visible_to(call.user).select_related("acknowledged_by", "project")
    return rows


@operation("GET", scope=Scope.READ, roles=REVIEWERS, query=AlarmQuery, answer=AlarmSerializer, paged=True)
def list_alarms(call: Call) -> Page:
    """The project's alarms."""
    rows = alarms_of(call).of_project(call.project)
    return page_of(rows.open() if call.query["open"] else rows, call.query)


@operation("GET", scope=Scope.READ, roles=REVIEWERS, answer=AlarmSerializer)
def show_alarm(call: Call, pk: int) -> Alarm:
    """One alarm."""
    found: Alarm = get_in_project(alarms_of(call), call.membership, pk)
    return found


@operation(
    "POST",
    scope=Scope.TRAIN,
    roles=OWNERS,
    body=NoteSerializer,
    answer=StartedSerializer,
    example={"note": "Raised the KL weight and launched it again."},
)
def acknowledge(call: Call, pk: int) -> dict[str, bool]:
    """Say that you have seen it, and what you made of it."""
    alarm: Alarm = get_in_project(alarms_of(call), call.membership, pk)
    return {"changed": acknowledge_alarm(alarm=alarm, user=call.user, note=call.data["note"])}


@operation(
    "PUT",
    scope=Scope.ADMIN,
    roles=OWNERS,
    body=AlarmMailSerializer,
    answer=AlarmMailSerializer,
    example={"wanted": True},
)
def choose_alarm_mail(call: Call) -> dict[str, bool]:
    """Whether you are written to when an alarm is raised."""
    set_alarm_mail(membership=call.membership, wanted=call.data["wanted"])
    return {"wanted": call.data["wanted"]}
