"""Every kind of judgement in every form: the exact line, or that it is left out."""

import json
import uuid

import pytest

from annotate.exports import stream
from annotate.exports.counts import REMARKS
from annotate.exports.kinds.table import KIND_EXPORTS
from annotate.exports.lines import count_lines, export_lines
from annotate.models import (
    Comparison,
    Demonstration,
    Edit,
    Judgement,
    Kind,
    Ranking,
    Rating,
    SpanFeedback,
    Task,
    TaskResponse,
)
from annotate.services.snapshots import create_snapshot
from tests.factories import make_author, make_judgement, make_prompt, make_response, make_task
from training.algorithms.groups import parse_group

PROMPT = [{"role": "user", "content": "How long?"}]
HEAD = "\n\nHuman: How long?\n\nAssistant:"
OVERALL = {"key": "overall", "label": "Overall", "points": 5, "low": "", "high": "", "names": [], "required": True}
SPAN = {"start": 0, "end": 3, "text": "One", "category": "unclear", "severity": "minor", "note": ""}


@pytest.fixture
def prompt(project):
    return make_prompt(project, "How long?")


@pytest.fixture
def judged(project, prompt, carol):
    """`judged(kind, "One", "Two")` is (Carol's bare judgement, the task's responses)."""

    def judge(kind, *texts):
        task = Task.objects.create(
            project=project, kind=kind, prompt=prompt, key=kind, required_judgements=1, remaining=0
        )
        responses = [make_response(prompt, text) for text in texts]
        for position, response in enumerate(responses):
            TaskResponse.objects.create(task=task, response=response, position=position)
        said = Judgement.objects.create(
            project=project,
            task=task,
            kind=kind,
            annotator=carol,
            outcome="answer",
            submission_id=uuid.UUID(int=1),
        )
        return said, responses

    return judge


def compare(judged, carol):
    judgement, (first, second) = judged(Kind.COMPARISON, "One", "Two")
    Comparison.objects.create(
        judgement=judgement,
        first=first,
        second=second,
        points=8,
        preference=3,
        first_on_left=False,
        dimensions={"honest": -1},
    )


def chat(judged, carol):
    judgement, (first, second) = judged(Kind.CHAT, "One", "Two")
    Comparison.objects.create(
        judgement=judgement, first=first, second=second, points=8, preference=-4, first_on_left=True
    )


def rank(judged, carol):
    judgement, (one, two, three) = judged(Kind.RANKING, "One", "Two", "Three")
    shown = [two.pk, one.pk, three.pk]
    Ranking.objects.create(judgement=judgement, tiers=[[three.pk], [two.pk, one.pk]], shown=shown)


def rate(judged, carol):
    judgement, (one, two, three) = judged(Kind.RATING, "One", "Two", "Three")
    scores = {str(one.pk): {"overall": 3}, str(two.pk): {"overall": 5}, str(three.pk): {"overall": 3}}
    Rating.objects.create(judgement=judgement, scores=scores, questions=[OVERALL], shown=[one.pk, two.pk, three.pk])


def demonstrate(judged, carol):
    judgement, (suggestion,) = judged(Kind.DEMONSTRATION, "One")
    author = make_author(judgement.project, "Carol", "person")
    Demonstration.objects.create(
        judgement=judgement,
        response=make_response(judgement.task.prompt, "Mine", author=author),
        suggestion=suggestion,
        distance=0.5,
    )


def edit(judged, carol):
    judgement, (original,) = judged(Kind.EDIT, "One")
    better = make_response(judgement.task.prompt, "One, please")
    Edit.objects.create(judgement=judgement, original=original, response=better, distance=0.25)


def mark(judged, carol):
    judgement, (response,) = judged(Kind.SPANS, "One")
    SpanFeedback.objects.create(judgement=judgement, response=response, spans=[SPAN], critique="Terse.")


def chose(better, worse):
    """The lines of all three forms of pairs."""
    said = {"role": "assistant"}
    return {
        "trl-conversational": {
            "prompt": PROMPT,
            "chosen": [{**said, "content": better}],
            "rejected": [{**said, "content": worse}],
        },
        "trl": {"prompt": HEAD, "chosen": f" {better}", "rejected": f" {worse}"},
        "hh": {"chosen": f"{HEAD} {better}", "rejected": f"{HEAD} {worse}"},
    }


def pairs(*chosen):
    lines = [chose(better, worse) for better, worse in chosen]
    return {form: [line[form] for line in lines] for form in ("trl-conversational", "trl", "hh")}


def taught(text):
    return [{"prompt": PROMPT, "completion": [{"role": "assistant", "content": text}]}]


def verdicts(**labels):
    return [
        {"prompt": PROMPT, "completion": [{"role": "assistant", "content": text}], "label": label}
        for text, label in labels.items()
    ]


def group(label, *texts):
    return [{"completions": list(texts), "finish_reasons": [""] * len(texts), "label": label}]


def pair(chosen, strength):
    return {"kind": "pair", "chosen": chosen, "rejected": 1 - chosen, "strength": strength}


ONE_TWO_THREE = ("One", "Two", "Three")
SIDES = {"points": 8, "both_bad": False}
CASES = {
    Kind.COMPARISON: (
        compare,
        {
            **pairs(("Two", "One")),
            "unpaired": verdicts(Two=True, One=False),
            "groups": group(pair(1, 0.75), "One", "Two"),
            "lossless": {"preference": 3, **SIDES, "first_on_left": False, "dimensions": {"honest": -1}},
        },
    ),
    Kind.CHAT: (
        chat,
        {
            **pairs(("One", "Two")),
            "unpaired": verdicts(One=True, Two=False),
            "groups": group(pair(0, 1.0), "One", "Two"),
            "lossless": {"preference": -4, **SIDES, "first_on_left": True, "dimensions": {}},
        },
    ),
    Kind.RANKING: (
        rank,
        {
            **pairs(("Three", "One"), ("Three", "Two")),
            "groups": group({"kind": "ranking", "tiers": [[2], [0, 1]]}, *ONE_TWO_THREE),
            "lossless": {"tiers": [[2], [0, 1]], "shown": [1, 0, 2]},
        },
    ),
    Kind.RATING: (
        rate,
        {
            **pairs(("Two", "One"), ("Two", "Three")),
            "unpaired": verdicts(Two=True),
            "groups": group({"kind": "rating", "scores": [3, 5, 3]}, *ONE_TWO_THREE),
            "lossless": {
                "scores": [{"overall": 3}, {"overall": 5}, {"overall": 3}],
                "questions": [OVERALL],
                "shown": [0, 1, 2],
            },
        },
    ),
    Kind.DEMONSTRATION: (
        demonstrate,
        {
            "sft": taught("Mine"),
            "unpaired": verdicts(Mine=True),
            "groups": group({"kind": "demonstration"}, "Mine"),
            "lossless": {"response": 1, "suggestion": 0, "distance": 0.5},
        },
    ),
    Kind.EDIT: (
        edit,
        {
            **pairs(("One, please", "One")),
            "sft": taught("One, please"),
            "unpaired": verdicts(**{"One, please": True, "One": False}),
            "groups": group(pair(1, None), "One", "One, please"),
            "lossless": {"original": 0, "response": 1, "distance": 0.25},
        },
    ),
    Kind.SPANS: (mark, {"lossless": {"response": 0, "spans": [SPAN], "critique": "Terse."}}),
}


EVERY_KIND = (
    "trl-conversational",
    "trl",
    "hh",
    "sft",
    "unpaired",
    "groups",
    "lossless",
)  # test_exports_forms has others


def said_in(form, line):
    """The part of a line that differs from kind to kind."""
    if form == "lossless":
        return line["answer"]
    if form == "groups":
        return {name: line[name] for name in ("completions", "finish_reasons", "label")}
    return line


@pytest.mark.parametrize("form", EVERY_KIND)
@pytest.mark.parametrize("kind", Kind)
def test_each_kind_has_these_lines_in_each_form_or_is_left_out(kind, form, project, alice, carol, judged):
    make, expected = CASES[kind]
    make(judged, carol)
    snapshot = create_snapshot(project=project, user=alice, test_fraction=0.0)
    lines = [json.loads(line) for line in export_lines(snapshot, form)]
    wanted = expected.get(form, [])
    assert [said_in(form, line) for line in lines] == (wanted if isinstance(wanted, list) else [wanted])
    counts = count_lines(snapshot, form)
    assert (counts.rows, counts.judgements_left_out) == (len(lines), 0 if lines else 1)
    if form == "groups":
        assert [parse_group(json.dumps(line)).id for line in lines] == [str(uuid.UUID(int=1))] * len(lines)


def test_every_kind_has_its_exports_and_its_case():
    assert set(KIND_EXPORTS) == set(CASES) == set(Kind)


def test_what_is_left_out_is_said_in_words(project, alice, carol, judged):
    demonstrate(judged, carol)
    for _ in range(2):
        make_judgement(make_task(project), carol, 0)
    snapshot = create_snapshot(project=project, user=alice, test_fraction=0.0)
    assert count_lines(snapshot, "trl").explain_left_out() == "2 ties and 1 demonstration"
    assert count_lines(snapshot, "sft").explain_left_out() == "2 ties"
    assert count_lines(snapshot, "lossless").explain_left_out() == ""
    assert set(snapshot.line_counts["train"]["left_out"]["trl"]) <= set(REMARKS)


def test_a_snapshot_of_before_counts_were_kept_counts_when_asked(project, alice, carol, judged):
    rank(judged, carol)
    snapshot = create_snapshot(project=project, user=alice, test_fraction=0.0)
    snapshot.line_counts = {}
    assert count_lines(snapshot, "trl").rows == 2


def test_both_bad_is_two_bad_responses_to_a_trainer_of_single_ones(project, alice, carol):
    make_judgement(make_task(project), carol, None)
    snapshot = create_snapshot(project=project, user=alice, test_fraction=0.0)
    assert [json.loads(line)["label"] for line in export_lines(snapshot, "unpaired")] == [False, False]


def test_a_ranking_that_ties_all_and_a_rating_without_a_gap_have_no_pair(project, alice, carol, judged):
    rank(judged, carol)
    Ranking.objects.update(tiers=[[pk for tier in Ranking.objects.get().tiers for pk in tier]])
    snapshot = create_snapshot(project=project, user=alice, test_fraction=0.0)
    assert count_lines(snapshot, "hh").explain_left_out() == "1 ranking that ties all"


def test_an_adjudicated_task_gives_the_reviewers_decision_alone(project, alice, bob, carol):
    task = make_task(project, overlap=2)
    make_judgement(task, carol, -4)
    make_judgement(task, alice, 2)
    decision = make_judgement(task, bob, 1, is_adjudication=True)
    other = make_judgement(make_task(project), carol, -1)
    snapshot = create_snapshot(project=project, user=alice)
    assert set(snapshot.items.values_list("judgement_id", flat=True)) == {decision.pk, other.pk}
    assert sum(json.loads(line)["adjudication"] for line in export_lines(snapshot, "lossless")) == 1


@pytest.mark.parametrize("purpose", ["gold", "practice", "qualification"])
def test_only_work_is_frozen(project, alice, carol, purpose):
    kept = make_judgement(make_task(project), carol)
    known = make_task(project)
    known.purpose, known.agreed_answer = purpose, {}
    known.save()
    make_judgement(known, carol)
    snapshot = create_snapshot(project=project, user=alice)
    assert list(snapshot.items.values_list("judgement_id", flat=True)) == [kept.pk]


def test_lines_are_the_same_however_many_are_read_at_once(project, alice, carol, judged, monkeypatch):
    for make in (rank, rate, demonstrate, edit, mark):
        make(lambda kind, *texts: fresh(judged, kind, *texts), carol)
    snapshot = create_snapshot(project=project, user=alice, test_fraction=0.0)
    whole = list(export_lines(snapshot, "lossless"))
    monkeypatch.setattr(stream, "WINDOW", 2)
    assert list(export_lines(snapshot, "lossless")) == whole
    assert len(whole) == 5


def fresh(judged, kind, *texts):
    judgement, responses = judged(kind, *texts)
    judgement.submission_id = uuid.uuid4()
    judgement.save()
    return judgement, responses
