"""The API against its own description: whatever is sent, no fault of ours and no answer that is not described.

`API_EXAMPLES=100 pytest tests/test_api_schema.py` sends that many to each operation with each token.
"""

import os
import re
from collections.abc import Iterator

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
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
from annotate.models import Role
from annotate.services.tokens import create_service_token
from tests.api import ALL, make_token, make_world

EXAMPLES = int(os.environ.get("API_EXAMPLES", "1"))
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
MODES = [GenerationMode.POSITIVE, GenerationMode.NEGATIVE]
TOKENS = ("of an owner", "of an annotator who may judge", "of a service")
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


def token_of(kind, alice, carol, project) -> str:
    if kind == "of a service":
        made = {"project": project, "name": "nightly", "role": Role.REVIEWER, "scopes": ALL, "days": 1}
        return create_service_token(actor=alice, **made)[1]
    return make_token(alice) if kind == "of an owner" else make_token(carol, ["judge", "read"])


@pytest.mark.parametrize("kind", TOKENS)
def test_whatever_is_sent_the_answer_is_one_that_the_document_describes(kind, api, alice, carol, project, settings):
    settings.API_REQUESTS_PER_MINUTE = 10**6
    token, world = token_of(kind, alice, carol, project), make_world(project, alice, carol)
    every = 1 if EXAMPLES > 1 or kind == TOKENS[0] else 3
    for number, found in list(enumerate(api.get_all_operations()))[TOKENS.index(kind) :: every]:
        operation = found.ok()
        for mode in MODES if EXAMPLES > 1 else MODES[number % 2 :][:1]:
            send(operation.as_strategy(mode, path_parameters=places(operation.path, project, world)), token)


def places(path: str, project, world: dict[str, int]) -> dict[str, object]:
    """The numbers in the address, so that something is found there."""
    numbers = {name: world[before] for before, name in re.findall(r"([\w-]+)/\{(id|version)\}", path)}
    named = {"project_id": project.pk, "form": "trl", "kind": "rating", **numbers}
    return {name: value for name, value in named.items() if f"{{{name}}}" in path}


def send(cases, token: str) -> None:
    @SENDING
    @given(case=cases)
    def call(case) -> None:
        with transaction.atomic():
            case.call_and_validate(headers={"Authorization": f"Bearer {token}"}, checks=CHECKS)
            transaction.set_rollback(True)

    call()
