"""What is exported as “Everything” and imported into an empty project is the same: equal lines, the same hash."""

import io
import json
import uuid
from io import StringIO

import pyarrow.parquet as pq
import pytest
from django.core.management import call_command

from annotate.exports.downloads import find_download
from annotate.exports.lines import export_lines
from annotate.imports.presets.lossless import AUTHOR_KINDS, FINISH_REASONS, SAID, read_lossless
from annotate.imports.rows import Options, PromptRow, RowRefused
from annotate.kinds.options import Question
from annotate.models import (
    Author,
    Comparison,
    Demonstration,
    Edit,
    Guideline,
    Judgement,
    Kind,
    Prompt,
    Ranking,
    Rating,
    Response,
    SpanFeedback,
    Task,
    TaskResponse,
)
from annotate.models.tasks import EVALUATION_KEYS
from annotate.services.answers.text_distance import word_distance
from annotate.services.chats import policies
from annotate.services.judged_checks import check_judged
from annotate.services.judged_rows import add_judged
from annotate.services.prompts import add_prompts
from annotate.services.snapshots import create_snapshot
from tests.factories import make_author, make_project, make_response

OVERALL = {
    "key": "overall",
    "label": "Overall",
    "points": 5,
    "low": "bad",
    "high": "good",
    "names": [],
    "required": True,
}


@pytest.fixture
def prompt(project):
    row = PromptRow(
        messages=[{"role": "user", "content": " How\u2028long? "}],
        shape="",
        system="Be brief.\n",
        tags=("b", "a"),
        source="kitchen",
        external_id="k-1",
    )
    add_prompts(project=project, rows=[row])
    return Prompt.objects.get()


@pytest.fixture
def judge(project, prompt):
    """`judge(kind, person, "One", "Two")` is (a bare judgement under guideline 2, the task's responses)."""
    guideline = Guideline.objects.create(project=project, version=2, body="New.", created_by=project.created_by)

    def make(kind, person, *texts, **fields):
        key = f"{kind} {texts}"
        task, is_new = Task.objects.get_or_create(
            project=project,
            key=key,
            defaults={"kind": kind, "prompt": prompt, "required_judgements": 2, "remaining": 0},
        )
        if is_new:
            for position, text in enumerate(texts):
                response = make_response(prompt, text)
                response.sampling = {"temperature": 0.7, "min_p": 1e-7}
                response.seed, response.token_count, response.finish_reason = 2**40, 3, "stop"
                response.save()
                TaskResponse.objects.create(task=task, response=response, position=position)
        responses = [place.response for place in task.places.order_by("position")]
        facts = {"guideline": guideline, "active_seconds": 1.1, "rationale": "Café\n=1", "outcome": "answer", **fields}
        judgement = Judgement.objects.create(
            project=project, task=task, kind=kind, annotator=person, submission_id=uuid.uuid4(), **facts
        )
        return judgement, responses

    return make


@pytest.fixture
def judged(project, prompt, judge, carol, bob):
    """A judgement of every kind."""
    for kind, person, preference in (("comparison", carol, -3), ("comparison", bob, None), ("chat", carol, 0)):
        said, (one, two) = judge(kind, person, f"{kind} one ", "Two")
        said.flags = {str(two.pk): ["unsafe", "made up facts"]}
        said.save()
        Comparison.objects.create(
            judgement=said,
            first=one,
            second=two,
            points=8,
            preference=preference,
            both_bad=preference is None,
            first_on_left=False,
            dimensions={"honest": 2},
        )
    said, (one, two, same) = judge("ranking", carol, "One", "Same", "Same", is_surplus=True)
    Ranking.objects.create(judgement=said, tiers=[[same.pk], [two.pk, one.pk]], shown=[two.pk, one.pk, same.pk])
    said, (one, two) = judge("rating", None, "One", "Two", external_annotator="file-person")
    Rating.objects.create(
        judgement=said, scores={str(two.pk): {"overall": 4}}, questions=[OVERALL], shown=[two.pk, one.pk]
    )
    author = make_author(project, "Carol", Author.Kind.PERSON)
    author.user = carol
    author.save()
    said, (one,) = judge("demonstration", carol, "A suggestion")
    mine = make_response(prompt, "Mine, from a suggestion", author=author)
    Demonstration.objects.create(
        judgement=said, response=mine, suggestion=one, distance=word_distance(one.text, mine.text)
    )
    said, (one,) = judge("edit", carol, "To be mended", is_adjudication=True)
    mended = make_response(prompt, "Mended", author=author)
    Edit.objects.create(judgement=said, original=one, response=mended, distance=word_distance(one.text, mended.text))
    said, (one,) = judge("spans", carol, "Naïve text")
    span = {"start": 0, "end": 5, "text": "Naïve", "category": "unclear", "severity": "minor", "note": ""}
    SpanFeedback.objects.create(judgement=said, response=one, spans=[span], critique="Terse.")


def bring_in(owner, values):
    """The lines in a project of their own, imported twice; and what is in it then."""
    project = make_project(owner, name=f"Copy {uuid.uuid4()}")
    rows = [check_judged(row) for value in values for row in read_lossless(value, Options())]
    assert all(outcome.is_new for outcome in add_judged(project=project, rows=rows))
    assert not any(outcome.is_new for outcome in add_judged(project=project, rows=rows))
    return create_snapshot(project=project, user=owner, split_seed=3)


def test_lines_and_parquet_come_back_as_the_same_lines_with_the_same_hash(judged, project, alice):
    snapshot = create_snapshot(project=project, user=alice, split_seed=3)
    lines = list(export_lines(snapshot, "lossless"))
    assert {json.loads(line)["kind"] for line in lines} == set(Task.objects.values_list("kind", flat=True))
    assert len(lines) == 8
    parquet = b"".join(find_download(snapshot, "lossless", None, "parquet").pieces())
    for values in (map(json.loads, lines), pq.read_table(io.BytesIO(parquet)).to_pylist()):
        copy = bring_in(alice, values)
        assert [model.name for model in policies(project)] == ["model one"]
        assert policies(copy.project) == []  # the file has its responses, not its weights
        assert list(export_lines(copy, "lossless")) == lines
        assert copy.content_hash == snapshot.content_hash
        assert Judgement.objects.filter(project=copy.project, annotator=None).count() == 8


def test_the_command_imports_both_files_and_finds_nothing_new_the_second_time(judged, project, alice, tmp_path):
    snapshot = create_snapshot(project=project, user=alice, split_seed=3)
    copy = make_project(alice, name="Copy")
    for format, report in (("jsonl.gz", "8 added, 0 already there"), ("parquet", "0 added, 8 already there")):
        path = tmp_path / f"everything.{format}"
        path.write_bytes(b"".join(find_download(snapshot, "lossless", None, format).pieces()))
        out = StringIO()
        call_command("import_prompts", str(copy.pk), str(path), stdout=out)
        assert f"8 rows read, {report}, 0 refused" in out.getvalue()
    assert create_snapshot(project=copy, user=alice, split_seed=3).content_hash == snapshot.content_hash


def test_tasks_keep_who_judged_the_same_thing_together(judged, project, alice):
    snapshot = create_snapshot(project=project, user=alice)
    copy = bring_in(alice, map(json.loads, export_lines(snapshot, "lossless")))
    shared = [task.judgements.count() for task in Task.objects.filter(project=copy.project, kind="comparison")]
    assert shared == [2]
    assert Task.objects.filter(project=copy.project).count() == 7


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"kind": "poem"}, "“kind” is “poem”; known are comparison"),
        ({"purpose": "evaluation"}, "is of a task for evaluation"),
        ({"id": "7"}, "“id” is “7”, which is no UUID"),
        ({"created_at": "2026-03-31T12:00:00"}, "does not say in which time zone"),
        ({"created_at": "yesterday"}, "is no ISO 8601 time"),
        ({"surplus": "no"}, "“surplus” is 'no'; it must be true or false"),
        ({"guideline_version": 1.5}, "“guideline_version” is '1.5'; it must be a whole number or null"),
        ({"answer": "{"}, "“answer” is no JSON"),
        ({"answer": {}}, "what was said of the responses cannot be read"),
        ({"annotator": "x" * 121}, "“annotator” has 121 characters; the limit is 120"),
        ({"prompt": {"messages": [], "system": ""}}, "a prompt ends with a user turn"),
    ],
)
def test_a_line_that_is_not_whole_is_refused_with_its_field(changes, reason):
    line = {
        "id": str(uuid.UUID(int=1)),
        "kind": "comparison",
        "created_at": "2026-03-31T12:00:00.000000+00:00",
        "annotator": "person-1",
        "adjudication": False,
        "purpose": "work",
        "surplus": False,
        "prompt": {
            "messages": [{"role": "user", "content": "Hi"}],
            "system": "",
            "tags": [],
            "source": "",
            "external_id": "",
        },
        "responses": [],
        "answer": {"preference": 1, "points": 8, "first_on_left": True, "dimensions": {}},
        "rationale": "",
    }
    assert read_lossless(line, Options())
    with pytest.raises(RowRefused, match=reason):
        read_lossless({**line, **changes}, Options())


def test_what_was_said_in_an_evaluation_says_so_and_does_not_come_back_as_work(judged, project, alice):
    task = Task.objects.get(kind="comparison")
    task.key = f"{EVALUATION_KEYS}7"
    task.save()
    snapshot = create_snapshot(project=project, user=alice, filters={"include_evaluations": True})
    lines = [json.loads(line) for line in export_lines(snapshot, "lossless")]
    evaluated = [line for line in lines if line["purpose"] == "evaluation"]
    assert len(evaluated) == 2
    with pytest.raises(RowRefused, match="is of a task for evaluation"):
        read_lossless(evaluated[0], Options())


def test_the_reader_knows_every_kind_of_author_and_ending():
    assert set(AUTHOR_KINDS) == set(Author.Kind)
    assert set(FINISH_REASONS) == set(Response.FinishReason)
    assert set(SAID) == set(Kind)


def test_the_questions_of_a_rating_keep_their_words(judged, project, alice):
    line = next(
        line for line in export_lines(create_snapshot(project=project, user=alice), "lossless") if "scores" in line
    )
    said = read_lossless(json.loads(line), Options())[0].judgements[0].said
    assert said.questions == (Question(**{**OVERALL, "names": ()}),)
