"""Two tiny policies set against each other: by a reward model, by people who may stop early, and what is refused."""

import uuid

import pytest
from django.core.exceptions import ValidationError

from annotate.models import AuditEvent, Comparison, JobStatus, Judgement, Prompt, Response, Task
from annotate.services.snapshots import create_snapshot
from tests.factories import make_prompt, make_response
from tests.training.factories import judge, make_policy, make_reward_model
from training.models import Evaluation, Recipe, Round, Run
from training.services.evaluation_people import ask_people, follow_evaluation, observe
from training.services.evaluation_work import evaluate
from training.services.evaluations import cancel_evaluation, retry_evaluation, start_evaluation
from training.services.held_out import held_out_prompts
from training.tasks import follow_evaluations, recover_stalled_jobs

pytestmark = pytest.mark.django_db
WITH_A_WORKER = pytest.mark.django_db(transaction=True)  # its heart beats in a thread of its own


@pytest.fixture
def models(project):
    return make_policy(project, "new"), make_policy(project, "old", seed=1, is_default=False)


@pytest.fixture
def start(project, alice, models):
    """`start(by="people", prompts=5)` sets the new model against the old."""

    def start(**changes: object) -> Evaluation:
        new, old = models
        request = {"candidate": new, "baseline": old, "started_by": alice, "by": "rewards", "prompts": 100}
        return start_evaluation(project=project, **{**request, "max_tokens": 8, **changes})

    return start


def reload(evaluation: Evaluation) -> Evaluation:
    return Evaluation.objects.get(pk=evaluation.pk)


def ask(evaluation: Evaluation, *texts: tuple[str, str]) -> list[Task]:
    """Give its items these responses, (candidate's, baseline's), and queue them as the worker does."""
    for item, (candidate, baseline) in zip(evaluation.items.order_by("pk"), texts, strict=True):
        item.candidate_response = make_response(item.prompt, candidate, author=evaluation.candidate.author)
        item.baseline_response = make_response(item.prompt, baseline, author=evaluation.baseline.author)
        item.save()
    evaluation.take()
    ask_people(evaluation)
    return list(Task.objects.filter(evaluated__evaluation=evaluation).order_by("pk"))


def say(task: Task, user, evaluation: Evaluation, points: float) -> None:
    """What one person says of a task: 1 prefers the candidate's response, 0 the baseline's, ½ neither."""
    first, second = (place.response for place in task.places.order_by("position"))
    side = -1 if first.author == evaluation.candidate.author else 1
    judgement = Judgement.objects.create(
        project=task.project,
        task=task,
        kind=task.kind,
        annotator=user,
        outcome=Judgement.Outcome.ANSWER,
        submission_id=uuid.uuid4(),
    )
    preference = 0 if points == 0.5 else side * (4 if points else -4)
    Comparison.objects.create(judgement=judgement, first=first, second=second, points=8, preference=preference)


@WITH_A_WORKER
def test_a_reward_model_judges_both_sides_on_every_held_out_prompt(project, models, start):
    for number in range(5):
        make_prompt(project, f"Question {number}")
    judge_model = make_reward_model(project)
    evaluation = start()
    assert (evaluation.judge, evaluation.total, evaluation.status) == (judge_model, 10, JobStatus.QUEUED)
    assert evaluate(evaluation)
    ended = reload(evaluation)
    assert (ended.status, ended.error, ended.progress, ended.count) == (JobStatus.SUCCEEDED, "", 10, 5)
    points = 0.0
    for item in ended.items.all():
        candidate, baseline = item.both()
        assert [candidate.author, baseline.author] == [model.author for model in models]
        scores = [response.scores.get(model=judge_model).mean for response in (candidate, baseline)]
        points += 0.5 if candidate.text == baseline.text else float(scores[0] > scores[1])
    assert ended.win_rate == points / 5
    assert 0 < ended.low <= ended.win_rate <= ended.high <= 1
    assert not evaluate(ended)


@WITH_A_WORKER
def test_a_second_evaluation_with_the_same_settings_writes_nothing_new(project, start):
    make_prompt(project)
    make_reward_model(project)
    first, second, other = start(), start(), start(seed=1)
    for evaluation in (first, second, other):
        evaluate(evaluation)
    assert Response.objects.count() == 4
    assert reload(first).items.get().both() == reload(second).items.get().both()
    assert reload(first).items.get().both() != reload(other).items.get().both()


def test_prompts_that_a_model_or_its_parent_or_its_rewards_saw_are_not_held_out(project, alice, models):
    judge(project, alice, count=10)
    fresh = make_prompt(project, "Never judged")
    new, old = models
    snapshot = create_snapshot(project=project, user=alice, test_fraction=0.3)
    tested = Prompt.objects.filter(tasks__judgements__snapshot_items__split="test")
    parent = make_policy(project, "parent", is_default=False)
    parent.run = Run.objects.create(
        project=project, name="DPO", algorithm="dpo", snapshot=snapshot, base_model=old, created_by=alice
    )
    parent.save(update_fields=["run"])
    new.parent = parent
    assert set(held_out_prompts(project=project, models=[old])) == set(Prompt.objects.all())
    held_out = held_out_prompts(project=project, models=[new, old])
    assert set(held_out) == {*tested, fresh}
    assert list(held_out) == sorted(held_out, key=lambda prompt: prompt.content_hash)
    reward = make_reward_model(project)
    parent.run.rewards.create(model=reward)
    reward.run = Run.objects.create(
        project=project,
        name="RM",
        algorithm="reward_model",
        snapshot=create_snapshot(project=project, user=alice, name="all", test_fraction=0),
        base_model=old,
        created_by=alice,
    )
    reward.save(update_fields=["run"])
    assert set(held_out_prompts(project=project, models=[new])) == {fresh}


def test_a_round_evaluates_once_and_with_its_own_held_out_reward_model(project, alice, models, start):
    make_prompt(project)
    make_reward_model(project, "usual")
    judge(project, alice, count=2)
    recipe = Recipe.objects.create(project=project, name="All", created_by=alice)
    round = Round.objects.create(project=project, number=1, recipe=recipe, because="by hand", policy_before=models[1])
    held_out = make_reward_model(project, "held out", seed=1)
    usual = make_reward_model(project, "newest", seed=2)
    run = Run.objects.create(
        project=project,
        name="Held out",
        algorithm="reward_model",
        snapshot=create_snapshot(project=project, user=alice),
        base_model=models[1],
        created_by=alice,
    )
    held_out.run = run
    held_out.save(update_fields=["run"])
    round.steps.create(kind="heldout_reward_model", position=0, run=run)
    evaluation = start(round=round, started_by=None)
    assert (evaluation.judge, evaluation.created_by) == (held_out, alice)
    assert start(round=round, started_by=None) == evaluation
    assert start().judge == usual


def test_what_cannot_be_compared_is_refused_field_by_field(project, models, start):
    with pytest.raises(ValidationError) as refused:
        start(baseline=models[0])
    assert set(refused.value.message_dict) == {"baseline", "judge"}
    with pytest.raises(ValidationError, match="Every prompt of this project was trained on"):
        start(by="people")
    make_prompt(project)
    with pytest.raises(ValidationError, match="0 prompts compare nothing"):
        start(by="people", prompts=0)
    with pytest.raises(ValidationError, match="“tiny-reward” is not a policy or endpoint of this project"):
        start(candidate=make_reward_model(project))


def test_people_judge_blind_and_the_rule_stops_when_it_is_clear(project, carol, start):
    for number in range(40):
        make_prompt(project, f"Question {number}")
    evaluation = start(by="people")
    tasks = ask(evaluation, *[("Seven minutes.", "No idea.")] * 40)
    assert reload(evaluation).status == JobStatus.RUNNING
    assert len(tasks) == 40
    assert {task.purpose for task in tasks} == {"work"}
    firsts = {task.places.get(position=0).response.author_id for task in tasks}
    assert len(firsts) == 2, "a place in the task must not give its author away"
    for task in tasks:
        say(task, carol, evaluation, 1)
        follow_evaluations()
        if reload(evaluation).has_ended:
            break
    ended, judged = reload(evaluation), Judgement.objects.count()
    assert (ended.status, ended.decision, ended.decided, ended.count, ended.win_rate) == (
        JobStatus.SUCCEEDED,
        "better",
        True,
        judged,
        1.0,
    )
    assert judged < 12
    assert ended.low > 0.5
    assert Task.objects.filter(evaluated__evaluation=evaluation, closed_at=None).count() == judged
    assert AuditEvent.objects.filter(action="tasks.withdrawn").get().data == {"tasks": 40 - judged}
    assert follow_evaluations() == 0


def test_what_people_say_in_an_evaluation_is_not_trained_on_unless_asked_for(project, alice, carol, models, start):
    judge(project, alice, count=4)
    prompt = make_prompt(project, "Held out")
    evaluation = start(by="people", prompts=1)
    new = evaluation.candidate
    evaluation.items.update(prompt=prompt)
    say(*ask(evaluation, ("Seven minutes.", "No idea.")), carol, evaluation, 1)
    new.run = Run.objects.create(
        project=project,
        name="DPO",
        algorithm="dpo",
        snapshot=create_snapshot(project=project, user=alice, test_fraction=0),
        base_model=models[1],
        created_by=alice,
    )
    assert set(held_out_prompts(project=project, models=[new])) == {prompt}
    everything = {"include_evaluations": True}
    new.run.snapshot = create_snapshot(project=project, user=alice, test_fraction=0, filters=everything)
    new.run.save()
    assert not held_out_prompts(project=project, models=[new]).exists()


def test_all_judged_without_a_winner_it_ends_undecided(project, carol, start):
    for number in range(4):
        make_prompt(project, f"Question {number}")
    evaluation = start(by="people")
    tasks = ask(evaluation, ("Seven.", "Nine."), ("Alike", "Alike "), ("Eight.", "Ten."), ("", "Something."))
    assert len(tasks) == 2
    assert not follow_evaluation(evaluation)
    say(tasks[1], carol, evaluation, 0.5)
    assert not follow_evaluation(evaluation)
    assert [(seen.points, seen.people) for seen in observe(reload(evaluation))] == [(0.5, 0), (0.5, 1)]
    say(tasks[0], carol, evaluation, 1)
    assert follow_evaluation(evaluation)
    ended = reload(evaluation)
    assert [seen.points for seen in observe(ended)] == [0.5, 0.5, 1, 0]
    assert (ended.status, ended.decision, ended.count, ended.win_rate) == (JobStatus.SUCCEEDED, "undecided", 4, 0.5)


def test_a_pair_counts_once_when_all_its_people_have_judged_it(project, alice, carol, start):
    make_prompt(project)
    evaluation = start(by="people", overlap=2)
    (task,) = ask(evaluation, ("Seven.", "Nine."))
    say(task, carol, evaluation, 1)
    assert observe(reload(evaluation)) == []
    say(task, alice, evaluation, 0.5)
    assert [(seen.points, seen.people) for seen in observe(reload(evaluation))] == [(0.75, 2)]


def test_cancelled_it_withdraws_its_comparisons_and_goes_on_when_retried(project, alice, carol, start):
    for number in range(2):
        make_prompt(project, f"Question {number}")
    evaluation = start(by="people")
    first, second = ask(evaluation, ("Seven.", "Nine."), ("Eight.", "Ten."))
    say(first, carol, evaluation, 1)
    assert cancel_evaluation(evaluation=reload(evaluation), user=alice)
    assert not cancel_evaluation(evaluation=reload(evaluation), user=alice)
    assert reload(evaluation).status == JobStatus.CANCELLED
    assert Task.objects.get(pk=second.pk).closed_at is not None
    assert retry_evaluation(evaluation=reload(evaluation), user=alice)
    assert not retry_evaluation(evaluation=reload(evaluation), user=alice)
    again = reload(evaluation)
    assert again.take()
    ask_people(again)
    assert Task.objects.filter(evaluated__evaluation=evaluation, closed_at=None).count() == 2
    assert Task.objects.count() == 2


def test_waiting_for_people_is_no_stall(project, start):
    make_prompt(project)
    evaluation = start(by="people")
    Evaluation.objects.update(queued_at="2026-01-01T00:00Z")
    assert recover_stalled_jobs() == 1
    ask(reload(evaluation), ("Seven.", "Nine."))
    Evaluation.objects.update(heartbeat_at="2026-01-01T00:00Z")
    assert recover_stalled_jobs() == 0
    assert not evaluate(reload(evaluation))


@WITH_A_WORKER
def test_a_model_whose_files_are_gone_fails_with_the_reason(project, models, start):
    make_prompt(project)
    models[1].folder, models[1].origin = "nowhere", "/nowhere"
    models[1].save()
    evaluation = start(by="people")
    assert evaluate(evaluation)
    assert reload(evaluation).status == JobStatus.FAILED
    assert "Model “old” could not be fetched" in reload(evaluation).error
