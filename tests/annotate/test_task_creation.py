"""Comparisons made from pairs, and the count of what waits."""

import pytest

from annotate import assignment
from annotate.models import Lease, Task
from annotate.services.tasks import count_waiting, create_comparison_tasks, waiting_by_kind
from tests.factories import make_project, make_prompt, make_response, make_task


@pytest.fixture
def pair(project):
    prompt = make_prompt(project)
    return make_response(prompt, "One."), make_response(prompt, "Two.")


def queue(project, pairs, **more):
    return create_comparison_tasks(project=project, pairs=pairs, **{"overlap": 2, "key_prefix": "round-1", **more})


def test_a_pair_becomes_a_task_with_both_responses_in_order(project, pair):
    assert queue(project, [pair], priority=3) == 1
    task = Task.objects.get()
    assert (task.kind, task.prompt, task.priority) == ("comparison", pair[0].prompt, 3)
    assert (task.required_judgements, task.remaining) == (2, 2)
    assert list(task.places.order_by("position").values_list("position", "response")) == [
        (0, pair[0].pk),
        (1, pair[1].pk),
    ]


def test_the_same_pair_is_queued_once_in_either_order_and_again_for_another_reason(project, pair):
    assert queue(project, [pair, pair[::-1]]) == 1
    assert queue(project, [pair]) == 0
    assert queue(project, [pair], key_prefix="round-2") == 1
    assert Task.objects.count() == 2


def test_many_pairs_cost_a_few_statements(project, django_assert_num_queries):
    prompt = make_prompt(project)
    responses = [make_response(prompt, f"Answer {number}.") for number in range(40)]
    with django_assert_num_queries(8):  # savepoint, prompts, known ones, savepoint, tasks, places, two releases
        assert queue(project, zip(responses[::2], responses[1::2], strict=True)) == 20


def test_pairs_that_cannot_be_compared_are_refused_by_name_and_nothing_is_added(project, pair, alice):
    first = pair[0]
    same = make_response(first.prompt, " One. ")
    other = make_response(make_prompt(project), "Three.")
    foreign = make_response(make_prompt(make_project(alice, name="Another")), "Four.")
    refusals = {
        f"responses {first.pk} and {same.pk} have the same text": (first, same),
        f"responses {first.pk} and {other.pk} answer different prompts": (first, other),
        f"response {foreign.pk} belongs to another project than 'Kitchen advice'": (foreign, foreign),
    }
    for message, unfit in refusals.items():
        with pytest.raises(ValueError, match=message):
            queue(project, [pair, unfit])
    with pytest.raises(ValueError, match="overlap is 0"):
        queue(project, [pair], overlap=0)
    assert not Task.objects.exists()


def test_what_waits_for_me_is_counted_for_all_my_projects_in_one_statement(
    project, alice, carol, mallory, django_assert_num_queries
):
    quiet = make_project(alice, name="Quiet")
    for _ in range(3):
        make_task(project, overlap=2)
    assignment.lease_next(user=alice, project=project)
    with django_assert_num_queries(1):
        assert waiting_by_kind(alice) == {project.pk: {"comparison": 2}, quiet.pk: {}}
    assert waiting_by_kind(carol) == {project.pk: {"comparison": 3}}
    assert project.pk not in waiting_by_kind(mallory)
    Lease.objects.update(state="returned")
    assert waiting_by_kind(alice)[project.pk] == {"comparison": 3}


def test_counts_stop_at_a_hundred(project, carol):
    prompt = make_prompt(project)
    Task.objects.bulk_create(
        Task(project=project, prompt=prompt, key=str(number), required_judgements=1, remaining=1)
        for number in range(130)
    )
    assert waiting_by_kind(carol) == {project.pk: {"comparison": 100}}
    assert count_waiting(user=carol, project=project) == 100
