"""Each form's lines, exactly, for a small project made by hand."""

import hashlib
import json
import uuid
from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from annotate.exports.lines import UnknownForm, export_lines
from annotate.exports.pseudonyms import pseudonym
from annotate.models import Author, TaskResponse
from annotate.services.snapshots import create_snapshot
from tests.factories import make_author, make_judgement, make_prompt, make_response, make_task

FIRST, SECOND = "Seven minutes.", "It depends on the size."


def ids(number):
    return uuid.UUID(int=number)


@pytest.fixture
def task(project):
    return make_task(project, prompt=make_prompt(project, "How long?", system="Be brief."))


@pytest.fixture
def freeze(project, alice):
    def snapshot(**options):
        return create_snapshot(project=project, user=alice, **{"test_fraction": 0.0, **options})

    return snapshot


def objects(snapshot, form, split=None):
    return [json.loads(line) for line in export_lines(snapshot, form, split)]


def test_trl_conversational_has_messages_and_puts_the_preferred_answer_first(task, carol, freeze):
    make_judgement(task, carol, 3)
    assert objects(freeze(), "trl-conversational") == [
        {
            "prompt": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "How long?"}],
            "chosen": [{"role": "assistant", "content": SECOND}],
            "rejected": [{"role": "assistant", "content": FIRST}],
        }
    ]


def test_trl_and_hh_share_one_transcript_of_every_turn(project, carol, freeze):
    prompt = make_prompt(project, "And goose?")
    prompt.messages = [
        {"role": "user", "content": "Hen?"},
        {"role": "assistant", "content": "Seven."},
        {"role": "user", "content": "And goose?"},
    ]
    prompt.save(update_fields=["messages"])
    make_judgement(make_task(project, prompt=prompt), carol, -1)
    snapshot = freeze()
    transcript = "\n\nHuman: Hen?\n\nAssistant: Seven.\n\nHuman: And goose?\n\nAssistant:"
    assert objects(snapshot, "trl") == [{"prompt": transcript, "chosen": f" {FIRST}", "rejected": f" {SECOND}"}]
    assert objects(snapshot, "hh") == [{"chosen": f"{transcript} {FIRST}", "rejected": f"{transcript} {SECOND}"}]


def test_groups_keep_the_order_of_the_task_and_the_strength_of_the_answer(task, carol, project, freeze):
    make_judgement(task, carol, 3, submission_id=ids(1))
    assert objects(freeze(), "groups") == [
        {
            "id": str(ids(1)),
            "prompt": [{"role": "user", "content": "How long?"}],
            "system": "Be brief.",
            "completions": [FIRST, SECOND],
            "finish_reasons": ["", ""],
            "label": {"kind": "pair", "chosen": 1, "rejected": 0, "strength": 0.75},
            "weight": 1.0,
            "meta": {"annotator": pseudonym(project.pk, carol.pk), "kind": "comparison"},
        }
    ]


@pytest.mark.parametrize(
    ("points", "preference", "strength"),
    [(2, -1, 1.0), (4, 1, 0.5), (5, -2, 1.0), (7, 1, 1 / 3), (8, -1, 0.25), (None, -1, None)],
)
def test_strength_is_the_preference_over_the_largest_of_its_scale(task, carol, freeze, points, preference, strength):
    make_judgement(task, carol, preference, points=points)
    assert objects(freeze(), "groups")[0]["label"]["strength"] == strength


def test_a_tie_is_a_tie_in_groups_and_everything_and_left_out_elsewhere(task, carol, freeze):
    make_judgement(task, carol, 0)
    snapshot = freeze()
    assert objects(snapshot, "groups")[0]["label"] == {"kind": "tie"}
    assert objects(snapshot, "lossless")[0]["answer"]["preference"] == 0
    assert [objects(snapshot, form) for form in ("trl", "trl-conversational", "hh")] == [[], [], []]


def test_both_bad_is_kept_in_everything_alone(task, carol, freeze):
    make_judgement(task, carol, None)
    snapshot = freeze()
    assert objects(snapshot, "lossless")[0]["answer"] == {
        "preference": None,
        "points": 8,
        "both_bad": True,
        "first_on_left": True,
        "dimensions": {},
    }
    assert [objects(snapshot, form) for form in ("trl", "trl-conversational", "hh", "groups")] == [[], [], [], []]


def test_lossless_has_every_field(task, carol, project, freeze):
    first, second = (place.response for place in task.places.order_by("position"))
    first.sampling, first.seed, first.token_count, first.finish_reason = (
        {"temperature": 0.7, "min_p": 0.1},
        5,
        4,
        "stop",
    )
    first.save()
    prompt = task.prompt
    prompt.tags, prompt.source, prompt.external_id = ["eggs"], "kitchen.jsonl", "k-1"
    prompt.save()
    make_judgement(
        task,
        carol,
        -2,
        first_on_left=False,
        submission_id=ids(1),
        rationale="Exact.",
        flags={str(second.pk): ["made up facts"]},
        active_seconds=12.5,
        guideline=project.guidelines.get(),
        created_at=datetime(2026, 3, 31, 12, tzinfo=UTC),
    )
    author = {"kind": "model", "name": "model one"}
    nothing = {"temperature": None, "top_p": None, "max_tokens": None}
    assert objects(freeze(), "lossless") == [
        {
            "id": str(ids(1)),
            "kind": "comparison",
            "created_at": "2026-03-31T12:00:00.000000+00:00",
            "split": "train",
            "weight": 1.0,
            "annotator": pseudonym(project.pk, carol.pk),
            "adjudication": False,
            "guideline_version": 1,
            "active_seconds": 12.5,
            "purpose": "work",
            "surplus": False,
            "prompt": {
                "hash": prompt.content_hash,
                "external_id": "k-1",
                "source": "kitchen.jsonl",
                "tags": ["eggs"],
                "system": "Be brief.",
                "messages": [{"role": "user", "content": "How long?"}],
            },
            "responses": [
                {
                    "hash": hashlib.sha256(FIRST.encode()).hexdigest(),
                    "author": author,
                    "text": FIRST,
                    "sampling": {"temperature": 0.7, "top_p": None, "max_tokens": None, "min_p": 0.1},
                    "seed": 5,
                    "token_count": 4,
                    "finish_reason": "stop",
                    "flags": [],
                },
                {
                    "hash": hashlib.sha256(SECOND.encode()).hexdigest(),
                    "author": author,
                    "text": SECOND,
                    "sampling": nothing,
                    "seed": None,
                    "token_count": None,
                    "finish_reason": "",
                    "flags": ["made up facts"],
                },
            ],
            "answer": {"preference": -2, "points": 8, "both_bad": False, "first_on_left": False, "dimensions": {}},
            "rationale": "Exact.",
        }
    ]


def test_no_address_or_name_of_a_person_is_in_any_form(task, carol, project, freeze):
    response = task.places.get(position=0).response
    response.author = Author.objects.create(project=project, kind=Author.Kind.PERSON, name=carol.email, user=carol)
    response.save()
    make_judgement(task, carol, -2)
    snapshot = freeze()
    for form in ("trl", "trl-conversational", "hh", "groups", "lossless"):
        text = "".join(export_lines(snapshot, form))
        assert carol.email not in text
        assert carol.name not in text
    assert objects(snapshot, "lossless")[0]["responses"][0]["author"] == {
        "kind": "person",
        "name": pseudonym(project.pk, carol.pk),
    }


def test_a_pseudonym_is_the_same_within_a_project_and_another_elsewhere():
    assert pseudonym(1, 7) == pseudonym(1, 7)
    assert len({pseudonym(1, 7), pseudonym(2, 7), pseudonym(1, 8)}) == 3


def test_an_imported_judgement_keeps_the_name_of_the_file(task, freeze):
    make_judgement(task, None, -1, points=None, external_annotator="imported", first_on_left=None)
    line = objects(freeze(), "lossless")[0]
    assert line["annotator"] == "imported"


def test_weights_of_groups_have_mean_one_over_the_training_lines(project, carol, freeze):
    for _ in range(3):
        make_judgement(make_task(project), carol, -1)
    bad = make_judgement(make_task(project), carol, None)
    snapshot = freeze()
    weights = iter([1.0, 2.0, 6.0])
    for item in snapshot.items.order_by("id"):
        item.weight = 50.0 if item.judgement_id == bad.pk else next(weights)
        item.save(update_fields=["weight"])
    assert [line["weight"] for line in objects(snapshot, "groups")] == pytest.approx([1 / 3, 2 / 3, 2.0])


def test_lines_come_in_the_order_of_prompts_and_judgements_not_of_database_ids(project, carol, bob, freeze):
    tasks = [make_task(project) for _ in range(4)]
    for number, task in enumerate(tasks):
        make_judgement(task, carol, -1, submission_id=ids(100 - number))
        make_judgement(task, bob, -1, submission_id=ids(number))
    lines = objects(freeze(), "lossless")
    order = [(line["prompt"]["hash"], line["id"]) for line in lines]
    assert order == sorted(order)
    assert len(order) == 8


def test_a_line_end_known_only_to_unicode_does_not_split_a_line(project, carol, freeze):
    task = make_task(project, prompt=make_prompt(project, "One\u2028two\u2029three\x85four\nfive"))
    make_judgement(task, carol)
    text = "".join(export_lines(freeze(), "trl-conversational"))
    assert len(text.splitlines()) == 1
    assert json.loads(text)["prompt"][0]["content"] == "One\u2028two\u2029three\x85four\nfive"


def test_the_number_of_statements_does_not_depend_on_the_number_of_lines(project, carol, freeze):
    def statements(snapshot):
        with CaptureQueriesContext(connection) as queries:
            assert list(export_lines(snapshot, "groups"))
        return len(queries)

    make_judgement(make_task(project), carol)
    few = freeze()
    for _ in range(20):
        make_judgement(make_task(project), carol)
    assert statements(freeze()) == statements(few)


def test_an_unknown_form_or_split_names_those_there_are(task, carol, freeze):
    make_judgement(task, carol)
    snapshot = freeze()
    with pytest.raises(UnknownForm, match="no export form 'csv'. Choose one of: trl-conversational, trl, hh"):
        list(export_lines(snapshot, "csv"))
    with pytest.raises(UnknownForm, match="no split 'dev'. Choose one of: train, test"):
        list(export_lines(snapshot, "trl", "dev"))


def test_each_split_holds_its_own_prompts_and_both_make_the_whole(project, carol, bob, freeze):
    for _ in range(12):
        task = make_task(project)
        make_judgement(task, carol)
        make_judgement(task, bob)
    snapshot = freeze(test_fraction=0.5)
    train, test = objects(snapshot, "lossless", "train"), objects(snapshot, "lossless", "test")
    assert len(train) + len(test) == len(objects(snapshot, "lossless")) == 24
    assert train
    assert test
    assert {line["prompt"]["hash"] for line in train} & {line["prompt"]["hash"] for line in test} == set()


def test_two_authors_are_told_apart(project, carol, freeze):
    prompt = make_prompt(project)
    task = make_task(project, prompt=prompt)
    other = make_response(prompt, "Ten.", author=make_author(project, "model two"))
    TaskResponse.objects.filter(task=task, position=1).update(response=other)
    make_judgement(task, carol)
    assert [side["author"]["name"] for side in objects(freeze(), "lossless")[0]["responses"]] == [
        "model one",
        "model two",
    ]
