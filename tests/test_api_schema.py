"""The API against its own description: whatever is sent, no fault of ours and no answer that is not described.

`API_EXAMPLES=100 pytest -s tests/test_api_schema.py` sends that many to each operation with each kind of token, the
few that nobody should get far with too, and says how many there were.
"""

import os
import re
from collections.abc import Iterator

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
from django.utils import timezone
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as hypothesis_settings
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from annotate.api.schema import document
from annotate.models import ApiToken, Role, Scope
from annotate.services.tokens import create_service_token
from tests.api import ALL, make_token, make_world

EXAMPLES = int(os.environ.get("API_EXAMPLES", "1"))
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
MODES = [GenerationMode.POSITIVE, GenerationMode.NEGATIVE]
USUAL = ("of an owner", "of an annotator who may judge", "of a service")
FEWER = (*(f"with the scope {scope} alone" for scope in Scope), "of another project", "none", "expired", "revoked")
TOKENS = (*USUAL, *FEWER) if EXAMPLES > 1 else USUAL
SENDING = hypothesis_settings(
    max_examples=EXAMPLES,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture
def api() -> Iterator[schemathesis.BaseSchema]:
    """The document and the site behind it, in this process and in the test's transaction."""
    found = schemathesis.openapi.from_dict(document())
    found.app = get_wsgi_application()
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield found
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


def token_of(kind: str, alice, carol, mallory, project) -> str:
    if kind == "none":
        return ""
    if kind == "of a service":
        made = {"project": project, "name": "nightly", "role": Role.REVIEWER, "scopes": ALL, "days": 1}
        return create_service_token(actor=alice, **made)[1]
    if kind == "of an annotator who may judge":
        return make_token(carol, ["judge", "read"])
    if kind == "of another project":
        return make_token(mallory)
    scopes = [scope.value for scope in Scope if kind == f"with the scope {scope} alone"]
    text = make_token(alice, scopes or ALL)
    now = timezone.now()
    fields = {"expired": {"expires_at": now}, "revoked": {"revoked_at": now}}.get(kind, {})
    ApiToken.objects.filter(user=alice).update(**{"last_used_at": now, **fields})
    return text


@pytest.mark.parametrize("kind", TOKENS)
def test_whatever_is_sent_the_answer_is_one_that_the_document_describes(
    kind, api, alice, carol, mallory, project, settings
):
    settings.API_REQUESTS_PER_MINUTE = 10**6
    token, world = token_of(kind, alice, carol, mallory, project), make_world(project, alice, carol)
    every = 1 if EXAMPLES > 1 or kind == TOKENS[0] else 3
    found = list(enumerate(api.get_all_operations()))
    begin = 0 if EXAMPLES > 1 else TOKENS.index(kind)
    cases = 0
    for number, one in found[begin::every]:
        operation = one.ok()
        for mode in MODES if EXAMPLES > 1 else MODES[number % 2 :][:1]:
            cases += send(operation.as_strategy(mode, path_parameters=places(operation.path, project, world)), token)
    print(f"token {kind}: {cases} cases of {len(found[begin::every])} operations")


def places(path: str, project, world: dict[str, int]) -> dict[str, object]:
    """The numbers in the address, so that something is found there."""
    numbers = {name: world[before] for before, name in re.findall(r"([\w-]+)/\{(id|version)\}", path)}
    named = {"project_id": project.pk, "form": "trl", "kind": "rating", **numbers}
    return {name: value for name, value in named.items() if f"{{{name}}}" in path}


def send(cases, token: str) -> int:
    """Send each case, and take back what it did; how many were sent."""
    headers, sent = {"Authorization": f"Bearer {token}"} if token else {}, 0

    @SENDING
    @given(case=cases)
    def call(case) -> None:
        nonlocal sent
        with transaction.atomic():
            case.call_and_validate(headers=headers, checks=CHECKS)
            transaction.set_rollback(True)
        sent += 1

    call()
    return sent
