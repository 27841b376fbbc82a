"""What people must have read before they judge, and the texts behind the reading aids."""

import uuid

import pytest
from django.urls import reverse

from annotate.models import Judgement, Lease, Membership, Project
from tests.factories import make_task

HTMX = {"HX-Request": "true"}


@pytest.fixture
def client(signed_in, carol):
    return signed_in(carol)


def url(project, name="judge"):
    return reverse(name, args=[project.pk])


def change_guidelines(project, alice):
    project.guidelines.create(version=2, body="Prefer *shorter* answers.", created_by=alice)


def test_changed_guidelines_come_before_the_next_task_and_one_button_goes_on(client, project, carol, alice):
    make_task(project)
    change_guidelines(project, alice)
    html = client.get(url(project)).content.decode()
    assert "The guidelines have changed" in html and "<em>shorter</em>" in html and 'id="answer"' not in html
    assert not Lease.objects.exists()
    assert client.post(url(project, "judge-guidelines-read"), {"version": 2}).status_code == 302
    assert Membership.objects.get(user=carol).guideline_read == 2
    assert 'id="answer"' in client.get(url(project)).content.decode()


def test_an_answer_begun_before_the_change_is_kept_under_the_version_it_was_made_under(client, project, carol, alice):
    make_task(project), make_task(project)
    client.get(url(project))
    change_guidelines(project, alice)
    data = {"lease": carol.leases.get().pk, "submission_id": uuid.uuid4(), "choice": "1"}
    html = client.post(url(project), data, headers=HTMX).content.decode()
    assert "I have read version 2" in html
    assert Judgement.objects.get().guideline.version == 1
    html = client.post(url(project, "judge-guidelines-read"), {"version": 2}, headers=HTMX).content.decode()
    assert 'id="answer"' in html


def test_somebody_new_reads_them_first_and_a_project_may_ask_for_nothing(client, project, carol):
    make_task(project)
    Membership.objects.filter(user=carol).update(guideline_read=0)
    assert "Read the guidelines first" in client.get(url(project)).content.decode()
    Project.objects.update(must_read_guidelines=False)
    assert 'id="answer"' in client.get(url(project)).content.decode()


@pytest.mark.parametrize(("version", "read"), [("7", 1), ("0", 1), ("x", 1), ("", 1), ("9" * 18, 1)])
def test_a_version_that_does_not_exist_counts_as_none(client, project, carol, version, read):
    client.post(url(project, "judge-guidelines-read"), {"version": version})
    assert Membership.objects.get(user=carol).guideline_read == read


def test_the_texts_come_as_written_by_the_letters_of_the_page(client, project, carol):
    make_task(project)
    client.get(url(project))
    lease = Lease.objects.get()
    told = client.get(url(project, "judge-texts"), {"lease": lease.pk}).json()
    shown = ["Seven minutes.", "It depends on the size."]
    assert told["responses"] == {"A": shown[lease.order[0]], "B": shown[lease.order[1]]}
    assert told["turns"] == [lease.task.prompt.messages[0]["content"]]


def test_the_texts_of_somebody_elses_task_are_not_there(signed_in, project, carol, bob):
    make_task(project)
    signed_in(carol).get(url(project))
    assert signed_in(bob).get(url(project, "judge-texts"), {"lease": Lease.objects.get().pk}).status_code == 404
