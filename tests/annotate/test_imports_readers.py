"""Files as rows and refusals: every bad input with its exact message, and nothing else lost."""

import gzip
import json
from pathlib import Path

import pytest

from annotate.imports.readers import READERS, detect_format
from annotate.imports.rows import MAX_ROW_BYTES, FileRefused, Refusal, Row
from annotate.imports.sources import ArrayScanner, Source, refuse_binary


def read(path: Path, content: bytes, kind: str, *, max_bytes: int = 2**31) -> list[Row | Refusal]:
    path.write_bytes(content)
    with Source(path, max_bytes) as source:
        return list(READERS[kind](source))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "upload"


def values(rows):
    return [row.value for row in rows if isinstance(row, Row)]


def refusals(rows):
    return [(row.number, row.reason) for row in rows if isinstance(row, Refusal)]


def test_broken_json_at_line_seven_costs_that_line_alone(path):
    lines = [json.dumps({"prompt": f"question {number}"}) for number in range(1, 11)]
    lines[6] = '{"prompt": "question 7"'
    rows = read(path, "\n".join(lines).encode(), "jsonl")
    assert refusals(rows) == [(7, "is broken JSON: Expecting ',' delimiter at character 24")]
    assert [value["prompt"][9:] for value in values(rows)] == ["1", "2", "3", "4", "5", "6", "8", "9", "10"]
    assert next(row.raw for row in rows if isinstance(row, Refusal)) == '{"prompt": "question 7"'


def test_a_line_of_fifty_megabytes_is_refused_and_reading_goes_on(path):
    long = b'{"prompt": "' + b"a" * (50 * 1024 * 1024 - 14) + b'"}'
    rows = read(path, b'{"prompt": "one"}\n' + long + b'\n{"prompt": "three"}\n', "jsonl")
    assert values(rows) == [{"prompt": "one"}, {"prompt": "three"}]
    assert refusals(rows) == [(2, "is 52,428,800 bytes long; a row may have 8,388,608")]
    assert len(rows[1].raw) == 10_000


def test_a_line_of_exactly_the_limit_is_read(path):
    assert values(read(path, b"a" * MAX_ROW_BYTES + b"\nb\n", "text"))[1] == "b"
    assert refusals(read(path, b"a" * (MAX_ROW_BYTES + 1), "text")) == [
        (1, "is 8,388,609 bytes long; a row may have 8,388,608")
    ]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"ab\0c", "holds a NUL character at position 3, which the database cannot store. Remove it."),
        (
            b'{"messages": [{"content": "a\\u0000"}]}',
            "“messages[0].content” holds a NUL character at position 2, which the database cannot store. Remove it.",
        ),
        (b'{"prompt": "\\ud83d"}', "“prompt” holds half a character, U+D83D, at position 1. Remove it."),
        (b'{"prompt": "caf\xe9"}', "is not UTF-8: byte 16 is 0xe9. Save the file as UTF-8."),
        (b'{"prompt": "a", "prompt": "b"}', "names the field “prompt” twice; keep one"),
        (b"[" * 100_000, "is JSON nested too deeply to read"),
        (b"not json", "is broken JSON: Expecting value at character 1"),
        (b'{"prompt": "half', "is broken JSON: Unterminated string at character 12"),
    ],
)
def test_what_cannot_be_stored_or_read_is_refused_with_its_place(path, line, reason):
    rows = read(path, b'{"prompt": "before"}\n' + line + b'\n{"prompt": "after"}\n', "jsonl")
    assert refusals(rows) == [(2, reason)]
    assert values(rows) == [{"prompt": "before"}, {"prompt": "after"}]


def test_a_byte_order_mark_blank_lines_and_windows_line_ends_do_no_harm(path):
    rows = read(path, b'\xef\xbb\xbf{"prompt": "one"}\r\n\r\n{"prompt": "two"}\r\n', "jsonl")
    assert [(row.number, row.value["prompt"]) for row in rows] == [(1, "one"), (3, "two")]


def test_plain_text_is_one_prompt_a_line(path):
    assert [(row.number, row.value) for row in read(path, "één\n\n  \ntwo".encode(), "text")] == [
        (1, "één"),
        (4, "two"),
    ]


def test_a_json_list_is_read_element_by_element_around_a_broken_one(path):
    content = b' [ {"prompt": "a [b] \\"c\\", {"} ,\n{"prompt": }, ["d", {"e": 1}], "f\\\\" ] trailing'
    rows = read(path, content, "json")
    assert values(rows) == [{"prompt": 'a [b] "c", {'}, ["d", {"e": 1}], "f\\"]
    assert refusals(rows) == [(2, "is broken JSON: Expecting value at character 12")]


def test_a_json_list_survives_any_cut_into_chunks():
    elements = ['quote " and \\', {"a": ["]", {"é": "{,"}]}, []]
    content = json.dumps(elements, ensure_ascii=False).encode()
    for cut in range(len(content)):
        scanner = ArrayScanner()
        pieces = [*scanner.feed(content[:cut]), *scanner.feed(content[cut:])]
        assert [json.loads(piece.data) for piece in pieces] == elements


def test_a_json_list_longer_than_a_chunk_is_read_whole(path):
    elements = [{"prompt": 'quote " backslash \\ comma ,' * 40, "n": [1, {"é": "ü"}]} for _ in range(90)]
    for indent in (None, 3):
        rows = read(path, json.dumps(elements, indent=indent, ensure_ascii=False).encode(), "json")
        assert values(rows) == elements


def test_a_json_list_that_is_cut_short_keeps_what_was_whole(path):
    rows = read(path, b'[{"prompt": "a"}, {"prompt": "b', "json")
    assert values(rows) == [{"prompt": "a"}]
    assert refusals(rows) == [(2, "the file ends before its list is closed with ]: it may be cut short")]


def test_a_huge_element_of_a_list_is_refused_and_reading_goes_on(path):
    rows = read(path, b'["a", "' + b"b" * (MAX_ROW_BYTES + 10) + b'", "c"]', "json")
    assert values(rows) == ["a", "c"]
    assert refusals(rows) == [(2, "is 8,388,621 bytes long; a row may have 8,388,608")]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_csv_rows_are_numbered_as_a_spreadsheet_numbers_them(path, delimiter):
    content = 'id,prompt\n1,"two\nlines, ""quoted"""\n2,plain\n'.replace("id,", f"id{delimiter}")
    content = content.replace("1,", f"1{delimiter}").replace("2,", f"2{delimiter}")
    rows = read(path, content.encode(), "csv")
    assert [(row.number, row.value) for row in rows] == [
        (2, {"id": "1", "prompt": 'two\nlines, "quoted"'}),
        (3, {"id": "2", "prompt": "plain"}),
    ]


def test_bad_csv_rows_are_refused_and_reading_goes_on(path):
    content = b'prompt,id\na,1\n"b"x,2\nc,3,4\nd\0,5\n\xe9,6\ne,7\n'
    rows = read(path, content, "csv")
    assert [value["prompt"] for value in values(rows)] == ["a", "e"]
    assert refusals(rows) == [
        (3, "is not good CSV: ',' expected after '\"'. Check its quotes."),
        (4, "has 3 fields, the header names 2. Put text with commas or line ends in quotes."),
        (5, "holds a NUL character at position 2, which the database cannot store. Remove it."),
        (6, "is not UTF-8: byte 1 is 0xe9. Save the file as UTF-8."),
    ]


def test_a_huge_csv_line_is_refused_and_reading_goes_on(path):
    rows = read(path, b"prompt\n" + b"a" * (MAX_ROW_BYTES + 5) + b"\nb\n", "csv")
    assert values(rows) == [{"prompt": "b"}]
    assert refusals(rows) == [(2, "is 8,388,613 bytes long; a row may have 8,388,608")]


def test_a_quote_that_is_never_closed_does_not_fill_the_memory(path):
    rows = read(path, b'prompt\na\n"' + (b"line" * 500 + b"\n") * 5_000 + b"z\n", "csv")
    assert values(rows)[0] == {"prompt": "a"}
    assert [number for number, _ in refusals(rows)] == [3]
    assert values(rows)[-1] == {"prompt": "z"}


def test_two_columns_of_one_name_are_refused(path):
    with pytest.raises(FileRefused, match="two columns named “prompt”"):
        read(path, b"prompt,prompt\na,b\n", "csv")


def test_every_format_is_read_from_gzip_too(path):
    contents = {"jsonl": b'{"prompt": "a"}\n', "json": b'[{"prompt": "a"}]', "csv": b"prompt\na\n", "text": b"a\n"}
    for kind, content in contents.items():
        assert values(read(path, gzip.compress(content), kind)) == values(read(path, content, kind))


def test_a_gzip_bomb_is_refused_by_size_and_by_ratio(path):
    bomb = gzip.compress(b'{"prompt": "a"}\n' + b" " * (80 * 1024 * 1024))
    with pytest.raises(FileRefused, match="unpacks to more than 1,000,000 bytes, the largest file taken"):
        read(path, bomb, "jsonl", max_bytes=1_000_000)
    with pytest.raises(FileRefused, match="unpacks to more than 250 times its size, which text does not"):
        read(path, bomb, "jsonl")


def test_a_gzip_file_cut_short_says_so(path):
    path.write_bytes(gzip.compress(b'{"prompt": "a"}\n' * 9)[:-9])
    with Source(path, 2**31) as source, pytest.raises(FileRefused, match="The gzip file is damaged or cut short"):
        list(READERS["jsonl"](source))


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"PK\x03\x04xx", "a ZIP archive or an Excel workbook"),
        (b"%PDF-1.7", "a PDF"),
        ("hé".encode("utf-16"), "UTF-16 text"),
    ],
)
def test_a_file_of_another_format_is_named(head, kind):
    with pytest.raises(FileRefused) as caught:
        refuse_binary(head, "photo.png")
    assert str(caught.value) == (
        f"“photo.png” is not UTF-8 text: it begins like {kind}. "
        "Plumbline reads UTF-8 text: JSON Lines, JSON, CSV or plain text, and Parquet; each also gzip'd."
    )


def test_a_file_that_is_not_text_is_refused_but_a_stray_byte_is_its_rows_matter():
    with pytest.raises(FileRefused, match="“x” is not UTF-8 text: 256 of its first 256 characters cannot be read"):
        refuse_binary(bytes([1, 2, 3, 200]) * 64, "x")
    refuse_binary("In Zürich am See\n".encode("latin-1") * 100, "x")
    refuse_binary(b'{"prompt": "a\0"}', "x")


@pytest.mark.parametrize(
    ("name", "head", "kind"),
    [
        ("", b'{"prompt": "a"}', "jsonl"),
        ("", b' [\n {"prompt": "a"}]', "json"),
        ("", b"[Intro] Why?", "text"),
        ("", b"id,Prompt\n", "csv"),
        ("", b"Tell me, what is a prompt?\n", "text"),
        ("a.csv.gz", b"anything", "csv"),
        ("a.tsv", b"x\ty", "csv"),
        ("a.json", b'{"prompt": 1}\n{"prompt": 2}', "jsonl"),
        ("a.txt", b"prompt,text", "text"),
        ("a.JSONL", b"oops", "jsonl"),
    ],
)
def test_the_format_is_found_from_content_and_name(name, head, kind):
    assert detect_format(name, head) == kind


def test_one_object_over_several_lines_is_explained():
    with pytest.raises(FileRefused, match="one JSON object over several lines"):
        detect_format("a.json", b'{\n  "prompt": "a"\n}')
