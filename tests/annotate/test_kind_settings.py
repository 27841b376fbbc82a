"""Kinds of judgement turned on and off, and what an owner sets for each."""

import pytest

from annotate.kinds.options import RATING_PRESETS, OptionsError, Question, read_options
from annotate.kinds.question_lines import read_questions, write_questions
from annotate.models import AuditEvent, Kind
from annotate.services.project_kinds import enabled_kinds
from tests.annotate.test_projects import SETTINGS
from tests.factories import make_author

SPANS = {"categories": "wrong\nunclear", "severities": "minor\nmajor", "ask_critique": "required"}
CHAT = {"temperatures": "0,5\n1", "max_tokens": "300", "most_turns": "20", "system": "Be brief."}
GOOD = {
    "ranking": ({}, {"allow_ties": False}),
    "rating": (
        {"questions": "Overall | 5 | bad | good\nTrue | No, Yes | optional"},
        {
            "questions": (
                Question(key="overall", label="Overall", points=5, low="bad", high="good"),
                Question(key="true", label="True", points=2, names=("No", "Yes"), required=False),
            )
        },
    ),
    "demonstration": ({"show_suggestions": "on", "least_words": "5"}, {"show_suggestions": True, "least_words": 5}),
    "edit": ({"ask_reason": "required"}, {"ask_reason": "required"}),
    "spans": (
        SPANS,
        {"categories": ("wrong", "unclear"), "severities": ("minor", "major"), "ask_critique": "required"},
    ),
    "chat": (CHAT, {"temperatures": (0.5, 1.0), "max_tokens": 300, "most_turns": 20, "system": "Be brief."}),
}
BAD = [
    ("rating", {"questions": ""}, "This field is required"),
    ("rating", {"questions": "Overall | 12"}, "Line 1, “Overall | 12”: 12 points; give from 2 to 9."),
    ("rating", {"questions": "Overall\nTrue | Yes"}, "Line 2, “True | Yes”: after the question comes a number"),
    ("rating", {"questions": "Overall | optional"}, "the first question is what trains; it cannot be optional"),
    ("rating", {"questions": "Overall | 7 | bad"}, "after the points come two words"),
    ("rating", {"questions": "Overall\noverall | 5"}, "Lines 1 and 2 ask the same"),
    ("demonstration", {"least_words": "0"}, "greater than or equal to 1"),
    ("edit", {"ask_reason": "always"}, "always is not one of the available choices"),
    ("spans", {**SPANS, "categories": "\n".join("abcdefghij")}, "There are 10 categories; at most 9 fit. Remove 1."),
    ("spans", {**SPANS, "severities": ""}, "This field is required"),
    ("chat", {**CHAT, "temperatures": "1\nwarm"}, "Line 2, “warm”, is no number. Write one as 0.7."),
    ("chat", {**CHAT, "temperatures": "3"}, "Line 1, “3”: a temperature is from 0 to 2."),
    ("chat", {**CHAT, "authors": ["999999"]}, "999999 is not one of the available choices"),
]


def address(project, kind, tail=""):
    return f"/projects/{project.pk}/settings/{kind}/{tail}"


@pytest.mark.parametrize("kind", GOOD)
def test_saving_a_kind_turns_it_on_and_keeps_what_was_set(signed_in, alice, project, kind):
    fields, expected = GOOD[kind]
    client = signed_in(alice)
    assert client.get(address(project, kind)).status_code == 200
    assert client.post(address(project, kind), fields).status_code == 302
    project.refresh_from_db()
    options = read_options(kind, project.kind_options)
    assert {name: getattr(options, name) for name in expected} == expected
    assert enabled_kinds(project) == [Kind.COMPARISON, Kind(kind)]
    assert AuditEvent.objects.get().action == "project.settings_changed"
    assert client.post(address(project, kind), fields).status_code == 302
    assert AuditEvent.objects.count() == 1


@pytest.mark.parametrize(("kind", "fields", "message"), BAD)
def test_what_cannot_be_is_named_and_everything_typed_is_kept(signed_in, alice, project, kind, fields, message):
    answer = signed_in(alice).post(address(project, kind), fields)
    assert answer.status_code == 422
    errors = [error for found in answer.context["form"].errors.values() for error in found]
    assert [error for error in errors if message in error], errors
    for value in fields.values():
        assert isinstance(value, list) or not value or value.splitlines()[-1] in answer.content.decode()
    project.refresh_from_db()
    assert project.kind_options == {}


def test_turning_a_kind_off_is_done_once_and_leaves_the_others(signed_in, alice, project):
    client = signed_in(alice)
    client.post(address(project, "ranking"), {"allow_ties": "on"})
    client.post(address(project, "edit"), {"ask_reason": "off"})
    for _ in range(2):
        assert client.post(address(project, "ranking", "off/")).status_code == 302
    project.refresh_from_db()
    assert project.kind_options == {"edit": {"ask_reason": "off"}}
    assert AuditEvent.objects.count() == 3


def test_a_kind_that_does_not_exist_is_not_found(signed_in, alice, project):
    assert signed_in(alice).get(address(project, "comparison")).status_code == 404
    assert signed_in(alice).get(address(project, "essay")).status_code == 404


def test_the_models_of_a_chat_are_the_project_s_own(signed_in, alice, project, mallory):
    ours = make_author(project, "ours")
    theirs = make_author(mallory.memberships.get().project, "theirs")
    client = signed_in(alice)
    page = client.get(address(project, "chat")).content.decode()
    assert "ours" in page and "theirs" not in page
    assert client.post(address(project, "chat"), {**CHAT, "authors": [theirs.pk]}).status_code == 422
    assert client.post(address(project, "chat"), {**CHAT, "authors": [ours.pk]}).status_code == 302
    project.refresh_from_db()
    assert project.kind_options["chat"]["authors"] == [ours.pk]


@pytest.mark.parametrize("preset", RATING_PRESETS)
def test_a_preset_fills_the_form_and_can_be_saved_as_it_stands(signed_in, alice, project, preset):
    client = signed_in(alice)
    form = client.get(f"{address(project, 'rating')}?preset={preset}").context["form"]
    assert client.post(address(project, "rating"), {"questions": form["questions"].value()}).status_code == 302
    project.refresh_from_db()
    stored = read_options("rating", project.kind_options).questions
    shown = [(question.label, question.points, question.names, question.low, question.high) for question in stored]
    wanted = RATING_PRESETS[preset]
    assert shown == [(q.label, q.points, q.names, q.low, q.high) for q in wanted]


def test_questions_are_read_as_they_are_written():
    lines = ["Overall | 7 | bad | good", "Grade | D, C, B, A", "Long? | No, Yes | optional", "Plain | 3"]
    assert write_questions(read_questions(lines)) == lines
    assert read_questions(["Überzeugend?"])[0].key == "überzeugend"
    with pytest.raises(OptionsError, match="There are 13 questions; at most 12 fit. Remove 1."):
        read_questions([f"Question {number}" for number in range(13)])


def test_dimensions_are_lines_of_the_settings(signed_in, alice, project):
    client, settings = signed_in(alice), f"/projects/{project.pk}/settings/"
    page = client.get(f"{settings}?dimensions=usual&flag_options=usual").content.decode()
    assert "helpful\nhonest\nharmless" in page and "denigrates a group" in page
    answer = client.post(settings, {**SETTINGS, "dimensions": "\n".join("abcdefghi")})
    assert answer.status_code == 422
    assert "There are 9 dimensions; at most 8 fit. Remove 1." in answer.content.decode()
    client.post(settings, {**SETTINGS, "dimensions": "kind\n brief"})
    project.refresh_from_db()
    assert project.dimensions == ["kind", "brief"]
