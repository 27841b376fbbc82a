"""Every operation of the API, read from the URLconf: as nobody, as strangers, with tokens that lack the scope or are
another project's, and as each role. An operation that is new is walked like the others.
"""

import re
from dataclasses import dataclass
from datetime import date

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from annotate.api.operations import Operation
from annotate.models import Import, Lease, Role, Scope, Snapshot
from annotate.services.invitations import invite
from tests.api import make_token, make_world
from tests.factories import add_member, make_judgement, make_project, make_task, make_user
from training.models import (
    Ablation,
    ChosenTask,
    Endpoint,
    Generation,
    ModelVersion,
    Recipe,
    RewardReport,
    Run,
    Scoring,
)

WITHOUT_VIEWS = {"api-schema", "api-docs", "api-nowhere"}


@dataclass(frozen=True)
class Door:
    """An operation at its address, such as projects/<number:project_id>/prompts/<number:pk>/."""

    route: str
    operation: Operation

    @property
    def has_object(self) -> bool:
        return len(re.findall("<number", self.route)) > 1

    def visit(self, token: str, project: int, world: dict[str, int]) -> int:
        """The status of an empty request to it, its objects taken from `world`."""
        path = self.route.replace("<number:project_id>", str(project)).replace("<slug:form>", "trl")
        path = path.replace("<slug:kind>", "ranking")
        path = re.sub(r"([\w-]+)/<number:\w+>", lambda found: f"{found[1]}/{world[found[1]]}", path)
        body = b"{}" if self.operation.body else b""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        client = Client(raise_request_exception=True)
        answer = client.generic(self.operation.method, f"/{path}", body, "application/json", headers=headers)
        return answer.status_code


def patterns(resolver: URLResolver, before: str = ""):
    for pattern in resolver.url_patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from patterns(pattern, route)
        elif isinstance(pattern, URLPattern) and route.startswith("api/") and pattern.name not in WITHOUT_VIEWS:
            yield route, pattern


DOORS = [
    Door(route, operation)
    for route, pattern in patterns(get_resolver())
    for operation in pattern.callback.cls.operations.values()
]
IN_PROJECT = [door for door in DOORS if "project_id" in door.route]


@pytest.fixture
def world(project, alice, carol):
    return make_world(project, alice, carol)


def statuses(doors, token, project, world):
    return {(door.operation.name, door.visit(token, project.pk, world)) for door in doors}


def expected(doors, status):
    return {(door.operation.name, status) for door in doors}


def test_every_operation_has_a_name_of_its_own_and_says_what_it_does():
    names = [door.operation.name for door in DOORS]
    assert len(set(names)) == len(names) > 60
    assert [door.operation.name for door in DOORS if not door.operation.run.__doc__] == []
    assert [door.operation.name for door in IN_PROJECT if not door.operation.roles] == []


def test_nobody_gets_in_without_a_token(project, world):
    assert statuses(DOORS, "", project, world) == expected(DOORS, 401)


def test_a_stranger_and_an_owner_of_another_project_find_nothing(project, world, stranger, mallory):
    for user in (stranger, mallory):
        assert statuses(IN_PROJECT, make_token(user), project, world) == expected(IN_PROJECT, 404)


def test_an_object_cannot_be_reached_through_another_project(world, mallory):
    """Mallory owns her project, so only the object's own project keeps her out."""
    hers, token = mallory.memberships.get().project, make_token(mallory)
    objects = [door for door in IN_PROJECT if door.has_object and "guidelines/" not in door.route]
    nothing = {door.operation.name: {404, 422} if door.operation.body else {404} for door in objects}
    found = statuses(objects, token, hers, world)  # 422: what was sent is looked at first
    assert [(name, status) for name, status in found if status not in nothing[name]] == []


def test_a_token_of_another_project_finds_nothing_though_its_user_is_an_owner(alice, project, world):
    token = make_token(alice, project=make_project(alice, name="Other"))
    assert statuses(IN_PROJECT, token, project, world) == expected(IN_PROJECT, 404)


@pytest.mark.parametrize("scope", list(Scope))
def test_a_token_without_the_scope_gets_nothing(alice, project, world, scope):
    token = make_token(alice, [other.value for other in Scope if other != scope])
    needing = [door for door in DOORS if door.operation.scope == scope]
    assert len(needing) >= 5
    assert statuses(needing, token, project, world) == expected(needing, 403)


@pytest.mark.parametrize("role", list(Role))
def test_a_member_does_what_the_role_allows_and_nothing_else(role, alice, bob, carol, project, world):
    user = {Role.OWNER: alice, Role.REVIEWER: bob, Role.ANNOTATOR: carol}[role]
    found = statuses(IN_PROJECT, make_token(user), project, world)
    refused = {name for name, status in found if status == 403}
    assert refused == {door.operation.name for door in IN_PROJECT if role not in door.operation.roles}
    assert [entry for entry in found if entry[1] >= 500] == []


def grow(project, alice, carol):
    """Six more rows in every table that has a list."""
    snapshot, policy = project.snapshots.get(), ModelVersion.objects.get(name="base")
    made = {"project": project, "created_by": alice}
    for number in range(6):
        task = make_task(project, overlap=2)
        for person in (carol, alice):
            Lease.objects.create(task=task, annotator=person, state="done", order=[0, 1], expires_at=timezone.now())
            make_judgement(task, person, 4 if person == carol else -4)
        invite(actor=alice, project=project, email=f"{number}@example.org", role=Role.ANNOTATOR)
        add_member(project, make_user(f"Person {number}"), Role.ANNOTATOR)
        project.guidelines.create(version=number + 2, body="Again.", created_by=alice)
        job = Import.objects.create(contents="prompts", format="jsonl", file="x", status="succeeded", **made)
        job.refused.create(row_number=number, reason="No.")
        copy = Snapshot.objects.create(name=f"copy {number}", status="failed", **made)
        far = ModelVersion.objects.create(kind="endpoint", name=f"far {number}", origin="x: y", **made)
        Endpoint.objects.create(model=far, base_url="http://127.0.0.1:9/v1", remote_name="y", **made)
        project.endpoints.get(model__name="far").days.create(day=date(2026, 11, 1 + number))
        RewardReport.objects.create(model=policy, snapshot=copy, **made)
        Ablation.objects.create(name=f"ablation {number}", snapshot=snapshot, base_model=policy, **made)
        Scoring.objects.create(model=policy, status="failed", **made)
        ChosenTask.objects.create(task=task, strategy="random", reason="Drawn by lot.")
        run = Run.objects.create(name=f"run {number}", algorithm="dpo", snapshot=snapshot, base_model=policy, **made)
        run.events.create(kind="train", step=number)
        run.alarms.create(project=project, kind="sameness", message="All alike.", remedy="Stop.")
        ModelVersion.objects.create(kind="policy", name=f"copy {number}", origin="x/y", **made)
        Generation.objects.create(model=policy, **made)
        recipe = Recipe.objects.create(name=f"recipe {number}", plan={}, **made)
        rival = ModelVersion.objects.get(name="rival")
        project.rounds.create(number=number + 2, recipe=recipe, policy_before=policy, status="succeeded")
        project.evaluations.create(candidate=policy, baseline=rival, by="people", created_by=alice, status="failed")
        project.policies.create(model=rival, reason="Again.", is_current=False)
        project.questionnaire_items.create(question=f"Question {number}?", options=["Yes", "No"])
        hook = project.webhooks.get(url="https://example.org/")
        hook.deliveries.create(key=f"again {number}", event="test", body="{}")
        project.webhooks.create(url=f"https://example.org/{number}", secret="s", created_by=alice)
        project.chats.create(annotator=alice, ended_at=timezone.now())


def count_statements(lists, token, project, world):
    found = {}
    for door in lists:
        with CaptureQueriesContext(connection) as queries:
            assert door.visit(token, project.pk, world) == 200, door.route
        found[door.operation.name] = len(queries)
    return found


def test_a_list_costs_as_many_statements_with_many_rows_as_with_one(alice, carol, project, world):
    token, lists = make_token(alice), [door for door in IN_PROJECT if door.operation.paged]
    own = make_task(project, overlap=2)
    Lease.objects.create(task=own, annotator=alice, state="done", order=[0, 1], expires_at=timezone.now())
    world["my-judgements"] = make_judgement(own, alice).pk
    count_statements(lists, token, project, world)  # the first visit makes what a project begins with
    before = count_statements(lists, token, project, world)
    grow(project, alice, carol)
    after = count_statements(lists, token, project, world)
    assert after == before
    assert max(after.values()) <= 8, after
