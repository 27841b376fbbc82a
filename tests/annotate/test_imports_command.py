"""`manage.py import_prompts` reports what the page reports."""

import io
import json

import pytest
from django.core.management import CommandError, call_command

from annotate.models import Judgement, Prompt


def run(*arguments):
    output = io.StringIO()
    call_command("import_prompts", *map(str, arguments), stdout=output)
    return output.getvalue()


def test_a_file_is_imported_on_the_spot_with_a_report(project, tmp_path):
    path = tmp_path / "mixed.jsonl"
    path.write_text('{"prompt": "Why?"}\n{"prompt": ""}\n{"prompt": "Why?"}\n')
    assert run(project.pk, path) == (
        "mixed.jsonl: 3 rows read, 1 added, 1 already there, 1 refused\n  row 2: the prompt is empty\n"
    )
    assert Prompt.objects.get().source == "mixed.jsonl"


def test_contents_may_be_named(project, tmp_path):
    path = tmp_path / "pairs.jsonl"
    path.write_text(json.dumps({"prompt": "Why?", "chosen": "a", "rejected": "b"}))
    assert "1 added" in run(project.pk, path, "--contents", "prompts")
    assert "1 added" in run(project.pk, path, "--contents", "pairs")


def test_ids_of_another_file_get_a_prefix(project, tmp_path):
    for name, text in (("a.csv", "Why?"), ("b.csv", "How?")):
        (tmp_path / name).write_text(f"id,prompt\n1,{text}\n")
    run(project.pk, tmp_path / "a.csv")
    with pytest.raises(CommandError, match=r"Every row is refused\. Row 2: the id “1” already belongs"):
        run(project.pk, tmp_path / "b.csv")
    run(project.pk, tmp_path / "b.csv", "--id-prefix", "b-")
    assert set(Prompt.objects.values_list("external_id", flat=True)) == {"1", "b-1"}


def test_what_is_wrong_is_said_in_a_sentence(project, bob, tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(CommandError, match="It has “a”, “b”; understood are"):
        run(project.pk, path)
    with pytest.raises(CommandError, match="There is no project 999"):
        run(999, path)
    with pytest.raises(CommandError, match="No such file or directory"):
        run(project.pk, tmp_path / "none")
    with pytest.raises(CommandError, match="bob@example.org owns|bob@example.org"):
        run(project.pk, path, "--user", bob.email)


def test_columns_of_any_name_are_said_to_be_what_they_are(project, tmp_path):
    path = tmp_path / "votes.csv"
    path.write_text("q,best,worst\nWhy?,Yes.,No.\n")
    assert "1 added" in run(project.pk, path, "--columns", "prompt=q,chosen=best,rejected=worst")
    assert Judgement.objects.get().kind == "comparison"
    with pytest.raises(CommandError, match="“winner” is no role with a column"):
        run(project.pk, path, "--columns", "winner=q")
