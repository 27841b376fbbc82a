"""Projects, their settings and guidelines."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from rest_framework.exceptions import PermissionDenied

from annotate.access import EVERYONE, OWNERS
from annotate.api.operations import Call, operation
from annotate.api.paging import Page, page_of
from annotate.api.problems import Invalid
from annotate.api.serializers.projects import (
    ArchiveSerializer,
    AuditEventSerializer,
    GuidelineSerializer,
    MeSerializer,
    NewGuidelineSerializer,
    NewProjectSerializer,
    ProjectChangeSerializer,
    ProjectSerializer,
    ProjectSettingsSerializer,
)
from annotate.api.serializers.quality import KindOptionsSerializer
from annotate.forms.kinds import KIND_FORMS
from annotate.models import AuditEvent, Guideline, Membership, Project, Scope
from annotate.querysets import ProjectQuerySet
from annotate.services.guidelines import read_guideline
from annotate.services.project_kinds import set_kind_options
from annotate.services.projects import archive_project, create_project, save_guidelines, update_project
from annotate.views.kind_settings import find_kind


@operation("GET", scope=Scope.READ, answer=MeSerializer)
def show_me(call: Call) -> dict[str, Any]:
    """Who is calling, their projects and their token."""
    memberships = Membership.objects.filter(user=call.user).select_related("project").order_by("project")
    if call.token and call.token.project_id:
        memberships = memberships.filter(project=call.token.project_id)
    return {"user": call.user, "memberships": memberships, "token": call.token}


@operation("GET", scope=Scope.READ, answer=ProjectSerializer, paged=True)
def list_projects(call: Call) -> Page:
    """The projects you are a member of."""
    return page_of(reachable(call), call.query)


def reachable(call: Call) -> ProjectQuerySet:
    """The caller's projects; with a token of one project, that one."""
    projects = Project.objects.visible_to(call.user)
    return projects.filter(pk=call.token.project_id) if call.token and call.token.project_id else projects


@operation(
    "POST",
    scope=Scope.ADMIN,
    body=NewProjectSerializer,
    answer=ProjectSerializer,
    status=201,
    example={"name": "Kitchen advice", "guidelines": "Prefer the more helpful answer."},
)
def create_a_project(call: Call) -> Project:
    """Make a project with the standard settings, and own it.

    For users who may create projects.
    """
    if not call.user.is_staff or (call.token and call.token.project_id):
        raise PermissionDenied("Only users who may create projects can do this, and not with a token of one project.")
    return create_project(actor=call.user, **call.data)


@operation("GET", scope=Scope.READ, roles=EVERYONE, answer=ProjectSerializer)
def show_project(call: Call) -> Project:
    """One project."""
    return call.project


@operation("GET", scope=Scope.READ, roles=OWNERS, answer=ProjectSettingsSerializer)
def show_settings(call: Call) -> Project:
    """A project's settings."""
    return call.project


@operation(
    "PATCH",
    scope=Scope.ADMIN,
    roles=OWNERS,
    body=ProjectChangeSerializer,
    answer=ProjectSettingsSerializer,
    guards=show_settings,
    example={"overlap": 3, "allow_tie": False},
)
def change_settings(call: Call) -> Project:
    """Change some of a project's settings.

    Judgements made before keep the scale they were made on.
    """
    check_shares(call.project, call.data)
    update_project(actor=call.user, project=call.project, changes=call.data)
    call.project.refresh_from_db()
    return call.project


def check_shares(project: Project, changes: dict[str, Any]) -> None:
    """Limits that concern two settings at once."""
    value = {name: changes.get(name, getattr(project, name)) for name in ("gold_rate", "mirror_rate")}
    warn = changes.get("gold_warn_below", project.gold_warn_below)
    pause = changes.get("gold_pause_below", project.gold_pause_below)
    if changes.keys() & {"gold_rate", "mirror_rate"} and sum(value.values()) > 0.5:
        raise Invalid({"mirror_rate": "Gold and repeats together would be more than half of what people do."})
    if changes.keys() & {"gold_warn_below", "gold_pause_below"} and pause > warn:
        raise Invalid({"gold_pause_below": f"Give at most {warn:g}, so that people are warned before a pause."})


@operation(
    "PUT", scope=Scope.ADMIN, roles=OWNERS, body=ArchiveSerializer, answer=ProjectSerializer, example={"archived": True}
)
def archive(call: Call) -> Project:
    """Put a project away, or take it back."""
    archive_project(actor=call.user, project=call.project, archived=call.data["archived"])
    call.project.refresh_from_db()
    return call.project


@operation("GET", scope=Scope.READ, roles=EVERYONE, answer=GuidelineSerializer, paged=True)
def list_guidelines(call: Call) -> Page:
    """Every version of the guidelines."""
    return page_of(Guideline.objects.visible_to(call.user).of_project(call.project), call.query)


@operation(
    "POST",
    scope=Scope.ADMIN,
    roles=OWNERS,
    body=NewGuidelineSerializer,
    answer=GuidelineSerializer,
    status=201,
    example={"body": "Prefer the truer answer."},
)
def save_new_guidelines(call: Call) -> Guideline:
    """A new version of the guidelines; the same text again is the version there is."""
    return save_guidelines(actor=call.user, project=call.project, body=call.data["body"].replace("\r\n", "\n"))


@operation("GET", scope=Scope.READ, roles=EVERYONE, answer=GuidelineSerializer)
def show_guideline(call: Call, version: int) -> Guideline:
    """One version of the guidelines."""
    return get_guideline(call, version)


@operation("POST", scope=Scope.JUDGE, roles=EVERYONE)
def say_guideline_read(call: Call, version: int) -> None:
    """Say that you have read this version: tasks are handed out to those who have read the newest."""
    read_guideline(membership=call.membership, version=get_guideline(call, version).version)


def get_guideline(call: Call, version: int) -> Guideline:
    rows = Guideline.objects.visible_to(call.user).of_project(call.project)
    found = rows.filter(version=min(version, 2**31 - 1)).first()
    if found is None:
        raise Http404(f"There is no version {version} of the guidelines.")
    return found


@operation("GET", scope=Scope.READ, roles=OWNERS, answer=AuditEventSerializer, paged=True)
def list_audit_events(call: Call) -> Page:
    """Who did what in the project."""
    rows = AuditEvent.objects.visible_to(call.user).of_project(call.project).select_related("actor")
    return page_of(rows, call.query)


@operation(
    "PUT",
    scope=Scope.ADMIN,
    roles=OWNERS,
    body=KindOptionsSerializer,
    answer=ProjectSettingsSerializer,
    example={"options": {"questions": ["Overall quality | 7 | terrible | excellent", "Makes things up | No, Yes"]}},
)
def turn_kind_on(call: Call, kind: str) -> Project:
    """Turn a kind of judgement on, or change its options.

    Options are typed as on the settings page: questions of a rating are lines, as in the example.
    """
    wanted, given = find_kind(kind), call.data["options"]
    blank = KIND_FORMS[wanted](project=call.project)
    if strange := [name for name in given if name not in blank.fields]:
        raise Invalid({f"options.{strange[0]}": f"{wanted.label} has the options {', '.join(blank.fields)}."})
    form = KIND_FORMS[wanted]({**blank.initial, **given}, project=call.project)
    if not form.is_valid():
        raise Invalid({f"options.{name}": list(map(str, found)) for name, found in form.errors.items()})
    set_kind_options(actor=call.user, project=call.project, kind=kind, options=form.options())
    call.project.refresh_from_db()
    return call.project


@operation("DELETE", scope=Scope.ADMIN, roles=OWNERS)
def turn_kind_off(call: Call, kind: str) -> None:
    """Turn a kind of judgement off. Tasks that exist can still be judged."""
    find_kind(kind)
    set_kind_options(actor=call.user, project=call.project, kind=kind, options=None)
