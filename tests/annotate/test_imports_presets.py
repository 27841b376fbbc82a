"""Each known format of preference data: found by its fields, and read into exactly these rows."""

import json

import pytest

from annotate.imports.cells import unpack_cells
from annotate.imports.presets.table import PRESETS, find_preset
from annotate.imports.rows import (
    Options,
    RowRefused,
    SaidComparison,
    SaidDemonstration,
    SaidRanking,
    SaidSpans,
)
from annotate.models import Import
from annotate.services.judged_checks import check_judged

USER = {"role": "user", "content": "Why?"}
YES = {"role": "assistant", "content": "Yes."}
NO = {"role": "assistant", "content": "No."}
COMPARED = [USER], ["Yes.", "No."]


def read(preset, value, **options):
    assert preset in ("mapped", find_preset(value))
    return [check_judged(row) for row in PRESETS[preset].read(value, Options(**options))]


def read_one(preset, value, **options):
    """(prompt's turns, texts, what was said by whom) of a row that holds one part."""
    (row,) = read(preset, value, **options)
    said = [(judgement.annotator, judgement.said) for judgement in row.judgements]
    return row.prompt.messages, [response.text for response in row.responses], said


def refusal(preset, value, **options):
    with pytest.raises(RowRefused) as caught:
        read(preset, value, **options)
    return str(caught.value)


def test_every_preset_has_a_label_and_every_label_a_preset():
    assert set(PRESETS) == set(Import.Contents.values)


@pytest.mark.parametrize(
    ("preset", "value", "preference"),
    [
        ("hh", {"chosen": "\n\nHuman: Why?\n\nAssistant: Yes.", "rejected": "\n\nHuman: Why?\n\nAssistant: No."}, -1),
        ("pairs", {"prompt": "Why?", "chosen": "Yes.", "rejected": "No."}, -1),
        ("pairs", {"prompt": [USER], "chosen": [YES], "rejected": [NO]}, -1),
        ("pairs", {"chosen": [USER, YES], "rejected": [USER, NO]}, -1),
        (
            "ultrafeedback-binarized",
            {"prompt": "Why?", "chosen": [USER, YES], "rejected": [USER, NO], "score_chosen": 8.5, "score_rejected": 3},
            -1,
        ),
        (
            "ultrafeedback-binarized",
            {"prompt": "Why?", "chosen": [USER, YES], "rejected": [USER, NO], "score_chosen": 6, "score_rejected": 6},
            0,
        ),
        (
            "pairs",
            {
                "conversations": [{"from": "human", "value": "Why?"}],
                "chosen": {"from": "gpt", "value": "Yes."},
                "rejected": {"from": "gpt", "value": "No."},
            },
            -1,
        ),
    ],
)
def test_pairs_of_every_make(preset, value, preference):
    turns, texts, said = read_one(preset, value)
    assert (turns, texts) == COMPARED
    assert said == [("imported", SaidComparison(preference))]


@pytest.mark.parametrize(("label", "score"), [(True, 2), (False, 1), ("true", 2), ("0", 1)])
def test_trl_unpaired_is_a_rating_of_two_points(label, score):
    turns, texts, [(_, said)] = read_one("trl-unpaired", {"prompt": "Why?", "completion": "Yes.", "label": label})
    assert (turns, texts, said.scores, said.questions[0].names) == (
        [USER],
        ["Yes."],
        {0: {"good": score}},
        ("No", "Yes"),
    )


def test_trl_unpaired_as_messages_and_with_a_label_that_is_none():
    value = {"prompt": [USER], "completion": [YES], "label": True}
    assert read_one("trl-unpaired", value)[:2] == ([USER], ["Yes."])
    assert refusal("trl-unpaired", value | {"label": "maybe"}) == "“label” is “maybe”; it must be true or false"


def test_ultrafeedback_rates_every_completion_with_halves_and_aspects():
    def completion(model, text, score, rating):
        aspects = {"helpfulness": {"Rating": rating, "Rationale": "…"}, "honesty": {"Rating": "N/A"}}
        return {"model": model, "response": text, "overall_score": score, "annotations": aspects}

    value = {"source": "evol", "instruction": "Why?", "completions": [completion("m1", "Yes.", 8.5, "5")]}
    value["completions"].append(completion("m2", "No.", 2, "1"))
    (row,) = read("ultrafeedback", value)
    assert [(response.text, response.author) for response in row.responses] == [("Yes.", "m1"), ("No.", "m2")]
    (judgement,) = row.judgements
    assert (judgement.annotator, judgement.said.scores, row.prompt.source) == (
        "gpt-4",
        {0: {"overall": 17, "helpfulness": 5}, 1: {"overall": 4, "helpfulness": 1}},
        "evol",
    )
    assert judgement.said.questions[0].points == 20


HELPSTEER = {"prompt": "Why?", "helpfulness": 4, "correctness": 3, "coherence": 4, "complexity": 0, "verbosity": 1}


def test_helpsteer2_is_a_rating_of_five_attributes():
    turns, texts, [(_, said)] = read_one("helpsteer2", HELPSTEER | {"response": "Yes."})
    assert (turns, texts) == ([USER], ["Yes."])
    assert said.scores == {0: {"helpfulness": 5, "correctness": 4, "coherence": 5, "complexity": 1, "verbosity": 2}}
    assert refusal("helpsteer2", HELPSTEER | {"response": "Yes.", "verbosity": 7}) == (
        "the score 8 for “verbosity” is not on its scale from 1 to 5"
    )


def test_helpsteer2_preference_has_seven_points_reasons_and_turns():
    value = {
        "prompt": "Hi\n<extra_id_1>Assistant\nHello\n<extra_id_1>User\nWhy?",
        "response_1": "Yes.",
        "response_2": "No.",
        "preference_strength": -3,
        "preference_statement": "@Response 1 is right.",
        "preference_elaboration": "It is.",
    }
    (row,) = read("helpsteer2-preference", value)
    assert [turn["content"] for turn in row.prompt.messages] == ["Hi", "Hello", "Why?"]
    assert row.judgements[0].said == SaidComparison(-3, points=7)
    assert row.judgements[0].rationale == "@Response 1 is right.\n\nIt is."


def test_an_openassistant_tree_is_a_ranking_at_every_turn_that_has_one():
    def message(number, role, text, **facts):
        return {"message_id": f"m{number}", "role": role, "text": text, "lang": "en", "replies": [], **facts}

    follow_up = message(4, "prompter", "And?", replies=[message(5, "assistant", "So.", rank=None)])
    replies = [
        message(1, "assistant", "No.", rank=1),
        message(2, "assistant", "Yes.", rank=0, replies=[follow_up]),
        message(3, "assistant", "Spam.", rank=2, deleted=True),
    ]
    tree = {"message_tree_id": "m0", "prompt": message(0, "prompter", "Why?", replies=replies)}
    first, second = read("oasst-trees", tree)
    assert ([response.text for response in first.responses], first.prompt.external_id) == (["Yes.", "No."], "m0")
    assert (first.judgements[0].said, first.prompt.tags) == (SaidRanking(((0,), (1,))), ("en",))
    assert [turn["content"] for turn in second.prompt.messages] == ["Why?", "Yes.", "And?"]
    assert ([response.text for response in second.responses], second.judgements) == (["So."], ())


def test_alpaca_self_instruct_and_sharegpt_are_demonstrations():
    shown = [("imported", SaidDemonstration(0))]
    alpaca = {"instruction": "Translate.", "input": "Hello", "output": "Hallo"}
    joined = [{"role": "user", "content": "Translate.\n\nHello"}]
    assert read_one("alpaca", alpaca) == (joined, ["Hallo"], shown)
    task = {"id": "t", "instruction": "Translate.", "instances": [{"input": "Hello", "output": "Hallo"}]}
    assert read_one("self-instruct", task) == (joined, ["Hallo"], shown)
    task["instances"].append({"input": "Bye", "output": ""})
    assert [row.prompt.external_id for row in read("self-instruct", task)] == ["t", "t-2"]
    turns = [
        {"from": "system", "value": "Be brief."},
        {"from": "human", "value": "Why?"},
        {"from": "gpt", "value": "Yes."},
    ]
    (row,) = read("sharegpt", {"id": "s", "conversations": turns})
    assert (row.prompt.system, row.prompt.messages, row.responses[0].text) == ("Be brief.", [USER], "Yes.")
    assert refusal("sharegpt", {"conversations": [{"from": "tool", "value": "x"}]}).startswith(
        "“conversations[0].from” is “tool”; understood are human, user, gpt"
    )


@pytest.mark.parametrize(
    ("winner", "preference"), [("model_a", -1), ("model_b", 1), ("tie", 0), ("tie (bothbad)", None)]
)
def test_an_arena_battle_is_a_comparison_with_model_a_on_the_left(winner, preference):
    value = {"model_a": "m1", "model_b": "m2", "winner": winner, "judge": "arena_user_7", "language": "English"}
    value |= {"conversation_a": [USER, YES], "conversation_b": [USER, NO], "turn": 1, "question_id": "q"}
    (row,) = read("arena", value)
    assert [response.author for response in row.responses] == ["m1", "m2"]
    assert (row.prompt.tags, row.judgements[0].annotator) == (("English",), "arena_user_7")
    assert row.judgements[0].said == SaidComparison(preference, first_on_left=True)
    second = [*value["conversation_b"], USER, YES]
    assert refusal("arena", value | {"conversation_b": second}).startswith("judges a reply that follows two different")


def test_an_arena_file_of_lists_is_read_when_it_has_one_turn():
    value = {"id": 1, "model_a": "m1", "model_b": "m2", "prompt": '["Why?"]', "response_a": '["Yes."]'}
    value |= {"response_b": '["No."]', "winner_model_a": 0, "winner_model_b": 1, "winner_tie": 0}
    turns, texts, [(_, said)] = read_one("arena-lists", value)
    assert ((turns, texts), said.preference) == (COMPARED, 1)
    assert refusal("arena-lists", value | {"prompt": '["Why?", "And?"]'}).startswith("judges a reply that follows")
    assert "must be one 1 and two 0" in refusal("arena-lists", value | {"winner_tie": 1})


def test_mt_bench_answers_are_a_prompt_a_turn_and_verdicts_refer_to_them():
    first, second = read("mt-bench-answers", {"question_id": 81, "model": "m1", "messages": [USER, YES, USER, NO]})
    assert (first.prompt.external_id, first.responses[0].author, first.prompt.messages) == ("81", "m1", [USER])
    assert (second.prompt.external_id, second.prompt.messages) == ("81/m1/2", [USER, YES, USER])
    verdict = {"question_id": 81, "turn": 1, "model_a": "m1", "model_b": "m2", "winner": "model_b", "judge": "expert_1"}
    assert read_one("mt-bench-verdicts", verdict) == (
        [],
        ["", ""],
        [("expert_1", SaidComparison(1, first_on_left=True))],
    )


def test_pandalm_has_three_people():
    value = {"idx": 5, "motivation_app": "Gmail", "cmp_key": "bloom-7b_llama-7b", "instruction": "Why?", "input": ""}
    value |= {"response1": True, "response2": "No.", "annotator1": 0, "annotator2": 1, "annotator3": 2}
    (row,) = read("pandalm", value)
    assert [(response.text, response.author) for response in row.responses] == [
        ("True", "bloom-7b"),
        ("No.", "llama-7b"),
    ]
    assert [judgement.said.preference for judgement in row.judgements] == [0, -1, 1]
    assert (row.prompt.tags, row.prompt.external_id) == (("Gmail",), "")
    assert refusal("pandalm", value | {"annotator2": 4}) == "“annotator2” is 4; it must be 0 for a tie, 1 or 2"


def test_squality_is_ratings_rankings_and_marked_words_of_each_reviewer():
    def review(rank, overall, marks):
        marks = [{"selection": words, "annotation": [note]} for words, note in marks]
        ratings = {"correctness-rating": 10, "selection-rating": 20, "overall-rating": overall}
        return {"worker_id": "3", "annotations": marks, "overall-rank": rank, **ratings}

    systems = {
        "bart": {"response": "A man runs.", "reviews": [review(2, 5, [("runs", "walks"), ("flies", "lost")])]},
        "human": {"response": "A man walks.", "reviews": [review(1, 100, [])]},
    }
    (row,) = read("squality", {"passage-id": "50827", "questions": {"0": systems}})
    rating, ranking, spans = (judgement.said for judgement in row.judgements)
    assert rating.scores[0] == {"overall": 6, "correctness": 11, "selection": 21}
    assert ranking == SaidRanking(((1,), (0,)))
    assert isinstance(spans, SaidSpans)
    assert [(span["start"], span["text"], span["note"]) for span in spans.spans] == [(6, "runs", "walks")]
    assert (row.prompt.external_id, {judgement.annotator for judgement in row.judgements}) == ("50827/0", {"3"})


FIELDS = {"instruction": "Why?", "response-1": "Yes.", "response-2": "No."}


def test_argilla_records_of_version_1():
    ranked = {"value": [{"value": "response-2", "rank": 1}, {"value": "response-1", "rank": 1}]}
    values = {
        "ranking": ranked,
        "rationale": {"value": "Both fine."},
        "rating-1": {"value": 4},
        "rating-2": {"value": 2},
    }
    responses = [{"user_id": "u1", "status": "submitted", "values": values}, {"user_id": "u2", "status": "discarded"}]
    (row,) = read("argilla", {"external_id": "x", "fields": FIELDS, "responses": responses, "metadata": {}})
    ranking, rating = row.judgements
    assert (ranking.said, ranking.annotator, ranking.rationale) == (SaidRanking(((1, 0),)), "u1", "Both fine.")
    assert rating.said.scores == {0: {"rating": 4}, 1: {"rating": 2}}
    assert (row.prompt.external_id, row.responses[0].author) == ("x", "response-1")


def test_argilla_records_of_version_2():
    responses = {
        "better": [{"value": "response-2", "user_id": "u1"}, {"value": "tie", "user_id": "u2"}],
        "ideal": [{"value": "Perhaps.", "user_id": "u1"}],
    }
    (row,) = read("argilla", {"id": "x", "fields": FIELDS, "responses": responses, "suggestions": {}})
    assert [(judgement.annotator, judgement.said) for judgement in row.judgements] == [
        ("u1", SaidComparison(1, first_on_left=True)),
        ("u1", SaidDemonstration(2)),
        ("u2", SaidComparison(0, first_on_left=True)),
    ]
    assert row.responses[2].text == "Perhaps."
    one = {"fields": {"prompt": "Why?", "answer": "Yes."}, "responses": {"quality": [{"value": 7, "user_id": "u"}]}}
    turns, texts, [(_, said)] = read_one("argilla", one)
    assert (turns, texts, said.scores, said.questions[0].points) == ([USER], ["Yes."], {0: {"quality": 7}}, 10)


def annotation(*results, **facts):
    entries = [{"type": kind, "value": value} for kind, value in results]
    return {"completed_by": {"email": "ann@example.org"}, "lead_time": 4.5, "result": entries, **facts}


def test_label_studio_pairs_choices_ratings_and_rankings():
    data = {"prompt": "Why?", "answer1": "Yes.", "answer2": "No."}
    comment = ("textarea", {"text": ["Short."]})
    annotations = [
        annotation(("pairwise", {"selected": "left"}), comment, created_at="2024-05-01T10:00:00Z"),
        annotation(("choices", {"choices": ["both bad"]}), completed_by=7),
        annotation(("pairwise", {"selected": "right"}), was_cancelled=True),
    ]
    (row,) = read("label-studio", {"id": 1, "data": data, "annotations": annotations})
    first, second = row.judgements
    assert (first.said, first.annotator, first.rationale, first.active_seconds) == (
        SaidComparison(-1, first_on_left=True),
        "ann@example.org",
        "Short.",
        4.5,
    )
    assert (first.judged_at.year, second.said.preference, second.annotator) == (2024, None, "7")
    one = {"data": {"prompt": "Why?", "answer": "Yes."}, "annotations": [annotation(("rating", {"rating": 4}))]}
    assert read_one("label-studio", one)[2][0][1].scores == {0: {"rating": 4}}
    items = {"prompt": "Why?", "items": [{"id": "i1", "body": "Yes."}, {"id": "i2", "body": "No."}]}
    ranked = [annotation(("ranker", {"ranker": {"_": ["i2", "i1"]}}))]
    assert read_one("label-studio", {"data": items, "annotations": ranked})[2][0][1] == SaidRanking(((1,), (0,)))


COLUMNS = {"prompt": "q", "response_a": "one", "response_b": "two", "preference": "vote", "annotator": "who"}


@pytest.mark.parametrize(
    ("vote", "points", "preference"),
    [("A", None, -1), ("right", None, 1), ("Tie", None, 0), ("both bad", None, None), ("-2", 7, -2), ("3.0", 7, 3)],
)
def test_columns_that_were_chosen_are_read_as_what_they_were_called(vote, points, preference):
    value = {"q": "Why?", "one": "Yes.", "two": "No.", "vote": vote, "who": "w1", "n": "9"}
    columns = COLUMNS | {"external_id": "n"}
    (row,) = read("mapped", value, columns=columns, points=points)
    (judgement,) = row.judgements
    assert judgement.said == SaidComparison(preference, points=points, first_on_left=True)
    assert (judgement.annotator, judgement.external_id, row.prompt.external_id) == ("w1", "9", "")


def test_columns_without_a_verdict_are_a_prompt_and_its_responses():
    columns = {"prompt": "q", "response_a": "one", "external_id": "n", "tags": "t", "system": "s"}
    (row,) = read("mapped", {"q": "Why?", "one": "Yes.", "n": 9, "t": "a, b", "s": "Be brief."}, columns=columns)
    assert (row.prompt.external_id, row.prompt.tags, row.prompt.system, row.judgements) == (
        "9",
        ("a", "b"),
        "Be brief.",
        (),
    )
    assert refusal("mapped", {"q": "Why?"}, columns={}) == "no column is the prompt's yet"
    assert refusal("mapped", {"x": "Why?"}, columns=columns) == "has no “q”, the column of the prompt"
    value = {"q": "Why?", "one": "Yes.", "two": "No.", "vote": "hm", "who": ""}
    assert refusal("mapped", value, columns=COLUMNS).startswith("the preference “hm” is none that is understood")


def test_cells_of_a_csv_may_hold_messages():
    row = {"prompt": json.dumps([USER]), "chosen": json.dumps([YES]), "rejected": json.dumps([NO]), "id": "[1]"}
    unpacked = unpack_cells(row)
    assert unpacked == {"prompt": [USER], "chosen": [YES], "rejected": [NO], "id": "[1]"}


def test_any_other_row_is_a_prompt():
    assert find_preset({"prompt": "Why?"}) == find_preset("Why?") == "prompts"
    assert read_one("prompts", {"prompt": "Why?", "response": "Yes."}) == ([USER], ["Yes."], [])
