"""Prompts over HTTP: the list, one prompt, writing and deleting."""

import pytest
from django.db import connection

from annotate.models import AuditEvent, Author, Prompt
from annotate.services.responses import add_response, get_author
from tests.factories import make_prompt, make_response, make_task


def address(project, rest=""):
    return f"/projects/{project.pk}/prompts/{rest}"


def test_the_list_shows_newest_first_with_tags_and_responses(project, bob, signed_in):
    older = make_prompt(project, "How do I poach an egg?")
    newer = make_prompt(project, "Why <script>alert(1)</script>?")
    Prompt.objects.filter(pk=older.pk).update(tags=["eggs"])
    make_response(older)
    make_response(older)
    answer = signed_in(bob).get(address(project))
    assert [(prompt.pk, prompt.response_count) for prompt in answer.context["prompts"]] == [
        (newer.pk, 0),
        (older.pk, 2),
    ]
    page = answer.content.decode()
    assert "<script>alert" not in page
    assert 'href="?tag=eggs"' in page


@pytest.mark.parametrize(
    ("query", "found"), [("?tag=eggs", [0]), ("?q=POACH", [0]), ('?q=say "hi"', [1]), ("?q=é", [1]), ("?q=nothing", [])]
)
def test_the_list_is_filtered_by_tag_and_text(project, alice, signed_in, query, found):
    prompts = [make_prompt(project, "How to poach?"), make_prompt(project, 'Would you say "hi", André?')]
    Prompt.objects.filter(pk=prompts[0].pk).update(tags=["eggs"])
    answer = signed_in(alice).get(address(project) + query)
    assert [prompt.pk for prompt in answer.context["prompts"]] == [prompts[index].pk for index in found]
    if not found:
        assert "No prompt matches" in answer.content.decode()


def test_pages_follow_each_other_without_gap_or_double_and_keep_the_filter(
    project, alice, signed_in, django_assert_max_num_queries
):
    numbers = [make_prompt(project, f"Question {number}").pk for number in range(120)]
    client, seen, url = signed_in(alice), [], address(project) + "?q=question"
    while url:
        with django_assert_max_num_queries(6):
            answer = client.get(url)
        seen += [prompt.pk for prompt in answer.context["prompts"]]
        url = answer.context["older_url"] and address(project) + answer.context["older_url"]
    assert seen == numbers[::-1]


def test_a_search_reads_twenty_thousand_prompts_at_once_and_offers_to_go_on(project, alice, signed_in):
    first = make_prompt(project, "How to poach?")
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO annotate_prompt
                (project_id, messages, system, tags, source, external_id, content_hash, created_at)
            SELECT %s, '[{"role": "user", "content": "Boil?"}]', '', '{}', '', '', 'hash' || n, now()
            FROM generate_series(1, 20000) AS n""",
            [project.pk],
        )
    client = signed_in(alice)
    page = client.get(address(project) + "?q=poach")
    assert "20,000 prompts were looked through" in page.content.decode()
    older = client.get(address(project) + page.context["older_url"])
    assert [prompt.pk for prompt in older.context["prompts"]] == [first.pk]
    assert older.context["older_url"] == ""


def test_an_empty_project_has_the_import_a_click_away(project, alice, bob, signed_in):
    page = signed_in(alice).get(address(project)).content.decode()
    assert "No prompts yet" in page
    assert f"/projects/{project.pk}/imports/new/" in page
    assert "imports/new/" not in signed_in(bob).get(address(project)).content.decode()


def test_a_page_number_that_is_none_is_422(project, alice, signed_in):
    assert signed_in(alice).get(address(project, "?before=x")).status_code == 422


def test_a_prompt_is_shown_with_turns_responses_and_their_sampling(project, bob, signed_in):
    prompt = make_prompt(project, "Why **bold**?", system="Be brief.")
    author = get_author(project=project, kind=Author.Kind.MODEL, name="tiny model")
    add_response(
        prompt=prompt,
        author=author,
        key="k",
        text="<img src=x onerror=alert(1)> Because.",
        sampling={"temperature": 0.7},
        seed=11,
        token_count=5,
        finish_reason="length",
    )
    page = signed_in(bob).get(address(project, f"{prompt.pk}/")).content.decode()
    for text in (
        "<strong>bold</strong>",
        "Be brief.",
        "tiny model",
        "temperature 0.7",
        "seed 11",
        "Cut at the token limit",
    ):
        assert text in page
    assert "<img" not in page


def test_the_page_of_a_prompt_takes_as_many_statements_for_many_responses(
    project, alice, signed_in, django_assert_max_num_queries
):
    prompt = make_prompt(project)
    for number in range(30):
        make_response(prompt, f"answer {number}")
    client = signed_in(alice)
    with django_assert_max_num_queries(9):
        client.get(address(project, f"{prompt.pk}/"))


def test_a_prompt_is_written_by_hand_once(project, alice, signed_in):
    client = signed_in(alice)
    data = {"text": " Why? ", "system": "Be brief.", "tags": "one, two,one"}
    answer = client.post(address(project, "new/"), data)
    prompt = Prompt.objects.get()
    assert answer["Location"] == address(project, f"{prompt.pk}/")
    assert (prompt.messages, prompt.system, prompt.tags) == (
        [{"role": "user", "content": "Why?"}],
        "Be brief.",
        ["one", "two"],
    )
    assert client.post(address(project, "new/"), data)["Location"] == answer["Location"]
    assert Prompt.objects.count() == 1
    assert AuditEvent.objects.filter(action="prompt.added").count() == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "This field is required."),
        ("a" * 100_001, "the prompt has 100,001 characters; the limit is 100,000"),
        ("a\0b", "Null characters are not allowed."),
    ],
)
def test_a_prompt_that_cannot_be_taken_is_422(project, alice, signed_in, text, message):
    answer = signed_in(alice).post(address(project, "new/"), {"text": text})
    assert answer.status_code == 422
    assert message in answer.content.decode()


def test_a_prompt_nobody_used_is_deleted_and_audited(project, alice, signed_in):
    prompt = make_prompt(project)
    assert signed_in(alice).post(address(project, f"{prompt.pk}/delete/"))["Location"] == address(project)
    assert not Prompt.objects.exists()
    assert AuditEvent.objects.get(action="prompt.deleted").data["excerpt"] == prompt.excerpt()


def test_a_prompt_with_responses_or_tasks_stays(project, alice, signed_in):
    prompt = make_task(project).prompt
    client = signed_in(alice)
    page = client.post(address(project, f"{prompt.pk}/delete/"), follow=True).content.decode()
    assert "This prompt has responses or tasks" in page
    assert Prompt.objects.exists()
    assert "Delete" not in page


@pytest.mark.parametrize("path", ["", "{pk}/"])
def test_members_who_review_read_and_others_do_not(project, bob, carol, mallory, stranger, signed_in, path):
    url = address(project, path.format(pk=make_prompt(project).pk))
    assert signed_in(bob).get(url).status_code == 200
    assert signed_in(carol).get(url).status_code == 403
    assert signed_in(mallory).get(url).status_code == 404
    assert signed_in(stranger).get(url).status_code == 404


@pytest.mark.parametrize("path", ["new/", "{pk}/delete/"])
def test_only_owners_write_and_delete(project, bob, carol, mallory, stranger, signed_in, path):
    url = address(project, path.format(pk=make_prompt(project).pk))
    assert signed_in(bob).post(url).status_code == 403
    assert signed_in(carol).post(url).status_code == 403
    assert signed_in(mallory).post(url).status_code == 404
    assert signed_in(stranger).post(url).status_code == 404


@pytest.mark.parametrize(
    ("path", "method"), [("", "post"), ("{pk}/", "post"), ("new/", "put"), ("{pk}/delete/", "get")]
)
def test_other_methods_are_405(project, alice, signed_in, path, method):
    url = address(project, path.format(pk=make_prompt(project).pk))
    assert getattr(signed_in(alice), method)(url).status_code == 405


def test_a_prompt_is_not_reached_through_another_project(project, mallory, signed_in):
    other = mallory.memberships.get().project
    prompt = make_prompt(project)
    assert signed_in(mallory).get(f"/projects/{other.pk}/prompts/{prompt.pk}/").status_code == 404
