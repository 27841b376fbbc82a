"""The overview's figures, and who sees them."""

from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.urls import reverse
from django.utils import timezone

from annotate.models import Judgement, Role, Task
from annotate.services import overview
from annotate.services.snapshots import create_snapshot
from annotate.tasks import count_figures
from plumbline_client.errors import ApiError
from tests.api import api_of
from tests.factories import add_member, make_judgement, make_project, make_prompt, make_task, make_user


@pytest.fixture
def at(project):
    return reverse("project-overview", args=[project.pk])


def skip(task, annotator):
    return Judgement.objects.create(
        project=task.project,
        task=task,
        kind=task.kind,
        annotator=annotator,
        outcome="skip",
        skip_reason="too long",
        submission_id="00000000-0000-0000-0000-000000000001",
    )


# Figures


def test_totals_count_what_stands_in_this_project(project, carol, mallory):
    judged, waiting, closed = make_task(project), make_task(project), make_task(project)
    make_judgement(judged, carol, active_seconds=10.0)
    make_judgement(make_task(project), carol, active_seconds=20.0, created_at=timezone.now() - timedelta(days=8))
    make_judgement(make_task(project), None, points=None, external_annotator="imported")
    skip(waiting, carol)
    Task.objects.filter(pk=judged.pk).update(remaining=0)
    Task.objects.filter(pk=closed.pk).update(closed_at=timezone.now())
    make_judgement(make_task(make_project(mallory)), mallory)
    assert overview.count_totals(project) == overview.Totals(
        prompts=5,
        responses=10,
        tasks_open=3,
        tasks_done=1,
        tasks_closed=1,
        places=4,
        places_free=3,
        judgements=3,
        imported=1,
        active_people=1,
        median_seconds=15.0,
    )


def test_an_empty_project_has_zeros_and_no_shares(project):
    totals = overview.count_totals(project)
    assert (totals.judgements, totals.tasks, totals.median_seconds) == (0, 0, None)
    assert overview.measure_project_agreement(project) is None
    assert overview.list_people(project) == []
    assert overview.measure_side_bias([]) is None


def test_every_one_of_thirty_days_has_its_count(project, carol):
    now = timezone.now()
    for days in (0, 0, 3, 29, 31):
        make_judgement(make_task(project), carol, created_at=now - timedelta(days=days))
    make_judgement(make_task(project), None, points=None, external_annotator="imported")
    counts = [day.count for day in overview.count_by_day(project)]
    assert len(counts) == 30
    assert (counts[-1], counts[-4], counts[0], sum(counts)) == (2, 1, 1, 4)


def test_agreement_is_of_the_direction_and_not_of_the_strength(project, carol, bob):
    """Tasks: same direction twice, opposite once, tie and both bad once: 2 of 4 pairs alike."""
    for first, second in ((-4, -1), (1, 3), (-1, 1), (0, None)):
        task = make_task(project, overlap=2)
        make_judgement(task, carol, first)
        make_judgement(task, bob, second)
    make_judgement(make_task(project), carol)
    measured = overview.measure_project_agreement(project)
    assert (measured.tasks, measured.answers, measured.observed) == (4, 8, 0.5)


def test_the_left_share_follows_the_side_a_response_was_shown_on(project, carol):
    for preference, first_on_left in ((-1, True), (1, False), (2, True), (0, True), (None, True), (-3, None)):
        make_judgement(make_task(project), carol, preference, first_on_left=first_on_left)
    (person,) = overview.list_people(project)
    assert (person.left.part, person.left.whole) == (2, 3)
    assert overview.measure_side_bias([person]).value == pytest.approx(2 / 3)


def test_people_are_listed_with_answers_skips_and_median_time(project, carol, bob):
    for seconds in (4.0, 8.0, 60.0):
        make_judgement(make_task(project), carol, active_seconds=seconds)
    make_judgement(make_task(project), bob)
    skip(make_task(project), bob)
    busiest, other = overview.list_people(project)
    assert (busiest.name, busiest.answers, busiest.skips, busiest.median_seconds) == ("Carol", 3, 0, 8.0)
    assert (other.name, other.answers, other.skips, other.median_seconds) == ("Bob", 1, 1, None)


def test_a_lean_of_the_project_needs_enough_answers_and_an_interval_without_half():
    assert not overview.project_leans(overview.measure_share(19, 19))
    assert not overview.project_leans(overview.measure_share(18, 30))
    assert overview.project_leans(overview.measure_share(25, 30))
    assert overview.project_leans(overview.measure_share(5, 30))
    assert not overview.project_leans(None)


def test_a_lean_of_one_person_needs_more_than_one_in_twenty():
    """10 of 10: 99.9 % interval from 10/(10 + 3.2905²) = 0.480; 11 of 11 from 0.504."""
    assert not overview.clearly_leans(overview.measure_share(10, 10))
    assert overview.clearly_leans(overview.measure_share(11, 11))
    assert overview.clearly_leans(overview.measure_share(0, 11))
    assert not overview.clearly_leans(overview.measure_share(20, 30))


def test_the_steps_are_ticked_off_one_by_one(project, alice, carol):
    def done():
        return [step.done for step in overview.list_steps(project, overview.count_totals(project))]

    assert done() == [True, False, True, False, False, False]
    task = make_task(project)
    assert done() == [True, True, True, True, False, False]
    make_judgement(task, carol)
    create_snapshot(project=project, user=alice)
    assert done() == [True] * 6


# The page


def test_owners_and_reviewers_see_it_annotators_judge_and_strangers_find_nothing(
    signed_in, at, project, alice, bob, carol, mallory, stranger
):
    assert [signed_in(user).get(at).status_code for user in (alice, bob, mallory, stranger)] == [200, 200, 404, 404]
    sent_on = signed_in(carol).get(at)
    assert (sent_on.status_code, sent_on.url) == (302, reverse("judge", args=[project.pk]))
    assert signed_in(alice).post(at).status_code == 405


def test_a_large_project_is_counted_in_the_background_and_its_figures_say_when(
    signed_in, at, project, alice, carol, settings
):
    settings.FIGURES_COUNTED_AT_ONCE = 1
    client = signed_in(alice)
    make_judgement(make_task(project), carol)
    assert 'id="counted"' not in client.get(at).content.decode()
    make_judgement(make_task(project), carol)
    assert "The figures are being counted" in client.get(at).content.decode()
    hers = api_of(alice, ["read"])
    with pytest.raises(ApiError, match="counted for the first time"):
        hers.call("GET", f"projects/{project.pk}/overview/")
    count_figures(job_id=project.pk)
    assert hers.call("GET", f"projects/{project.pk}/overview/")["totals"]["judgements"] == 2
    page = client.get(at).content.decode()
    assert "Counted <time" in page and "2 open" in page
    make_task(project)
    assert "2 open" in client.get(at).content.decode()
    count_figures(job_id=project.pk)
    assert "3 open" in client.get(at).content.decode()


def test_a_new_project_says_what_comes_next(signed_in, at, alice):
    page = signed_in(alice).get(at).content.decode()
    assert "next: import prompts" in page
    assert "Judgements a day" not in page


def test_a_running_project_shows_its_figures_and_a_warning_of_a_lean(signed_in, at, project, alice, carol, bob):
    for _ in range(30):
        make_judgement(make_task(project, overlap=2), carol, -1, first_on_left=True, active_seconds=75.0)
    task = make_task(project, overlap=2)
    make_judgement(task, carol, -1)
    make_judgement(task, bob, -2)
    text = " ".join(signed_in(alice).get(at).content.decode().split())
    assert "1 min 15 s" in text
    assert 'aria-label="Places judged or held" value="0" max="62"' in text
    assert 'Pairs of people who say the same</dt><dd class="num">100 %' in text
    assert "undefined: every answer is the same" in text
    assert "One side is preferred more often than chance would explain." in text
    assert "Carol chose the left 31 of 31 times." in text
    assert f'hx-get="{reverse("project-training-summary", args=[project.pk])}"' in text
    assert 'data-count="32"' in text


def test_the_number_of_statements_does_not_grow(signed_in, at, project, alice, django_assert_max_num_queries):
    def judge_some(number):
        for index in range(number):
            person = make_user(f"Person{get_user_model().objects.count()}x{index}")
            add_member(project, person, Role.ANNOTATOR)
            make_judgement(make_task(project, prompt=make_prompt(project)), person)

    client = signed_in(alice)
    for number in (1, 6):
        judge_some(number)
        with django_assert_max_num_queries(16):
            client.get(at)
