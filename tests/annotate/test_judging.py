"""The judging page over HTTP: the comparison, its fragment, its form without JavaScript, and who may not."""

import re
import uuid

import pytest
from django.urls import reverse

from annotate.models import Comparison, Draft, Judgement, Lease, Project, Response, Task
from tests.factories import add_member, make_author, make_project, make_prompt, make_task, make_user

HTMX = {"HX-Request": "true"}


@pytest.fixture
def client(signed_in, carol):
    return signed_in(carol)


def url(project, name="judge"):
    return reverse(name, args=[project.pk])


def held(user):
    return Lease.objects.get(annotator=user, state="held")


def answer(lease, choice="-4", **more):
    return {"lease": lease.pk, "submission_id": str(uuid.uuid4()), "choice": choice, **more}


def test_the_page_leases_the_next_task_and_shows_prompt_responses_and_scale(client, project, carol):
    task = make_task(project, prompt=make_prompt(project, "How long do I boil **an egg**?", system="Be brief."))
    page = client.get(url(project))
    assert page.status_code == 200
    html = page.content.decode()
    assert held(carol).task_id == task.pk
    assert "<strong>an egg</strong>" in html and "Be brief." in html
    assert "Seven minutes." in html and "It depends on the size." in html
    assert re.findall(r'name="choice" value="([^"]+)" data-key="(.)"', html) == [
        *[(str(value), str(key)) for key, value in enumerate([-4, -3, -2, -1, 1, 2, 3, 4], 1)],
        ("0", "0"),
        ("both-bad", "9"),
    ]
    assert "no-store" in page["Cache-Control"] and "HX-Request" in page["Vary"]


@pytest.mark.parametrize("first_on_left", [True, False])
def test_an_answer_is_stored_by_position_whatever_side_was_shown(client, project, carol, first_on_left):
    task = make_task(project)
    client.get(url(project))
    Lease.objects.update(order=[0, 1] if first_on_left else [1, 0])
    right = [place.response_id for place in task.places.order_by("position")][1 if first_on_left else 0]
    data = answer(held(carol), "-3", rationale=" Clear. ", flags_b=["unsafe"], active_seconds="0.0")
    client.post(url(project), data)
    comparison = Comparison.objects.select_related("judgement").get()
    said = comparison.judgement
    assert comparison.preference == (-3 if first_on_left else 3)
    assert (comparison.first_on_left, comparison.points, comparison.both_bad) == (first_on_left, 8, False)
    assert [comparison.first_id, comparison.second_id] == list(
        task.places.order_by("position").values_list("response", flat=True)
    )
    assert (said.rationale, said.flags) == ("Clear.", {str(right): ["unsafe"]})
    assert (said.outcome, said.annotator, said.guideline.version, said.is_current) == ("answer", carol, 1, True)
    assert (held_states(), Task.objects.get().remaining) == (["done"], 0)


def held_states():
    return list(Lease.objects.order_by("pk").values_list("state", flat=True))


@pytest.mark.parametrize(("choice", "preference", "both_bad"), [("0", 0, False), ("both-bad", None, True)])
def test_a_tie_and_both_bad_are_facts_of_their_own(client, project, carol, choice, preference, both_bad):
    make_task(project)
    client.get(url(project))
    client.post(url(project), answer(held(carol), choice))
    assert list(Comparison.objects.values_list("preference", "both_bad")) == [(preference, both_bad)]


def test_submitting_brings_the_next_task_in_the_same_answer(client, project, carol):
    make_task(project), make_task(project, prompt=make_prompt(project, "The second question"))
    client.get(url(project))
    reply = client.post(url(project), answer(held(carol)), headers=HTMX)
    assert reply.status_code == 200
    html = reply.content.decode()
    assert html.lstrip().startswith('<div class="judging" id="judging" data-event="judged"')
    assert "The second question" in html and "<html" not in html
    assert held_states() == ["done", "held"]


def test_without_javascript_submitting_goes_back_to_the_page(client, project, carol):
    make_task(project)
    client.get(url(project))
    reply = client.post(url(project), answer(held(carol)))
    assert (reply.status_code, reply["Location"]) == (302, url(project))
    page = client.get(url(project))
    assert "Nothing is waiting for you" in page.content.decode()


def test_sending_the_same_submission_again_changes_nothing_and_shows_the_next_task(client, project, carol):
    make_task(project), make_task(project)
    client.get(url(project))
    data = answer(held(carol))
    replies = [client.post(url(project), data, headers=HTMX) for _ in range(3)]
    assert [reply.status_code for reply in replies] == [200, 200, 200]
    assert Judgement.objects.count() == 1
    assert held_states() == ["done", "held"]


def test_a_submission_id_of_another_judgement_is_refused_and_what_was_typed_stays(client, project, carol):
    make_task(project), make_task(project)
    client.get(url(project))
    data = answer(held(carol))
    client.post(url(project), data)
    client.get(url(project))
    reply = client.post(url(project), {**data, "lease": held(carol).pk, "rationale": "Typed."}, headers=HTMX)
    assert reply.status_code == 409
    assert "is that of another judgement" in reply.content.decode() and "Typed." in reply.content.decode()
    assert Judgement.objects.count() == 1


def test_a_second_answer_from_another_tab_supersedes_the_first(client, project, carol):
    make_task(project)
    client.get(url(project))
    lease = held(carol)
    client.post(url(project), answer(lease, "-4"))
    client.post(url(project), answer(lease, "2"))
    older, newer = Judgement.objects.order_by("pk")
    assert (older.is_current, newer.is_current, newer.supersedes, newer.is_surplus) == (False, True, older, False)
    assert Task.objects.get().remaining == 0


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"choice": ""}, "Choose which response is better."),
        ({"choice": "5"}, "“5” is not on this project&#x27;s scale."),
        ({"flags_a": ["nonsense"]}, "nonsense is not one of the available choices."),
        ({"rationale": "x" * 20_001}, "at most 20000 characters"),
        ({"rationale": "a\x00b"}, "Null characters are not allowed."),
        ({"submission_id": "7"}, "Enter a valid UUID."),
        ({"active_seconds": "-1"}, "greater than or equal to 0"),
    ],
)
def test_an_invalid_answer_is_422_with_everything_typed_kept(client, project, carol, wrong, message):
    make_task(project)
    client.get(url(project))
    data = answer(held(carol), "3", rationale="Because.", flags_a=["unsafe"]) | wrong
    reply = client.post(url(project), data, headers=HTMX)
    html = reply.content.decode()
    assert reply.status_code == 422 and message in html
    assert "rationale" in wrong or ">Because.</textarea>" in html
    assert "choice" in wrong or re.search(r'name="choice" value="3"[^>]*checked', html)
    assert "flags_a" in wrong or re.search(r'name="flags_a" value="unsafe" checked', html)
    assert not Judgement.objects.exists() and held(carol)
    assert client.post(url(project), data).status_code == 422


def test_a_required_reason_is_required_and_a_scale_of_two_has_two_points(client, project, carol):
    Project.objects.update(scale_points=2, allow_tie=False, allow_both_bad=False, rationale="required")
    make_task(project)
    html = client.get(url(project)).content.decode()
    assert re.findall(r'name="choice" value="([^"]+)"', html) == ["-1", "1"]
    reply = client.post(url(project), answer(held(carol), "1"), headers=HTMX)
    assert reply.status_code == 422 and "Say in a sentence why." in reply.content.decode()
    assert client.post(url(project), answer(held(carol), "0", rationale="Why not"), headers=HTMX).status_code == 422
    assert client.post(url(project), answer(held(carol), "1", rationale="Shorter"), headers=HTMX).status_code == 200
    assert Comparison.objects.get().points == 2


def test_the_middle_of_an_odd_scale_is_its_tie(client, project, carol):
    Project.objects.update(scale_points=5, allow_tie=False)
    make_task(project)
    html = client.get(url(project)).content.decode()
    assert re.findall(r'name="choice" value="([^"]+)" data-key="(.)"', html)[2] == ("0", "3")
    client.post(url(project), answer(held(carol), "0"))
    assert Comparison.objects.get().preference == 0


def test_active_seconds_never_exceed_the_time_since_the_task_was_handed_out(client, project, carol):
    make_task(project)
    client.get(url(project))
    client.post(url(project), answer(held(carol), active_seconds="5000"))
    assert Judgement.objects.get().active_seconds < 60


def test_an_answer_after_the_place_has_gone_is_kept_as_surplus(client, project, carol, bob, signed_in):
    task = make_task(project)
    client.get(url(project))
    lease = held(carol)
    client.post(url(project, "judge-return"), {"lease": lease.pk})
    other = signed_in(bob)
    other.get(url(project))
    client.post(url(project), answer(lease))
    other.post(url(project), answer(held(bob)))
    assert list(Judgement.objects.order_by("pk").values_list("annotator", "is_surplus")) == [
        (carol.pk, True),
        (bob.pk, False),
    ]
    task.refresh_from_db()
    assert task.remaining == 0


def test_an_answer_after_the_lease_expired_takes_the_place_that_is_still_free(client, project, carol):
    make_task(project)
    client.get(url(project))
    lease = held(carol)
    client.post(url(project, "judge-return"), {"lease": lease.pk})
    client.post(url(project), answer(lease))
    assert list(Judgement.objects.values_list("is_surplus", flat=True)) == [False]
    assert Task.objects.get().remaining == 0


def test_nothing_sent_to_the_annotator_hints_at_authors_gold_or_other_people(client, project, carol, bob, signed_in):
    prompt = make_prompt(project)
    author = make_author(project, "secret-model-7b")
    task = Task.objects.create(
        project=project, prompt=prompt, key="key-of-the-pair", required_judgements=7, remaining=7
    )
    for position, text in enumerate(["One.", "Two."]):
        numbers = {"pk": 987_654_301 + position, "key": text}  # what occurs nowhere else
        response = Response.objects.create(prompt=prompt, author=author, text=text, **numbers)
        task.places.create(response=response, position=position)
    other = signed_in(bob)
    other.get(url(project))
    other.post(url(project), answer(held(bob), rationale="bobs-reason"))
    pages = [client.get(url(project)), client.get(url(project), headers=HTMX)]
    lease = held(carol)
    pages.append(client.post(url(project, "judge-heartbeat"), {"lease": lease.pk}))
    pages.append(client.post(url(project, "judge-draft"), {"lease": lease.pk}))
    pages.append(client.get(reverse("judgement-open", args=[project.pk, lease.pk])))
    pages.append(client.post(url(project), answer(lease), headers=HTMX))
    for page in pages:
        traffic = page.content.decode() + str(page.headers)
        hints = ["secret-model", "gold", "bobs-reason", "key-of-the-pair", "author", "remaining", "required_judgements"]
        assert [hint for hint in hints if hint in traffic.lower()] == []
        assert "98765430" not in traffic


def test_the_same_statements_are_spent_on_a_small_and_on_a_large_project(
    client, project, carol, django_assert_num_queries
):
    statements = 9 + 2  # a savepoint, which production does not send

    def cycle():
        client.post(url(project), data, headers=HTMX)

    for _ in range(3):
        make_task(project)
    client.get(url(project))
    data = answer(held(carol))
    with django_assert_num_queries(statements):
        cycle()
    for _ in range(30):
        make_task(project)
    for _ in range(10):
        data = answer(held(carol))
        cycle()
    data = answer(held(carol))
    with django_assert_num_queries(statements):
        cycle()


def test_strangers_and_members_of_other_projects_find_nothing(project, carol, mallory, stranger, signed_in, client):
    make_task(project)
    client.get(url(project))
    lease = held(carol)
    names = ["judge-skip", "judge-undo", "judge-heartbeat", "judge-draft", "judge-return"]
    for user in (mallory, stranger):
        outsider = signed_in(user)
        assert outsider.get(url(project)).status_code == 404
        assert outsider.get(url(project, "judge-guidelines")).status_code == 404
        assert outsider.post(url(project), answer(lease)).status_code == 404
        for name in names:
            assert outsider.post(url(project, name), {"lease": lease.pk}).status_code == 404
    assert held(carol) and not Judgement.objects.exists() and not Draft.objects.exists()


@pytest.mark.parametrize("pk", ["", "x", "0", "9" * 30, "-1", "¹"])
def test_a_lease_that_is_not_mine_or_no_number_is_404(client, project, bob, signed_in, pk):
    make_task(project, overlap=2)
    signed_in(bob).get(url(project))
    client.get(url(project))
    assert client.post(url(project), {"lease": pk}).status_code == 404
    assert client.post(url(project), answer(held(bob))).status_code == 404


def test_my_lease_in_one_project_opens_nothing_in_another(client, project, carol):
    other = make_project(make_user("Dave"), name="Other")
    add_member(other, carol, "annotator")
    make_task(project)
    client.get(url(project))
    assert client.post(url(other), answer(held(carol))).status_code == 404


def test_every_role_may_judge_and_the_signed_out_are_sent_to_sign_in(project, alice, bob, carol, signed_in, client):
    make_task(project, overlap=3)
    for user in (alice, bob, carol):
        judge = signed_in(user)
        judge.get(url(project))
        assert judge.post(url(project), answer(held(user))).status_code == 302
    assert Judgement.objects.count() == 3
    client.logout()
    assert client.get(url(project)).status_code == 302


def test_wrong_methods_are_refused(client, project):
    assert client.put(url(project)).status_code == 405
    assert client.post(url(project, "judge-guidelines")).status_code == 405
    for name in ["judge-skip", "judge-undo", "judge-heartbeat", "judge-draft", "judge-return"]:
        assert client.get(url(project, name)).status_code == 405


def test_a_form_without_its_token_is_refused(project, carol):
    from django.test import Client

    strict = Client(enforce_csrf_checks=True)
    strict.force_login(carol)
    make_task(project)
    strict.get(url(project))
    assert strict.post(url(project), answer(held(carol))).status_code == 403


def test_an_archived_project_hands_out_nothing(client, project):
    make_task(project)
    project.archived_at = project.created_at
    project.save(update_fields=["archived_at"])
    assert "This project is archived" in client.get(url(project)).content.decode()
    assert not Lease.objects.exists()


def test_the_guidelines_in_force_come_by_themselves(client, project, alice):
    project.guidelines.create(version=2, body="Prefer *short* answers.", created_by=alice)
    html = client.get(url(project, "judge-guidelines")).content.decode()
    assert "version 2" in html and "<em>short</em>" in html and "<html" not in html
