"""Who belongs to a project, and who may say so."""

import pytest

from annotate import assignment
from annotate.models import AuditEvent, Invitation, Lease, Membership, Role
from annotate.services.invitations import invite
from tests.factories import add_member, make_task, make_user


def member(project, user):
    return Membership.objects.get(project=project, user=user)


def test_an_owner_changes_a_role_and_it_is_noted(signed_in, alice, carol, project):
    mine = member(project, carol)
    answer = signed_in(alice).post(f"/projects/{project.pk}/people/{mine.pk}/", {"role": "reviewer"})
    assert answer.status_code == 302
    assert member(project, carol).role == Role.REVIEWER
    assert AuditEvent.objects.get().data == {"before": "annotator", "after": "reviewer"}


def test_an_unknown_role_is_refused(signed_in, alice, carol, project):
    answer = signed_in(alice).post(f"/projects/{project.pk}/people/{member(project, carol).pk}/", {"role": "king"})
    assert answer.status_code == 422
    assert member(project, carol).role == Role.ANNOTATOR


@pytest.mark.parametrize(("tail", "data"), [("", {"role": "annotator"}), ("remove/", {})])
def test_the_last_owner_stays_owner(signed_in, alice, project, tail, data):
    answer = signed_in(alice).post(f"/projects/{project.pk}/people/{member(project, alice).pk}/{tail}", data)
    assert answer.status_code == 422
    assert "is the only owner" in answer.content.decode()
    assert member(project, alice).role == Role.OWNER


def test_one_of_two_owners_may_leave(signed_in, alice, project):
    add_member(project, make_user("Dora"), Role.OWNER)
    answer = signed_in(alice).post(f"/projects/{project.pk}/people/{member(project, alice).pk}/remove/")
    assert answer.url == "/"
    assert not Membership.objects.filter(project=project, user=alice).exists()


def test_removing_somebody_gives_back_the_task_they_hold(signed_in, alice, carol, project):
    task = make_task(project)
    lease = assignment.lease_next(user=carol, project=project)
    signed_in(alice).post(f"/projects/{project.pk}/people/{member(project, carol).pk}/remove/")
    lease.refresh_from_db()
    task.refresh_from_db()
    assert (lease.state, task.remaining) == (Lease.State.RETURNED, 1)


@pytest.mark.parametrize(("who", "status"), [("bob", 403), ("carol", 403), ("mallory", 404), ("stranger", 404)])
def test_only_owners_see_and_change_people(signed_in, request, alice, project, who, status):
    client, mine = signed_in(request.getfixturevalue(who)), member(project, alice)
    invite(actor=alice, project=project, email="dora@example.org", role=Role.OWNER)
    pk, page = Invitation.objects.get().pk, f"/projects/{project.pk}"
    assert client.get(f"{page}/people/").status_code == status
    for address in [
        f"people/{mine.pk}/",
        f"people/{mine.pk}/remove/",
        f"invitations/{pk}/renew/",
        f"invitations/{pk}/revoke/",
    ]:
        assert client.post(f"{page}/{address}", {"role": "annotator"}).status_code == status
    assert Invitation.objects.open().count() == 1


def test_a_member_of_another_project_cannot_be_reached_through_mine(signed_in, alice, mallory, project):
    theirs = Membership.objects.get(user=mallory)
    answer = signed_in(alice).post(f"/projects/{project.pk}/people/{theirs.pk}/remove/")
    assert answer.status_code == 404
    assert Membership.objects.filter(pk=theirs.pk).exists()


def test_the_people_page_asks_the_database_the_same_number_of_questions_however_many_there_are(
    signed_in, alice, project, django_assert_max_num_queries
):
    for number in range(20):
        add_member(project, make_user(f"Person{number}"), Role.ANNOTATOR)
        invite(actor=alice, project=project, email=f"guest{number}@example.org", role=Role.ANNOTATOR)
    client = signed_in(alice)
    with django_assert_max_num_queries(6):
        assert client.get(f"/projects/{project.pk}/people/").status_code == 200


def test_the_only_owner_is_offered_no_way_to_leave(signed_in, alice, carol, project):
    page, path = (
        signed_in(alice).get(f"/projects/{project.pk}/people/").content.decode(),
        f"/projects/{project.pk}/people",
    )
    assert f"{path}/{member(project, alice).pk}/remove/" not in page
    assert f"{path}/{member(project, carol).pk}/remove/" in page
