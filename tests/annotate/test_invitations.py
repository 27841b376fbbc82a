"""Links that let people in: the first owner's, and those of a project."""

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from annotate.models import AuditEvent, Invitation, Membership, Role, User
from annotate.services.invitations import invite
from annotate.services.people import ensure_setup_link
from tests.factories import PASSWORD, make_user

JOIN = {"name": "Dora", "password": PASSWORD}


def path_of(link: str) -> str:
    return "/" + link.split("/", 3)[3]


@pytest.fixture
def link(alice, project):
    return path_of(invite(actor=alice, project=project, email="dora@example.org", role=Role.ANNOTATOR))


def test_the_setup_link_makes_one_owner_who_may_create_projects(client, db):
    path = path_of(ensure_setup_link())
    answer = client.post(path, {"email": "Ada@Example.org", **JOIN})
    assert answer.url == "/"
    assert User.objects.get().email == "ada@example.org"
    assert User.objects.get().is_staff
    assert client.get("/projects/new/").status_code == 200
    assert ensure_setup_link() is None


def test_a_newer_setup_link_replaces_an_older_one(client, db):
    older, newer = path_of(ensure_setup_link()), path_of(ensure_setup_link())
    assert client.get(older).status_code == 410
    assert client.get(newer).status_code == 200


def test_a_setup_link_dies_when_there_is_an_owner_already(client, db):
    path = path_of(ensure_setup_link())
    make_user("Ada", is_staff=True)
    assert client.post(path, {"email": "eve@example.org", **JOIN}).status_code == 410
    assert User.objects.count() == 1


def test_only_the_hash_of_a_token_is_kept(db):
    token = ensure_setup_link().rstrip("/").rsplit("/", 1)[1]
    assert token not in str(Invitation.objects.values().get())


def test_a_new_person_joins_with_the_invited_address_whatever_is_posted(client, link, project):
    assert client.post(link, {"email": "eve@example.org", **JOIN}).url == f"/projects/{project.pk}/"
    member = Membership.objects.get(user__email="dora@example.org")
    assert (member.project, member.role) == (project, Role.ANNOTATOR)
    assert not member.user.is_staff
    assert AuditEvent.objects.filter(action="person.joined").count() == 1


def test_accepting_again_leads_to_the_project_and_changes_nothing(client, link, project):
    client.post(link, JOIN)
    assert client.post(link, JOIN).url == f"/projects/{project.pk}/"
    assert Membership.objects.filter(project=project).count() == 2


def test_a_weak_password_is_refused_and_the_name_kept(client, link):
    refused = client.post(link, {"name": "Dora Example", "password": "password12"})
    assert refused.status_code == 422
    assert 'value="Dora Example"' in refused.content.decode()
    assert not User.objects.filter(email="dora@example.org").exists()


def test_somebody_with_an_account_is_asked_to_sign_in_first(client, link):
    make_user("Dora")
    assert "has an account already" in client.get(link).content.decode()
    client.post("/sign-in/", {"username": "dora@example.org", "password": PASSWORD})
    assert client.post(link).status_code == 302
    assert Membership.objects.filter(user__email="dora@example.org").count() == 1


def test_an_invitation_of_another_address_is_not_mine(signed_in, stranger, link):
    client = signed_in(stranger)
    assert "This invitation is for somebody else" in client.get(link).content.decode()
    assert client.post(link).status_code == 422
    assert not Membership.objects.filter(user=stranger).exists()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"expires_at": timezone.now() - timedelta(seconds=1)}, "has expired"),
        ({"revoked_at": timezone.now()}, "was withdrawn"),
        ({"accepted_at": timezone.now()}, "has been used"),
    ],
)
def test_a_closed_link_says_why(client, link, change, says):
    Invitation.objects.update(**change)
    answer = client.post(link, JOIN)
    assert answer.status_code == 410
    assert says in answer.content.decode()


def test_an_unknown_link_is_not_found(client, db):
    assert client.get("/invitations/nonsense/").status_code == 404


def test_an_owner_sees_a_new_link_once_and_it_is_mailed(signed_in, alice, project, django_capture_on_commit_callbacks):
    client = signed_in(alice)
    page = f"/projects/{project.pk}/people/"
    with django_capture_on_commit_callbacks(execute=True):
        assert client.post(page, {"email": "Dora@Example.org", "role": "reviewer"}).status_code == 302
    link = re.search(r"http\S+/invitations/\S+", mail.outbox[0].body)[0]
    assert mail.outbox[0].to == ["dora@example.org"]
    assert link in client.get(page).content.decode()
    assert link not in client.get(page).content.decode()


def test_a_new_link_replaces_the_old_one_and_revoking_ends_it(signed_in, alice, project, link, client):
    owner = signed_in(alice)
    first = Invitation.objects.get()
    owner.post(f"/projects/{project.pk}/invitations/{first.pk}/renew/")
    assert client.get(link).status_code == 410
    second = Invitation.objects.get(revoked_at=None)
    owner.post(f"/projects/{project.pk}/invitations/{second.pk}/revoke/")
    assert not Invitation.objects.open().exists()


def test_a_member_is_not_invited_again(signed_in, alice, carol, project):
    answer = signed_in(alice).post(f"/projects/{project.pk}/people/", {"email": "Carol@example.org", "role": "owner"})
    assert answer.status_code == 422
    assert "is a member already" in answer.content.decode()
