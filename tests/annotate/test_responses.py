"""Responses are written once, whoever asks how often."""

import pytest

from annotate.models import Author, Response
from annotate.services.responses import add_response, add_responses, get_author
from tests.factories import make_author, make_project, make_prompt


def test_an_author_is_made_at_first_sight_and_found_after(project):
    first = get_author(project=project, kind=Author.Kind.MODEL, name="m")
    assert get_author(project=project, kind=Author.Kind.MODEL, name="m") == first
    assert get_author(project=project, kind=Author.Kind.FILE, name="m") != first


def test_a_response_is_known_by_its_prompt_and_key(project):
    prompt, author = make_prompt(project), make_author(project)
    first = add_response(prompt=prompt, author=author, key="k", text="one", sampling={"top_p": 0.9}, seed=3)
    again = add_response(prompt=prompt, author=author, key="k", text="two")
    assert (again.pk, again.text, again.sampling, again.seed) == (first.pk, "one", {"top_p": 0.9}, 3)
    assert add_response(prompt=make_prompt(project), author=author, key="k", text="two").text == "two"


def test_many_are_stored_at_once_in_order_with_what_was_new(project, django_assert_num_queries):
    prompt, author = make_prompt(project), make_author(project)
    add_response(prompt=prompt, author=author, key="b", text="there")
    batch = [Response(prompt=prompt, author=author, key=key, text=f"new {key}") for key in ("a", "b", "c", "a")]
    with django_assert_num_queries(7):  # savepoint, look, read what is there, savepoint, store, two releases
        stored = add_responses(responses=batch)
    assert [(response.text, is_new) for response, is_new in stored] == [
        ("new a", True),
        ("there", False),
        ("new c", True),
        ("new a", False),
    ]
    assert Response.objects.count() == 3


def test_an_author_of_another_project_is_refused(project, mallory):
    other = make_author(make_project(mallory))
    with pytest.raises(ValueError, match="is of another project than prompt"):
        add_response(prompt=make_prompt(project), author=other, key="k", text="t")
