"""A round: each step done once, whatever calls; what its owner can do; when it begins."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.utils import timezone

from annotate.models import Response, Task
from tests.training.factories import judge, judge_one, make_backbone, make_policy
from tests.training.round_factories import begin, end_run, finish, finish_step, make_ready, make_recipe, step_of
from training.models import Alarm, Evaluation, ModelVersion, Recipe, Round, Run
from training.services.policies import current_policy, restore
from training.services.round_evaluation import take_by_hand
from training.services.round_triggers import start_due_rounds
from training.services.rounds import advance_round, cancel_round, retry_step, skip_step, start_round

pytestmark = pytest.mark.django_db


def test_a_round_goes_from_judgements_to_a_better_policy_and_new_tasks(project, alice):
    round = begin(project, alice)
    before = Task.objects.count()
    finish(round)
    round.refresh_from_db()
    assert [(step.kind, step.status, step.error) for step in round.steps.order_by("position")] == [
        (kind, "succeeded", "")
        for kind in ("snapshot", "reward_model", "heldout_reward_model", "policy", "evaluate", "respond", "queue")
    ]
    assert (round.status, round.decision) == ("succeeded", "taken")
    assert current_policy(project).run == step_of(round, "policy").run
    assert Task.objects.count() == before + 3
    assert Evaluation.objects.get().baseline == round.policy_before


def rows(round):
    """What a round has made: what must not double."""
    return (
        Run.objects.of_project(round.project).count(),
        ModelVersion.objects.of_project(round.project).count(),
        round.project.snapshots.count(),
        round.project.generations.count(),
        Evaluation.objects.of_project(round.project).count(),
        round.project.tasks.count(),
        round.project.policies.count(),
        round.project.audit_events.count(),
    )


@pytest.mark.parametrize("kind", ["reward_model", "heldout_reward_model", "policy", "evaluate", "respond"])
def test_a_step_under_way_begins_once_however_often_the_round_is_moved(project, alice, kind):
    round = finish(begin(project, alice), until=kind)
    made = rows(round)
    for _ in range(3):
        advance_round(round_id=round.pk)
    assert rows(round) == made
    assert step_of(round, kind).status == "running"


def test_a_finished_round_moves_no_further(project, alice):
    round = finish(begin(project, alice))
    made = rows(round)
    assert advance_round(round_id=round.pk) is None
    assert rows(round) == made


@pytest.mark.django_db(transaction=True)
def test_two_workers_that_move_a_round_at_once_begin_its_step_once(project, alice):
    make_ready(project, alice)
    round = start_round(recipe=make_recipe(project), user=alice)
    together(4, lambda: advance_round(round_id=round.pk))
    assert Run.objects.of_project(project).count() == 1
    assert project.snapshots.count() == 2


@pytest.mark.django_db(transaction=True)
def test_many_triggers_at_once_begin_one_round(project, alice):
    make_ready(project, alice)
    make_recipe(project, trigger="judgements", every=10)
    make_recipe(project, "Another", trigger="judgements", every=10)
    together(4, start_due_rounds)
    round = Round.objects.get()
    assert (round.because, round.started_by, round.new_judgements) == ("10 new judgements", None, 24)


def together(count, work):
    """`work` in as many threads at once, each with a connection of its own; what one raises is raised here."""
    gate = Barrier(count)

    def one():
        gate.wait()
        try:
            work()
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as pool:
        for done in [pool.submit(one) for _ in range(count)]:
            done.result()


def test_a_round_begins_when_enough_is_new_since_the_last_and_not_before(project, alice):
    make_ready(project, alice, judgements=9)
    make_recipe(project, trigger="judgements", every=10)
    assert start_due_rounds() == []
    judge_one(project, alice, 9, -3)
    first = start_due_rounds()[0]
    assert start_due_rounds() == []  # it is under way
    cancel_round(round=first, user=alice)
    assert start_due_rounds() == []  # nothing new
    for number in range(10, 20):
        judge_one(project, alice, number, -3)
    assert [round.number for round in start_due_rounds()] == [2]


def test_a_time_that_passed_unseen_begins_one_round_and_the_clock_goes_on(project, alice):
    make_ready(project, alice)
    recipe = make_recipe(project, trigger="hours")
    Recipe.objects.filter(pk=recipe.pk).update(every_hours=6, next_at=timezone.now() - timedelta(days=3))
    assert [round.because for round in start_due_rounds()] == ["every 6 hours"]
    recipe.refresh_from_db()
    assert timedelta(hours=5) < recipe.next_at - timezone.now() <= timedelta(hours=6)
    assert start_due_rounds() == []


def test_a_time_with_nothing_new_to_learn_begins_nothing(project, alice):
    make_policy(project)
    recipe = make_recipe(project, trigger="times")
    Recipe.objects.filter(pk=recipe.pk).update(next_at=timezone.now())
    assert start_due_rounds() == []
    recipe.refresh_from_db()
    assert recipe.next_at > timezone.now()


def test_an_archived_project_begins_no_round(project, alice):
    make_ready(project, alice)
    make_recipe(project, trigger="judgements")
    project.archived_at = timezone.now()
    project.save(update_fields=["archived_at"])
    assert start_due_rounds() == []


def test_a_failed_step_stops_the_round_until_it_is_retried(project, alice):
    round = finish(begin(project, alice), until="policy")
    step = step_of(round, "policy")
    end_run(step.run, "failed", "Out of memory.")
    advance_round(round_id=round.pk)
    round.refresh_from_db()
    step.refresh_from_db()
    assert (round.status, step.status) == ("stopped", "failed")
    assert step.error == "Run “Round 1: policy” ended as failed. Out of memory."
    with pytest.raises(ValidationError, match="Round 1 is still under way"):
        start_round(recipe=round.recipe, user=alice)
    made = rows(round)[0]
    assert retry_step(step=step, user=alice)
    assert not retry_step(step=step, user=alice)
    step.run.refresh_from_db()
    assert (step.run.status, rows(round)[0]) == ("queued", made)
    assert finish_from(round, "policy").status == "succeeded"


def finish_from(round, kind):
    """Do the rest of the round's work from this step on."""
    for step in round.steps.filter(position__gte=step_of(round, kind).position).order_by("position"):
        advance_round(round_id=round.pk)
        step.refresh_from_db()
        finish_step(step, 0.55)
    advance_round(round_id=round.pk)
    round.refresh_from_db()
    return round


def test_a_step_that_could_not_begin_says_why_and_begins_when_retried(project, alice):
    make_policy(project)
    make_backbone(project)
    round = start_round(recipe=make_recipe(project), user=alice)
    advance_round(round_id=round.pk)
    step = step_of(round, "snapshot")
    assert (step.status, step.snapshot) == ("failed", None)
    assert "No judgement matches" in step.error
    judge(project, alice, count=24)
    assert retry_step(step=step, user=alice)
    advance_round(round_id=round.pk)
    assert step_of(round, "reward_model").status == "running"


def test_without_a_new_policy_the_old_one_stays_and_writes_the_responses(project, alice):
    round = finish(begin(project, alice), until="policy")
    step = step_of(round, "policy")
    end_run(step.run, "failed", "Out of memory.")
    advance_round(round_id=round.pk)
    step.refresh_from_db()
    assert skip_step(step=step, user=alice)
    round = finish_from(round, "evaluate")
    assert (round.status, round.decision, round.decision_reason) == ("succeeded", "kept", "No new policy was trained.")
    assert step_of(round, "evaluate").status == "skipped"
    assert step_of(round, "respond").generation.model == round.policy_before


def test_a_round_without_judgements_or_a_first_reward_model_cannot_skip_them(project, alice):
    round = begin(project, alice)
    step = step_of(round, "reward_model")
    end_run(step.run, "failed")
    advance_round(round_id=round.pk)
    step.refresh_from_db()
    assert not skip_step(step=step, user=alice)
    assert step_of(round, "reward_model").status == "failed"


def test_a_cancelled_round_stops_its_run_and_lets_the_next_begin(project, alice):
    round = begin(project, alice)
    assert cancel_round(round=round, user=alice)
    assert not cancel_round(round=round, user=alice)
    assert step_of(round, "reward_model").run.status == "cancelled"
    assert start_round(recipe=round.recipe, user=alice).number == 2


@pytest.mark.parametrize(
    ("low", "decision", "words"),
    [
        (0.52, "taken", "in 62 % of 40 (95 % interval 52 to 72 %), beyond doubt more than 50 %."),
        (0.48, "kept", "in 58 % of 40 (95 % interval 48 to 68 %); the rule asks for more than 50 % beyond doubt."),
    ],
)
def test_the_low_end_of_the_interval_decides(project, alice, low, decision, words):
    round = finish(begin(project, alice), low=low)
    assert (round.decision, round.decision_reason) == (decision, f"The held-out reward model prefers it {words}")
    new = step_of(round, "policy").run.output
    assert (current_policy(project) == new) == (decision == "taken")
    responses = step_of(round, "respond")
    assert responses.generation.model == current_policy(project)
    assert {responses.generation.model, responses.rival_generation.model} == {new, round.policy_before}


def test_an_alarm_that_says_stop_keeps_the_policy_out(project, alice):
    round = finish(begin(project, alice), until="evaluate")
    Alarm.objects.create(project=project, round=round, kind="hack", severity="stop", message="It flatters.", remedy="-")
    round = finish_from(round, "evaluate")
    assert round.decision == "kept"
    assert round.decision_reason.endswith("An alarm says stop: It flatters.")


def test_what_the_rule_kept_out_an_owner_may_take_and_give_back(project, alice):
    round = finish(begin(project, alice, gate="hand"))
    assert (round.decision, round.decision_reason) == ("", "This recipe leaves it to an owner.")
    before, new = current_policy(project), step_of(round, "policy").run.output
    assert take_by_hand(round=round, user=alice)
    assert not take_by_hand(round=round, user=alice)
    assert current_policy(project) == new
    first = project.policies.get(model=before)
    assert (first.reason, first.is_current) == ("The project began with it.", False)
    assert restore(entry=first, user=alice)
    assert not restore(entry=first, user=alice)
    assert current_policy(project) == before
    assert list(project.policies.order_by("pk").values_list("model__name", "is_current")) == [
        (before.name, False),
        (new.name, False),
        (before.name, True),
    ]
    assert project.audit_events.filter(action="policy.taken_into_use").count() == 2


def test_two_halves_share_no_prompt(project, alice):
    round = begin(project, alice)
    step = step_of(round, "snapshot")
    halves = [
        set(snapshot.items.values_list("judgement__task__prompt", flat=True))
        for snapshot in (step.snapshot, step.heldout_snapshot)
    ]
    assert not halves[0] & halves[1]
    assert len(halves[0] | halves[1]) == 24


def test_a_policy_that_writes_nothing_worth_comparing_raises_an_alarm(project, alice):
    round = finish(begin(project, alice), until="respond")
    step = step_of(round, "respond")
    finish_step(step, 0.5)
    Response.objects.filter(prompt__project=project).update(text="")
    advance_round(round_id=round.pk)
    round.refresh_from_db()
    assert (round.status, step_of(round, "queue").facts["queued"]) == ("succeeded", 0)
    assert "could be compared: they are empty or alike" in round.alarms.get().message
