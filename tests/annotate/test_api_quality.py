"""The API of quality: known answers, disagreements, decisions, comments, how people stand; kinds of judgement."""

import uuid

import pytest

from annotate.models import Judgement, Purpose, Task
from plumbline_client.errors import ApiError
from tests.api import api_of
from tests.factories import make_judgement, make_task


@pytest.fixture
def api(alice, project):
    return api_of(alice)


def refused(call, *arguments, **options):
    with pytest.raises(ApiError) as found:
        call(*arguments, **options)
    return found.value


def test_a_task_becomes_gold_and_is_measured_and_retired(api, project, carol):
    task = make_task(project)
    address = f"projects/{project.pk}/tasks/{task.pk}/known/"
    body = {"purpose": "practice", "answer": {"preference": -3}, "explanation": "The first is exact."}
    known = api.call("PUT", address, body=body)
    row = Task.objects.get(pk=known["task"])
    assert (row.purpose, row.explanation, known["said"]) == (Purpose.PRACTICE, "The first is exact.", 0)
    assert row.judgements.get(is_adjudication=True).comparison.preference == -3
    hers = api_of(carol)
    lease = hers.next_task(project.pk)["lease"]
    letter = next(entry["letter"] for entry in lease["responses"] if entry["text"] == "Seven minutes.")
    judged = hers.judge(project.pk, lease["id"], {"preference": -4 if letter == "A" else 4})
    assert judged["agreed"]["was_right"] is True
    assert judged["agreed"]["explanation"] == "The first is exact."
    assert [(found["said"], found["right"]) for found in api.walk(f"projects/{project.pk}/known-tasks/")] == [(1, 1)]
    retired = f"projects/{project.pk}/tasks/{row.pk}/retired/"
    assert [api.call("PUT", retired, body={"retired": True})["changed"] for _ in range(2)] == [True, False]
    assert set(refused(api.call, "PUT", address, body={"answer": {"text": "x"}}).errors) == {"answer.text"}


def test_a_disagreement_is_listed_decided_and_then_settled(api, project, carol, bob):
    task = make_task(project, overlap=2)
    for person, preference in ((carol, -4), (bob, 4)):
        make_judgement(task, person, preference)
    listed = list(api.walk(f"projects/{project.pk}/disagreements/"))
    assert [(found["task"], found["answers"], found["distance"]) for found in listed] == [(task.pk, 2, 1.0)]
    body = {"submission_id": str(uuid.uuid4()), "answer": {"preference": 2}, "reason": "The second is safer."}
    address = f"projects/{project.pk}/tasks/{task.pk}/decision/"
    made = [api.call("POST", address, body=body)["judgement"] for _ in range(2)]
    decision = Judgement.objects.get(is_adjudication=True)
    assert (made, decision.comparison.preference) == ([decision.pk] * 2, 2)
    assert list(api.walk(f"projects/{project.pk}/disagreements/")) == []
    assert len(list(api.walk(f"projects/{project.pk}/disagreements/", decided=True))) == 1


def test_a_reviewer_and_an_annotator_write_to_each_other(api, project, carol):
    judgement = make_judgement(make_task(project), carol)
    theirs = f"projects/{project.pk}/judgements/{judgement.pk}/comments/"
    mine, hers = f"projects/{project.pk}/my-judgements/{judgement.pk}/comments/", api_of(carol, ["judge"])
    answer = {"submission_id": str(uuid.uuid4()), "body": "I read it again."}
    assert refused(hers.call, "POST", mine, body=answer).status == 409
    said = {"submission_id": str(uuid.uuid4()), "body": "Why?", "asks_correction": True}
    assert api.call("POST", theirs, body=said)["resolved_at"] is None
    hers.call("POST", mine, body=answer)
    assert [comment["body"] for comment in api.walk(theirs, order="oldest")] == ["Why?", "I read it again."]
    assert [comment["resolved_at"] is None for comment in hers.walk(mine)] == [True, False]
    assert [comment["is_yours"] for comment in hers.walk(mine)] == [True, False]
    assert "Alice" not in str(list(hers.walk(mine)))


def test_people_are_measured_paused_and_let_go_on(api, project, carol):
    make_judgement(make_task(project), carol)
    person = api.call("GET", f"projects/{project.pk}/quality/")["people"][0]
    assert (person["user"]["name"], person["answers"], person["flags"]) == ("Carol", 1, [])
    address = f"projects/{project.pk}/members/{person['member']}/standing/"
    assert set(refused(api.call, "POST", address, body={"decision": "pause"}).errors) == {"reason"}
    assert api.call("POST", address, body={"decision": "pause", "reason": "Too fast."}) == {"changed": True}
    assert api_of(carol).next_task(project.pk)["stage"] == "paused"
    assert api.call("POST", address, body={"decision": "lift"}) == {"changed": True}


def test_a_kind_is_turned_on_with_options_and_off(api, project):
    address = f"projects/{project.pk}/kinds/rating/"
    lines = ["Overall quality | 5 | bad | good", "Makes things up | No, Yes | optional"]
    stored = api.call("PUT", address, body={"options": {"questions": lines}})["kind_options"]["rating"]["questions"]
    assert [(question["points"], question["required"]) for question in stored] == [(5, True), (2, False)]
    assert set(refused(api.call, "PUT", address, body={"options": {"questions": ["x | 99"]}}).errors) == {
        "options.questions"
    }
    assert set(refused(api.call, "PUT", address, body={"options": {"colour": 1}}).errors) == {"options.colour"}
    api.ask("DELETE", address)
    assert api.call("GET", f"projects/{project.pk}/settings/")["kind_options"] == {}
    assert refused(api.call, "PUT", f"projects/{project.pk}/kinds/sorcery/", body={}).status == 404
