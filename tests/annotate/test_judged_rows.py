"""Judged rows into rows of the database: every kind of judgement, by people whom only the file names."""

import uuid
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from annotate.imports.rows import (
    JudgedRow,
    PromptRow,
    ReadJudgement,
    ReadResponse,
    RowRefused,
    SaidComparison,
    SaidDemonstration,
    SaidEdit,
    SaidRanking,
    SaidRating,
    SaidSpans,
)
from annotate.kinds.options import Question
from annotate.models import (
    Author,
    Comparison,
    Demonstration,
    Edit,
    Guideline,
    Judgement,
    Prompt,
    Ranking,
    Rating,
    Response,
    SpanFeedback,
    Task,
)
from annotate.services.judged_checks import check_judged
from annotate.services.judged_rows import add_judged

OVERALL = Question(key="overall", label="Overall", points=5)
TEXTS = (ReadResponse("One.", "m1"), ReadResponse("Two.", "m2"), ReadResponse("Three.", "m3"))


def row(said, about, responses=TEXTS, prompt="Count.", **kwargs):
    judgement = ReadJudgement(said=said, about=about, annotator="ann", **kwargs)
    return JudgedRow(PromptRow([{"role": "user", "content": prompt}], "test"), responses, (judgement,))


def outcomes(project, rows):
    return [(outcome.is_new, outcome.reason) for outcome in add_judged(project=project, rows=rows)]


def texts(*pks):
    return [Response.objects.get(pk=pk).text for pk in pks]


def test_a_comparison_keeps_strength_dimensions_and_sides_whatever_order_the_task_has(project):
    said = SaidComparison(-3, points=8, first_on_left=True, dimensions={"helpful": 2})
    assert outcomes(project, [row(said, (0, 1), prompt=f"q{n}") for n in range(20)]) == [(True, "")] * 20
    seen = set()
    for comparison in Comparison.objects.select_related("first", "judgement__task"):
        one_first = comparison.first.text == "One."
        side = 1 if one_first else -1
        assert comparison.preference == -3 * side
        assert (comparison.dimensions, comparison.points) == ({"helpful": 2 * side}, 8)
        assert comparison.first_on_left is one_first
        places = comparison.judgement.task.places.order_by("position").values_list("response_id", flat=True)
        assert list(places) == [comparison.first_id, comparison.second_id]
        seen.add(one_first)
    assert seen == {True, False}


def test_every_other_kind_becomes_its_own_row(project):
    span = {"start": 0, "end": 3, "text": "One", "category": "unclear", "severity": "", "note": "Which?"}
    rows = [
        row(SaidRanking(((2,), (0, 1))), (0, 1, 2)),
        row(SaidRating({0: {"overall": 5}, 1: {"overall": 2}}, (OVERALL,)), (0, 1)),
        row(SaidDemonstration(response=2, suggestion=0), (0,)),
        row(SaidEdit(original=0, response=1), (0,)),
        row(SaidSpans(0, (span,), "Say which."), (0,)),
        row(SaidComparison(None), (0, 1), kind="chat"),
    ]
    assert outcomes(project, rows) == [(True, "")] * 6
    ranking, rating, feedback = Ranking.objects.get(), Rating.objects.get(), SpanFeedback.objects.get()
    assert [sorted(texts(*tier)) for tier in ranking.tiers] == [["Three."], ["One.", "Two."]]
    assert {texts(int(pk))[0]: scores for pk, scores in rating.scores.items()} == {
        "One.": {"overall": 5},
        "Two.": {"overall": 2},
    }
    assert (rating.questions[0]["points"], texts(*rating.shown)) == (5, ["One.", "Two."])
    demonstration, edit = Demonstration.objects.get(), Edit.objects.get()
    assert (demonstration.response.text, demonstration.suggestion.text, demonstration.distance) == ("Three.", "One.", 1)
    assert (edit.original.text, edit.response.text, edit.distance) == ("One.", "Two.", 1)
    assert (feedback.spans, feedback.critique) == ([span], "Say which.")
    assert Comparison.objects.get().both_bad
    kinds = sorted(Judgement.objects.values_list("kind", flat=True))
    assert kinds == ["chat", "demonstration", "edit", "ranking", "rating", "spans"]
    assert set(Task.objects.values_list("remaining", "required_judgements")) == {(0, 1)}


def test_what_stands_beside_the_answer_is_kept(project, alice):
    Guideline.objects.create(project=project, version=2, body="Be kind.", created_by=alice)  # not what they were shown
    submission, when = uuid.uuid4(), datetime(2024, 5, 6, 7, tzinfo=UTC)
    said = row(
        SaidComparison(1),
        (0, 1),
        submission_id=submission,
        judged_at=when,
        rationale="Longer.",
        flags={1: ["rude"]},
        active_seconds=4.5,
        guideline_version=2,
        is_adjudication=True,
    )
    add_judged(project=project, rows=[said])
    judgement = Judgement.objects.get()
    assert (judgement.submission_id, judgement.created_at, judgement.rationale) == (submission, when, "Longer.")
    assert judgement.flags == {str(Response.objects.get(text="Two.").pk): ["rude"]}
    assert (judgement.active_seconds, judgement.is_adjudication) == (4.5, True)
    assert (judgement.guideline, judgement.external_guideline) == (None, 2)
    assert (judgement.annotator, judgement.external_annotator) == (None, "ann")


def test_responses_keep_how_they_were_made(project):
    made = ReadResponse("One.", "m1", "model", "k-1", {"temperature": 0.5}, 7, 3, "stop")
    add_judged(project=project, rows=[row(SaidSpans(0, critique="Short."), (0,), responses=(made,))])
    response = Response.objects.select_related("author").get()
    assert (response.author.kind, response.author.name, response.key) == (Author.Kind.MODEL, "m1", "k-1")
    assert (response.sampling, response.seed, response.token_count, response.finish_reason) == (
        {"temperature": 0.5},
        7,
        3,
        "stop",
    )


def test_the_same_rows_again_add_nothing_and_a_contradiction_is_refused(project):
    rows = [
        row(SaidComparison(-1), (0, 1)),
        row(SaidRanking(((2,), (0, 1))), (0, 1, 2)),
        row(SaidRating({0: {"overall": 5}}, (OVERALL,)), (0,)),
    ]
    assert outcomes(project, rows * 2) == [(True, "")] * 3 + [(False, "")] * 3
    swapped = [row(SaidComparison(1), (1, 0)), row(SaidRanking(((2,), (1, 0))), (2, 1, 0))]
    assert outcomes(project, rows + swapped) == [(False, "")] * 5
    other = [row(SaidComparison(1), (0, 1)), row(SaidRanking(((0,), (2, 1))), (0, 1, 2))]
    assert outcomes(project, other) == [(False, "“ann” judged this very task otherwise before")] * 2
    assert (Judgement.objects.count(), Task.objects.count(), Response.objects.count()) == (3, 3, 3)


def test_an_external_id_tells_two_judgements_of_one_person_apart(project):
    rows = [row(SaidComparison(-1), (0, 1), external_id=f"j{n}") for n in (1, 2, 1)]
    assert outcomes(project, rows) == [(True, ""), (True, ""), (False, "")]
    assert list(Task.objects.values_list("required_judgements", flat=True)) == [2]


def test_tasks_of_different_names_stay_apart_in_the_order_they_came_in(project):
    rows = [row(SaidComparison(-1), about, task=name) for about, name in (((0, 1), "a"), ((1, 0), "a"), ((0, 1), "b"))]
    add_judged(project=project, rows=rows)
    firsts = [comparison.first.text for comparison in Comparison.objects.order_by("pk")]
    assert (firsts, Task.objects.count()) == (["One.", "Two.", "One."], 3)


def test_a_row_may_refer_to_what_the_project_has(project):
    texts = JudgedRow(PromptRow([{"role": "user", "content": "Q"}], "t", external_id="81"), TEXTS[:2])
    assert outcomes(project, [texts, texts]) == [(True, ""), (False, "")]
    named = tuple(replace(read, text="") for read in TEXTS[:2])
    verdict = ReadJudgement(said=SaidComparison(-1), about=(0, 1), annotator="judge")
    reference = JudgedRow(PromptRow([], "t", external_id="81"), named, (verdict,))
    lost = [
        replace(reference, prompt=PromptRow([], "t", external_id="82")),
        replace(reference, responses=(named[0], ReadResponse("", "m9"))),
    ]
    assert outcomes(project, [reference, *lost]) == [
        (True, ""),
        (False, "names the prompt “82”, which is not here; import the prompts first"),
        (False, "the prompt “81” has no response by “m9”; one is needed"),
    ]
    assert (Prompt.objects.count(), Response.objects.count()) == (1, 2)


def test_the_number_of_statements_does_not_grow_with_the_rows(project, django_assert_max_num_queries):
    for count in (3, 200):
        rows = [row(SaidRating({0: {"overall": 3}}, (OVERALL,)), (0, 1), prompt=f"{count}-{n}") for n in range(count)]
        with django_assert_max_num_queries(24):
            add_judged(project=project, rows=rows)


@pytest.mark.parametrize(
    ("said", "about", "reason"),
    [
        (SaidComparison(1), (0,), "a comparison is about 1 responses; it may be about 2"),
        (SaidComparison(5, points=8), (0, 1), "“preference” is 5; the scale ends at 4"),
        (SaidComparison(1, points=3), (0, 1), "a scale of 3 points is none of 2, 4, 5, 7, 8"),
        (SaidRanking(((0,),)), (0, 1), "the ranking does not name every response once"),
        (
            SaidRating({0: {"overall": 6}}, (OVERALL,)),
            (0,),
            "the score 6 for “overall” is not on its scale from 1 to 5",
        ),
        (SaidRating({0: {"x": 1}}, (OVERALL,)), (0,), "a score for “x” answers no question of the rating"),
        (SaidRating({}, (OVERALL,)), (0,), "the rating gives no response a score"),
        (SaidEdit(0, 0), (0,), "the edit changes nothing"),
        (
            SaidSpans(0, ({"start": 0, "end": 9, "text": "One"},)),
            (0,),
            "a passage goes from 0 to 9, which is not in a text of 4 characters",
        ),
    ],
)
def test_what_cannot_be_stored_says_why(said, about, reason):
    with pytest.raises(RowRefused) as caught:
        check_judged(row(said, about))
    assert str(caught.value) == reason
