"""The API of what a person does and has: drafts, chats, figures, time, background, messages."""

import uuid

import pytest
from django.utils import timezone

from annotate.models import ChatTurn, Comparison, Kind, Lease, Membership, QuestionnaireAnswer
from annotate.services import chat_writing
from annotate.services.reviews import comment_on
from plumbline_client.errors import ApiError
from tests.api import api_of
from tests.factories import make_chat_turn, make_judgement, make_task
from tests.kinds_factories import make_ranking_task, make_rating_task
from tests.writing_factories import make_text_task


@pytest.fixture
def api(carol, project):
    return api_of(carol, ["judge"])


def refused(call, *arguments, **options):
    with pytest.raises(ApiError) as found:
        call(*arguments, **options)
    return found.value


def hold(task, person) -> int:
    return Lease.objects.create(
        task=task, annotator=person, order=list(range(task.places.count())), expires_at=timezone.now()
    ).pk


def test_a_draft_comes_back_as_it_was_sent_whatever_the_kind(api, project, carol):
    project.dimensions = ["truth"]
    project.save()
    passage = {"start": 0, "end": 5, "category": "wrong", "severity": "", "note": ""}
    drafts = [
        (make_task(project), {"preference": -3, "dimensions": {"truth": 1}}),
        (make_task(project), {"both_bad": True}),
        (make_ranking_task(project), {"ranking": [["B"], ["A", "C"]]}),
        (make_rating_task(project), {"scores": {"B": {"overall": 3}}}),
        (make_text_task(project, Kind.SPANS, "Seven minutes."), {"spans": [passage], "critique": "It"}),
        (
            make_text_task(project, Kind.EDIT, "Seven minutes.", prompt="And two?"),
            {"text": "Eight minutes,\n"},
        ),
    ]
    for task, answer in drafts:
        lease = hold(task, carol)
        api.keep_draft(project.pk, lease, answer, active_seconds=2.5)
        kept = api.draft(project.pk, lease)
        assert (kept["answer"], kept["active_seconds"]) == (answer, 2.5)
    api.keep_draft(project.pk, lease, {})
    assert api.draft(project.pk, lease)["answer"] == {}


def test_a_draft_that_the_task_cannot_have_or_that_comes_after_its_answer_is_refused(api, project, carol):
    lease = hold(make_task(project), carol)
    error = refused(api.keep_draft, project.pk, lease, {"ranking": [["A"]]})
    assert (error.status, set(error.errors)) == (422, {"answer.ranking"})
    api.judge(project.pk, lease, {"preference": 1})
    assert refused(api.keep_draft, project.pk, lease, {"preference": 1}).status == 409


def test_the_task_after_this_one_is_held_ahead(api, project):
    make_task(project), make_task(project)
    first = api.next_task(project.pk)["lease"]["id"]
    second = api.call("POST", f"projects/{project.pk}/leases/{first}/ahead/")["lease"]["id"]
    assert api.judge(project.pk, first, {"preference": 1})["next"]["lease"]["id"] == second


def write(turn: ChatTurn, *texts: str) -> None:
    for option, text in zip(chat_writing.claim_options(most=2), texts, strict=True):
        chat_writing.finish_option(option, text=text, tokens=3, finish_reason="stop")


def test_a_chat_is_begun_followed_chosen_from_and_ended(api, project, carol):
    turn = make_chat_turn(project, carol)
    address = f"projects/{project.pk}/chat-turns/{turn.pk}/"
    waiting = api.ask("GET", address)
    assert [one["state"] for one in waiting.json()["answers"]] == ["queued", "queued"]
    etag = {"If-None-Match": waiting.headers["ETag"]}
    assert api.ask("GET", address, headers=etag).status == 304
    assert refused(api.say, project.pk, "And two?").detail.startswith("Choose one of the two answers first")
    write(turn, "Seven minutes.", "It depends.")
    assert api.ask("GET", address, headers=etag).status == 200
    chosen = api.choose(project.pk, turn.pk, {"preference": 4}, rationale="")
    assert (chosen["chosen"], Comparison.objects.get().preference) == ("B", 4)
    assert api.choose(project.pk, turn.pk, {"preference": -4})["chosen"] == "B"
    following = api.say(project.pk, "And two?", chat=turn.chat_id)
    assert (following["number"], following["chat"]) == (2, turn.chat_id)
    assert api.call("POST", f"projects/{project.pk}/chats/{turn.chat_id}/end/")["ended_at"]
    assert list(api.walk(f"projects/{project.pk}/chats/", open=True)) == []
    assert [row["messages"] for row in api.walk(f"projects/{project.pk}/chats/")] == [2]
    late = refused(api.choose, project.pk, following["id"], {"preference": -4})
    assert (late.status, late.detail) == (409, "This chat has been ended. Begin a new one.")


def test_a_message_is_answered_anew_and_one_answer_asked_for_again(api, project, carol):
    turn = make_chat_turn(project, carol)
    address = f"projects/{project.pk}/chat-turns/{turn.pk}/"
    assert api.call("POST", f"{address}retry/", body={"letter": "A"}) == {"changed": False}
    turn.options.filter(position=0).update(status="failed")
    assert api.call("POST", f"{address}retry/", body={"letter": "A"}) == {"changed": True}
    body = {"submission_id": str(uuid.uuid4()), "message": "How long for two?"}
    new = api.call("POST", f"{address}again/", body=body)
    assert (new["message"], new["asked"], new["number"]) == ("How long for two?", 2, 1)
    assert api.call("POST", f"{address}again/", body=body)["id"] == new["id"]
    assert refused(api.call, "GET", address).status == 404
    assert refused(api.call, "POST", f"{address}retry/", body={"letter": "A"}).status == 409


def test_nobody_reads_or_answers_somebody_elses_chat(project, carol, bob):
    turn, his = make_chat_turn(project, carol), api_of(bob)
    assert refused(his.turn, project.pk, turn.pk).status == 404
    assert refused(his.choose, project.pk, turn.pk, {"preference": 1}).status == 404
    assert refused(his.call, "GET", f"projects/{project.pk}/chats/{turn.chat_id}/").status == 404


def test_own_figures_and_days_count_what_was_sent_in(api, project, carol, alice):
    make_judgement(make_task(project), carol, active_seconds=90)
    make_judgement(make_task(project), alice, active_seconds=30)
    own = api.call("GET", f"projects/{project.pk}/my-statistics/")
    assert (own["answers"], own["active_seconds"], own["agreement"], len(own["days"])) == (1, 90, None, 30)
    [day] = api.my_time(project.pk)["days"]
    assert (day["email"], day["active_seconds"], day["active_hours"]) == (carol.email, 90, 0.03)
    hers = api_of(alice, ["admin", "read"])
    everybody = hers.call("GET", f"projects/{project.pk}/time/")["days"]
    assert {day["email"] for day in everybody} == {carol.email, alice.email}
    assert hers.call("GET", f"projects/{project.pk}/overview/")["totals"]["judgements"] == 2
    error = refused(api.my_time, project.pk, "2026-13")
    assert error.errors == {"month": "There is no such month. Write it as 2026-11."}


def test_a_question_is_asked_answered_with_consent_and_withdrawn(api, project, alice, carol):
    hers, address = api_of(alice, ["admin", "read"]), f"projects/{project.pk}/questions/"
    body = {"question": "Do you cook?", "options": ["Every day", "Never"]}
    number = [hers.call("POST", address, body=body)["id"] for _ in range(2)][1]
    error = refused(
        hers.call, "POST", address, body={**body, "question": "Why?", "options": ["Prefer not to say", "x"]}
    )
    assert error.errors == {"options": "There are 1 answers; give from 2 to 30, one a line."}
    own = f"projects/{project.pk}/my-background/"
    assert refused(api.call, "PUT", own, body={"consent": False, "answers": {}}).errors.keys() == {"consent"}
    wrong = refused(api.call, "PUT", own, body={"consent": True, "answers": {str(number): "Now and then"}})
    assert wrong.errors == {f"answers.{number}": "The answers are: Every day, Never."}
    said = api.call("PUT", own, body={"consent": True, "answers": {str(number): "Never"}})
    assert [entry["answer"] for entry in said["questions"]] == ["Never"]
    assert next(hers.walk(address))["counts"][1] == {"option": "Never", "count": None}  # one person is too few
    api.call("DELETE", own)
    assert not QuestionnaireAnswer.objects.exists()
    assert hers.call("PUT", f"{address}{number}/active/", body={"active": False}) == {"changed": True}
    assert api.call("GET", own)["questions"] == []


def test_the_newest_word_of_each_thread_and_whether_it_is_new(api, project, alice, carol):
    judgement = make_judgement(make_task(project), carol)
    comment_on(judgement=judgement, author=alice, body="Look again.", submission_id=uuid.uuid4())
    address = f"projects/{project.pk}/my-messages/"
    [row] = api.walk(address)
    assert (row["body"], row["judgement"], row["is_yours"], row["is_unread"]) == (
        "Look again.",
        judgement.pk,
        False,
        True,
    )
    [hers] = api_of(alice).walk(address)
    assert (hers["is_yours"], hers["is_unread"]) == (True, False)


def test_a_person_who_is_paused_is_told_so(project, alice, carol):
    hers, number = api_of(alice), Membership.objects.get(user=carol).pk
    address = f"projects/{project.pk}/members/{number}/standing/"
    assert hers.call("GET", address)["stage"] == "work"
    hers.call("POST", address, body={"decision": "pause", "reason": "Read the guidelines again."})
    paused = hers.call("GET", address)
    assert (paused["stage"], paused["pause_reason"]) == ("paused", "Read the guidelines again.")


def test_a_link_is_renewed_and_the_earlier_one_stops(project, alice):
    hers, address = api_of(alice), f"projects/{project.pk}/invitations/"
    first = hers.call("POST", address, body={"email": "dave@example.org"})
    number = next(hers.walk(address))["id"]
    second = hers.call("POST", f"{address}{number}/renew/")
    assert (second["email"], first["link"] == second["link"]) == ("dave@example.org", False)
    assert [row["id"] == number for row in hers.walk(address)] == [False]
