"""Rows stored by the hundred are what `Model(**values)` and `bulk_create` would have made of them."""

import gc
import hashlib
import json

import pytest
from django.db import IntegrityError

from annotate.many_rows import few_collections, find_any, insert_many, row_maker
from annotate.models import Prompt, Response
from annotate.services.prompts import content_hash, text_key
from tests.factories import make_author, make_prompt

TEXTS = ["Why?", "ä “ü”", '\\ " / \n \t \b \x01 \x1f', "\x7f", "\u2028😀", ""]


def test_a_row_is_made_as_its_model_makes_it(project):
    values = {"project": project, "messages": [{"role": "user", "content": "Why?"}], "tags": ["a"]}
    made, usual = row_maker(Prompt)(values), Prompt(**values)
    facts = [{name: value for name, value in vars(row).items() if name != "_state"} for row in (made, usual)]
    assert facts[0].pop("created_at") <= facts[1].pop("created_at")
    assert facts[0] == facts[1]
    assert (made.project, made._state.adding, made._state.db) == (project, True, None)


def test_values_that_many_rows_share_and_those_of_each_are_stored_as_they_are(project):
    prompt, author = make_prompt(project), make_author(project)
    make = row_maker(Response)
    sampling = [{"a": [1]}, {"a": [True]}, {"a": [1.0]}, {}]
    shared = {"prompt": prompt, "author": author, "seed": 2**40, "text": "ä “ü” \\ \n"}
    rows = [make(shared | {"key": str(key), "sampling": value}) for key, value in enumerate(sampling)]
    insert_many(rows)
    stored = list(Response.objects.filter(prompt=prompt).order_by("key"))
    assert [row.pk for row in stored] == [row.pk for row in rows]
    assert [repr(row.sampling) for row in stored] == [repr(value) for value in sampling]
    assert {(row.text, row.seed, row.token_count, row.author_id) for row in stored} == {
        ("ä “ü” \\ \n", 2**40, None, author.pk)
    }


def test_rows_that_are_alike_in_everything_are_as_many_as_were_given(project):
    make = row_maker(Prompt)
    alike = {"project": project, "messages": [], "content_hash": "0" * 64}
    insert_many([make(alike)])
    with pytest.raises(IntegrityError, match="prompt_content_unique"):
        insert_many([make(alike | {"content_hash": "1" * 64}), make(alike | {"content_hash": "1" * 64})])


def test_a_key_is_the_hash_of_canonical_json_whatever_the_text():
    for text in TEXTS:
        said = hashlib.sha256(json.dumps(("by me", text)).encode()).hexdigest()
        assert text_key("file", "by me", text) == f"file-{said[:40]}"
        turns = [{"role": "user", "content": text}]
        canonical = json.dumps([text, turns], sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        assert content_hash(system=text, messages=turns) == hashlib.sha256(canonical.encode()).hexdigest()


def test_collections_come_as_often_as_before_once_it_is_over():
    before = gc.get_threshold()
    with few_collections():
        assert gc.get_threshold() == (20_000, 10, 20)
    assert gc.get_threshold() == before


def test_rows_are_found_by_the_values_that_stand_at_one_place(project):
    first, second = make_prompt(project), make_prompt(project)
    author = make_author(project)
    make = row_maker(Response)
    place = {"author": author, "text": "Yes.", "sampling": {}}
    rows = [make(place | {"prompt": prompt, "key": key}) for prompt in (first, second) for key in ("a", "b")]
    insert_many(rows)
    wanted = {"prompt_id": [first.pk, second.pk, second.pk, 0], "key": ["a", "b", "b" + 80 * "b", "a"]}
    assert sorted(find_any(Response, "id", wanted=wanted)) == [rows[0].pk, rows[3].pk]
    assert find_any(Response, "key", wanted={"id": [rows[1].pk]}, where="key <> 'b'") == []
    cut = {"project_id": [project.pk], "content_hash": [first.content_hash + "0"]}
    assert find_any(Prompt, "id", wanted=cut) == []
