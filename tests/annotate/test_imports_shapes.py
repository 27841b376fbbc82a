"""What a row means: every shape that is understood, and the reason for each that is not."""

import pytest

from annotate.imports.pairs import read_pair
from annotate.imports.rows import FileRefused, Options, ReadResponse, RowRefused, SaidComparison
from annotate.imports.shapes import check_columns, read_prompt

USER = {"role": "user", "content": "Why?"}
REPLY = {"role": "assistant", "content": "Because."}
HUMAN = "\n\nHuman: Why?\n\nAssistant:"


def one_turn(text):
    return [{"role": "user", "content": text}]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (" Why? ", "Why?"),
        ({"prompt": "Why?"}, "Why?"),
        ({"id": "koala_0", "prompt": "Why?"}, "Why?"),
        ({"question": "Why?"}, "Why?"),
        ({"text": "Why?"}, "Why?"),
        ({"question_id": 1, "category": "generic", "turns": ["Why?"]}, "Why?"),
        ({"instruction": "Translate.\n", "input": "Hello"}, "Translate.\n\nHello"),
        ({"instruction": "Sing.", "input": ""}, "Sing."),
        ({"instruction": "Sing.", "instances": [{"input": "Loud", "output": "La"}]}, "Sing.\n\nLoud"),
        ({"prompt": "Sing.\nOutput:", "instruction": "Sing.", "input": ""}, "Sing."),
        ({"prompt": [USER]}, "Why?"),
        ({"messages": [USER]}, "Why?"),
    ],
)
def test_every_shape_of_a_prompt_is_understood(value, text):
    assert read_prompt(value, Options()).messages == one_turn(text)


def test_what_stands_beside_the_prompt_is_kept():
    value = {"question_id": 81, "category": "writing", "turns": ["One", "Two"], "tags": "a, b", "source": "mt"}
    row = read_prompt(value | {"system": "Be brief."}, Options())
    assert (row.external_id, row.tags, row.source, row.system) == (
        "81",
        ("writing", "a", "b", "multi-turn"),
        "mt",
        "Be brief.",
    )
    assert row.note == "the first of 2 turns is the prompt; the next would need a reply before it."


def test_a_last_assistant_turn_of_messages_is_a_response_to_what_stands_before():
    row = read_prompt(
        {"messages": [{"role": "system", "content": "S"}, USER, REPLY, USER, REPLY], "model": "m"}, Options()
    )
    assert row.messages == [USER, REPLY, USER]
    assert row.system == "S"
    assert row.responses == (ReadResponse("Because.", "m"),)


def test_responses_and_references_are_kept_with_their_author():
    row = read_prompt({"instruction": "Sing.", "response": " La ", "target": "Lala", "model": "m"}, Options())
    assert row.responses == (ReadResponse("Lala", "reference"), ReadResponse("La", "m"))


def test_the_field_that_the_owner_names_comes_first():
    assert read_prompt({"prompt": "no", "body": "Why?"}, Options(column="body")).messages == one_turn("Why?")
    with pytest.raises(RowRefused, match="has no “body”"):
        read_prompt({"prompt": "no"}, Options(column="body"))


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (7, "is neither an object nor text"),
        ({"prompt": "  "}, "the prompt is empty"),
        ({"prompt": None}, "“prompt” must be text or a list of messages"),
        ({"prompt": "a" * 200_000}, "the prompt has 200,000 characters; the limit is 100,000"),
        ({"prompt": [USER, REPLY]}, "“prompt” ends with a turn of “assistant”; a prompt ends with a user turn"),
        ({"messages": []}, "“messages” is an empty list; it must be a list of messages with role and content"),
        ({"messages": "Why?"}, "“messages” is text; it must be a list of messages with role and content"),
        ({"messages": [{"content": "a"}]}, "“messages[0]” is not an object with role and content"),
        ({"messages": [USER | {"content": ["a"]}]}, "“messages[0].content” is a list; it must be text"),
        ({"messages": [USER | {"role": "tool"}]}, "“messages[0].role” is 'tool'; it must be system, user or assistant"),
        (
            {"messages": [USER, USER]},
            (
                "“messages[1]” is from “user” where a turn of “assistant” is due: "
                "user and assistant take turns, the user begins, and system text stands first"
            ),
        ),
        (
            {"messages": [{"role": "system", "content": "S"}]},
            "“prompt” ends with a turn of “system”; a prompt ends with a user turn",
        ),
        ({"turns": [1]}, "“turns” must be a list of texts with at least one in it"),
        ({"instruction": "Sing.", "instances": []}, "“instances” must be a list of objects with input and output"),
        ({"instruction": 5}, "“instruction” must be text"),
        ({"prompt": "Why?", "category": "c" * 61}, f"the tag “{'c' * 60}…” has 61 characters; the limit is 60"),
        ({"prompt": "Why?", "id": [1]}, "“id” must be text or a whole number"),
        (
            {"a": 1},
            (
                "has no field for a prompt: it has “a”; understood are "
                "messages, turns, instances, instruction, prompt, question, text"
            ),
        ),
    ],
)
def test_a_prompt_that_cannot_be_taken_says_why(value, reason):
    with pytest.raises(RowRefused) as caught:
        read_prompt(value, Options())
    assert str(caught.value) == reason


def test_a_csv_without_the_column_names_those_it_has():
    with pytest.raises(FileRefused) as caught:
        check_columns(["a", "b"], is_pairs=False)
    assert str(caught.value) == (
        "The file has no column that is known to hold prompts. It has “a”, “b”; understood are “prompt”, "
        "“instruction”, “question” and “text”. Choose the column with the prompts, or rename it."
    )
    check_columns(["a", "b"], is_pairs=False, column="b")
    with pytest.raises(FileRefused, match="Judged pairs need the columns “chosen” and “rejected”"):
        check_columns(["prompt", "chosen"], is_pairs=True)


@pytest.mark.parametrize(
    "value",
    [
        {"chosen": f"{HUMAN} Yes.", "rejected": f"{HUMAN} No. "},
        {"prompt": "Why?", "chosen": "Yes.", "rejected": "No."},
        {"prompt": HUMAN, "chosen": " Yes.", "rejected": " No."},
        {"prompt": [USER], "chosen": [REPLY | {"content": "Yes."}], "rejected": [REPLY | {"content": "No."}]},
        {"chosen": [USER, REPLY | {"content": "Yes."}], "rejected": [USER, REPLY | {"content": "No."}]},
        {
            "prompt": "Why?",
            "chosen": [USER, REPLY | {"content": "Yes."}],
            "rejected": [USER, REPLY | {"content": "No."}],
        },
    ],
)
def test_every_shape_of_a_judged_pair_is_understood(value):
    pair = read_pair(value, Options())
    assert (pair.prompt.messages, [read.text for read in pair.responses]) == ([USER], ["Yes.", "No."])
    assert (pair.judgements[0].said, pair.judgements[0].annotator) == (SaidComparison(-1), "imported")


def test_a_transcript_of_many_turns_keeps_all_but_the_last_as_its_prompt():
    start = "\n\nHuman: One\n\nAssistant: Two\n\nHuman: Three\n\nAssistant:"
    pair = read_pair({"chosen": f"{start} A", "rejected": f"{start} B", "annotator": "w7"}, Options())
    assert [turn["content"] for turn in pair.prompt.messages] == ["One", "Two", "Three"]
    assert pair.judgements[0].annotator == "w7"


@pytest.mark.parametrize(
    ("chosen", "rejected", "reason"),
    [
        ("Why?", f"{HUMAN} No.", "“chosen” does not begin with “\\n\\nHuman:”, as an HH-RLHF transcript does"),
        (f"{HUMAN} Yes.", f"{HUMAN}", "“rejected” has no assistant text at its end"),
        (
            f"{HUMAN} Yes.",
            "\n\nHuman: Why?",
            "“rejected” ends with a turn of the user; it must end with assistant text",
        ),
        (
            f"{HUMAN} Yes.",
            "\n\nHuman: How?\n\nAssistant: No.",
            "“chosen” and “rejected” do not share a prompt: they differ before the last assistant turn",
        ),
        (f"{HUMAN} Yes.", f"{HUMAN}  Yes. ", "“chosen” and “rejected” are identical: there is nothing to prefer"),
        (
            f"{HUMAN} Yes.\n\nAssistant: And no.",
            f"{HUMAN} No.",
            (
                "“chosen” has “Assistant:” as turn 3 where “Human:” is due: "
                "a turn is missing, or a role marker stands inside a text"
            ),
        ),
        (7, f"{HUMAN} No.", "“chosen” must be text or a list of messages"),
    ],
)
def test_a_pair_that_cannot_be_taken_says_why(chosen, rejected, reason):
    with pytest.raises(RowRefused) as caught:
        read_pair({"chosen": chosen, "rejected": rejected}, Options())
    assert str(caught.value) == reason


def test_a_row_without_both_sides_is_no_pair():
    with pytest.raises(RowRefused, match="has no “rejected”: it has “chosen”"):
        read_pair({"chosen": "a"}, Options())
