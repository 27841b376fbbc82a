"""Every operation of the API, read from the URLconf: as nobody, as strangers, with tokens that lack the scope or are
another project's, and as each role. An operation that is new is walked like the others.
"""

import re
from dataclasses import dataclass

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from annotate.api.operations import Operation
from annotate.models import Role, Scope
from tests.api import make_token, make_world
from tests.factories import make_project

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
