"""My work: figures about myself alone."""

import pytest
from django.urls import reverse

from annotate.services.own_statistics import own_agreement, own_statistics, share_with_most
from tests.factories import add_member, make_judgement, make_task, make_user


def judged_by_three(project, carol, others, mine, theirs):
    task = make_task(project, overlap=3)
    make_judgement(task, carol, mine)
    for person, preference in zip(others, theirs, strict=True):
        make_judgement(task, person, preference)


@pytest.fixture
def others(project):
    people = [make_user("Dora"), make_user("Egon")]
    for person in people:
        add_member(project, person, "annotator")
    return people


def test_what_stands_what_was_corrected_and_the_time_are_counted_apart(project, carol, bob):
    task = make_task(project)
    first = make_judgement(task, carol, 2, active_seconds=10.0, is_current=False)
    make_judgement(task, carol, -2, active_seconds=5.0, supersedes=first)
    make_judgement(make_task(project), bob, 1, active_seconds=99.0)
    found = own_statistics(user=carol, project=project)
    assert (found.answers, found.skips, found.corrections, found.active_seconds) == (1, 0, 1, 15.0)
    assert (found.by_kind, found.seconds_each) == ([("Comparison", 1)], 7.5)
    assert (found.days[-1].count, found.days[-1].active_seconds, len(found.days)) == (1, 15.0, 30)


def test_agreement_is_with_what_most_others_said_and_leaves_out_what_divides_them(project, carol, others):
    for _ in range(8):
        judged_by_three(project, carol, others, -1, (-4, -2))
    for _ in range(2):
        judged_by_three(project, carol, others, 3, (-4, -2))
    judged_by_three(project, carol, others, 1, (1, None))
    share = own_agreement(user=carol, project=project)
    assert (share.part, share.whole) == (8, 10)


def test_of_fewer_than_ten_shared_tasks_nothing_is_said(project, carol, others):
    for _ in range(9):
        judged_by_three(project, carol, others, -1, (-4, -2))
    assert own_agreement(user=carol, project=project) is None
    assert share_with_most([(0, 2, 0, 0, 0, 9), (1, 1, 1, 0, 0, 500)]) is None


def test_the_page_shows_agreement_only_where_the_owner_allows_it(project, carol, others, signed_in):
    url = reverse("my-statistics", args=[project.pk])
    assert "Agreement" not in signed_in(carol).get(url).content.decode()
    project.show_own_agreement = True
    project.save(update_fields=["show_own_agreement"])
    page = signed_in(carol).get(url).content.decode()
    assert "shown once others have judged 10 of your comparisons" in page
    for _ in range(10):
        judged_by_three(project, carol, others, -1, (-4, -2))
    page = signed_in(carol).get(url).content.decode()
    assert "with most others, on 10 comparisons" in page
    assert "Dora" not in page and "Egon" not in page


def test_home_says_what_waits_by_kind_and_why_somebody_is_paused(project, carol, signed_in):
    make_task(project), make_task(project)
    project.memberships.filter(user=carol).update(paused_at="2026-11-01T00:00Z", pause_reason="3 of 10 right")
    page = signed_in(carol).get(reverse("home")).content.decode()
    assert ">2</strong> tasks waiting for you" in page
    assert "Paused: 3 of 10 right" in page
