"""Many people at once, each over HTTP on a connection of their own, against a real Postgres."""

import re
import time
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction
from django.db.models import Count, F
from django.test import Client
from django.urls import reverse

from annotate import assignment
from annotate.models import Draft, Judgement, Lease, Response, Task
from annotate.services.answers.answer import Answer
from annotate.services.answers.comparison import ComparisonAnswer
from annotate.services.judging import save_draft, submit_judgement
from annotate.services.responses import add_responses
from annotate.services.tasks import create_comparison_tasks
from tests.factories import add_member, make_author, make_project, make_prompt, make_response, make_task, make_user

PEOPLE, TASKS, OVERLAP = 50, 200, 2
FIELDS = re.compile(r'name="(lease|submission_id)" value="([^"]+)"')
TIE = Answer(said=ComparisonAnswer(preference=0, points=8))


@pytest.fixture
def people(transactional_db):
    owner = make_user("Olga")
    project = make_project(owner)
    people = [make_user(f"Person{number}") for number in range(PEOPLE)]
    for person in people:
        add_member(project, person, "annotator")
    return project, people


def at_once(work, everybody):
    """Run `work(person)` for everybody at the same time; each thread closes its connection."""

    def one(person):
        try:
            return work(person)
        finally:
            connection.close()

    with ThreadPoolExecutor(len(everybody)) as pool:
        return list(pool.map(one, everybody))


def test_the_same_responses_stored_by_several_at_once_are_stored_once(transactional_db):
    prompt = make_prompt(make_project(make_user("Olga")))
    author = make_author(prompt.project)

    def store(person):
        wanted = [Response(prompt=prompt, author=author, key=f"{key}", text="Yes.") for key in range(300)]
        return [(response.pk, is_new) for response, is_new in add_responses(responses=wanted)]

    answers = at_once(store, range(4))
    assert {pk for answer in answers for pk, _ in answer} == set(Response.objects.values_list("pk", flat=True))
    assert sum(is_new for answer in answers for _, is_new in answer) >= Response.objects.count() == 300


def test_fifty_people_judge_every_task_exactly_as_often_as_it_needs(people):
    project, everybody = people
    prompt = make_prompt(project)
    responses = [make_response(prompt, f"Answer {number}.") for number in range(2 * TASKS)]
    pairs = zip(responses[::2], responses[1::2], strict=True)
    assert create_comparison_tasks(project=project, pairs=pairs, overlap=OVERLAP, key_prefix="all") == TASKS
    address = reverse("judge", args=[project.pk])

    def judge_until_nothing_waits(person):
        client = Client(headers={"HX-Request": "true"})
        client.force_login(person)
        page, judged = client.get(address), 0
        while 'id="answer"' in (html := page.content.decode()):
            page = client.post(address, {**dict(FIELDS.findall(html)), "choice": "-4"})
            judged += 1
        return judged

    assert sum(at_once(judge_until_nothing_waits, everybody)) == TASKS * OVERLAP
    assert Judgement.objects.answers().filter(is_surplus=False).count() == Judgement.objects.count() == TASKS * OVERLAP
    per_task = Judgement.objects.values("task").annotate(n=Count("pk"), people=Count("annotator", distinct=True))
    assert set(per_task.values_list("n", "people")) == {(OVERLAP, OVERLAP)}
    assert set(Task.objects.values_list("remaining", flat=True)) == {0}
    assert set(Lease.objects.values_list("state", flat=True)) == {"done"}


def test_a_storm_of_the_same_submission_is_one_judgement(people):
    project, everybody = people
    make_task(project)
    lease = assignment.lease_next(user=everybody[0], project=project)
    submission = uuid.uuid4()

    def submit(_):
        return submit_judgement(lease=lease, submission_id=submission, answer=TIE).pk

    assert len(set(at_once(submit, range(20)))) == 1
    assert (Judgement.objects.count(), Task.objects.get().remaining) == (1, 0)


def test_the_tabs_of_one_person_share_one_task(people):
    project, (person, *_) = people
    for _ in range(5):
        make_task(project, overlap=3)
    leases = at_once(lambda _: assignment.lease_next(user=person, project=project).pk, range(12))
    assert len(set(leases)) == 1
    assert Counter(Task.objects.values_list("remaining", flat=True)) == {3: 4, 2: 1}


def test_expiry_return_and_submission_at_the_same_moment_lose_no_place_and_no_answer(people):
    project, everybody = people
    for _ in range(25):
        make_task(project, overlap=2)
    leases = [assignment.lease_next(user=person, project=project) for person in everybody]
    Lease.objects.update(expires_at=F("leased_at"))

    def disturb(lease):
        number = lease.pk % 3
        if number == 0:
            assignment.return_expired_leases()
        elif number == 1:
            assignment.return_lease(lease=lease)
        return submit_judgement(lease=lease, submission_id=uuid.uuid4(), answer=TIE).is_surplus

    assert at_once(disturb, leases) == [False] * PEOPLE
    assert Judgement.objects.answers().count() == PEOPLE
    assert set(Task.objects.values_list("remaining", flat=True)) == {0}
    assert set(Lease.objects.values_list("state", flat=True)) == {"done"}


def test_drafts_that_cross_their_answer_on_the_way_do_no_harm(people):
    project, (person, *_) = people
    make_task(project)
    lease = assignment.lease_next(user=person, project=project)

    def send(number):
        if number == 7:
            submit_judgement(lease=lease, submission_id=uuid.uuid4(), answer=TIE)
        return save_draft(lease=lease, data={"rationale": str(number)})

    at_once(send, range(20))
    assert Judgement.objects.count() == 1
    assert not Draft.objects.exists()


def test_a_page_opened_while_another_hands_its_task_back_shows_that_task(people):
    project, (person, *_) = people
    make_task(project)
    lease = assignment.lease_next(user=person, project=project)
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            assert assignment.return_lease(lease=lease)
            opened = pool.submit(at_once, lambda who: assignment.lease_next(user=who, project=project), [person])
            wait_until_somebody_waits_for_a_lock(opened)
        (held,) = opened.result(timeout=30)
    assert (held.pk, held.state) == (lease.pk, Lease.State.HELD)
    assert Task.objects.get().remaining == 0


def wait_until_somebody_waits_for_a_lock(work):
    waiting = "SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE NOT granted AND datname = %s"
    with connection.cursor() as cursor:
        while not work.done():
            cursor.execute(waiting, [connection.settings_dict["NAME"]])
            if cursor.fetchone()[0]:
                return
            time.sleep(0.01)
