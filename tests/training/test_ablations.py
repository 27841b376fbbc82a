"""Ablations: five runs from one press, tested on people held out, set side by side with intervals."""

import json

import pytest
from django.urls import reverse

from annotate.models import Judgement
from annotate.services.snapshots import create_snapshot
from tests.factories import make_user
from tests.training.factories import judge, make_backbone
from training.ablation_figures import compare
from training.models import Ablation, Run
from training.services.jobs import JobFailed
from training.services.run_directory import annotator_of, prepare_directory

pytestmark = pytest.mark.django_db


@pytest.fixture
def judged(project):
    """Eight people judge ten prompts each."""
    people = [make_user(f"Judge {number}") for number in range(8)]
    for place, judgement in enumerate(judge(project, people[0], count=80)):
        Judgement.objects.filter(pk=judgement.pk).update(annotator=people[place % 8])
    make_backbone(project)
    return project


def answers(project, alice, **changes):
    snapshot = create_snapshot(project=project, user=alice, test_fraction=0.5)
    return {"snapshot": snapshot.pk, "base_model": project.model_versions.get(name="tiny-encoder").pk, **changes}


def test_one_press_launches_five_runs_that_differ_in_one_thing_each(judged, alice, bob, signed_in):
    url, client = reverse("project-ablations", args=[judged.pk]), signed_in(alice)
    data = answers(judged, alice, name="What counts")
    assert signed_in(bob).post(url, data).status_code == 403
    first = client.post(url, data)
    assert (first.status_code, client.post(url, data).url) == (302, first.url)
    found = [
        (run.config["strength"], run.config["ties"], run.config["use_weights"], run.held_out_people)
        for run in Run.objects.order_by("pk")
    ]
    assert found == [
        ("soft", "half", True, True),
        ("ignore", "half", True, True),
        ("soft", "drop", True, True),
        ("soft", "half", False, True),
        ("ignore", "drop", False, True),
    ]
    page = client.get(first.url).content.decode()
    assert "Without strength" in page and 'hx-trigger="every 3s"' in page


def test_nobody_is_both_learnt_from_and_tested_on(judged, alice, signed_in, tmp_path):
    signed_in(alice).post(reverse("project-ablations", args=[judged.pk]), answers(judged, alice))
    people = []
    for run in Run.objects.order_by("pk")[:2]:
        prepare_directory(run, model_folder=tmp_path)
        sides = {}
        for split in ("train", "test"):
            lines = (run.directory() / "data" / f"{split}.jsonl").read_text().splitlines()
            sides[split] = {annotator_of(line) for line in lines}, {json.loads(line)["id"] for line in lines}
        assert len(sides["test"][0]) == 2 and len(sides["train"][0]) == 6
        assert not sides["train"][0] & sides["test"][0]
        people.append(sides["test"][0])
    assert people[0] == people[1]


def test_one_person_alone_cannot_be_split(project, alice, signed_in):
    judge(project, alice, count=6)
    make_backbone(project)
    answer = signed_in(alice).post(reverse("project-ablations", args=[project.pk]), answers(project, alice))
    assert answer.status_code == 422
    assert "was judged by one person: nobody is left to test on" in answer.content.decode()
    assert (Ablation.objects.count(), Run.objects.count()) == (0, 0)


def test_people_who_judged_nothing_that_is_held_out_end_the_run_with_a_sentence(judged, alice, signed_in, tmp_path):
    signed_in(alice).post(reverse("project-ablations", args=[judged.pk]), answers(judged, alice))
    run = Run.objects.first()
    (run.directory() / "data").mkdir(parents=True, exist_ok=True)
    (run.directory() / "data" / "test.jsonl").write_text("")
    with pytest.raises(JobFailed, match="have judged none of the prompts"):
        prepare_directory(run, model_folder=tmp_path)


def test_intervals_are_over_people():
    whole = {f"p{number}": {"pairs": 10, "right": 8} for number in range(12)}
    worse = {name: {"pairs": 10, "right": 6} for name in whole}
    mixed = {name: {"pairs": 10, "right": 8 + (1 if place % 2 else -1)} for place, name in enumerate(whole)}
    first, second, third = compare(whole, None), compare(whole, worse), compare(whole, mixed)
    assert (first.accuracy.value, first.accuracy.low, first.difference) == (0.8, 0.8, None)
    assert (second.difference.value, second.verdict) == (pytest.approx(-0.2), "Worse without it")
    assert third.difference.low < 0 < third.difference.high
    assert third.verdict == "No difference that these people show"
    assert compare({}, worse).accuracy is None


def test_the_page_sets_the_variants_side_by_side(judged, alice, bob, signed_in):
    signed_in(alice).post(reverse("project-ablations", args=[judged.pk]), answers(judged, alice))
    for place, run in enumerate(Run.objects.order_by("pk")):
        people = {name: {"pairs": 10, "right": 9 - (place == 1) * 3} for name in ("ann-1", "ann-2")}
        Run.objects.filter(pk=run.pk).update(metrics={"by_person": people}, status="succeeded")
    page = signed_in(bob).get(reverse("ablation-detail", args=[judged.pk, Ablation.objects.get().pk])).content.decode()
    assert "90.0 %" in page and "-30.0 % (-30.0 % to -30.0 %)" in page.replace("−", "-")
    assert "Worse without it" in page and "ann-1" in page and "every 3s" not in page
