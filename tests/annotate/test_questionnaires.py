"""Background questions: asked by the owner, answered with consent, withdrawn, and never shown of few."""

import pytest
from django.urls import reverse

from annotate.models import AuditEvent, Membership, QuestionnaireAnswer, QuestionnaireItem
from annotate.services.questionnaires import count_answers, hide_small, save_answers
from tests.factories import add_member, make_project, make_user


@pytest.fixture
def item(project):
    return QuestionnaireItem.objects.create(project=project, question="First language?", options=["English", "Other"])


def address(name, project, *more):
    return reverse(name, args=[project.pk, *more])


def test_an_owner_asks_and_a_bad_question_is_refused_with_what_was_typed(project, alice, signed_in):
    client, url = signed_in(alice), address("project-questionnaire", project)
    assert client.post(url, {"question": "Age?", "options": "under 40\n40 or more\n"}).status_code == 302
    assert list(QuestionnaireItem.objects.values_list("question", "options")) == [("Age?", ["under 40", "40 or more"])]
    again = client.post(url, {"question": "Age?", "options": "young\nold"})
    assert again.status_code == 422
    assert "“Age?” is asked already" in again.content.decode() and "young\nold" in again.content.decode()
    refused = client.post(url, {"question": "Sex?", "options": "female\nPrefer not to say"})
    assert refused.status_code == 422 and "There are 1 answers; give from 2 to 30" in refused.content.decode()
    assert QuestionnaireItem.objects.count() == 1


def test_answers_are_kept_with_consent_changed_and_withdrawn(project, carol, item, signed_in):
    client, url = signed_in(carol), address("my-background", project)
    refused = client.post(url, {f"item-{item.pk}": "Other"})
    assert refused.status_code == 422 and "Without your consent nothing is kept." in refused.content.decode()
    assert not QuestionnaireAnswer.objects.exists()
    for answer in ("Other", ""):
        assert client.post(url, {f"item-{item.pk}": answer, "consent": "on"}).status_code == 302
        assert QuestionnaireAnswer.objects.get().answer == answer
    assert Membership.objects.get(user=carol).questionnaire_consent_at
    assert client.post(address("my-background-withdraw", project)).status_code == 302
    assert not QuestionnaireAnswer.objects.exists()
    assert Membership.objects.get(user=carol).questionnaire_consent_at is None
    events = AuditEvent.objects.order_by("pk").values_list("action", "target", "data")
    assert list(events) == [("questionnaire.consented", "", {}), ("questionnaire.withdrawn", "", {})]


def test_prefer_not_to_say_is_chosen_until_something_else_is(project, carol, item, signed_in):
    page = signed_in(carol).get(address("my-background", project)).content.decode()
    assert f'<input type="radio" name="item-{item.pk}" value="" id="id_item-{item.pk}_2" checked>' in page


def test_an_answer_that_is_not_offered_or_of_another_project_is_refused(project, carol, alice, item):
    membership = Membership.objects.get(user=carol)
    with pytest.raises(ValueError, match="“Klingon” is no answer to “First language\\?”"):
        save_answers(membership=membership, answers={item.pk: "Klingon"})
    other = QuestionnaireItem.objects.create(
        project=make_project(alice, name="Other"), question="?", options=["a", "b"]
    )
    with pytest.raises(ValueError, match="is not one of this project's"):
        save_answers(membership=membership, answers={other.pk: "a"})


def test_the_owner_sees_no_group_under_five(project, alice, item, signed_in):
    for number in range(11):
        person = make_user(f"Person{number}")
        membership = add_member(project, person, "annotator")
        save_answers(membership=membership, answers={item.pk: "English" if number < 7 else "Other"})
    assert [(entry.option, entry.count) for entry in count_answers(project)[item.pk]] == [
        ("English", None),
        ("Other", None),
        ("", 0),
    ]
    page = signed_in(alice).get(address("project-questionnaire", project)).content.decode()
    assert "hidden" in page and "Person3" not in page


@pytest.mark.parametrize(
    ("counts", "shown"),
    [
        ([9, 6, 0], [9, 6, 0]),
        ([9, 6, 4], [9, None, None]),
        ([9, 3, 4], [9, None, None]),
        ([3, 0, 0], [None, 0, 0]),
    ],
)
def test_a_single_small_group_takes_the_next_smallest_with_it(counts, shown):
    rows = [(str(number), count) for number, count in enumerate(counts)]
    assert [entry.count for entry in hide_small(rows)] == shown


def test_a_retired_question_is_asked_no_more_and_keeps_its_answers(project, alice, carol, item, signed_in):
    save_answers(membership=Membership.objects.get(user=carol), answers={item.pk: "English"})
    signed_in(alice).post(address("question-retire", project, item.pk), {"active": "no"})
    assert "Nothing is asked" in signed_in(carol).get(address("my-background", project)).content.decode()
    signed_in(alice).post(address("question-retire", project, item.pk), {"active": "yes"})
    assert "First language?" in signed_in(carol).get(address("my-background", project)).content.decode()
    assert QuestionnaireAnswer.objects.get().answer == "English"
