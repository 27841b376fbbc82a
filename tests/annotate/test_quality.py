"""What the page Quality counts, flags and decides."""

import random

import pytest
from django.urls import reverse

from annotate.assignment import hand_out, lease_next
from annotate.models import AuditEvent, Judgement, Membership, Project, Purpose, Response
from annotate.quality.flags import Figures, find_flags
from annotate.services.overview import count_totals, list_people, measure_project_agreement
from annotate.services.quality import measure_figures, measure_people
from annotate.services.standings import allow_retry
from annotate.services.tasks import count_waiting
from tests.annotate.known import make_known, say
from tests.factories import make_judgement, make_task

FAIR = random.Random(1)
LEFTS = [FAIR.random() < 0.5 for _ in range(100)]


def at(name, project, *args):
    return reverse(name, args=[project.pk, *args])


def member(project, user):
    return Membership.objects.get(project=project, user=user)


def flags(others=None, **figures):
    return [flag.name for flag in find_flags(Figures(**figures), others or Figures(), gold_warn_below=0.7)]


@pytest.mark.parametrize(
    ("figures", "expected"),
    [
        ({"timed": 40, "quick": 10}, ["Too fast"]),
        ({"timed": 40, "quick": 9}, []),
        ({"timed": 10, "quick": 10}, []),
        ({"lefts": LEFTS}, []),
        ({"lefts": [*LEFTS[:40], *[True] * 20, *[False] * 18]}, ["Straight line"]),
        ({"lefts": [True, False] * 20}, ["Pattern"]),
        ({"lefts": [True, True, True, True, False] * 12}, ["One side"]),
        ({"unlike": 40, "longer": 36}, ["Longer is better"]),
        ({"unlike": 40, "longer": 25}, []),
        ({"gold": 10, "gold_right": 6}, ["Gold"]),
        ({"gold": 10, "gold_right": 7}, []),
        ({"gold": 4, "gold_right": 0}, []),
        ({"repeats": 20, "repeats_same": 8}, ["Unsteady"]),
        ({"repeats": 20, "repeats_same": 16}, []),
    ],
)
def test_what_is_worth_a_look(figures, expected):
    assert flags(**figures) == expected


def test_a_habit_is_measured_beside_the_others():
    long_winded = Figures(unlike=400, longer=340)
    assert flags(long_winded, unlike=40, longer=36) == []
    assert flags(Figures(shared=400, shared_same=300), shared=50, shared_same=20) == ["Apart from others"]
    assert flags(Figures(shared=400, shared_same=300), shared=50, shared_same=34) == []


def test_a_flag_gives_its_numbers_and_its_chance():
    flag = find_flags(Figures(lefts=[True] * 6 + LEFTS[:3] + [True] * 16), Figures(), gold_warn_below=0.7)[0]
    assert flag.name == "One side"
    assert "times; sides are drawn by lot. Chance does that" in flag.reason


def test_the_figures_of_a_person(project, carol, bob):
    """Carol: always the first response, which is the longer; Bob agrees with her once in two shared tasks."""
    for n in range(4):
        task = make_task(project, overlap=2)
        Response.objects.filter(places__task=task, places__position=0).update(text="A long answer. " * 9)
        make_judgement(task, carol, -2, first_on_left=n != 0, is_quick=n < 3, active_seconds=10 * n)
        if n < 2:
            make_judgement(task, bob, (-1, 4)[n])
    mine = measure_figures(project)[carol.pk]
    assert (mine.answers, mine.timed, mine.quick, mine.median_seconds) == (4, 4, 3, 15)
    assert list(mine.lefts) == [False, True, True, True]
    assert (mine.unlike, mine.longer, mine.shared, mine.shared_same) == (4, 4, 2, 1)


def test_gold_and_repeats_are_counted_apart_from_work(project, alice, carol):
    for _ in range(2):
        make_judgement(make_known(project, alice), carol, -2, matches_agreed=True)
    for _ in range(12):
        make_task(project)
    Project.objects.update(gold_rate=0, mirror_rate=0)
    project.refresh_from_db()
    for _ in range(11):
        say(lease_next(user=carol, project=project))
    Project.objects.update(mirror_rate=1)
    project.refresh_from_db()
    say(lease_next(user=carol, project=project), better=1)
    mine = measure_figures(project)[carol.pk]
    assert (mine.answers, mine.gold, mine.gold_right, mine.repeats, mine.repeats_same) == (11, 2, 2, 1, 0)


def test_only_work_counts_in_the_overview_and_in_what_waits(project, alice, carol, bob):
    for purpose in (Purpose.GOLD, Purpose.PRACTICE, Purpose.QUALIFICATION):
        known = make_known(project, alice, purpose)
        make_judgement(known, carol, -2, matches_agreed=True)
        make_judgement(known, bob, -2, matches_agreed=True)
    make_judgement(make_task(project), carol, 1)
    totals = count_totals(project)
    assert (totals.tasks_open, totals.judgements, totals.places) == (1, 1, 1)
    assert [(person.name, person.answers) for person in list_people(project)] == [("Carol", 1)]
    assert measure_project_agreement(project) is None
    assert count_waiting(user=alice, project=project) == 1


def test_the_page_lists_people_with_flags_first_and_leads_to_their_answers(signed_in, project, alice, bob, carol):
    for _ in range(3):
        make_task(project, overlap=2)
    say(lease_next(user=carol, project=project))
    for _ in range(6):
        make_judgement(make_known(project, alice), carol, 2, matches_agreed=False)
    client = signed_in(bob)
    page = client.get(at("project-quality", project)).content.decode()
    assert "Carol" in page and "pill-warning" in page and "Gold" in page
    page = client.get(at("member-quality", project, member(project, carol).pk)).content.decode()
    assert "0 of 6 (0 %) gold answers are right" in page
    assert "slightly better" in page


def test_an_empty_project_says_what_will_be_here(signed_in, project, bob):
    assert "Nobody has judged yet" in signed_in(bob).get(at("project-quality", project)).content.decode()


def test_a_reviewer_lifts_a_pause_and_gold_counts_anew(signed_in, project, alice, bob, carol):
    make_task(project)
    for _ in range(5):
        make_judgement(make_known(project, alice), carol, 2, matches_agreed=False)
    page = signed_in(carol).get(at("judge", project)).content.decode()
    assert "Judging is paused for you" in page and "0 of the last 5 answers" in page
    url = at("member-standing", project, member(project, carol).pk)
    assert signed_in(bob).post(url, {"decision": "lift"}).status_code == 302
    assert 'name="lease"' in signed_in(carol).get(at("judge", project)).content.decode()
    signed_in(bob).post(url, {"decision": "lift"})  # again: nothing to do
    assert AuditEvent.objects.filter(action="member.resumed").count() == 1


def test_a_reviewer_pauses_a_person_with_a_reason_they_read(signed_in, project, bob, carol):
    make_task(project)
    url = at("member-standing", project, member(project, carol).pk)
    reply = signed_in(bob).post(url, {"decision": "pause", "reason": " "})
    assert (reply.status_code, "Say why; the person reads it." in reply.content.decode()) == (422, True)
    signed_in(bob).post(url, {"decision": "pause", "reason": "Let us talk about ties."})
    assert "Let us talk about ties." in signed_in(carol).get(at("judge", project)).content.decode()


def test_who_failed_may_be_let_try_again_or_let_in(signed_in, project, alice, bob, carol):
    work = make_task(project)
    known = make_known(project, alice, Purpose.QUALIFICATION)
    say(lease_next(user=carol, project=project), better=1)
    assert "Not passed yet" in signed_in(carol).get(at("judge", project)).content.decode()
    assert allow_retry(actor=bob, membership=member(project, carol))
    lease, standing = hand_out(user=carol, project=project)
    assert (lease.task_id, standing.stage, carol.drafts.count()) == (known.pk, "qualification", 0)
    known.refresh_from_db()
    assert known.remaining == 31_999
    say(lease, better=1)
    assert Judgement.objects.filter(task=known, annotator=carol).count() == 3  # wrong, taken back, wrong
    signed_in(bob).post(at("member-standing", project, member(project, carol).pk), {"decision": "qualify"})
    assert lease_next(user=carol, project=project).task_id == work.pk


def test_an_owner_sets_the_shares_in_per_cent(signed_in, project, alice):
    data = {"qualification_pass": "80", "gold_rate": "7", "gold_warn_below": "75", "gold_pause_below": "60"}
    url = at("project-quality-settings", project)
    assert signed_in(alice).post(url, {**data, "mirror_rate": "3", "reading_warning": "on"}).status_code == 302
    project.refresh_from_db()
    assert (project.qualification_pass, project.gold_rate, project.mirror_rate) == (0.8, 0.07, 0.03)
    assert not project.show_agreed_answers
    reply = signed_in(alice).post(url, {**data, "gold_pause_below": "90", "mirror_rate": "abc"})
    page = reply.content.decode()
    assert reply.status_code == 422 and 'value="abc"' in page and 'value="90"' in page
    assert "Give at most 75 %" in page and "Give a whole number from 0 to 100." in page


def test_the_page_costs_the_same_for_many_people(project, alice, carol, bob, django_assert_max_num_queries):
    for user in (alice, bob, carol):
        for _ in range(3):
            make_judgement(make_task(project), user, 2)
    with django_assert_max_num_queries(6):
        assert len(measure_people(project)) == 3
