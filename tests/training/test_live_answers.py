"""The chat worker: everybody's answers together, an answer nobody wants, a model that is gone, a worker that stops."""

import threading

import pytest
from django.db import connection

from annotate.models import ChatOption, Response
from annotate.services import live_text
from annotate.services.chats import end_chat
from tests.factories import make_chat_turn
from tests.training.factories import make_policy
from tests.training.waiting import wait_until
from training.models import ModelVersion
from training.services.live_answers import warm_models, write_waiting_answers

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def in_background():
    """Runs a worker's loop in a thread until it has nothing left to do."""
    threads = []

    def run() -> None:
        def work() -> None:
            write_waiting_answers()
            connection.close()

        threads.append(threading.Thread(target=work))
        threads[-1].start()

    yield run
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()


def statuses() -> list[str]:
    return list(ChatOption.objects.order_by("pk").values_list("status", flat=True))


def test_two_models_and_two_people_are_written_in_one_go(project, carol, bob):
    make_policy(project, "one")
    make_policy(project, "two", seed=1, is_default=False)
    make_chat_turn(project, carol, temperatures=[1.0], max_tokens=12)
    make_chat_turn(project, bob, "And tea?", temperatures=[1.0], max_tokens=12)
    assert write_waiting_answers() == 4
    assert write_waiting_answers() == 0
    for option in ChatOption.objects.select_related("response", "turn", "author"):
        assert (option.status, option.heartbeat_at is None) == ("done", False)
        if option.text.strip():
            response = option.response
            assert (response.text, response.author) == (option.text, option.author)
            assert (response.prompt_id, response.seed) == (option.turn.prompt_id, option.seed)
            assert response.finish_reason in ("stop", "length")
            published = live_text.read([(live_text.key_of(option.pk, 1), 0)])[0].decode()
            assert option.text == published
    assert {option.author.name for option in ChatOption.objects.filter(turn__chat__annotator=carol)} == {"one", "two"}


def test_an_answer_nobody_wants_any_more_is_stopped_and_a_new_one_begun_meanwhile(project, carol, bob, in_background):
    make_policy(project, ends=False)
    endless = make_chat_turn(project, carol, max_tokens=7_000)
    in_background()
    wait_until(lambda: statuses() == ["writing"] * 2)
    make_chat_turn(project, bob, max_tokens=900)
    wait_until(lambda: "queued" not in statuses())
    assert statuses()[:2] == ["writing"] * 2
    end_chat(chat=endless.chat)
    wait_until(lambda: "writing" not in statuses())
    assert statuses() == ["stopped", "stopped", "done", "done"]
    assert Response.objects.filter(author__name="tiny", sampling__stopped_early=True).count() <= 2


def test_a_model_that_is_gone_fails_its_side_alone(project, carol):
    make_policy(project, "one", ends=False)
    make_policy(project, "gone", seed=1, is_default=False)
    ModelVersion.objects.filter(name="gone").update(folder="nowhere", origin="no-such-model")
    make_chat_turn(project, carol, temperatures=[1.0], max_tokens=5)
    write_waiting_answers()
    by_author = {option.author.name: option for option in ChatOption.objects.select_related("author")}
    assert (by_author["one"].status, by_author["gone"].status) == ("done", "failed")
    assert "no-such-model" in by_author["gone"].error


def test_models_are_warmed_before_the_first_message_and_a_broken_one_is_only_noted(project, caplog):
    make_policy(project, "fine")
    make_policy(project, "gone", seed=1, is_default=False)
    ModelVersion.objects.filter(name="gone").update(folder="nowhere", origin="no-such-model")
    project.kind_options = {"chat": {}}
    warm_models(project)
    assert "could not be loaded" in caplog.text
