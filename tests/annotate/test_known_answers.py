"""Tasks whose answer is known: made, changed and retired by those who run the project; answered like any other."""

import re
import uuid

import pytest
from django.urls import reverse

from annotate.models import Judgement, Lease, Project, Purpose, Task
from tests.annotate.known import make_known, say
from tests.factories import make_judgement, make_task

HTMX = {"HX-Request": "true"}


def at(name, project, *args):
    return reverse(name, args=[project.pk, *args])


def held(user):
    return Lease.objects.get(annotator=user, state="held")


def answer(lease, better=0, **fields):
    choice = "-2" if lease.order[0] == better else "2"
    return {"lease": lease.pk, "submission_id": uuid.uuid4(), "choice": choice, "active_seconds": "30", **fields}


def test_a_reviewer_agrees_on_the_answer_of_a_task_and_a_copy_becomes_gold(signed_in, project, bob):
    task = make_task(project)
    client = signed_in(bob)
    data = {"choice": "3", "purpose": "gold", "explanation": "It **says** how it depends."}
    for _ in range(2):  # safe to repeat
        assert client.post(at("task-known", project, task.pk), data).status_code == 302
    gold = Task.objects.get(purpose=Purpose.GOLD)
    second = task.places.get(position=1).response_id
    assert (gold.agreed_answer, gold.remaining) == ({"better": second, "both_bad": False}, 32_000)
    assert [place.response_id for place in gold.places.order_by("position")][1] == second
    page = client.get(at("project-known", project)).content.decode()
    assert "B better" in page and "Gold" in page


def test_the_page_starts_from_a_judgement_when_asked_to(signed_in, project, alice, carol):
    task = make_task(project)
    said = make_judgement(task, carol, 2)
    page = signed_in(alice).get(at("task-known", project, task.pk) + f"?from={said.pk}").content.decode()
    assert re.search(r'value="2"[^>]*checked', page)


@pytest.mark.parametrize(
    ("missing", "complaint"),
    [("choice", "Choose which response is better."), ("purpose", "Choose what the task is for.")],
)
def test_what_is_missing_is_said_and_what_was_typed_is_kept(signed_in, project, alice, missing, complaint):
    task = make_task(project)
    data = {"choice": "3", "purpose": "practice", "explanation": "Because it is so."}
    del data[missing]
    reply = signed_in(alice).post(at("task-known", project, task.pk), data)
    page = reply.content.decode()
    assert (reply.status_code, complaint in page, "Because it is so." in page) == (422, True, True)
    assert Task.objects.count() == 1


def test_another_answer_measures_what_was_said_before_again(signed_in, project, alice, carol):
    gold = make_known(project, alice)
    judgement = make_judgement(gold, carol, 2, matches_agreed=False)
    signed_in(alice).post(at("task-known", project, gold.pk), {"choice": "4", "explanation": ""})
    judgement.refresh_from_db()
    gold.refresh_from_db()
    assert (judgement.matches_agreed, gold.explanation) == (True, "")
    assert Judgement.objects.filter(task=gold, is_adjudication=True, is_current=True).count() == 1


def test_a_retired_task_is_handed_out_no_more_and_comes_back(signed_in, project, alice, carol):
    practice = make_known(project, alice, Purpose.PRACTICE)
    client = signed_in(alice)
    client.post(at("task-known-retire", project, practice.pk))
    signed_in(carol).get(at("judge", project))
    assert practice.leases.count() == 0
    client.post(at("task-known-retire", project, practice.pk))
    signed_in(carol).get(at("judge", project))
    assert practice.leases.count() == 0  # she was at work by then
    practice.refresh_from_db()
    assert practice.closed_at is None


def test_after_practice_the_agreed_answer_is_shown_with_its_reasons(signed_in, project, alice, carol):
    make_known(project, alice, Purpose.PRACTICE, explanation="It **says** how long.")
    make_known(project, alice, Purpose.PRACTICE)
    client = signed_in(carol)
    assert "Practice 1 of 2" in client.get(at("judge", project)).content.decode()
    lease = held(carol)
    page = client.post(at("judge", project), answer(lease, 1), headers=HTMX).content.decode()
    right, wrong = ("A", "B") if lease.order[0] == 0 else ("B", "A")
    assert "The agreed answer is another" in page and "<strong>says</strong> how long" in page
    assert f"<dd>{wrong} slightly better" in page and f"<dd>{right} better" in page
    assert 'name="lease"' not in page and 'id="go-on"' in page
    assert "Practice 2 of 2" in client.get(at("judge", project), headers=HTMX).content.decode()


def test_without_javascript_the_step_is_a_page_of_its_own(signed_in, project, alice, carol):
    make_known(project, alice, Purpose.PRACTICE)
    client = signed_in(carol)
    client.get(at("judge", project))
    lease = held(carol)
    assert client.get(at("judge-agreed", project, lease.pk)).status_code == 404  # not before the answer
    reply = client.post(at("judge", project), answer(lease))
    assert reply.url == at("judge-agreed", project, lease.pk)
    assert "That is the agreed answer" in client.get(reply.url).content.decode()


def test_gold_is_explained_only_where_the_owner_wants_it(signed_in, project, alice, carol):
    gold = make_known(project, alice)
    for _ in range(2):
        make_task(project)
    Project.objects.update(gold_rate=1.0)
    client = signed_in(carol)
    client.get(at("judge", project))
    lease = held(carol)
    assert lease.task_id == gold.pk
    page = client.post(at("judge", project), answer(lease), headers=HTMX).content.decode()
    assert "agreed answer" not in page
    assert client.get(at("judge-agreed", project, lease.pk)).status_code == 404
    Project.objects.update(show_agreed_answers=True)
    assert client.get(at("judge-agreed", project, lease.pk)).status_code == 200


def test_once_the_agreed_answer_was_shown_a_correction_does_not_make_it_right(signed_in, project, alice, carol):
    make_known(project, alice, Purpose.PRACTICE)
    client = signed_in(carol)
    client.get(at("judge", project))
    lease = held(carol)
    client.post(at("judge", project), answer(lease, 1), headers=HTMX)
    client.post(at("judge-undo", project), {"judgement": Judgement.objects.latest("pk").pk}, headers=HTMX)
    client.post(at("judge", project), answer(lease, 0), headers=HTMX)
    newest = Judgement.objects.get(task=lease.task, is_current=True, annotator=carol)
    assert (newest.outcome, newest.matches_agreed) == ("answer", False)


def test_nothing_tells_gold_from_work(signed_in, project, alice, carol):
    """The same markup for both once texts and numbers are taken out."""
    make_known(project, alice)
    for _ in range(2):
        make_task(project)
    client = signed_in(carol)
    pages, purposes = [], []
    for rate in (1.0, 1e-12):
        Project.objects.update(gold_rate=rate)
        pages.append(normalised(client.get(at("judge", project)).content.decode()))
        purposes.append(held(carol).task.purpose)
        reply = client.post(at("judge", project), answer(held(carol)))
        assert (reply.status_code, reply.url) == (302, at("judge", project))
        Lease.objects.filter(annotator=carol, state="held").delete()
    assert purposes == ["gold", "work"]
    assert pages[0] == pages[1]


def normalised(page):
    """Without tokens, numbers, what was said of the last task and the texts themselves."""
    page = re.sub(r'<form method="post" action="[^"]*undo/".*?</form>', "", page, flags=re.S)
    page = re.sub(r'value="[\w-]{30,}"', 'value="token"', page)
    page = re.sub(r'hx-headers=\'[^\']*\'|nonce="[^"]*"', "", page)
    page = re.sub(r"boil \d+ eggs|Seven minutes.|It depends on the size.", "text", page)
    page = re.sub(r"\d+", "N", page)
    return re.sub(r"\s+", " ", page)


def test_gold_and_work_leave_the_same_lines_in_the_history(signed_in, project, alice, carol):
    make_known(project, alice)
    make_task(project)
    Project.objects.update(gold_rate=1.0)
    client = signed_in(carol)
    for _ in range(2):
        client.get(at("judge", project))
        say(held(carol))
    page = client.get(at("judgement-history", project)).content.decode()
    assert page.count("slightly better") == 2
    assert "gold" not in page.lower() and "agreed" not in page.lower()
