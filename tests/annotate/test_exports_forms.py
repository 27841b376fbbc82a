"""The forms of other tools, exactly: one snapshot with a judgement of every kind."""

import json
import uuid

import pytest

from annotate.exports.argilla import PEOPLE
from annotate.exports.lines import export_lines
from annotate.exports.pseudonyms import pseudonym
from annotate.models import Demonstration, Kind, Ranking, Rating, TaskResponse
from annotate.services.snapshots import create_snapshot
from tests.factories import make_judgement, make_prompt, make_response, make_task

FIRST, SECOND = "Seven minutes.", "It depends on the size."
TALK = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "How long?"}]
QUESTIONS = [
    {"key": "overall", "label": "Overall", "points": 7},
    {"key": "helpfulness", "label": "Helpfulness", "points": 5},
    {"key": "verbosity", "label": "Verbosity", "points": 3},
]


def says(text):
    return [{"role": "assistant", "content": text}]


@pytest.fixture
def task(project):
    return make_task(project, prompt=make_prompt(project, "How long?", system="Be brief."))


@pytest.fixture
def lines(project, alice):
    def read(form):
        snapshot = create_snapshot(project=project, user=alice, test_fraction=0.0, name="One")
        return [json.loads(line) for line in export_lines(snapshot, form)]

    return read


def of_kind(task, carol, kind):
    """Carol's judgement of the task as one of this kind, without what she said, and the task's responses."""
    judgement = make_judgement(task, carol, rationale="Exact.")
    judgement.comparison.delete()
    task.kind = judgement.kind = kind
    task.save()
    judgement.save()
    return judgement, [place.response for place in TaskResponse.objects.filter(task=task).order_by("position")]


def rate(task, carol):
    judgement, (one, two) = of_kind(task, carol, Kind.RATING)
    scores = {str(one.pk): {"overall": 7, "helpfulness": 5, "verbosity": 2}, str(two.pk): {"overall": 1}}
    Rating.objects.create(judgement=judgement, scores=scores, questions=QUESTIONS, shown=[one.pk, two.pk])


def test_openai_preferences_have_an_input_and_one_message_a_side(task, carol, lines):
    make_judgement(task, carol, -2)
    expected = {"input": {"messages": TALK}, "preferred_output": says(FIRST), "non_preferred_output": says(SECOND)}
    assert lines("openai-dpo") == [expected]


def test_openai_supervised_lines_end_with_what_was_written(task, carol, lines):
    judgement, _ = of_kind(task, carol, Kind.DEMONSTRATION)
    Demonstration.objects.create(judgement=judgement, response=make_response(task.prompt, "Mine."))
    assert lines("openai-sft") == [{"messages": [*TALK, *says("Mine.")]}]


def test_each_prompt_is_there_once_however_many_judged_it(project, task, carol, bob, lines):
    for person in (carol, bob):
        make_judgement(task, person)
    make_judgement(make_task(project, prompt=task.prompt), carol)
    make_judgement(make_task(project, prompt=make_prompt(project, "And goose?")), carol)
    found = lines("prompts")
    assert len(found) == 2
    assert {"prompt": TALK} in found


def test_helpsteer_counts_from_0_to_4_and_leaves_open_what_was_not_asked(task, carol, lines):
    rate(task, carol)
    unasked = {"correctness": None, "coherence": None, "complexity": None}
    prompt = "Be brief.\n\nHow long?"
    assert lines("helpsteer") == [
        {"prompt": prompt, "response": FIRST, "helpfulness": 4, "verbosity": 2, **unasked},
        {"prompt": prompt, "response": SECOND, "helpfulness": None, "verbosity": None, **unasked},
    ]


def test_without_an_attribute_the_first_question_stands_for_helpfulness(task, carol, lines):
    rate(task, carol)
    Rating.objects.update(questions=QUESTIONS[:1])
    assert [line["helpfulness"] for line in lines("helpsteer")] == [4, 0]


def test_ultrafeedback_has_every_completion_with_its_model_and_scores(task, carol, lines):
    rate(task, carol)
    assert lines("ultrafeedback")[0]["instruction"] == "Be brief.\n\nHow long?"
    assert lines("ultrafeedback")[0]["completions"][0] == {
        "model": "model one",
        "custom_system_prompt": "Be brief.",
        "response": FIRST,
        "annotations": {
            "overall": {"Rating": "7", "Rationale": ""},
            "helpfulness": {"Rating": "5", "Rationale": ""},
            "verbosity": {"Rating": "2", "Rationale": ""},
        },
        "overall_score": 10,
        "critique": "Exact.",
    }


def test_binarized_pairs_are_whole_conversations_with_their_scores(task, carol, lines):
    rate(task, carol)
    assert lines("ultrafeedback-binarized") == [
        {
            "prompt": "How long?",
            "prompt_id": task.prompt.content_hash,
            "chosen": [*TALK, *says(FIRST)],
            "rejected": [*TALK, *says(SECOND)],
            "score_chosen": 10,
            "score_rejected": 1,
        }
    ]


def test_an_argilla_record_has_fields_and_a_persons_answers(project, task, carol, lines):
    judgement = make_judgement(task, carol, 3, rationale="Exact.")
    person = str(uuid.uuid5(PEOPLE, pseudonym(project.pk, carol.pk)))
    line = lines("argilla")[0]
    assert line["fields"] == {"prompt": TALK, "response_1": FIRST, "response_2": SECOND}
    assert line["id"] == str(judgement.submission_id)
    assert line["responses"] == {
        "preference": [{"value": "response_2", "user_id": person}],
        "rationale": [{"value": "Exact.", "user_id": person}],
    }


def test_argilla_has_ranks_and_a_score_for_each_response_and_question(project, task, carol, lines):
    judgement, (one, two) = of_kind(task, carol, Kind.RANKING)
    Ranking.objects.create(judgement=judgement, tiers=[[two.pk], [one.pk]], shown=[one.pk, two.pk])
    rate(make_task(project), carol)
    answers = [line["responses"] for line in lines("argilla")]
    ranking = next(answer["ranking"][0]["value"] for answer in answers if "ranking" in answer)
    assert ranking == [{"value": "response_2", "rank": 1}, {"value": "response_1", "rank": 2}]
    rating = next(answer for answer in answers if "ranking" not in answer)
    assert {name: said[0]["value"] for name, said in rating.items()} == {
        "response_1-overall": 7,
        "response_1-helpfulness": 5,
        "response_1-verbosity": 2,
        "response_2-overall": 1,
        "rationale": "Exact.",
    }


def test_the_table_says_who_was_better_in_words(project, task, carol, lines):
    make_judgement(task, carol, -2, flags={str(task.places.get(position=1).response_id): ["unsafe"]})
    for preference in (0, None):
        make_judgement(make_task(project, prompt=task.prompt), carol, preference)
    found = lines("comparisons")
    assert sorted(line["better"] for line in found) == ["1", "both bad", "tie"]
    line = next(line for line in found if line["better"] == "1")
    assert (line["strength"], line["preference"], line["flags_1"], line["flags_2"]) == (0.5, -2, "", "unsafe")
    assert line["prompt"] == "Be brief.\n\nHuman: How long?\n\nAssistant:"
