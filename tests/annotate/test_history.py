"""My judgements: found, corrected, taken back; and what was begun."""

import uuid

import pytest
from django.urls import reverse

from annotate.models import Draft, Judgement, Lease
from tests.factories import make_prompt, make_task


@pytest.fixture
def client(signed_in, carol):
    return signed_in(carol)


def judge_next(client, project, choice="-4", **more):
    client.get(reverse("judge", args=[project.pk]))
    lease = Lease.objects.filter(state="held").latest("leased_at")
    data = {"lease": lease.pk, "submission_id": uuid.uuid4(), "choice": choice, **more}
    client.post(reverse("judge", args=[project.pk]), data)
    return lease


def history(client, project, **query):
    return client.get(reverse("judgement-history", args=[project.pk]), query)


def opened(project, lease):
    return reverse("judgement-open", args=[project.pk, lease.pk])


def test_the_history_lists_my_judgements_newest_first_in_words(client, project, bob, signed_in):
    for question in ("First question", "Second question"):
        make_task(project, prompt=make_prompt(project, question), overlap=2)
    judge_next(client, project, "-4")
    judge_next(client, project, "both-bad")
    judge_next(signed_in(bob), project, "1", rationale="bobs reason")
    page = history(client, project)
    assert [row["said"] for row in page.context["judgements"]] == ["Both bad", "A much better"]
    html = page.content.decode()
    assert html.index("Second question") < html.index("First question")
    assert "bobs reason" not in html


def test_an_empty_history_says_what_will_be_here(client, project):
    assert "Nothing judged yet" in history(client, project).content.decode()


def test_search_finds_words_of_the_prompt_and_of_my_reasons(client, project):
    make_task(project, prompt=make_prompt(project, "How do I prune «roses»?"))
    make_task(project, prompt=make_prompt(project, "What is a comet?"))
    judge_next(client, project)
    judge_next(client, project, rationale="More precise.")
    found = {
        query: [row["row"].task.prompt.excerpt() for row in history(client, project, q=query).context["judgements"]]
        for query in ("«ROSES»", "precise", "nothing")
    }
    assert found == {"«ROSES»": ["How do I prune «roses»?"], "precise": ["What is a comet?"], "nothing": []}
    assert "None of your judgements mentions “nothing”" in history(client, project, q="nothing").content.decode()


def test_older_judgements_are_a_page_away_at_the_same_cost(client, project, django_assert_num_queries):
    for _ in range(32):
        make_task(project)
    for _ in range(2):
        judge_next(client, project)
    with django_assert_num_queries(7):  # session, user, membership, judgements, their leases and letters, drafts
        history(client, project)
    for _ in range(30):
        judge_next(client, project)
    with django_assert_num_queries(7):
        page = history(client, project)
    assert len(page.context["judgements"]) == 30
    last = page.context["judgements"][-1]["row"].pk
    assert page.context["page"].older_url == f"?before={last}"
    older = history(client, project, before=last)
    assert len(older.context["judgements"]) == 2 and older.context["page"].older_url == ""


def test_a_correction_supersedes_and_both_versions_are_shown(client, project, alice):
    make_task(project)
    lease = judge_next(client, project, "-4", rationale="First thought.")
    project.guidelines.create(version=2, body="New.", created_by=alice)
    client.post(reverse("judge-guidelines-read", args=[project.pk]), {"version": 2})
    page = client.get(opened(project, lease))
    assert ">First thought.</textarea>" in page.content.decode()
    assert 'value="-4" data-key="1" required checked' in page.content.decode()
    reply = client.post(opened(project, lease), {"submission_id": uuid.uuid4(), "choice": "2"})
    assert (reply.status_code, reply["Location"]) == (302, reverse("judgement-history", args=[project.pk]))
    older, newer = Judgement.objects.order_by("pk")
    assert (newer.supersedes, older.is_current, newer.guideline.version) == (older, False, 2)
    versions = [version["said"] for version in client.get(opened(project, lease)).context["versions"]]
    assert versions == ["B slightly better", "A much better"]
    assert "corrected" in history(client, project).content.decode()


def test_an_invalid_correction_is_422_and_changes_nothing(client, project):
    make_task(project)
    lease = judge_next(client, project)
    reply = client.post(opened(project, lease), {"submission_id": uuid.uuid4(), "choice": "", "rationale": "Typed"})
    assert reply.status_code == 422
    assert ">Typed</textarea>" in reply.content.decode()
    assert Judgement.objects.count() == 1


def test_taking_back_from_the_history_leads_to_the_task(client, project):
    make_task(project)
    lease = judge_next(client, project)
    page = client.get(opened(project, lease))
    data = {"judgement": page.context["judgement"].pk}
    reply = client.post(reverse("judge-undo", args=[project.pk]), data, follow=True)
    assert reply.context["lease"] == lease
    assert history(client, project).context["judgements"][0]["said"] == "Taken back"


def test_a_task_left_with_a_draft_can_be_finished_from_the_history(client, project, carol):
    task = make_task(project, prompt=make_prompt(project, "Left behind"))
    client.get(reverse("judge", args=[project.pk]))
    lease = Lease.objects.get()
    left = {"lease": lease.pk, "rationale": "Half", "choice": "1"}
    client.post(reverse("judge-return", args=[project.pk]), left)
    assert [row.pk for row in history(client, project).context["unfinished"]] == [lease.pk]
    assert ">Half</textarea>" in client.get(opened(project, lease)).content.decode()
    client.post(opened(project, lease), {"submission_id": uuid.uuid4(), "choice": "1", "rationale": "Whole"})
    said = Judgement.objects.get()
    assert (said.task, said.rationale, said.is_surplus, Draft.objects.count()) == (task, "Whole", False, 0)
    assert history(client, project).context["unfinished"] == []


def test_only_my_own_tasks_open_and_only_inside_the_project(client, project, bob, mallory, stranger, signed_in):
    make_task(project)
    lease = judge_next(client, project)
    assert signed_in(bob).get(opened(project, lease)).status_code == 404
    for outsider in (mallory, stranger):
        assert signed_in(outsider).get(opened(project, lease)).status_code == 404
        assert history(signed_in(outsider), project).status_code == 404
    assert client.delete(opened(project, lease)).status_code == 405
    assert client.post(reverse("judgement-history", args=[project.pk])).status_code == 405
