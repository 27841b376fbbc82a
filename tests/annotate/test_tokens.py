"""API tokens on their pages: made, shown once, used, revoked; a service token's account."""

import pytest
from bs4 import BeautifulSoup
from django.urls import reverse

from annotate.models import ApiToken, AuditEvent, Membership, Role
from annotate.services.people import LastOwner, change_role
from plumbline_client.errors import ApiError
from tests.api import api_with

WANTED = {"name": "export script", "scopes": ["read", "write"], "days": "30"}


def made_on(client, address, **fields):
    """The token that a post to this page made, as the page then shows it."""
    answer = client.post(address, {**WANTED, **fields}, follow=True)
    shown = BeautifulSoup(answer.content, "html.parser").select_one("#fresh-token")
    return shown["value"] if shown else ""


def test_a_token_is_shown_once_works_and_is_revoked(signed_in, alice, project):
    client, address = signed_in(alice), reverse("my-tokens")
    text = made_on(client, address)
    assert text.startswith("plb_")
    assert text not in client.get(address).content.decode()
    assert api_with(text).call("GET", "me/")["token"]["name"] == "export script"
    client.post(reverse("token-revoke-own", args=[ApiToken.objects.get().pk]))
    with pytest.raises(ApiError, match="401"):
        api_with(text).call("GET", "me/")
    assert [event.action for event in AuditEvent.objects.filter(actor=alice)] == ["token.created", "token.revoked"]


def test_a_token_can_be_kept_to_one_project_of_ones_own(signed_in, alice, project, mallory):
    client, address = signed_in(alice), reverse("my-tokens")
    assert made_on(client, address, project=mallory.memberships.get().project_id) == ""
    api = api_with(made_on(client, address, project=project.pk))
    assert [found["id"] for found in api.projects()] == [project.pk]


def test_what_was_typed_is_kept_when_it_cannot_be_taken(signed_in, alice):
    answer = signed_in(alice).post(reverse("my-tokens"), {"name": "export script", "days": "9999"})
    page = answer.content.decode()
    assert (answer.status_code, ApiToken.objects.count()) == (422, 0)
    assert 'value="export script"' in page
    assert "Choose at least one thing that it may do." in page


def test_nobody_revokes_another_persons_token(signed_in, alice, bob):
    made_on(signed_in(alice), reverse("my-tokens"))
    token = ApiToken.objects.get()
    assert signed_in(bob).post(reverse("token-revoke-own", args=[token.pk])).status_code == 404
    token.refresh_from_db()
    assert token.is_open()


def test_a_service_token_acts_as_an_account_of_the_project_until_it_is_revoked(signed_in, alice, project):
    client, address = signed_in(alice), reverse("project-tokens", args=[project.pk])
    api = api_with(made_on(client, address, role="owner", name="nightly import"))
    me = api.call("GET", "me/")
    assert (me["user"]["name"], me["user"]["is_service"]) == ("nightly import (service)", True)
    api.send_prompts(project.pk, [{"text": "How long?"}])
    assert AuditEvent.objects.get(action="prompts.sent").actor.is_service
    assert [row["name"] for row in api.walk("projects/")] == [project.name]
    token = ApiToken.objects.get()
    client.post(reverse("token-revoke", args=[project.pk, token.pk]))
    assert not Membership.objects.filter(user=token.user).exists()
    with pytest.raises(ApiError, match="401"):
        api.call("GET", "me/")


def test_a_service_account_is_no_owner_to_leave_a_project_to(signed_in, alice, project):
    made_on(signed_in(alice), reverse("project-tokens", args=[project.pk]), role="owner")
    with pytest.raises(LastOwner):
        change_role(actor=alice, membership=alice.memberships.get(), role=Role.REVIEWER)


def test_a_personal_token_dies_with_the_membership(signed_in, bob, project):
    api = api_with(made_on(signed_in(bob), reverse("my-tokens")))
    assert list(api.prompts(project.pk)) == []
    bob.memberships.get().delete()
    with pytest.raises(ApiError, match="404"):
        list(api.prompts(project.pk))
