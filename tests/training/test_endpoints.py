"""Models that live elsewhere: what is asked and stored, going on after interruptions, limits, what is never shown."""

import json
import logging
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from ipaddress import ip_address

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from annotate.models import AuditEvent, JobStatus, Prompt, Response, Task
from annotate.services.chats import policies
from tests.factories import make_prompt
from tests.training.factories import make_policy
from tests.training.model_server import model_server, refuse, say, send
from training.endpoints.addresses import check_address, resolve
from training.endpoints.troubles import Denied
from training.models import Endpoint, EndpointDay, Evaluation, Generation, ModelVersion
from training.services import endpoint_asking
from training.services.endpoint_keys import KeyUnreadable, seal, unseal
from training.services.endpoint_limits import Aside, claim_slot, count_use, give_back, money_spent, set_aside
from training.services.endpoint_trials import try_endpoint
from training.services.endpoints import (
    EndpointSettings,
    add_endpoint,
    change_endpoint,
    remove_endpoint,
    set_budget,
    settings_of,
)
from training.services.evaluation_work import evaluate
from training.services.evaluations import start_evaluation
from training.services.generations import cancel_generation, retry_generation, start_generation
from training.services.policies import set_policy
from training.services.sampling import generate

pytestmark = pytest.mark.django_db(transaction=True)

KEY = "sk-test-0123456789abcdef-WXYZ"


@pytest.fixture
def far():
    with model_server() as far:
        yield far


@pytest.fixture(autouse=True)
def near_and_quick(settings, monkeypatch):
    """Loopback is allowed, and what is tried again is tried again soon."""
    settings.ENDPOINT_PRIVATE_HOSTS = ["127.0.0.0/8"]
    monkeypatch.setattr(endpoint_asking, "FIRST_WAIT", 0.01)


@pytest.fixture
def endpoint(project, alice, far):
    return make_endpoint(project, alice, far.url)


def make_endpoint(project, user, url, **changes) -> Endpoint:
    """One at $1 and $2 a million tokens: an answer of the server costs 0.000025."""
    wanted = {"name": "Far", "base_url": url, "remote_name": "tiny", "requests_per_minute": 60_000}
    prices = {"price_in": Decimal(1), "price_out": Decimal(2)}
    return add_endpoint(project=project, user=user, wanted=EndpointSettings(**wanted | prices | changes), key=KEY)


def ask(project, user, endpoint, **changes) -> Generation:
    request = {
        "model": endpoint.model,
        "prompts": Prompt.objects.of_project(project).order_by("id"),
        "responses_per_prompt": 2,
        "temperature": 0.7,
        "top_p": 1.0,
        "max_tokens": 20,
        "seed": 7,
        "queue_tasks": True,
        "overlap": 1,
    }
    return start_generation(project=project, user=user, **request | changes)


def reload(generation: Generation) -> Generation:
    return Generation.objects.get(pk=generation.pk)


def seeds_of(asked) -> set[tuple[str, int]]:
    return {(body["messages"][-1]["content"], body["seed"]) for body in asked}


def test_every_prompt_is_asked_as_often_as_wanted_and_what_it_costs_is_kept(project, alice, far, endpoint):
    prompts = [make_prompt(project, f"Question {number}") for number in range(3)]
    Prompt.objects.filter(pk=prompts[0].pk).update(system="Be brief.")
    generation = ask(project, alice, endpoint)
    assert generate(generation)

    generation = reload(generation)
    assert (generation.status, generation.error, generation.progress) == (JobStatus.SUCCEEDED, "", 6)
    assert (generation.cost, generation.tokens_written, generation.tasks_queued) == (Decimal("0.00015"), 60, 3)
    responses = Response.objects.filter(author=endpoint.model.author)
    assert sorted(responses.values_list("prompt_id", "key")) == [
        (prompt.pk, f"g{generation.pk}:{index}") for prompt in prompts for index in range(2)
    ]
    one = responses.get(prompt=prompts[0], key=f"g{generation.pk}:0")
    assert one.text.startswith("Answer to Question 0") and (one.token_count, one.finish_reason) == (10, "stop")
    assert one.sampling == {
        "temperature": 0.7, "top_p": 1.0, "max_tokens": 20, "tokens_in": 5, "cost": 0.000025, "served_by": "tiny-2026",
    }  # fmt: skip
    assert len(seeds_of(far.asked)) == len(far.asked) == 6
    first = next(body for body in far.asked if body["messages"][-1]["content"] == "Question 0")
    assert first["messages"][0] == {"role": "system", "content": "Be brief."}
    assert {name: first[name] for name in ("model", "max_tokens", "temperature", "stream")} == {
        "model": "tiny", "max_tokens": 20, "temperature": 0.7, "stream": False,
    }  # fmt: skip
    assert "top_p" not in first
    assert (set(far.paths), set(far.keys)) == ({"/v1/chat/completions"}, {f"Bearer {KEY}"})
    day = EndpointDay.objects.get()
    assert (day.requests, day.tokens_in, day.tokens_out, day.cost) == (6, 30, 60, Decimal("0.00015"))


def test_taken_over_in_the_middle_it_asks_only_for_what_is_missing(project, alice, far):
    endpoint = make_endpoint(project, alice, far.url, at_once=1)
    for number in range(3):
        make_prompt(project, f"Question {number}")
    generation = ask(project, alice, endpoint)

    def take_over(body):
        Generation.objects.filter(pk=generation.pk).update(claim=uuid.uuid4(), heartbeat_at=timezone.now())
        return say(body)

    far.tricks = [say, say, take_over]
    assert generate(reload(generation))
    assert Response.objects.filter(prompt__project=project).count() == 2
    assert EndpointDay.objects.get().requests == 3  # paid for, though the worker had lost the job
    Generation.objects.filter(pk=generation.pk).update(status=JobStatus.QUEUED)

    assert generate(reload(generation))
    assert reload(generation).status == JobStatus.SUCCEEDED
    assert (Response.objects.filter(prompt__project=project).count(), len(far.asked)) == (6, 7)
    assert (len(seeds_of(far.asked)), Task.objects.of_project(project).count()) == (6, 3)


def test_what_may_pass_is_tried_again_and_a_server_that_asks_to_wait_is_left_alone(project, alice, far, endpoint):
    make_prompt(project)
    far.tricks = [
        refuse(429, "Slow down.", Retry_After="0.3"),
        refuse(500, "Oops."),
        send(b"<html>not JSON"),
        send(b'{"choices": []}'),
        send(b'{"error": {"message": "overloaded"}}'),
    ]
    began = timezone.now()
    generation = ask(project, alice, endpoint, responses_per_prompt=3)
    generate(generation)
    assert (reload(generation).status, len(far.asked)) == (JobStatus.SUCCEEDED, 8)
    assert (len(seeds_of(far.asked)), Response.objects.count()) == (3, 3)
    assert (timezone.now() - began).total_seconds() > 0.3


@pytest.mark.parametrize(
    ("trick", "sentence"),
    [
        (
            refuse(401, f"Incorrect API key provided: {KEY}"),
            "answered 401: Incorrect API key provided: (key)",
        ),
        (refuse(404, "No such model."), "It knows no model “tiny”, or nothing is at this address"),
        (refuse(429, "You exceeded your quota: insufficient_quota"), "The account has no credit left"),
        (refuse(429, "Later.", Retry_After="3600"), "It asks to wait 3600 seconds"),
        (refuse(503, "Down."), "answered 503: Down. It was asked 3 times for one response"),
        (
            refuse(307, Location="http://169.254.169.254/"),
            "sends requests on to another address",
        ),
        (refuse(400, "What is this?"), "answered 400: What is this?"),
    ],
    ids=["key", "model", "credit", "long wait", "down", "redirect", "refused"],
)
def test_what_does_not_pass_stops_the_job_with_a_sentence(project, alice, far, trick, sentence):
    endpoint = make_endpoint(project, alice, far.url, max_retries=2)
    make_prompt(project)
    far.always = trick
    generation = ask(project, alice, endpoint)
    generate(generation)
    generation = reload(generation)
    assert (generation.status, KEY in generation.error) == (JobStatus.FAILED, False)
    assert sentence in generation.error
    assert Response.objects.count() == 0

    far.always = None
    assert retry_generation(generation=generation, user=alice)
    assert generate(reload(generation))
    assert reload(generation).status == JobStatus.SUCCEEDED


def test_cancelled_it_takes_the_answers_on_their_way_and_asks_for_no_more(project, alice, far):
    endpoint = make_endpoint(project, alice, far.url, at_once=1, requests_per_minute=1200)
    for number in range(100):
        make_prompt(project, f"Question {number}")
    generation = ask(project, alice, endpoint, queue_tasks=False)

    def cancel(body):
        cancel_generation(generation=Generation.objects.get(pk=generation.pk), user=alice)
        connection.close()
        return say(body)

    far.tricks = [say, cancel]
    generate(generation)
    stopped = reload(generation)
    assert (stopped.status, stopped.progress) == (JobStatus.CANCELLED, len(far.asked))
    assert 2 <= Response.objects.count() == len(far.asked) < stopped.total


def test_an_answer_that_never_comes_is_not_waited_for(project, alice, far):
    endpoint = make_endpoint(project, alice, far.url, timeout=1, max_retries=0)
    make_prompt(project)
    far.always = far.hang
    generation = ask(project, alice, endpoint)
    generate(generation)
    assert "127.0.0.1 took too long" in reload(generation).error


def test_a_prompt_that_does_not_fit_is_left_out_and_named(project, alice, far, endpoint):
    long, short = make_prompt(project, "A very long question"), make_prompt(project, "Short")

    def measure(body):
        too_long = "long" in body["messages"][-1]["content"]
        return refuse(400, "maximum context length is 4 tokens")(body) if too_long else say(body)

    far.always = measure
    generation = ask(project, alice, endpoint)
    generate(generation)
    generation = reload(generation)
    assert (generation.status, generation.progress, generation.tasks_queued) == (JobStatus.SUCCEEDED, 2, 1)
    assert f"Prompt {long.pk}: 127.0.0.1 answered 400: maximum context length" in generation.error
    assert set(Response.objects.values_list("prompt_id", flat=True)) == {short.pk}


def test_workers_together_set_aside_no_more_than_the_limit_and_what_was_not_asked_is_given_back(
    project, alice, endpoint
):
    set_budget(project=project, user=alice, a_day=Decimal("0.05"), a_month=None)

    def take(_):
        try:
            return set_aside(endpoint, Decimal("0.02"))
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(take, range(6)))
    aside = [one for one in found if isinstance(one, Aside)]
    assert len(aside) == 2 and money_spent(project).today == Decimal("0.04")
    assert all("limit of $0.05 a day" in one for one in found if isinstance(one, str))
    give_back(endpoint, aside[0])
    count_use(endpoint, aside[1], tokens_in=3, tokens_out=4, cost=Decimal("0.001"))
    day = endpoint.days.get()
    assert (day.cost, day.requests, day.tokens_in, day.tokens_out) == (Decimal("0.001"), 1, 3, 4)


def test_at_the_limit_it_stops_before_the_request_that_could_pass_it_and_goes_on_when_it_is_raised(
    project, alice, far, endpoint
):
    for number in range(10):
        make_prompt(project, f"Question {number}")
    Endpoint.objects.update(price_in=0, price_out=1000)  # an answer costs 0.01, and at most 0.02
    set_budget(project=project, user=alice, a_day=Decimal("0.06"), a_month=Decimal("9"))
    generation = ask(project, alice, endpoint, responses_per_prompt=1, queue_tasks=False)
    generate(generation)
    stopped = reload(generation)
    assert (stopped.status, stopped.progress, stopped.cost) == (JobStatus.FAILED, 5, Decimal("0.05"))
    assert "limit of $0.06 a day" in stopped.error and "$0.0500 were spent today" in stopped.error
    assert money_spent(project) == (Decimal("0.05"), Decimal("0.05"))

    set_budget(project=project, user=alice, a_day=Decimal("0.5"), a_month=Decimal("9"))
    retry_generation(generation=stopped, user=alice)
    generate(reload(generation))
    assert (reload(generation).status, reload(generation).cost) == (JobStatus.SUCCEEDED, Decimal("0.1"))
    assert len(far.asked) == 10


def test_moments_are_handed_out_evenly_whoever_asks(project, alice, endpoint):
    soon = timezone.now() + timedelta(hours=1)
    Endpoint.objects.update(requests_per_minute=60, tokens_per_minute=6000, free_at=soon)
    moments = []
    for tokens in (50, 300, 50):
        assert 3500 < claim_slot(endpoint, tokens=tokens) < 3605
        moments.append((Endpoint.objects.get().free_at - soon).total_seconds())
    assert moments == [1, 4, 5]
    Endpoint.objects.update(free_at=soon - timedelta(hours=2))
    assert claim_slot(endpoint, tokens=50) == 0


def test_a_server_that_sends_no_usage_is_estimated_and_one_that_wants_it_otherwise_is_asked_its_way(
    project, alice, far, endpoint
):
    make_prompt(project, "Hi there")
    wants = refuse(400, "Use 'max_completion_tokens' instead of 'max_tokens'.")
    far.always = lambda body: wants(body) if "max_tokens" in body else say(body, usage={})
    generation = ask(project, alice, endpoint, responses_per_prompt=1, queue_tasks=False)
    generate(generation)
    response = Response.objects.get()
    assert far.asked[-1]["max_completion_tokens"] == 20
    assert response.sampling["tokens_estimated"] is True
    assert (response.token_count, response.sampling["tokens_in"]) == (-(-len(response.text) // 4), 6)


def test_plain_completions_get_the_conversation_as_text(project, alice, far):
    endpoint = make_endpoint(project, alice, far.url, protocol="text")
    make_prompt(project, "Hi")
    generation = ask(project, alice, endpoint, responses_per_prompt=1, queue_tasks=False)
    generate(generation)
    assert (far.paths, far.asked[0]["prompt"]) == (["/v1/completions"], "Human: Hi\n\nAssistant:")
    response = Response.objects.get()
    assert (response.text, response.finish_reason) == ("Went on after 21 letters.", "length")


def test_an_endpoint_is_one_side_of_an_evaluation_and_its_answers_are_found_again(project, alice, far, endpoint):
    make_prompt(project)
    policy = make_policy(project)
    asked = {"candidate": policy, "baseline": endpoint.model, "by": Evaluation.By.PEOPLE, "prompts": 5}
    settings = {"temperature": 1.0, "top_p": 1.0, "max_tokens": 8, "seed": 0}
    for _ in range(2):
        evaluation = start_evaluation(project=project, started_by=alice, **asked, **settings)
        evaluate(evaluation)
        item = evaluation.items.get()
        assert item.baseline_response.text.startswith("Answer to")
    assert len(far.asked) == 1


def test_an_endpoint_is_never_trained_nor_taken_into_use_and_answers_in_no_chat(project, endpoint):
    assert policies(project) == []
    with pytest.raises(ValidationError, match="only a policy can be taken into use"):
        set_policy(model=endpoint.model, reason="Because.")
    assert endpoint.model.kind not in {ModelVersion.Kind.POLICY, ModelVersion.Kind.BACKBONE}


def test_removed_it_forgets_its_key_and_keeps_what_it_wrote(project, alice, far, endpoint):
    make_prompt(project)
    generate(ask(project, alice, endpoint))
    waiting = ask(project, alice, endpoint)
    assert remove_endpoint(endpoint=endpoint, user=alice)
    assert not remove_endpoint(endpoint=endpoint, user=alice)
    endpoint.refresh_from_db()
    assert (endpoint.sealed_key, endpoint.key_ends) == ("", "")
    generate(waiting)
    assert reload(waiting).error == "“Far” was removed. Choose another model."
    assert (Response.objects.count(), len(far.asked)) == (2, 2)
    with pytest.raises(ValidationError, match="was removed"):
        ask(project, alice, endpoint)


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:11434/v1", "http://10.0.0.5/v1", "http://169.254.169.254/v1", "http://[::1]/v1", "ftp://x/v1",
     "https://me:secret@example.org/v1", "https://example.org/v1?key=1", "nonsense", "http://[", "https://x:99999/v1"],
)  # fmt: skip
def test_an_address_inside_the_network_or_none_at_all_is_refused(url):
    with pytest.raises(Denied):
        check_address(url, allowed=[])


def test_an_administrator_can_allow_hosts_and_ranges():
    assert check_address(" http://10.0.0.5/v1/chat/completions/ ", ["10.0.0.0/24"]) == "http://10.0.0.5/v1"
    assert all(ip_address(found).is_loopback for found in resolve("localhost", 80, ["localhost"]))
    with pytest.raises(Denied, match="have the administrator add localhost to ENDPOINT_PRIVATE_HOSTS"):
        resolve("localhost", 80, ["10.0.0.0/8"])


def test_a_name_that_means_a_private_address_is_refused_when_it_is_connected_to(project, alice, far, settings):
    endpoint = make_endpoint(project, alice, far.url.replace("127.0.0.1", "localhost"))
    settings.ENDPOINT_PRIVATE_HOSTS = []
    assert "is inside a private network" in try_endpoint(endpoint=endpoint, user=alice).message
    settings.ENDPOINT_PRIVATE_HOSTS = ["localhost"]
    assert try_endpoint(endpoint=endpoint, user=alice).worked
    assert len(far.asked) == 1


def test_a_key_is_sealed_and_survives_a_change_of_the_sites_key(settings):
    sealed = seal(KEY)
    assert KEY not in sealed and unseal(sealed) == KEY
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another" * 10, [settings.SECRET_KEY]
    assert unseal(sealed) == KEY
    settings.ENDPOINT_KEY = "its own"
    assert unseal(seal(KEY)) == KEY
    settings.ENDPOINT_KEY, settings.SECRET_KEY_FALLBACKS = "", []
    with pytest.raises(KeyUnreadable, match="Enter the key again"):
        unseal(sealed)


def test_a_key_is_not_sent_to_another_server_than_it_was_entered_for(project, alice, endpoint):
    elsewhere = EndpointSettings(**{**vars(settings_of(endpoint)), "base_url": "https://example.org/v1"})
    with pytest.raises(ValidationError, match="Enter the key again"):
        change_endpoint(endpoint=endpoint, user=alice, wanted=elsewhere)
    change_endpoint(endpoint=endpoint, user=alice, wanted=elsewhere, key="sk-new-0123456789-abcd")
    endpoint.refresh_from_db()
    assert (unseal(endpoint.sealed_key), endpoint.key_ends) == ("sk-new-0123456789-abcd", "abcd")
    assert endpoint.model.origin == "example.org: tiny"


def test_what_has_written_stays_the_model_it_was(project, alice, endpoint):
    make_prompt(project)
    generate(ask(project, alice, endpoint))
    other = EndpointSettings(**{**vars(settings_of(endpoint)), "remote_name": "large"})
    with pytest.raises(ValidationError, match="Add another endpoint for another model"):
        change_endpoint(endpoint=endpoint, user=alice, wanted=other)
    renamed = EndpointSettings(**{**vars(settings_of(endpoint)), "name": "Farther"})
    change_endpoint(endpoint=endpoint, user=alice, wanted=renamed)
    assert Response.objects.filter(author__name="Farther").count() == 2


def test_the_key_is_in_no_log_no_audit_entry_and_no_row(project, alice, far, endpoint, caplog):
    caplog.set_level(logging.DEBUG)
    far.tricks = [refuse(401, f"Bad key {KEY}")]
    assert not try_endpoint(endpoint=endpoint, user=alice).worked
    trial = try_endpoint(endpoint=endpoint, user=alice)
    assert trial.worked and "Answer to Answer with the one word: ready" in trial.message
    events = AuditEvent.objects.filter(project=project)
    assert {"endpoint.added", "endpoint.tried"} <= set(events.values_list("action", flat=True))
    kept = [caplog.text, json.dumps(list(events.values("action", "target", "data"))), str(endpoint.__dict__)]
    assert [text for text in kept if KEY in text] == []


def test_the_command_asks_and_says_what_it_cost(project, alice, far, endpoint, capsys):
    make_prompt(project)
    call_command("generate", str(project.pk), "--model", "Far")
    said = capsys.readouterr().out
    assert "2 responses for $0.000050; 1 comparisons queued." in said
    with pytest.raises(CommandError, match="No prompt fits this choice"):
        call_command("generate", project.name, "--model", "Far")
