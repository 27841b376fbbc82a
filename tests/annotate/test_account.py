"""Signing in and out, lock-out, password reset and change, the theme."""

import re

import pytest
from django.core import mail

from annotate.models import AuditEvent
from tests.factories import PASSWORD, make_user

NEW_PASSWORD = "four plumb brass bobs"


def try_sign_in(client, email="carol@example.org", password=PASSWORD, **more):
    return client.post("/sign-in/", {"username": email, "password": password, **more})


def test_signing_in_leads_home_however_the_address_is_written(client, carol):
    response = try_sign_in(client, " Carol@Example.org ")
    assert (response.status_code, response.url) == (302, "/")
    assert client.get("/").status_code == 200


@pytest.mark.parametrize(
    ("wanted", "arrives"),
    [
        ("/account/", "/account/"),
        ("https://evil.example/", "/"),
        ("//evil.example/", "/"),
        ("javascript:alert(1)", "/"),
    ],
)
def test_signing_in_goes_on_to_addresses_of_this_site_alone(client, carol, wanted, arrives):
    assert try_sign_in(client, next=wanted).url == arrives


def test_a_wrong_password_and_an_unknown_address_get_the_same_answer(client, carol):
    wrong, unknown = try_sign_in(client, password="no"), try_sign_in(client, "nobody@example.org")
    assert wrong.status_code == unknown.status_code == 422
    sentence = "This e-mail and password do not belong together."
    assert sentence in wrong.content.decode() and sentence in unknown.content.decode()


def test_five_wrong_passwords_lock_the_address_in_any_spelling_and_say_for_how_long(client, carol):
    for spelling in ["carol@example.org", "Carol@example.org", "CAROL@example.org", "carol@example.org"]:
        assert try_sign_in(client, spelling, "wrong").status_code == 422
    assert try_sign_in(client, password="wrong").status_code == 429
    right = try_sign_in(client)
    assert right.status_code == 429
    assert "15 min" in right.content.decode()


def test_signing_out_needs_a_post(signed_in, carol):
    client = signed_in(carol)
    assert client.get("/sign-out/").status_code == 405
    assert client.post("/sign-out/").url == "/sign-in/"
    assert client.get("/").url == "/sign-in/?next=/"


def test_a_password_is_reset_by_a_link_that_works_once(client, carol):
    assert client.post("/password-reset/", {"email": "carol@example.org"}).url == "/password-reset/sent/"
    link = re.search(r"http\S+(/password-reset/\S+)", mail.outbox[0].body)[1]
    form = client.get(link, follow=True).redirect_chain[-1][0]
    new = {"new_password1": NEW_PASSWORD, "new_password2": NEW_PASSWORD}
    assert client.post(form, new).url == "/password-reset/done/"
    assert try_sign_in(client, password=NEW_PASSWORD).status_code == 302
    assert "This link no longer works" in client.get(link, follow=True).content.decode()


def test_the_reset_page_does_not_tell_who_has_an_account(client, carol):
    assert client.post("/password-reset/", {"email": "nobody@example.org"}).url == "/password-reset/sent/"
    assert mail.outbox == []


def test_changing_the_password_asks_for_the_old_one_and_is_noted(signed_in, carol):
    client = signed_in(carol)
    new = {"new_password1": NEW_PASSWORD, "new_password2": NEW_PASSWORD}
    assert client.post("/account/password/", {"old_password": "no", **new}).status_code == 422
    assert client.post("/account/password/", {"old_password": PASSWORD, **new}).url == "/account/"
    assert client.get("/account/").status_code == 200
    assert AuditEvent.objects.get().action == "account.password_changed"


def test_a_name_can_be_changed_and_not_left_empty(signed_in, carol):
    client = signed_in(carol)
    assert client.post("/account/", {"name": "Caroline"}).status_code == 302
    refused = client.post("/account/", {"name": ""})
    carol.refresh_from_db()
    assert (refused.status_code, carol.name) == (422, "Caroline")


def test_the_theme_is_remembered_in_a_cookie_and_drawn_by_the_server(client, db):
    make_user("Dora")
    assert "data-theme=" not in client.get("/sign-in/").content.decode().split("<head>")[0]
    assert client.post("/theme/", {"theme": "dark", "next": "/sign-in/"}).url == "/sign-in/"
    assert 'data-theme="dark"' in client.get("/sign-in/").content.decode().split("<head>")[0]
    client.post("/theme/", {"theme": "system"})
    assert "data-theme=" not in client.get("/sign-in/").content.decode().split("<head>")[0]
