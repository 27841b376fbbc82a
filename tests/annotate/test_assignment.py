import re
from datetime import timedelta

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from annotate import assignment
from annotate.models import Judgement, Lease, Task, TaskResponse
from annotate.services.tasks import count_waiting
from annotate.tasks import return_expired_leases
from tests.factories import make_judgement, make_project, make_prompt, make_response, make_task


def let_lapse(lease):
    Lease.objects.filter(pk=lease.pk).update(expires_at=timezone.now() - timedelta(seconds=1))


def remaining(task):
    return Task.objects.get(pk=task.pk).remaining


def test_the_most_urgent_task_comes_first_then_the_oldest(project, carol):
    later, first, urgent = make_task(project), make_task(project), make_task(project, priority=5)
    Task.objects.filter(pk=later.pk).update(closed_at=timezone.now())
    lease = assignment.lease_next(user=carol, project=project)
    assert (lease.task_id, lease.state, remaining(urgent)) == (urgent.pk, "held", 0)
    Lease.objects.filter(pk=lease.pk).update(state="done")
    assert assignment.lease_next(user=carol, project=project).task_id == first.pk


def test_asking_again_gives_the_task_that_is_held_and_takes_no_second_place(project, carol):
    task = make_task(project, overlap=2)
    first = assignment.lease_next(user=carol, project=project)
    again = assignment.lease_next(user=carol, project=project)
    assert (again.pk, again.first_on_left) == (first.pk, first.first_on_left)
    assert again.expires_at > first.expires_at
    assert remaining(task) == 1


def test_a_task_goes_to_as_many_people_as_it_needs_and_no_more(project, alice, bob, carol):
    task = make_task(project, overlap=2)
    assert assignment.lease_next(user=alice, project=project).task_id == task.pk
    assert assignment.lease_next(user=bob, project=project).task_id == task.pk
    assert assignment.lease_next(user=carol, project=project) is None
    assert remaining(task) == 0


def test_nothing_comes_from_another_project(project, carol, alice):
    make_task(make_project(alice, name="Another"))
    assert assignment.lease_next(user=carol, project=project) is None


def test_a_task_given_back_is_the_first_its_person_gets_again_on_the_same_sides(project, carol):
    task = make_task(project)
    lease = assignment.lease_next(user=carol, project=project)
    assert assignment.return_lease(lease=lease)
    assert remaining(task) == 1
    make_task(project, priority=9)
    again = assignment.lease_next(user=carol, project=project)
    assert (again.pk, again.first_on_left, again.state, remaining(task)) == (lease.pk, lease.first_on_left, "held", 0)


def test_a_page_that_closes_late_does_not_take_the_task_from_the_page_that_replaced_it(project, carol):
    task = make_task(project)
    seen = assignment.lease_next(user=carol, project=project).expires_at
    lease = assignment.lease_next(user=carol, project=project)
    assert not assignment.return_lease(lease=lease, held_until=seen)
    assert remaining(task) == 0
    assert assignment.return_lease(lease=lease, held_until=lease.expires_at)
    assert not assignment.return_lease(lease=lease)
    assert remaining(task) == 1


def test_expired_leases_go_back_once_and_all_together(project, alice, bob, carol):
    tasks = [make_task(project, overlap=2), make_task(project, overlap=2)]
    leases = [assignment.lease_next(user=user, project=project) for user in (alice, bob, carol)]
    kept = leases.pop()
    for lease in leases:
        let_lapse(lease)
    assert [remaining(task) for task in tasks] == [0, 1]
    assert return_expired_leases.apply().get() == 2
    assert [remaining(task) for task in tasks] == [2, 1]
    assert assignment.return_expired_leases() == 0
    assert sorted(Lease.objects.values_list("pk", "state")) == sorted(
        [(leases[0].pk, "expired"), (leases[1].pk, "expired"), (kept.pk, "held")]
    )


def test_a_heartbeat_extends_and_takes_a_lapsed_task_up_again_while_its_place_is_free(project, bob, carol):
    task = make_task(project)
    lease = assignment.lease_next(user=carol, project=project)
    let_lapse(lease)
    assert assignment.extend_lease(lease=lease) and lease.expires_at > timezone.now()
    let_lapse(lease)
    assignment.return_expired_leases()
    assert assignment.extend_lease(lease=lease)
    assert (lease.state, remaining(task)) == ("held", 0)
    let_lapse(lease)
    assignment.return_expired_leases()
    assignment.lease_next(user=bob, project=project)
    assert not assignment.extend_lease(lease=lease)
    assert (lease.state, remaining(task)) == ("expired", 0)


def test_a_closed_task_is_taken_out_of_a_persons_hands_when_they_ask_again(project, carol):
    task = make_task(project)
    assignment.lease_next(user=carol, project=project)
    Task.objects.filter(pk=task.pk).update(closed_at=timezone.now())
    assert assignment.lease_next(user=carol, project=project) is None


def test_sides_are_drawn_evenly(project, carol):
    prompt = make_prompt(project)
    rows = [Task(project=project, prompt=prompt, key=str(n), required_judgements=1, remaining=1) for n in range(200)]
    Task.objects.bulk_create(rows)
    pair = [make_response(prompt, "One."), make_response(prompt, "Two.")]
    TaskResponse.objects.bulk_create(
        TaskResponse(task=task, response=response, position=position)
        for task in rows
        for position, response in enumerate(pair)
    )
    sides = []
    while lease := assignment.lease_next(user=carol, project=project):
        sides.append(lease.first_on_left)
        Lease.objects.filter(pk=lease.pk).update(state="done")
    assert len(sides) == 200
    assert 60 <= sum(sides) <= 140  # more than five standard deviations


def test_the_next_task_costs_the_same_however_many_there_are(project, carol, django_assert_num_queries):
    for _ in range(2):
        make_task(project)
    assignment.lease_next(user=carol, project=project)
    Lease.objects.update(state="done")
    with django_assert_num_queries(6):  # savepoint, membership, standing, held, place, release
        assignment.lease_next(user=carol, project=project)
    for _ in range(20):
        make_task(project)
    Lease.objects.update(state="done")
    with django_assert_num_queries(6):
        assignment.lease_next(user=carol, project=project)


def test_whoever_has_had_all_of_the_queues_front_goes_on_behind_it_and_gets_what_is_urgent_first(project, carol):
    prompt, last = make_prompt(project), make_task(project)
    Task.objects.bulk_create(
        Task(project=project, prompt=prompt, key=str(n), required_judgements=2, remaining=1) for n in range(300)
    )
    skipped, *seen = Task.objects.order_by("pk")[250:300]
    seen += Task.objects.order_by("pk")[:250]
    Lease.objects.bulk_create(
        Lease(task=task, annotator=carol, order=[0, 1], state="done", expires_at=timezone.now()) for task in seen
    )
    make_judgement(last, carol)
    Judgement.objects.update(task=Task.objects.order_by("pk")[299])
    first, urgent = Task.objects.order_by("pk")[300], make_task(project, priority=5)
    handed_out = []
    for _ in range(3):
        lease = assignment.lease_next(user=carol, project=project)
        handed_out.append(lease.task_id)
        Lease.objects.filter(pk=lease.pk).update(state="done")
    assert handed_out == [urgent.pk, first.pk, skipped.pk]
    assert assignment.lease_next(user=carol, project=project) is None


def test_the_queue_reads_its_index_and_never_the_whole_table(project, carol, bob):
    prompt = make_prompt(project)
    Task.objects.bulk_create(
        Task(project=project, prompt=prompt, key=str(n), required_judgements=1, remaining=n % 2) for n in range(4_000)
    )
    some = Task.objects.filter(remaining=0)[:1_000]
    until = timezone.now()
    Lease.objects.bulk_create(
        Lease(task=task, annotator=user, order=[0, 1], state="done", expires_at=until)
        for task in some
        for user in (carol, bob)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE annotate_task, annotate_lease, annotate_membership, annotate_judgement")
    with CaptureQueriesContext(connection) as captured:
        assignment.lease_next(user=carol, project=project)
        count_waiting(user=carol, project=project)
    statements = [query["sql"].strip() for query in captured.captured_queries]
    plans = [plan_of(statement) for statement in statements if statement.startswith(("SELECT", "WITH"))]
    assert len(plans) == 6  # membership, what is to be passed, gold judged, held, place, count
    assert "lease_open_to" in plans[3]
    assert all("task_queue" in plans[n] for n in (1, 4, 5))
    assert [plan for plan in plans[1:] if re.search(r"Seq Scan on annotate_(task|lease)\b", plan)] == []


def plan_of(select):
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {select}")
        return "\n".join(row[0] for row in cursor.fetchall())
