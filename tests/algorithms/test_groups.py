"""From texts to tokens: the boundary, the end of sequence, what is cut, and what a bad line is told."""

import json

import pytest
from tokenizers.models import BPE
from transformers import PreTrainedTokenizerFast

from tests.algorithms.runs import make_rows
from tests.tiny_models import build_encoder, byte_tokenizer, policy_tokenizer
from training.algorithms.groups import Group, encode_groups, normalise_weights, parse_group, read_groups
from training.algorithms.labels import Pair
from training.algorithms.models import load_tokenizer

CHAT, PLAIN = policy_tokenizer(), policy_tokenizer(chat=False)
HELLO = ({"role": "user", "content": "Hello"},)


def group(*completions: str, prompt=HELLO, **fields) -> Group:
    return Group(id="g", prompt=prompt, completions=completions, label=Pair(0, 1), **fields)


def encode(one: Group, tokenizer, max_length: int = 200):
    (found,), report = encode_groups([one], tokenizer, max_length=max_length)
    return found, report


@pytest.mark.parametrize("tokenizer", [CHAT, PLAIN], ids=["chat", "plain"])
def test_every_completion_ends_with_the_end_of_sequence_exactly_once(tokenizer):
    found, _ = encode(group("Hi", "", "Hi there"), tokenizer)
    for ids in found.completions:
        assert ids.count(tokenizer.eos_token_id) == 1
        assert ids[-1] == tokenizer.eos_token_id


def test_prompt_and_completion_meet_where_generation_begins():
    found, _ = encode(group("Hi", "Ho"), CHAT)
    assert CHAT.decode(found.prompt) == "<|im_start|>user\nHello<|im_end|>\n<|im_start|>assistant\n"
    assert [CHAT.decode(ids) for ids in found.completions] == ["Hi<|im_end|>", "Ho<|im_end|>"]


def test_a_merge_across_the_boundary_belongs_to_the_completion():
    """The template's line end and an "H" are one token here: the prompt loses its last token to "Hi", and so for both
    completions."""
    bytes_alone = byte_tokenizer([])
    vocabulary = {**bytes_alone.get_vocab(), "ĊH": bytes_alone.get_vocab_size()}
    bytes_alone.model = BPE(vocab=vocabulary, merges=[("Ċ", "H")])
    merging = PreTrainedTokenizerFast(
        tokenizer_object=bytes_alone, bos_token="<|im_start|>", eos_token="<|im_end|>", pad_token="<|pad|>"
    )
    merging.chat_template = CHAT.chat_template
    found, _ = encode(group("Hi", "yes"), merging)
    assert merging.decode(found.prompt) == "<|im_start|>user\nHello<|im_end|>\n<|im_start|>assistant"
    assert [merging.decode(ids) for ids in found.completions] == ["\nHi<|im_end|>", "\nyes<|im_end|>"]
    assert merging.convert_ids_to_tokens(found.completions[0][0]) == "ĊH"


def test_without_a_template_the_prompt_is_a_plain_transcript():
    found, _ = encode(group("Hi", "Ho", system="Be kind."), PLAIN)
    assert PLAIN.decode(found.prompt) == "<|im_start|>Be kind.\n\nHuman: Hello\n\nAssistant:"
    assert PLAIN.decode(found.completions[0]) == " Hi<|im_end|>"


def test_a_completion_that_was_cut_by_length_has_no_end():
    found, _ = encode(group("Hi", "Ho", finished=(True, False)), CHAT)
    assert [CHAT.decode(ids) for ids in found.completions] == ["Hi<|im_end|>", "Ho"]


def test_the_spelling_of_a_special_token_inside_a_text_is_only_text():
    found, _ = encode(group("a<|im_end|>b", "c", prompt=({"role": "user", "content": "<|im_start|>system"},)), CHAT)
    assert CHAT.decode(found.completions[0]) == "a< |im_end|>b<|im_end|>"
    assert found.prompt.count(CHAT.bos_token_id) == 2  # the template's own


def test_a_long_prompt_loses_its_beginning_and_says_so():
    found, report = encode(group("Hi", "Ho", prompt=({"role": "user", "content": "x" * 300 + "end"},)), CHAT, 64)
    assert len(found.prompt) == 64 - 3
    assert CHAT.decode(found.prompt).endswith("xend<|im_end|>\n<|im_start|>assistant\n")
    assert CHAT.decode(found.completions[0]) == "Hi<|im_end|>"
    assert (report.prompts_cut, report.completions_cut) == (1, 0)


def test_a_long_completion_loses_its_end_only_after_the_prompt_gave_way_and_says_so():
    found, report = encode(group("y" * 300, "Ho"), CHAT, 40)
    assert len(found.prompt) == 10
    assert CHAT.decode(found.completions[0]) == "y" * 30
    assert CHAT.decode(found.completions[1]) == "Ho<|im_end|>"
    assert (report.prompts_cut, report.completions_cut) == (1, 1)


def test_an_encoder_reads_cls_prompt_sep_completion_sep(tmp_path):
    tokenizer = load_tokenizer(build_encoder(tmp_path / "encoder"))
    found, _ = encode(group("Hi", "Ho"), tokenizer)
    assert tokenizer.decode(found.prompt + found.completions[0]) == "[CLS]Human: Hello[SEP]Hi[SEP]"
    found, _ = encode(group("Hi", "Ho", prompt=({"role": "user", "content": "x" * 99},)), tokenizer, 32)
    assert len(found.prompt) == 29
    assert tokenizer.decode(found.prompt[:2]) == "[CLS]x"


def test_weights_get_mean_one_and_zeros_are_left_out():
    groups = [encode(group("a", "b", weight=weight), CHAT)[0] for weight in (0.0, 1.0, 3.0)]
    assert [one.weight for one in normalise_weights(groups)] == [0.5, 1.5]
    with pytest.raises(ValueError, match="weight 0"):
        normalise_weights(groups[:1])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"completions": []}, "'completions' must be a list of texts, at least one"),
        ({"completions": ["one"]}, "must be two different places among 1 completions"),
        ({"completions": ["one"], "label": {"kind": "tie"}}, "a tie needs two completions"),
        ({"label": {"kind": "ranking", "tiers": [[0], [0, 1]]}}, "tiers must be lists that hold each place of the 2"),
        ({"label": {"kind": "ranking", "tiers": [[0]]}}, "tiers must be lists that hold each place of the 2"),
        ({"label": {"kind": "rating", "scores": [1]}}, "scores must have one entry for each of 2 completions"),
        ({"label": {"kind": "rating", "scores": [None, None]}}, "at least one is a number"),
        ({"label": {"kind": "unpaired", "desirable": [True, 1]}}, "desirable is true or false for each of 2"),
        ({"prompt": []}, "'prompt' must be a list of messages"),
        ({"prompt": [{"role": "robot", "content": "x"}]}, "'prompt' holds .*robot"),
        ({"label": {"kind": "rank"}}, "its kind must be one of pair, tie, ranking, rating, demonstration, unpaired"),
        ({"label": {"kind": "pair", "chosen": 0, "rejected": 0}}, "two different places among 2 completions"),
        (
            {"label": {"kind": "pair", "chosen": 0, "rejected": 1, "strength": 2}},
            "strength must be above 0 and at most 1",
        ),
        ({"weight": -1}, "'weight' is -1"),
    ],
)
def test_a_bad_group_is_told_field_and_value(change, message):
    with pytest.raises(ValueError, match=message):
        parse_group(json.dumps(make_rows(1)[0] | change))


def test_a_bad_line_is_told_file_and_line(tmp_path):
    path = tmp_path / "train.jsonl"
    path.write_text("\n".join([*(json.dumps(row) for row in make_rows(6)), '{"id": ']) + "\n")
    with pytest.raises(ValueError, match=r"train\.jsonl, line 7: this is not JSON"):
        read_groups(path)


def test_an_empty_file_is_an_error(tmp_path):
    (tmp_path / "train.jsonl").write_text("\n")
    with pytest.raises(ValueError, match="holds no groups"):
        read_groups(tmp_path / "train.jsonl")
