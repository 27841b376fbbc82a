"""Responses asked of a tiny policy: counts, redelivery, cancelling, the comparisons made from them."""

import threading

import pytest
from django.core.exceptions import ValidationError
from django.db import connection

from annotate.models import JobStatus, Prompt, Response, Task
from tests.factories import make_prompt, make_response
from tests.training.factories import make_backbone, make_policy
from tests.training.waiting import wait_until
from training.models import Generation
from training.services.generations import cancel_generation, choose_prompts, retry_generation, start_generation
from training.services.sampling import generate

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def policy(project):
    return make_policy(project)


@pytest.fixture
def ask(project, alice, policy):
    """`ask(max_tokens=5)` asks for two responses to each of the project's prompts."""

    def ask(**changes: object) -> Generation:
        request = {
            "model": policy,
            "prompts": Prompt.objects.of_project(project).order_by("id"),
            "responses_per_prompt": 2,
            "temperature": 1.0,
            "top_p": 1.0,
            "max_tokens": 12,
            "seed": 7,
            "queue_tasks": True,
            "overlap": 2,
        }
        return start_generation(project=project, user=alice, **{**request, **changes})

    return ask


def reload(generation: Generation) -> Generation:
    return Generation.objects.get(pk=generation.pk)


def test_every_prompt_gets_its_responses_and_one_comparison(project, policy, ask):
    prompts = [make_prompt(project, f"Question {number}") for number in range(5)]
    generation = ask()
    assert generate(generation)

    generation = reload(generation)
    assert (generation.status, generation.error) == (JobStatus.SUCCEEDED, "")
    assert (generation.progress, generation.total, generation.tasks_queued) == (10, 10, 5)
    assert generation.tokens_written > 0
    responses = Response.objects.filter(author=policy.author)
    assert sorted(responses.values_list("prompt_id", "key")) == [
        (prompt.pk, f"g{generation.pk}:{index}") for prompt in prompts for index in range(2)
    ]
    assert {response.sampling["temperature"] for response in responses} == {1.0}
    assert {(task.required_judgements, task.remaining) for task in Task.objects.of_project(project)} == {(2, 2)}


def test_the_same_seed_asks_for_the_same_responses(project, ask):
    make_prompt(project)
    texts = []
    for _ in range(2):
        generation = ask(queue_tasks=False)
        generate(generation)
        mine = Response.objects.filter(key__startswith=f"g{generation.pk}:").order_by("key")
        texts.append(list(mine.values_list("text", flat=True)))
    assert texts[0] == texts[1]


def test_delivered_twice_it_is_done_once(project, ask):
    make_prompt(project, "Question 0")
    generation = ask()
    assert generate(generation)
    assert not generate(reload(generation))
    assert Response.objects.filter(prompt__project=project).count() == 2
    assert Task.objects.of_project(project).count() == 1


def test_taken_over_in_the_middle_it_writes_only_what_is_missing(project, ask):
    for number in range(3):
        make_prompt(project, f"Question {number}")
    generation = ask()
    generate(generation)
    gone = Response.objects.filter(key=f"g{generation.pk}:1").order_by("id").last()
    Task.objects.of_project(project).delete()
    before, text = gone.pk, gone.text
    gone.delete()
    Generation.objects.filter(pk=generation.pk).update(status=JobStatus.QUEUED, progress=0)

    assert generate(reload(generation))
    again = Response.objects.get(key=f"g{generation.pk}:1", prompt=gone.prompt)
    assert (again.pk != before, again.text) == (True, text)
    assert Response.objects.filter(prompt__project=project).count() == 6
    assert Task.objects.of_project(project).count() == 3
    assert reload(generation).progress == 6


def test_cancelled_it_keeps_what_is_finished_and_can_go_on(project, alice, ask):
    for _ in range(100):
        make_prompt(project)
    generation = ask(max_tokens=300, responses_per_prompt=16)

    def work() -> None:
        generate(reload(generation))
        connection.close()

    worker = threading.Thread(target=work)
    worker.start()
    wait_until(lambda: reload(generation).progress > 0)
    assert cancel_generation(generation=reload(generation), user=alice)
    worker.join(60)
    assert not worker.is_alive()
    stopped = reload(generation)
    assert stopped.status == JobStatus.CANCELLED
    assert 0 < stopped.progress < stopped.total
    assert Response.objects.filter(prompt__project=project).count() == stopped.progress
    assert retry_generation(generation=stopped, user=alice)
    assert reload(generation).status == JobStatus.QUEUED


def test_two_draws_alike_to_the_letter_are_no_comparison(project, ask):
    make_prompt(project)
    generation = ask(temperature=0.0)
    generate(generation)
    generation = reload(generation)
    assert (generation.tasks_queued, generation.pairs_dropped) == (0, 1)
    assert Task.objects.count() == 0


def test_an_opponents_responses_are_the_other_side(project, ask):
    answered, unanswered = make_prompt(project), make_prompt(project)
    rival = make_policy(project, "rival", seed=1, is_default=False)
    theirs = make_response(answered, "What the rival said.", author=rival.author)
    generation = ask(opponent=rival, responses_per_prompt=1)
    generate(generation)
    task = Task.objects.of_project(project).get()
    assert task.prompt == answered
    assert theirs in task.responses.all()
    assert (reload(generation).tasks_queued, reload(generation).pairs_dropped) == (1, 1)
    assert unanswered.tasks.count() == 0


def test_prompts_are_chosen_by_tag_by_being_unanswered_and_by_number(project, policy):
    first, second, third = (make_prompt(project) for _ in range(3))
    Prompt.objects.filter(pk=second.pk).update(tags=["history"])
    make_response(first, author=policy.author)

    def chosen(choice: str, tag: str = "", first: int | None = None) -> list[Prompt]:
        return list(choose_prompts(project=project, model=policy, choice=choice, tag=tag, first=first))

    assert chosen("all") == [first, second, third]
    assert chosen("all", first=2) == [first, second]
    assert chosen("tag", tag="history") == [second]
    assert chosen("without") == [second, third]


def test_what_makes_no_sense_is_refused_field_by_field(project, ask):
    with pytest.raises(ValidationError) as refused:
        ask(responses_per_prompt=1)
    assert set(refused.value.message_dict) == {"choice", "responses_per_prompt"}
    make_prompt(project)
    with pytest.raises(ValidationError, match="only policies and endpoints write"):
        ask(model=make_backbone(project))


def test_a_worker_writes_them_in_the_background(project, ask, celery_worker):
    make_prompt(project)
    with celery_worker("inference"):
        generation = ask()
        wait_until(lambda: reload(generation).has_ended)
    assert (reload(generation).status, reload(generation).progress) == (JobStatus.SUCCEEDED, 2)
