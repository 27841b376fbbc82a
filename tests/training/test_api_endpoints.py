"""Endpoints through the API: what is told of them, and what never is."""

import json
from decimal import Decimal

import pytest
from django.utils import timezone

from annotate.models import AuditEvent
from plumbline_client.errors import ApiError
from tests.api import api_of
from tests.factories import make_prompt
from training.models import Endpoint
from training.services.endpoint_keys import unseal
from training.services.endpoint_limits import Aside, count_use

pytestmark = pytest.mark.django_db

KEY = "sk-test-0123456789abcdef-WXYZ"


def test_an_endpoint_is_added_changed_asked_and_removed_and_its_key_is_never_told(alice, project):
    api = api_of(alice)
    here = f"projects/{project.pk}/endpoints/"
    body = {"name": "Far", "base_url": "https://api.example.org/v1", "remote_name": "tiny", "key": KEY}
    made = api.call("POST", here, body=body)
    one = f"{here}{made['id']}/"
    assert (made["key_ends"], made["requests_per_minute"], made["cost"]) == ("WXYZ", 60, "0.000000000")
    api.call("PATCH", one, body={"price_out": "2.5"})
    endpoint = Endpoint.objects.get()
    assert (endpoint.price_out, unseal(endpoint.sealed_key)) == (Decimal("2.5"), KEY)
    count_use(endpoint, Aside(timezone.localdate(), Decimal(0)), tokens_in=7, tokens_out=9, cost=Decimal("0.5"))
    told = [made, api.call("GET", one), api.call("GET", here), api.call("GET", f"{one}days/")]
    assert (told[1]["requests"], told[1]["cost_this_month"], told[3]["results"][0]["tokens_out"]) == (
        1,
        "0.500000000",
        9,
    )
    assert [found for found in told if KEY in json.dumps(found) or endpoint.sealed_key in json.dumps(found)] == []

    make_prompt(project)
    asked = api.call("POST", f"projects/{project.pk}/generations/", body={"model": made["model"], "choice": "all"})
    assert (asked["model"], asked["status"]) == (made["model"], "queued")
    budget = api.call("PUT", f"{here}budget/", body={"a_day": "5.00", "a_month": None})
    assert budget == {"a_day": "5.00", "a_month": None, "spent_today": "0.500000000", "spent_this_month": "0.500000000"}
    api.call("DELETE", one)
    assert api.call("GET", one)["removed_at"] is not None
    assert api.call("POST", f"{one}test/") == {"worked": False, "message": "“Far” was removed. Choose another model."}
    actions = AuditEvent.objects.filter(action__startswith="endpoint").order_by("pk").values_list("action", flat=True)
    assert list(actions) == ["endpoint.added", "endpoint.changed", "endpoints.budget_set", "endpoint.removed"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"base_url": "http://169.254.169.254/v1"}, "base_url"),
        ({"key": "two words"}, "key"),
        ({"at_once": 33}, "at_once"),
        ({"base_url": "https://other.example.org"}, "key"),
    ],
)
def test_what_cannot_be_is_refused_by_field(alice, project, changes, field):
    api, here = api_of(alice), f"projects/{project.pk}/endpoints/"
    body = {"name": "Far", "base_url": "https://api.example.org/v1", "remote_name": "tiny", "key": KEY}
    one = f"{here}{api.call('POST', here, body=body)['id']}/"
    with pytest.raises(ApiError) as found:
        api.call("PATCH", one, body=changes)
    assert (found.value.status, set(found.value.errors)) == (422, {field})
