"""The report on a reward model: what is counted, what is spoilt, the curve, the job and its page."""

from dataclasses import asdict

import numpy as np
import pytest
from django.urls import reverse

from annotate.models import JobStatus
from annotate.services.snapshots import create_snapshot
from tests.annotate.known import make_known
from tests.training.factories import judge, make_policy, make_reward_model
from training.corruptions import CORRUPTIONS
from training.learning_curve import draw_curve, fit, foresee, point, say
from training.learning_picture import draw_learning_curve, say_forecast
from training.models import RewardReport
from training.reward_figures import Scored, describe_pairs
from training.services.report_pairs import ReportPair, known_pairs
from training.services.report_work import make_report
from training.services.reward_reports import start_report

EGG = "Boil it for 7 minutes. Then put it into cold water, and count to 19."


def test_each_corruption_spoils_in_its_way_and_says_when_it_cannot():
    spoilt = {one.name: one.spoil(EGG, "Paris.") for one in CORRUPTIONS}
    assert spoilt["Truncated"] == "Boil it for 7 minutes."
    assert sorted(spoilt["Shuffled"].split()) == sorted(EGG.split()) and spoilt["Shuffled"] != EGG
    assert spoilt["Off topic"] == "Paris."
    assert spoilt["Repeated"] == " ".join(["Boil it for 7 minutes."] * 4)
    assert spoilt["Wrong number"] == "Boil it for 0 minutes. Then put it into cold water, and count to 42."
    assert [one.spoil("Yes.", "Yes.") for one in CORRUPTIONS] == [None] * 5


def pair(**changes: object) -> ReportPair:
    usual = {"chosen": 1, "rejected": 2, "prompt": "p", "strength": None, "tie": False, "tags": (), "annotator": 1}
    return ReportPair(**{**usual, "gap": 1.0, **changes})


def test_pairs_are_counted_by_strength_category_length_and_group():
    scored = [Scored(pair(strength=1.0, tags=("cooking",), gap=3.0), 1.0, 0.0) for _ in range(6)]
    scored += [Scored(pair(strength=0.25, annotator=2, gap=0.4), 0.0, 1.0) for _ in range(6)]
    scored.append(Scored(pair(tie=True), 0.5, 0.0))
    figures = describe_pairs(scored, {"First language? English": {1}, "First language? Other": {3}})
    assert (figures["accuracy"], figures["pairs"], figures["ties"], figures["tie_margin"]) == (0.5, 12, 1, 0.5)
    assert figures["by_strength"] == {"0.25": {"pairs": 6, "accuracy": 0.0}, "1": {"pairs": 6, "accuracy": 1.0}}
    assert figures["longer_wins"] == 0.5
    rows = [[(row["name"], row["pairs"], row["right"]) for row in table["rows"]] for table in figures["tables"]]
    assert rows == [
        [("cooking", 6, 1.0)],
        [("Less than half as long", 6, 0.0), ("More than twice as long", 6, 1.0)],
        [("First language? English", 6, 1.0)],
    ]


def test_the_linear_model_is_bradley_terry():
    assert fit(np.array([[1.0]]), ridge=1.0) == pytest.approx(0.40106, abs=1e-5)


def made_up(count: int, generator: np.random.Generator, *, signal: float) -> np.ndarray:
    """Differences of twenty features, of which the first decides as often as `signal` makes it."""
    found = generator.normal(size=(count, 20))
    right = generator.random(count) < 1 / (1 + np.exp(-signal * found[:, 0]))
    return found * np.where(right, 1, -1)[:, None]


def test_the_curve_says_whether_more_would_help():
    generator = np.random.default_rng(3)
    settled = draw_curve(
        made_up(3000, generator, signal=3.0), made_up(3000, generator, signal=3.0), prompts=range(3000)
    )
    assert settled.sentence.startswith("Hardly: the last doubling")
    assert [point.judgements for point in settled.points] == [188, 375, 750, 1500, 3000]
    assert settled.points[-1].accuracy == pytest.approx(0.83, abs=0.03)
    assert settled.forecast is not None and settled.forecast.judgements == 6000
    assert settled.forecast.accuracy == pytest.approx(settled.points[-1].accuracy, abs=0.01)
    few = draw_curve(made_up(10, generator, signal=3.0), made_up(10, generator, signal=3.0), prompts=range(10))
    assert few.points == () and "10 pairs to train on and 10 held out" in few.sentence
    assert say(0.03, 0.01).startswith(
        "Yes, more judgements would help: the last doubling of the judgements brought +3.0"
    )
    assert say(0.01, 0.02).startswith("It cannot be told yet: the last doubling of the judgements brought +1.0")


def test_what_more_judgements_would_bring_is_told_with_its_interval():
    right = {100: np.repeat([1.0, 0.0], [60, 40]), 400: np.repeat([1.0, 0.0], [70, 30])}
    ahead = foresee(right, 1600)
    assert ahead.accuracy == pytest.approx(0.75)
    assert (ahead.low, ahead.high) == pytest.approx((0.6491, 0.8509), abs=1e-4)  # 60 of 1, 10 of 1.5, 30 of 0
    curve = {"points": [asdict(point(size, hits)) for size, hits in right.items()], "forecast": asdict(ahead)}
    assert say_forecast(curve) == (
        "With 1,200 more judgements we expect 75 % of held-out pairs right (95 %: 65 % to 85 %), where 400 give 70 %."
    )
    picture = draw_learning_curve(curve)
    assert [place.label for place in (*picture.places, picture.forecast)] == ["100", "400", "1,600"]
    assert [float(place.x) for place in (*picture.places, picture.forecast)] == [64.0, 220.0, 376.0]
    assert say_forecast({"points": []}) == "" and draw_learning_curve({"points": []}) is None


@pytest.mark.django_db(transaction=True)
def test_a_worker_makes_the_report_and_its_page_shows_it(project, alice, bob, carol, signed_in):
    judge(project, alice, count=80)
    make_policy(project)
    model = make_reward_model(project)
    known = make_known(project, alice, better=1)
    first, second = known.places.order_by("position").values_list("response_id", flat=True)
    assert known_pairs(project) == [(second, first)]
    snapshot = create_snapshot(project=project, user=alice, test_fraction=0.5)
    url = reverse("model-report", args=[project.pk, model.pk])
    client = signed_in(alice)
    assert "No report yet" in client.get(url).content.decode()
    assert client.post(url, {"snapshot": "0"}).status_code == 422
    assert client.post(url, {"snapshot": snapshot.pk}).status_code == 302
    assert start_report(model=model, snapshot=snapshot, user=alice) == RewardReport.objects.get()
    assert 'hx-trigger="every 2s"' in client.get(url).content.decode()
    assert [signed_in(user).post(url, {"snapshot": snapshot.pk}).status_code for user in (bob, carol)] == [403, 403]

    report = RewardReport.objects.get()
    assert make_report(report) and not make_report(report)
    report.refresh_from_db()
    assert (report.status, report.progress) == (JobStatus.SUCCEEDED, report.total)
    assert report.figures["pairs"] == snapshot.test_count
    counted = {row["name"]: row["pairs"] for row in report.figures["suite"]}
    assert counted == {
        "Truncated": 0,  # five words are too few
        "Shuffled": 0,
        "Off topic": 0,  # all chosen responses are alike
        "Repeated": snapshot.test_count,
        "Wrong number": 0,
        "Known answers": 1,
    }
    page = signed_in(bob).get(url).content.decode()
    assert "judgements we expect" in page
    assert "judgements we expect" in client.get(reverse("project-training-summary", args=[project.pk])).content.decode()
    assert "Would more labels help?" in page and "Known answers" in page and "every 2s" not in page


@pytest.mark.django_db(transaction=True)
def test_without_held_out_judgements_the_report_says_what_to_do(project, alice):
    judge(project, alice, count=4)
    snapshot = create_snapshot(project=project, user=alice, test_fraction=0.0)
    report = start_report(model=make_reward_model(project), snapshot=snapshot, user=alice)
    make_report(report)
    report.refresh_from_db()
    assert (report.status, "Hold out a larger share" in report.error) == (JobStatus.FAILED, True)
