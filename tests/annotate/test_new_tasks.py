"""Tasks made by hand: counted, made once, found again in the list."""

import pytest

from annotate.models import AuditEvent, Kind, Task
from annotate.services import new_tasks
from tests.factories import make_author, make_prompt, make_response


@pytest.fixture
def alices(signed_in, alice):
    return signed_in(alice)


@pytest.fixture
def answered(project):
    """`answered(5)` is a prompt with so many different responses."""
    project.kind_options = {kind: {} for kind in ("ranking", "rating", "demonstration", "edit", "spans", "chat")}
    project.save()

    def make(count, tags=()):
        prompt = make_prompt(project)
        prompt.tags = list(tags)
        prompt.save()
        for number in range(count):
            make_response(prompt, f"Answer {number}")
        return prompt

    return make


def address(project):
    return f"/projects/{project.pk}/tasks/new/"


def chosen(**changes):
    form = {"kind": "comparison", "size": "", "tag": "", "only_new": "on", "overlap": "2", "priority": "3"}
    return {**form, **changes}


def groups(project, kind):
    """The numbers of the responses of each task, in the order the tasks were made."""
    tasks = Task.objects.filter(project=project, kind=kind).order_by("pk")
    return [[place.response.text[-1] for place in task.places.order_by("position")] for task in tasks]


@pytest.mark.parametrize(
    ("kind", "size", "expected"),
    [
        ("comparison", "", [["0", "1"], ["2", "3"]]),
        ("ranking", "5", [["0", "1", "2", "3", "4"]]),
        ("rating", "3", [["0", "1", "2"]]),
        ("edit", "", [["0"], ["1"], ["2"], ["3"], ["4"]]),
        ("spans", "1", [["0"], ["1"], ["2"], ["3"], ["4"]]),
        ("demonstration", "2", [["0", "1"]]),
        ("demonstration", "", [[]]),
    ],
)
def test_responses_are_grouped_in_the_order_they_came(alices, project, answered, kind, size, expected):
    answered(5)
    preview = alices.get(address(project), chosen(kind=kind, size=size)).context["preview"]
    assert preview.tasks == len(expected)
    assert alices.post(address(project), chosen(kind=kind, size=size)).status_code == 302
    assert groups(project, kind) == expected
    assert set(Task.objects.values_list("required_judgements", "remaining", "priority")) == {(2, 2, 3)}


def test_making_them_twice_makes_nothing_twice(alices, project, answered):
    answered(4)
    for only_new in ("on", "", ""):
        alices.post(address(project), chosen(only_new=only_new))
    assert Task.objects.count() == 2
    assert AuditEvent.objects.get().data["tasks"] == 2


def test_the_same_text_is_asked_about_once_and_empty_ones_never(alices, project, answered):
    prompt = answered(1)
    for text in (" Answer 0\n", "", "  "):
        make_response(prompt, text)
    assert alices.get(address(project), chosen()).context["preview"].tasks == 0
    make_response(prompt, "Answer 1")
    assert alices.get(address(project), chosen()).context["preview"].tasks == 1
    alices.post(address(project), chosen())
    assert groups(project, "comparison") == [["0", "1"]]


def test_what_people_wrote_is_taken_on_request(alices, project, answered, carol):
    prompt = answered(1)
    make_response(prompt, "Mine 1", author=make_author(project, "Carol", "person"))
    assert alices.get(address(project), chosen()).context["preview"].too_few == 1
    assert alices.get(address(project), chosen(with_written="on")).context["preview"].tasks == 1


def test_only_prompts_of_the_tag_and_without_such_a_task(alices, project, answered):
    answered(2, tags=["eggs"])
    answered(2)
    alices.post(address(project), chosen(tag="eggs"))
    assert Task.objects.count() == 1
    assert alices.get(address(project), chosen()).context["preview"].prompts == 1
    assert alices.get(address(project), chosen(kind="edit")).context["preview"].prompts == 2


def test_more_than_the_limit_are_made_in_turns(alices, project, answered, monkeypatch):
    monkeypatch.setattr(new_tasks, "MOST_AT_ONCE", 2)
    for _ in range(3):
        answered(2)
    assert "2 are made at once" in alices.get(address(project), chosen()).content.decode()
    page = alices.post(address(project), chosen(), follow=True).content.decode()
    assert "2 tasks are in the queue. 1 more can be made: do it again." in page
    alices.post(address(project), chosen())
    assert Task.objects.count() == 3


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kind": "comparison", "size": "3"}, "3 is not possible: Comparison takes 2."),
        ({"kind": "ranking", "size": "1"}, "1 is not possible: Ranking takes from 2 to 9."),
        ({"kind": "chat"}, "Select a valid choice"),
        ({"overlap": "51"}, "less than or equal to 50"),
        ({"tag": "nothing"}, "Select a valid choice"),
        ({"priority": "urgent"}, "Enter a whole number"),
    ],
)
def test_what_cannot_be_is_named_and_what_was_typed_is_kept(alices, project, answered, changes, message):
    answered(2)
    answer = alices.post(address(project), chosen(**changes))
    assert answer.status_code == 422
    assert message in answer.content.decode()
    assert answer.context["form"]["priority"].value() == chosen(**changes)["priority"]
    assert not Task.objects.exists()


def test_a_kind_that_is_off_is_not_offered(alices, project):
    assert 'value="ranking"' not in alices.get(address(project)).content.decode()
    assert alices.post(address(project), chosen(kind="ranking")).status_code == 422


def test_counting_costs_the_same_for_many(alices, project, answered, django_assert_max_num_queries):
    for _ in range(20):
        answered(3)
    with django_assert_max_num_queries(6):
        answer = alices.get(address(project), chosen(), headers={"HX-Request": "true"})
    assert '<strong class="num">20</strong> tasks' in answer.content.decode()


def test_the_list_is_filtered_by_kind_and_purpose(alices, project, answered):
    answered(2)
    for kind in ("comparison", "edit"):
        alices.post(address(project), chosen(kind=kind))
    at = f"/projects/{project.pk}/tasks/"
    kinds = [row["row"].kind for row in alices.get(at, {"kind": "edit", "state": "open"}).context["tasks"]]
    assert kinds == [Kind.EDIT, Kind.EDIT]
    assert alices.get(at, {"purpose": "gold"}).context["tasks"] == []
    assert alices.get(at, {"kind": "essay"}).status_code == 422
    assert "kind=edit" in alices.get(at, {"kind": "edit"}).context["states"][1][1]
