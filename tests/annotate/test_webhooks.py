"""Webhooks: what is sent and how it is signed, who may not be written to, trying again."""

import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from ipaddress import ip_address
from threading import Thread

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import timezone

from annotate.models import Webhook, WebhookDelivery
from annotate.services.webhooks import add_webhook, announce, deliver, deliver_due, set_webhook_active
from annotate.webhooks.outbound import Refused, check_url, is_public, post, resolve

pytestmark = pytest.mark.django_db


class Receiver(HTTPServer):
    """Keeps what it was sent, and answers with the statuses it was given."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.statuses: list[int] = []
        self.seen: list[tuple[dict[str, str], str]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hook?from=us"


class Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.server.seen.append((dict(self.headers), body))
        self.send_response(self.server.statuses.pop(0) if self.server.statuses else 200)
        self.send_header("Location", "http://169.254.169.254/")
        self.end_headers()
        self.wfile.write(b"Thank you.")

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    server = Receiver()
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def webhook(project, alice, receiver, settings) -> Webhook:
    settings.WEBHOOKS_TO_PRIVATE_ADDRESSES = True
    return add_webhook(project=project, user=alice, url=receiver.url, events=["alarm.raised"])


def tell(project, key: str = "alarm-1") -> WebhookDelivery:
    announce(project=project, event="alarm.raised", key=key, data={"kind": "sameness"})
    return WebhookDelivery.objects.get(key=key)


def test_a_message_arrives_once_and_its_signature_is_that_of_the_secret(project, webhook, receiver):
    assert deliver(tell(project))
    assert not deliver(tell(project))
    ((headers, body),) = receiver.seen
    message = json.loads(body)
    assert (message["event"], message["project"], message["data"]) == (
        "alarm.raised",
        project.pk,
        {"kind": "sameness"},
    )
    at, digest = (part.split("=")[1] for part in headers["Plumbline-Signature"].split(","))
    assert digest == hmac.new(webhook.secret.encode(), f"{at}.{body}".encode(), hashlib.sha256).hexdigest()
    delivery = WebhookDelivery.objects.get()
    assert (delivery.status_code, delivery.answer, delivery.attempts) == (200, "Thank you.", 1)
    assert headers["Plumbline-Delivery"] == str(delivery.pk)


def test_what_is_refused_is_tried_again_later_and_given_up_in_the_end(project, webhook, receiver):
    receiver.statuses = [500, 302]
    delivery = tell(project)
    assert not deliver(delivery)
    delivery.refresh_from_db()
    assert 50 < (delivery.next_at - timezone.now()).total_seconds() <= 60
    assert (deliver_due(), deliver(delivery), len(receiver.seen)) == (0, False, 1)
    WebhookDelivery.objects.update(next_at=timezone.now() - timedelta(seconds=1), attempts=5)
    delivery.refresh_from_db()
    assert (deliver_due(), deliver(delivery)) == (1, False)
    delivery.refresh_from_db()
    assert (delivery.attempts, delivery.status_code, delivery.next_at) == (6, 302, None)


def test_one_that_is_off_or_wants_other_events_is_told_nothing(project, alice, webhook):
    assert announce(project=project, event="round.finished", key="r", data={}) == 0
    delivery = tell(project)
    set_webhook_active(webhook=webhook, user=alice, active=False)
    assert (deliver(delivery), announce(project=project, event="alarm.raised", key="k", data={})) == (False, 0)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "http://10.1.2.3/",
        "http://169.254.169.254/latest/meta-data",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[64:ff9b::7f00:1]/",
        "http://[2002:7f00:1::]/",
        "http://0.0.0.0/",
        "http://100.64.0.1/",
        "ftp://example.org/",
        "https://user:secret@example.org/",
        "http://example.org:0/",
        "http:///nowhere",
    ],
)
def test_private_addresses_and_other_schemes_are_refused(project, alice, url):
    with pytest.raises(ValidationError):
        add_webhook(project=project, user=alice, url=url, events=["alarm.raised"])


def test_a_name_that_means_a_private_address_is_found_out_when_it_is_sent():
    for host in ("localhost", "2130706433", "0x7f.1"):
        assert check_url(f"http://{host}/", allow_private=False).hostname == host
        with pytest.raises(Refused, match="inside a private network"):
            resolve(host, 80, allow_private=False)
    with pytest.raises(Refused):
        post("http://localhost:1/", "{}", {}, allow_private=False)


def test_what_is_public():
    assert is_public(ip_address("93.184.216.34")) and is_public(ip_address("2606:2800:220:1::1"))
    assert not is_public(ip_address("224.0.0.1")) and not is_public(ip_address("fe80::1"))


def test_nobody_there_is_told_on_the_page_and_can_be_sent_again(project, alice, bob, webhook, receiver, signed_in):
    receiver.shutdown()  # a socket closed under its thread is not always refused
    receiver.server_close()
    delivery = tell(project)
    assert not deliver(delivery)
    client = signed_in(alice)
    page = client.get(reverse("webhook-detail", args=[project.pk, webhook.pk])).content.decode()
    assert "did not answer: ConnectionRefusedError" in page and webhook.secret in page
    assert client.post(reverse("delivery-again", args=[project.pk, delivery.pk])).status_code == 302
    delivery.refresh_from_db()
    assert (delivery.attempts, delivery.next_at <= timezone.now()) == (0, True)


def test_an_owner_adds_tests_turns_off_and_deletes_one(project, alice, bob, signed_in):
    client, url = signed_in(alice), reverse("project-webhooks", args=[project.pk])
    assert signed_in(bob).get(url).status_code == 403
    wrong = client.post(url, {"url": "http://192.168.0.1/", "events": ["alarm.raised"]})
    assert wrong.status_code == 422
    assert "192.168.0.1 is an address inside a private network" in wrong.content.decode()
    answer = client.post(url, {"url": "https://example.org/hook", "events": ["alarm.raised"]})
    webhook = Webhook.objects.get()
    change = reverse("webhook-change", args=[project.pk, webhook.pk])
    for _ in range(2):
        client.post(change, {"do": "test", "key": "once"})
    assert WebhookDelivery.objects.get().event == "test"
    client.post(change, {"do": "off"})
    assert not Webhook.objects.get().is_active
    assert client.get(answer.url).status_code == 200
    client.post(change, {"do": "delete"})
    assert Webhook.objects.count() == 0
