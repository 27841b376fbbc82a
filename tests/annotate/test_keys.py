"""A person's own keys: saved, shown in every hint, and never two for one."""

import pytest

from annotate.preferences import KEYS, TAKEN, keys_of
from tests.factories import make_task

STANDARD = keys_of({})


@pytest.fixture
def client(signed_in, carol):
    return signed_in(carol)


def test_a_key_is_changed_and_every_hint_shows_it(client, project, carol):
    make_task(project)
    assert client.post("/account/keys/", {**STANDARD, "skip": "z"}).status_code == 302
    carol.refresh_from_db()
    assert keys_of(carol.preferences)["skip"] == "z"
    html = client.get(f"/projects/{project.pk}/judge/").content.decode()
    assert 'aria-keyshortcuts="z">Skip <kbd>z</kbd>' in html and "<kbd>s</kbd>" not in html
    assert "&quot;skip&quot;: &quot;z&quot;" in html


@pytest.mark.parametrize(
    ("key", "problem"),
    [
        ("u", "“u” is the key of “Skip” already."),
        ("3", "“3” answers a task and cannot be changed."),
        ("=", "“=” ties responses in a ranking and cannot be changed."),
        ("d", "“d” belongs to one of the kinds of task and cannot be changed."),
        ("ab", "Give one character"),
        (" ", "This field is required."),
    ],
)
def test_a_key_that_collides_is_refused_with_the_reason_and_what_was_typed_is_kept(client, carol, key, problem):
    answer = client.post("/account/keys/", {**STANDARD, "skip": "u", "undo": "é", "why": key})
    html = answer.content.decode()
    assert answer.status_code == 422
    assert problem in html and 'value="é"' in html
    carol.refresh_from_db()
    assert carol.preferences == {}


def test_two_actions_may_swap_their_keys_and_the_standard_comes_back(client, carol):
    client.post("/account/keys/", {**STANDARD, "skip": "u", "undo": "s"})
    carol.refresh_from_db()
    assert (carol.preferences["keys"]["skip"], carol.preferences["keys"]["undo"]) == ("u", "s")
    client.post("/account/keys/", {"standard": "1"})
    carol.refresh_from_db()
    assert carol.preferences["keys"] == STANDARD


def test_the_standard_keys_collide_with_nothing():
    assert len(set(STANDARD.values())) == len(KEYS)
    assert not set(STANDARD.values()) & set(TAKEN)
