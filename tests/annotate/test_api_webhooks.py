"""Webhooks through the API, and the check that our client makes of what arrives."""

import json

import pytest

from annotate.models import Webhook, WebhookDelivery
from annotate.webhooks.signing import sign
from plumbline_client.errors import ApiError
from plumbline_client.webhooks import BadSignature, verify
from tests.api import api_of

URL = "https://93.184.215.14/plumbline"


@pytest.fixture
def api(alice, project):
    return api_of(alice, ["admin"])


@pytest.fixture
def webhook(api, project):
    return api.add_webhook(project.pk, URL, ["alarm.raised"])


def test_an_address_is_told_turned_off_and_removed(api, project, webhook):
    address = f"projects/{project.pk}/webhooks/"
    assert (webhook["url"], webhook["is_active"], len(webhook["secret"])) == (URL, True, 64)
    assert [set(row) for row in api.walk(address)] == [{"id", "url", "events", "is_active", "created_at"}]
    with pytest.raises(ApiError) as refused:
        api.add_webhook(project.pk, URL, ["alarm.raised"])
    assert refused.value.errors == {"url": f"{URL} is told already. Change that webhook, or name another address."}
    with pytest.raises(ApiError) as refused:
        api.add_webhook(project.pk, "http://169.254.169.254/", ["alarm.raised"])
    assert set(refused.value.errors) == {"url"}
    own = f"{address}{webhook['id']}/"
    assert api.call("PATCH", own, body={"is_active": False})["is_active"] is False
    api.call("DELETE", own)
    assert not Webhook.objects.exists()


def test_a_test_message_is_queued_once_for_a_key_and_its_tries_begin_anew(api, project, webhook):
    own = f"projects/{project.pk}/webhooks/{webhook['id']}/"
    for _ in range(2):
        api.ask("POST", f"{own}test/", headers={"Idempotency-Key": "one"})
    delivery = WebhookDelivery.objects.get()
    row = next(api.walk(f"{own}deliveries/"))
    assert (row["event"], row["attempts"], json.loads(row["body"])["data"]) == (
        "test",
        delivery.attempts,
        {"message": "This is a test."},
    )
    again = f"projects/{project.pk}/deliveries/{delivery.pk}/again/"
    assert api.call("POST", again) == {"changed": True}
    WebhookDelivery.objects.update(delivered_at=delivery.created_at, next_at=None)
    assert api.call("POST", again) == {"changed": False}


def test_the_client_knows_our_signature_and_no_other():
    body = '{"event": "test", "data": "Prüfung"}'
    said = {"secret": "s", "signature": sign(secret="s", at=1000, body=body), "body": body.encode()}
    verify(**said, now=1300)
    for changed, now in (
        ({"secret": "t"}, 1000),
        ({"body": body.encode() + b" "}, 1000),
        ({"signature": said["signature"].replace("t=1000", "t=1001")}, 1000),
        ({"signature": "v1=é"}, 1000),
        ({"signature": "t=1000,v1=é"}, 1000),
        ({}, 1301),
        ({}, 699),
    ):
        with pytest.raises(BadSignature):
            verify(**{**said, **changed}, now=now)
