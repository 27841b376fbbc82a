"""Which task comes next: practice, qualification, work, and gold or repeats among it."""

import pytest

from annotate.assignment import hand_out, lease_next
from annotate.models import AuditEvent, Judgement, Membership, Project, Purpose, Task
from annotate.services.answers.kinds import ANSWER_KINDS
from annotate.standing import Stage
from tests.annotate.known import make_known, say
from tests.factories import make_project, make_task


def member(project, user):
    return Membership.objects.get(project=project, user=user)


def set_rates(project, **rates):
    Project.objects.filter(pk=project.pk).update(**rates)
    project.refresh_from_db()


def test_practice_comes_first_then_qualification_then_work(project, alice, carol):
    work = make_task(project, priority=9)
    test = make_known(project, alice, Purpose.QUALIFICATION)
    practice = make_known(project, alice, Purpose.PRACTICE)
    for task, stage in ((practice, Stage.PRACTICE), (test, Stage.QUALIFICATION), (work, Stage.WORK)):
        lease, standing = hand_out(user=carol, project=project)
        assert (lease.task_id, standing.stage) == (task.pk, stage)
        say(lease)
    assert member(project, carol).qualified_at


def test_practice_answered_wrongly_keeps_nobody_from_work_but_qualification_does(project, alice, carol):
    make_task(project)
    make_known(project, alice, Purpose.PRACTICE)
    for _ in range(3):
        make_known(project, alice, Purpose.QUALIFICATION)
    for better in (1, 0, 0, 1):  # 2 of 3 right, and 70 % are asked for
        say(lease_next(user=carol, project=project), better=better)
    lease, standing = hand_out(user=carol, project=project)
    assert (lease, standing.stage, standing.right, standing.whole) == (None, Stage.FAILED, 2, 3)
    set_rates(project, qualification_pass=0.6)
    assert hand_out(user=carol, project=project)[1].stage == Stage.WORK


def test_owners_and_reviewers_work_at_once(project, alice, bob):
    make_known(project, alice, Purpose.QUALIFICATION)
    work = make_task(project)
    assert lease_next(user=bob, project=project).task_id == work.pk


def test_who_was_at_work_before_there_was_a_test_stays_at_work(project, alice, carol):
    make_task(project)
    second = make_task(project)
    say(lease_next(user=carol, project=project))
    make_known(project, alice, Purpose.QUALIFICATION)
    assert lease_next(user=carol, project=project).task_id == second.pk


def test_gold_comes_at_the_rate_of_the_project_and_each_piece_once(project, alice, carol):
    gold = [make_known(project, alice) for _ in range(3)]
    for _ in range(5):
        make_task(project)
    set_rates(project, gold_rate=0.0)
    assert lease_next(user=carol, project=project).task.purpose == Purpose.WORK
    say(lease_next(user=carol, project=project))
    set_rates(project, gold_rate=1.0)
    seen = []
    for _ in range(3):
        lease = lease_next(user=carol, project=project)
        seen.append(lease.task_id)
        assert say(lease).matches_agreed is True
    assert sorted(seen) == [task.pk for task in gold]
    assert lease_next(user=carol, project=project).task.purpose == Purpose.WORK


def test_gold_never_comes_without_work_to_hide_it_among(project, alice, carol, bob):
    make_known(project, alice)
    set_rates(project, gold_rate=1.0)
    assert lease_next(user=carol, project=project) is None
    make_task(project)
    assert lease_next(user=bob, project=project).task.purpose == Purpose.WORK  # he knows the gold


@pytest.mark.parametrize(("right", "stage", "warns"), [(5, "work", False), (3, "work", True), (2, "paused", False)])
def test_too_little_gold_right_warns_and_then_pauses(project, alice, carol, right, stage, warns):
    for _ in range(5):
        make_known(project, alice)
        make_task(project)
    set_rates(project, gold_rate=1.0)
    for n in range(5):
        say(lease_next(user=carol, project=project), better=0 if n < right else 1)
    lease, standing = hand_out(user=carol, project=project)
    assert (standing.stage, standing.warns and stage == "work", lease is None) == (stage, warns, stage == "paused")
    reason = "2 of the last 5 answers to tasks whose answer is known were right (40 %); this project asks for 50 %."
    assert member(project, carol).pause_reason == (reason if stage == "paused" else "")
    assert AuditEvent.objects.filter(action="member.paused").count() == (stage == "paused")


def test_a_repeat_comes_ten_judgements_later_to_the_same_person_with_the_sides_turned(project, carol, bob):
    for _ in range(14):
        make_task(project)
    set_rates(project, gold_rate=0.0, mirror_rate=1.0)
    leases = []
    for _ in range(11):
        leases.append(lease_next(user=carol, project=project))
        assert leases[-1].task.purpose == Purpose.WORK
        say(leases[-1])
    repeat = lease_next(user=carol, project=project)
    assert (repeat.task.purpose, repeat.task.mirror_of_id) == (Purpose.MIRROR, leases[0].task_id)
    assert repeat.order == leases[0].order[::-1]
    assert lease_next(user=bob, project=project).task.purpose == Purpose.WORK
    again = say(repeat)
    agreed = ANSWER_KINDS["comparison"].agreed
    assert agreed(again) == agreed(Judgement.objects.get(task=leases[0].task_id))
    assert lease_next(user=carol, project=project).task.purpose == Purpose.WORK


def test_known_tasks_of_another_project_are_never_handed_out(project, alice, carol):
    other = make_project(alice, name="Another")
    make_known(other, alice, Purpose.PRACTICE)
    work = make_task(project)
    assert lease_next(user=carol, project=project).task_id == work.pk
    assert Task.objects.get(purpose=Purpose.PRACTICE).leases.count() == 0
