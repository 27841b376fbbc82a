"""The live chat over HTTP: messages, choosing while answers are written, asking again, retrying, ending."""

import uuid
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from annotate.models import Chat, ChatOption, ChatTurn, Comparison, Judgement, Prompt, Response
from annotate.services import chat_writing, live_text
from tests.factories import make_author, make_chat_turn

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(signed_in, carol):
    return signed_in(carol)


@pytest.fixture
def turn(project, carol):
    """Carol's first message."""
    return make_chat_turn(project, carol, temperatures=[0.25, 1.75])


def write(turn: ChatTurn, *texts: str) -> None:
    """A worker writes these as the answers A, B, and finishes them."""
    for option, text in zip(chat_writing.claim_options(most=2), texts, strict=True):
        assert option.turn_id == turn.pk
        chat_writing.finish_option(option, text=text, tokens=3, finish_reason="stop")


def begin(turn: ChatTurn, *texts: str) -> list[ChatOption]:
    """A worker has written this much so far."""
    options = chat_writing.claim_options(most=2)
    for option, text in zip(options, texts, strict=True):
        chat_writing.keep_text(option, text)
    return options


def choose(client, turn: ChatTurn, choice: str = "-3", **fields: object):
    data = {"submission_id": uuid.uuid4(), "choice": choice, "active_seconds": "0", **fields}
    return client.post(reverse("chat-choose", args=[turn.chat.project_id, turn.pk]), data)


def send(client, project, message: str, **fields: object):
    return client.post(
        reverse("chat", args=[project.pk]), {"submission_id": uuid.uuid4(), "message": message, **fields}
    )


def page(client, project) -> str:
    return client.get(reverse("chat", args=[project.pk])).content.decode()


def stream(client, turn: ChatTurn, **places: str) -> dict:
    return client.get(reverse("chat-stream", args=[turn.chat.project_id, turn.pk]), places).json()


def test_a_message_asks_for_two_answers_drawn_by_the_projects_rule(client, project, turn):
    assert [(option.position, option.status) for option in turn.options.order_by("position")] == [
        (0, "queued"),
        (1, "queued"),
    ]
    assert sorted(option.sampling["temperature"] for option in turn.options.all()) == [0.25, 1.75]
    assert turn.prompt.messages == [{"role": "user", "content": "How long do I boil an egg?"}]
    assert turn.prompt.source == "chat"
    assert "Waiting for the model" in page(client, project)


def test_a_choice_is_a_comparison_on_its_history_and_the_chat_goes_on_with_it(client, project, carol, turn):
    write(turn, "Seven minutes.", "Until it is done.")
    assert choose(client, turn, "3", rationale="It is honest.", flags_a=["unsafe"]).status_code == 302
    turn.refresh_from_db()
    first, second = (option.response for option in turn.options.select_related("response").order_by("position"))
    judgement = Judgement.objects.select_related("comparison", "task").get()
    assert (judgement.kind, judgement.outcome, judgement.annotator) == ("chat", "answer", carol)
    assert (judgement.rationale, judgement.flags) == ("It is honest.", {str(first.pk): ["unsafe"]})
    comparison = judgement.comparison
    assert (comparison.first, comparison.second) == (first, second)
    assert (comparison.preference, comparison.points, comparison.first_on_left) == (3, 8, True)
    task = judgement.task
    assert (task.kind, task.purpose, task.required_judgements, task.remaining) == ("chat", "work", 1, 0)
    assert (task.prompt, task.leases.get().state) == (turn.prompt, "done")
    assert (turn.chosen, turn.task) == (second, task)

    assert send(client, project, "And a goose egg?", chat=turn.chat_id).status_code == 302
    assert [message["content"] for message in ChatTurn.objects.get(number=2).prompt.messages] == [
        "How long do I boil an egg?",
        "Until it is done.",
        "And a goose egg?",
    ]
    assert "B better" in page(client, project)


@pytest.mark.parametrize(("choice", "preference"), [("0", 0), ("both-bad", None)])
def test_a_tie_and_both_bad_are_decided_by_lot_and_the_page_says_so(client, project, turn, choice, preference):
    write(turn, "Seven minutes.", "Until it is done.")
    choose(client, turn, choice)
    turn.refresh_from_db()
    assert Comparison.objects.get().preference == preference
    letter = "A" if turn.chosen.text == "Seven minutes." else "B"
    assert f"Continued with {letter}, drawn by lot." in page(client, project)


def test_choosing_early_stops_both_and_keeps_what_the_person_had_before_them(client, turn):
    options = begin(turn, "Eight or nine minutes", "It dep")
    choose(client, turn, "-4", seen_a="5", seen_b="6")
    assert list(turn.options.order_by("position").values_list("status", "text")) == [
        ("stopped", "Eight"),
        ("stopped", "It dep"),
    ]
    assert [chat_writing.keep_text(option, "more") for option in options] == [False, False]
    assert not chat_writing.finish_option(options[0], text="more", tokens=1, finish_reason="stop")
    assert set(Response.objects.values_list("text", flat=True)) == {"Eight", "It dep"}
    assert {response.sampling["stopped_early"] for response in Response.objects.all()} == {True}
    turn.refresh_from_db()
    assert turn.chosen.text == "Eight"


def test_the_other_answer_can_be_chosen_while_one_hangs_and_nothing_is_compared(client, project, turn):
    begin(turn, "", "It depends on the size.")
    refused = choose(client, turn, "-2", rationale="Because")
    assert refused.status_code == 422
    assert "A has not written a word yet." in refused.content.decode()
    assert "Because" in refused.content.decode()
    assert choose(client, turn, "0").status_code == 422
    assert choose(client, turn, "2").status_code == 302
    turn.refresh_from_db()
    assert (turn.chosen.text, turn.task, Judgement.objects.count()) == ("It depends on the size.", None, 0)
    assert "there was no other answer to compare it with" in page(client, project)


def test_two_answers_alike_are_no_comparison(client, turn):
    write(turn, "Seven.", "Seven. ")
    choose(client, turn, "-1")
    turn.refresh_from_db()
    assert (turn.chosen.text, turn.task, Judgement.objects.count()) == ("Seven.", None, 0)


def test_everything_sent_twice_happens_once(client, project, turn):
    write(turn, "Seven minutes.", "Until it is done.")
    same = {"submission_id": uuid.uuid4()}
    assert [choose(client, turn, "1", **same).status_code for _ in range(2)] == [302, 302]
    assert choose(client, turn, "-4").status_code == 302  # another tab, later
    assert (Judgement.objects.count(), Comparison.objects.get().preference) == (1, 1)
    for _ in range(2):
        send(client, project, "And then?", **same, chat=turn.chat_id)
    assert ChatTurn.objects.count() == 2


def test_a_message_before_the_choice_is_refused_and_kept(client, project, turn):
    answer = send(client, project, "One more thing", chat=turn.chat_id)
    assert answer.status_code == 422
    assert "Choose one of the two answers first" in answer.content.decode()
    assert "One more thing</textarea>" in answer.content.decode()
    assert ChatTurn.objects.count() == 1


@pytest.mark.parametrize(
    ("message", "error"),
    [("  ", "Write a message first."), ("x" * 20_001, "The message has 20001 characters; 20000 are allowed.")],
)
def test_an_empty_or_endless_message_is_refused(client, project, turn, message, error):
    write(turn, "Seven.", "Eight.")
    choose(client, turn)
    answer = send(client, project, message, chat=turn.chat_id)
    assert (answer.status_code, ChatTurn.objects.count()) == (422, 1)
    assert error in answer.content.decode()


def test_an_unknown_choice_is_refused_with_everything_typed(client, turn):
    write(turn, "Seven.", "Eight.")
    answer = choose(client, turn, "17", rationale="I typed this", flags_b=["unsafe"])
    assert answer.status_code == 422
    assert "“17” is not on this project&#x27;s scale" in answer.content.decode()
    assert "I typed this</textarea>" in answer.content.decode()
    assert 'name="flags_b" value="unsafe" checked' in answer.content.decode()


def test_asking_again_keeps_the_old_answers_and_continues_with_the_new(client, project, turn):
    begin(turn, "Half an ans", "")
    url = reverse("chat-again", args=[project.pk, turn.pk])
    same = {"submission_id": uuid.uuid4()}
    assert [client.post(url, same).status_code for _ in range(2)] == [302, 302]
    assert list(ChatTurn.objects.order_by("pk").values_list("number", "is_current")) == [(1, False), (1, True)]
    assert Response.objects.get().text == "Half an ans"
    assert ChatTurn.objects.get(is_current=True).prompt == turn.prompt
    assert "asked 2 times" in page(client, project)
    late = choose(client, turn)
    assert (late.status_code, Judgement.objects.count()) == (302, 0)


def test_an_edited_message_drops_what_came_after_it_from_the_chat_and_removes_nothing(client, project, turn):
    write(turn, "Seven.", "Eight.")
    choose(client, turn)
    send(client, project, "And a goose egg?", chat=turn.chat_id)
    url = reverse("chat-again", args=[project.pk, turn.pk])
    empty = client.post(url, {"submission_id": uuid.uuid4(), "message": " "})
    assert (empty.status_code, "Write a message first." in empty.content.decode()) == (422, True)
    client.post(url, {"submission_id": uuid.uuid4(), "message": "How long do I fry an egg?"})
    current = ChatTurn.objects.get(is_current=True)
    assert (current.number, current.prompt.excerpt()) == (1, "How long do I fry an egg?")
    assert (ChatTurn.objects.count(), Judgement.objects.count(), Prompt.objects.count()) == (3, 1, 3)


def test_a_stream_gives_what_is_new_and_the_rendered_text_at_the_end(client, turn):
    options = begin(turn, "", "")
    live_text.publish({live_text.key_of(options[0].pk, 1): "Ünf ", live_text.key_of(options[1].pk, 1): "**Eight**"})
    live_text.publish({live_text.key_of(options[0].pk, 1): "Minuten"})
    news = stream(client, turn)["answers"]
    assert (news["A"]["text"], news["A"]["end"], news["A"]["state"]) == ("Ünf Minuten", 12, "writing")
    assert stream(client, turn, A="1:5", B="1:9")["answers"]["A"]["text"] == "Minuten"
    chat_writing.finish_option(options[1], text="**Eight**", tokens=2, finish_reason="stop")
    last = stream(client, turn, A="1:12", B="1:9")["answers"]
    assert (last["A"]["text"], last["B"]["html"]) == ("", "<p><strong>Eight</strong></p>\n")
    assert "html" not in stream(client, turn, A="1:12", B="1:done")["answers"]["B"]
    assert stream(client, turn, A="nonsense", B="9:4")["answers"]["A"]["text"] == "Ünf Minuten"


def test_without_the_broker_the_stream_is_read_from_the_database(client, turn, settings):
    begin(turn, "Kept so far", "")
    settings.CELERY_BROKER_URL = "redis://127.0.0.1:1/0"
    live_text.broker.cache_clear()
    try:
        assert stream(client, turn, A="1:5")["answers"]["A"]["text"] == "so far"
        assert "Kept so far" in page(client, turn.chat.project)
    finally:
        live_text.broker.cache_clear()


def test_a_silent_worker_is_noticed_and_a_retry_keeps_what_came(client, project, turn):
    begin(turn, "Partly", "Other")
    url = reverse("chat-retry", args=[project.pk, turn.pk])
    client.post(url, {"position": "0"})
    assert turn.options.get(position=0).attempt == 1  # it is on its way
    ChatOption.objects.update(heartbeat_at=timezone.now() - timedelta(seconds=11))
    news = stream(client, turn)["answers"]["A"]
    assert (news["state"], news["retry"], news["text"]) == ("silent", True, "Partly")
    for _ in range(2):
        assert client.post(url, {"position": "0"}).status_code == 302
    option = turn.options.get(position=0)
    assert (option.attempt, option.status, option.text) == (2, "queued", "")
    assert Response.objects.get().text == "Partly"
    assert stream(client, turn, A="1:6")["answers"]["A"]["attempt"] == 2
    assert choose(client, turn, "4").status_code == 302
    assert client.post(url, {"position": "7"}).status_code == 404


def test_an_answer_nobody_begins_or_that_has_no_word_may_be_retried(client, turn):
    ChatOption.objects.filter(position=0).update(queued_at=timezone.now() - timedelta(seconds=61))
    assert stream(client, turn)["answers"]["A"]["state"] == "late"
    write(turn, " ", "Seven.")
    answers = stream(client, turn)["answers"]
    assert (answers["A"]["state"], answers["A"]["retry"], answers["B"]["state"]) == ("empty", True, "done")


def test_no_page_or_stream_hints_at_an_author(client, project, turn):
    make_author(project, "secret-model-9")
    options = begin(turn, "One", "Two")
    chat_writing.fail_option(options[0], text="One", error="secret-model-9 is out of memory")
    seen = page(client, project) + str(stream(client, turn))
    assert "finished" in seen
    for word in ("secret-model", "model one", "temperature", "seed", "0.25", "1.75", "memory"):
        assert word not in seen


def test_an_ended_chat_can_be_read_and_the_next_message_begins_another(client, project, turn):
    begin(turn, "Partly", "")
    url = reverse("chat-end", args=[project.pk, turn.chat_id])
    assert [client.post(url).status_code for _ in range(2)] == [302, 302]
    assert Response.objects.get().text == "Partly"
    read = client.get(reverse("chat-read", args=[project.pk, turn.chat_id])).content.decode()
    assert "Partly" in read and "Neither was chosen" in read
    late = send(client, project, "Still there?", chat=turn.chat_id)
    assert (late.status_code, "Still there?</textarea>" in late.content.decode()) == (422, True)
    assert send(client, project, "Hello again").status_code == 302
    assert Chat.objects.filter(ended_at=None).count() == 1
    past = client.get(reverse("chat-past", args=[project.pk])).content.decode()
    assert past.count("<tr>") == 3
    assert "How long do I boil an egg?" in past


def test_other_members_cannot_see_or_touch_a_chat(signed_in, project, turn, alice, bob):
    for user in (alice, bob):
        other = signed_in(user)
        for name, pk in (("chat-read", turn.chat_id), ("chat-stream", turn.pk)):
            assert other.get(reverse(name, args=[project.pk, pk])).status_code == 404
        assert choose(other, turn).status_code == 404
        assert "boil an egg" not in other.get(reverse("chat-past", args=[project.pk])).content.decode()


def test_a_project_without_live_chat_says_so_and_shows_no_tab(client, project):
    text = page(client, project)
    assert "Live chat is not switched on in this project." in text
    assert ">Chat</a>" not in text
    assert send(client, project, "Hello").status_code == 422
    project.kind_options = {"chat": {}}
    project.save()
    assert "No model can answer here yet." in page(client, project)
    assert ">Chat</a>" in page(client, project)


def test_a_choice_can_be_corrected_and_taken_back_like_any_other(client, project, turn, carol):
    write(turn, "Seven.", "Eight.")
    choose(client, turn, "-4")
    lease = carol.leases.get()
    url = reverse("judgement-open", args=[project.pk, lease.pk])
    assert "Seven." in client.get(url).content.decode()
    client.post(url, {"submission_id": uuid.uuid4(), "choice": "2"})
    assert Judgement.objects.current().get().comparison.preference == 2
    turn.refresh_from_db()
    assert turn.chosen.text == "Seven."  # the conversation stays what it was
    client.post(reverse("judge-undo", args=[project.pk]), {"judgement": Judgement.objects.current().get().pk})
    assert "Seven." in client.get(reverse("judge", args=[project.pk])).content.decode()
    assert "Taken back" in page(client, project)


def test_the_statements_of_a_page_do_not_grow_with_the_chat(client, project, turn, django_assert_max_num_queries):
    for number in range(4):
        current = ChatTurn.objects.get(is_current=True, number=number + 1)
        write(current, f"Seven {number}", f"Eight {number}")
        choose(client, current)
        send(client, project, f"Message {number}", chat=turn.chat_id)
    with django_assert_max_num_queries(16):
        page(client, project)
    last = ChatTurn.objects.select_related("chat").get(number=5)
    with django_assert_max_num_queries(5):
        stream(client, last)


def test_chat_waits_until_its_person_may_work_and_has_read_the_guidelines(client, project, carol, turn):
    membership = carol.memberships.get()
    membership.paused_at = timezone.now()
    membership.save()
    assert "once you are at work" in send(client, project, "Hello", chat=turn.chat_id).content.decode()
    membership.paused_at, membership.guideline_read = None, 0
    membership.save()
    refused = client.post(reverse("chat-again", args=[project.pk, turn.pk]), {"submission_id": uuid.uuid4()})
    assert (refused.status_code, "The guidelines have changed." in refused.content.decode()) == (422, True)
    assert ChatTurn.objects.count() == 1
