"""What people read when something is not there, not theirs, or has gone stale."""

from django.test import Client


def test_a_page_that_does_not_exist_says_so_within_the_frame(signed_in, carol):
    answer = signed_in(carol).get("/projects/999/")
    page = answer.content.decode()
    assert answer.status_code == 404
    assert "There is nothing here" in page and "My projects" in page and "carol@example.org" in page


def test_a_guest_on_a_wrong_address_is_led_to_signing_in(client, db):
    answer = client.get("/no/such/page/")
    assert answer.status_code == 404
    assert ">Sign in</a>" in answer.content.decode()


def test_a_refusal_names_the_role_it_takes(signed_in, carol, project):
    answer = signed_in(carol).get(f"/projects/{project.pk}/settings/")
    assert answer.status_code == 403
    assert "Only a project&#x27;s owner may do this. You are its annotator." in answer.content.decode()


def test_a_form_from_before_the_cookie_says_to_reload(db):
    answer = Client(enforce_csrf_checks=True).post("/sign-in/", {"username": "a@example.org", "password": "x"})
    assert answer.status_code == 403
    assert "The form has expired" in answer.content.decode()


def test_a_server_error_has_a_page_that_needs_nothing(client, db, settings):
    settings.ROOT_URLCONF = "tests.annotate.failing_urls"
    client.raise_request_exception = False
    answer = client.get("/")
    assert answer.status_code == 500
    assert "Nothing you saved is lost." in answer.content.decode()


def test_an_unknown_host_is_refused_in_words(client, db):
    answer = client.get("/", headers={"host": "evil.example"})
    assert answer.status_code == 400
    assert "This request makes no sense" in answer.content.decode()
