"""The pages of endpoints: adding, changing, trying and removing one, what may be spent."""

from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone

from annotate.models import AuditEvent
from tests.factories import make_prompt, make_response
from tests.training.model_server import model_server, refuse
from training.models import Endpoint, EndpointBudget, ModelVersion
from training.services.endpoint_keys import unseal
from training.services.endpoint_limits import Aside, count_use

pytestmark = pytest.mark.django_db

KEY = "sk-test-0123456789abcdef-WXYZ"
ANSWERS = {
    "name": "Far",
    "base_url": "https://api.example.org/v1/",
    "remote_name": "tiny",
    "protocol": "chat",
    "key": KEY,
    "price_in": "0.15",
    "price_out": "0.6",
    "requests_per_minute": 600,
    "tokens_per_minute": "",
    "at_once": 4,
    "timeout": 60,
    "max_retries": 5,
}


@pytest.fixture
def client(alice, signed_in):
    return signed_in(alice)


@pytest.fixture
def endpoint(project, client) -> Endpoint:
    client.post(reverse("endpoint-create", args=[project.pk]), ANSWERS)
    return Endpoint.objects.get()


def page(endpoint: Endpoint, name: str = "endpoint-detail") -> str:
    return reverse(name, args=[endpoint.project_id, endpoint.pk])


def test_an_endpoint_is_added_as_a_model_that_writes_and_its_key_is_shown_nowhere(project, client, endpoint):
    model = endpoint.model
    assert (model.kind, model.name, model.origin) == ("endpoint", "Far", "api.example.org: tiny")
    assert (model.author.name, endpoint.base_url, endpoint.price_out) == (
        "Far",
        "https://api.example.org/v1",
        Decimal("0.6"),
    )
    assert (unseal(endpoint.sealed_key), endpoint.key_ends) == (KEY, "WXYZ")
    pages = [reverse(name, args=[project.pk]) for name in ("project-endpoints", "project-models", "project-audit")]
    pages += [page(endpoint), reverse("model-detail", args=[project.pk, model.pk])]
    shown = [client.get(url).content.decode() for url in pages]
    assert [text for text in shown if KEY in text or endpoint.sealed_key in text] == []
    assert all("Far" in text for text in shown) and "…WXYZ" in shown[0]
    form = client.get(reverse("generation-create", args=[project.pk])).content.decode()
    assert f'<option value="{model.pk}">Far</option>' in form


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"base_url": "http://10.0.0.8/v1"}, "have the administrator add 10.0.0.8 to ENDPOINT_PRIVATE_HOSTS"),
        ({"base_url": "api.example.org"}, "Write it as https://"),
        ({"name": "base"}, "already has a model named “base”"),
        ({"key": "two words"}, "A key has neither spaces"),
        ({"price_in": "-1"}, "greater than or equal to 0"),
        ({"requests_per_minute": "0"}, "greater than or equal to 1"),
    ],
)
def test_what_cannot_be_is_refused_beside_its_field_and_the_rest_is_kept(project, alice, client, changes, message):
    ModelVersion.objects.create(project=project, kind="policy", name="base", origin="x/y", created_by=alice)
    answer = client.post(reverse("endpoint-create", args=[project.pk]), ANSWERS | {"remote_name": "kept"} | changes)
    assert answer.status_code == 422
    text = answer.content.decode()
    assert message in text and 'value="kept"' in text and KEY not in text
    assert Endpoint.objects.count() == 0


def test_a_change_keeps_the_key_until_another_is_entered_or_the_server_changes(client, endpoint):
    assert client.post(page(endpoint), ANSWERS | {"key": "", "price_in": "3"}).status_code == 302
    endpoint.refresh_from_db()
    assert (endpoint.price_in, unseal(endpoint.sealed_key)) == (3, KEY)
    elsewhere = ANSWERS | {"key": "", "base_url": "https://other.example.org/v1"}
    answer = client.post(page(endpoint), elsewhere)
    assert answer.status_code == 422 and "Enter the key again" in answer.content.decode()
    event = AuditEvent.objects.get(action="endpoint.changed")
    assert event.data == {"changed": ["price_in"]}


def test_the_connection_is_tested_with_one_request_and_the_answer_or_the_reason_is_shown(project, client, settings):
    settings.ENDPOINT_PRIVATE_HOSTS = ["127.0.0.1"]
    with model_server() as server:
        client.post(reverse("endpoint-create", args=[project.pk]), ANSWERS | {"base_url": server.url})
        endpoint = Endpoint.objects.get()
        answer = client.post(page(endpoint, "endpoint-test"), follow=True)
        assert "Answer to Answer with the one word: ready" in answer.content.decode()
        server.always = refuse(401, f"Unknown key {KEY}")
        answer = client.post(page(endpoint, "endpoint-test"), follow=True)
    text = answer.content.decode()
    assert "It refuses the key" in text and KEY not in text
    assert (len(server.asked), endpoint.days.get().requests) == (2, 1)


def test_removed_it_is_offered_no_more_and_its_responses_stay(project, client, endpoint):
    response = make_response(make_prompt(project), author=endpoint.model.author)
    assert client.post(page(endpoint, "endpoint-remove")).status_code == 302
    endpoint.refresh_from_db()
    assert (endpoint.sealed_key, endpoint.removed_at is not None) == ("", True)
    assert "Its key is forgotten" not in client.get(page(endpoint)).content.decode()
    asks = f"{reverse('generation-create', args=[project.pk])}?model={endpoint.model_id}"
    assert asks not in client.get(reverse("project-models", args=[project.pk])).content.decode()
    form = client.get(reverse("generation-create", args=[project.pk])).context["form"]
    assert endpoint.model not in form.fields["model"].queryset
    assert endpoint.model in form.fields["opponent"].queryset
    response.refresh_from_db()
    assert client.post(page(endpoint), ANSWERS).status_code == 200
    assert "was removed" in client.post(page(endpoint, "endpoint-test"), follow=True).content.decode()


def test_limits_are_set_and_what_was_spent_is_shown(project, client, endpoint):
    count_use(endpoint, Aside(timezone.localdate(), Decimal(0)), tokens_in=1000, tokens_out=2000, cost=Decimal("1.35"))
    url = reverse("project-endpoints", args=[project.pk])
    assert client.post(url, {"a_day": "-1", "a_month": "50"}).status_code == 422
    assert client.post(url, {"a_day": "5", "a_month": ""}).status_code == 302
    budget = EndpointBudget.objects.get()
    assert (budget.a_day, budget.a_month) == (5, None)
    text = client.get(url).content.decode()
    assert "$1.35" in text and "of $5.00 a day" in text and "no limit a month" in text


def test_an_endpoint_cannot_be_made_the_default(project, client, endpoint):
    answer = client.post(reverse("model-make-default", args=[project.pk, endpoint.model_id]), follow=True)
    assert "is an endpoint, which is asked when it is named" in answer.content.decode()
    assert not ModelVersion.objects.get(pk=endpoint.model_id).is_default


def test_the_list_costs_as_many_statements_with_many_endpoints_as_with_one(
    project, client, endpoint, django_assert_num_queries
):
    url = reverse("project-endpoints", args=[project.pk])
    with django_assert_num_queries(6):
        client.get(url)
    for number in range(5):
        client.post(reverse("endpoint-create", args=[project.pk]), ANSWERS | {"name": f"Far {number}"})
    with django_assert_num_queries(6):
        client.get(url)
