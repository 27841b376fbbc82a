"""Skipping a task and taking a judgement back."""

import uuid
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from annotate.models import Draft, Judgement, Lease, Task
from tests.factories import make_task

HTMX = {"HX-Request": "true"}


@pytest.fixture
def client(signed_in, carol):
    return signed_in(carol)


def url(project, name="judge"):
    return reverse(name, args=[project.pk])


def judge_next(client, project, choice="-4", **more):
    client.get(url(project))
    lease = Lease.objects.filter(state="held").latest("leased_at")
    client.post(url(project), {"lease": lease.pk, "submission_id": uuid.uuid4(), "choice": choice, **more})
    return Judgement.objects.latest("pk")


def skip_next(client, project, headers=None, **said):
    client.get(url(project))
    lease = Lease.objects.filter(state="held").latest("leased_at")
    data = {"lease": lease.pk, "submission_id": uuid.uuid4(), **said}
    return client.post(url(project, "judge-skip"), data, headers=headers)


def undo(client, project, judgement, headers=None):
    return client.post(url(project, "judge-undo"), {"judgement": judgement.pk}, headers=headers)


def states():
    return list(Lease.objects.order_by("pk").values_list("state", flat=True))


def remaining():
    return list(Task.objects.order_by("pk").values_list("remaining", flat=True))


def test_a_skip_keeps_its_reason_frees_the_place_and_never_comes_back(client, project, signed_in, bob):
    make_task(project)
    reply = skip_next(client, project, reason="language")
    assert reply.status_code == 302
    said = Judgement.objects.get()
    assert (said.outcome, said.skip_reason, said.guideline.version) == ("skip", "I cannot read this language", 1)
    assert (states(), remaining()) == (["skipped"], [1])
    assert "Nothing is waiting for you" in client.get(url(project)).content.decode()
    signed_in(bob).get(url(project))
    assert remaining() == [0]


def test_a_skip_brings_the_next_task_in_the_same_answer(client, project):
    make_task(project), make_task(project)
    reply = skip_next(client, project, headers=HTMX, reason="other", other=" Too long ")
    assert reply.status_code == 200 and b'data-event="skipped"' in reply.content
    assert Judgement.objects.get().skip_reason == "Too long"
    assert states() == ["skipped", "held"]


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({}, "Choose why you skip this task."),
        ({"reason": "other", "other": " "}, "Say in a few words what the other reason is."),
        ({"reason": "bored"}, "bored is not one of the available choices."),
    ],
)
def test_a_skip_without_a_reason_is_422_and_the_task_stays(client, project, said, message):
    make_task(project)
    reply = skip_next(client, project, headers=HTMX, **said)
    assert reply.status_code == 422 and message in reply.content.decode()
    assert states() == ["held"] and not Judgement.objects.exists()


def test_skipping_keeps_the_draft(client, project, carol):
    make_task(project)
    client.get(url(project))
    client.post(url(project, "judge-draft"), {"lease": Lease.objects.get().pk, "rationale": "Half a thought"})
    skip_next(client, project, reason="unclear")
    assert Draft.objects.get(annotator=carol).data["rationale"] == "Half a thought"
    assert b"Begun and not sent" in client.get(url(project, "judgement-history")).content


def test_the_same_skip_twice_is_one_skip_and_frees_one_place(client, project):
    make_task(project, overlap=3)
    client.get(url(project))
    data = {"lease": Lease.objects.get().pk, "submission_id": uuid.uuid4(), "reason": "same"}
    for _ in range(2):
        client.post(url(project, "judge-skip"), data)
    assert (Judgement.objects.count(), remaining()) == (1, [3])


def test_undo_shows_the_task_again_on_the_same_sides_with_the_answer_filled_in(client, project):
    make_task(project), make_task(project)
    said = judge_next(client, project, "3", rationale="It is kinder.", flags_a=["unsafe"])
    side = Lease.objects.get(state="done").first_on_left
    client.get(url(project))
    reply = undo(client, project, said, headers=HTMX)
    html = reply.content.decode()
    assert reply.status_code == 200 and 'data-event="undone"' in html
    assert 'value="3" data-key="7" required checked' in html and "It is kinder." in html
    assert 'name="flags_a" value="unsafe" checked' in html
    back = Lease.objects.get(task=said.task)
    assert (back.state, back.first_on_left, remaining()) == ("held", side, [0, 0])
    said.refresh_from_db()
    undone = Judgement.objects.get(outcome="undone")
    assert (said.is_current, undone.supersedes, undone.is_current) == (False, said, True)


def test_undo_tells_the_true_figures_whatever_was_taken_back(client, project):
    make_task(project), make_task(project)
    yesterday, today = judge_next(client, project), judge_next(client, project)
    Judgement.objects.filter(pk=yesterday.pk).update(created_at=timezone.now() - timedelta(days=1))
    figures = 'data-event="undone" data-today="{}" data-total="{}"'
    assert figures.format(0, 1) in undo(client, project, today, headers=HTMX).content.decode()
    assert figures.format(0, 1) in undo(client, project, today, headers=HTMX).content.decode()
    skip_next(client, project, reason="language")
    assert figures.format(0, 1) in undo(client, project, Judgement.objects.latest("pk"), headers=HTMX).content.decode()
    assert figures.format(0, 0) in undo(client, project, yesterday, headers=HTMX).content.decode()


def test_ten_answers_are_taken_back_one_by_one_and_given_again(client, project):
    for _ in range(12):
        make_task(project)
    said = [judge_next(client, project) for _ in range(12)]
    for judgement in reversed(said[2:]):
        page = client.get(url(project))
        assert page.context["last"].pk == judgement.pk
        assert undo(client, project, judgement).status_code == 302
    assert states() == ["done", "done", *["held"] * 10]
    again = [judge_next(client, project, "1").task_id for _ in range(10)]
    assert again == [judgement.task_id for judgement in said[2:]]
    assert Judgement.objects.count() == 12 + 10 + 10
    assert (
        list(Judgement.objects.answers().order_by("task").values_list("comparison__preference", flat=True)).count(None)
        == 0
    )
    assert (set(states()), set(remaining())) == ({"done"}, {0})


def test_undoing_twice_is_undoing_once(client, project):
    make_task(project)
    said = judge_next(client, project)
    undo(client, project, said)
    assert undo(client, project, said).status_code == 302
    assert list(Judgement.objects.order_by("pk").values_list("outcome", flat=True)) == ["answer", "undone"]
    assert (states(), remaining()) == (["held"], [0])


def test_a_skip_can_be_undone_while_its_place_is_free(client, project):
    make_task(project)
    skip_next(client, project, reason="unclear")
    undo(client, project, Judgement.objects.get())
    assert (states(), remaining()) == (["held"], [0])


def test_a_skip_whose_place_has_gone_is_taken_back_without_the_task(client, project, signed_in, bob):
    make_task(project)
    skip_next(client, project, reason="unclear")
    signed_in(bob).get(url(project))
    reply = undo(client, project, Judgement.objects.get(), headers=HTMX)
    assert b"Somebody else has taken the place meanwhile" in reply.content
    assert (states(), remaining()) == (["expired", "held"], [0])


def test_nobody_undoes_anybody_elses_judgement(client, project, signed_in, bob):
    make_task(project)
    said = judge_next(client, project)
    for pk in (said.pk, "", "x", 10**30):
        assert signed_in(bob).post(url(project, "judge-undo"), {"judgement": pk}).status_code == 404
    assert Judgement.objects.count() == 1


def test_where_nothing_may_be_skipped_there_is_no_button_and_a_skip_is_refused(client, project, carol):
    project.allow_skip = False
    project.save(update_fields=["allow_skip"])
    make_task(project)
    assert 'id="skip"' not in client.get(url(project)).content.decode()
    data = {"lease": carol.leases.get().pk, "submission_id": uuid.uuid4(), "reason": "unknown"}
    reply = client.post(url(project, "judge-skip"), data)
    assert reply.status_code == 422
    assert "No task is skipped in this project. Answer it as well as you can." in reply.content.decode()
    assert not Judgement.objects.exists()
