"""What was made from what, each model's card, and the file beside the weights."""

import re

import pytest
import yaml
from bs4 import BeautifulSoup
from django.urls import reverse
from django.utils import timezone

from annotate.models import Guideline, Response
from annotate.services.snapshots import build_snapshot, create_snapshot
from tests.training.factories import judge
from training.graphs import Node, draw_graph
from training.limits import limits_of
from training.models import Generation, ModelVersion, Run
from training.services.cards import write_card
from training.services.registry import create_model

pytestmark = pytest.mark.django_db


def make_model(project, name, *, run=None, parent=None, kind="policy", **fields):
    model = create_model(
        project=project,
        user=project.created_by,
        kind=kind,
        name=name,
        origin="" if run else "HuggingFaceTB/SmolLM2-135M-Instruct",
        run=run,
        parent=parent,
    )
    ModelVersion.objects.filter(pk=model.pk).update(**fields)
    return ModelVersion.objects.get(pk=model.pk)


@pytest.fixture
def line(project, alice):
    """base → 16 responses → 8 judgements → a DPO run → “Kinder <3>”."""
    base = make_model(project, "base")
    generation = Generation.objects.create(
        project=project, model=base, status="succeeded", progress=16, total=16, tasks_queued=8, created_by=alice
    )
    judgements = judge(project, alice, count=8)
    guideline = Guideline.objects.get(project=project)
    for number, judgement in enumerate(judgements):
        judgement.guideline = guideline
        judgement.save(update_fields=["guideline"])
        for place, response in enumerate(judgement.task.responses.order_by("pk")):
            Response.objects.filter(pk=response.pk).update(key=f"g{generation.pk}:{number}-{place}")
    snapshot = create_snapshot(project=project, user=alice)
    build_snapshot(snapshot)
    snapshot.refresh_from_db()
    run = Run.objects.create(
        project=project,
        name="DPO 1",
        algorithm="dpo",
        config={"beta": 0.1},
        snapshot=snapshot,
        base_model=base,
        status="succeeded",
        facts={"device": "cpu", "completions_truncated": 3},
        created_by=alice,
        created_at=timezone.now(),
    )
    metrics = {"accuracy": 0.625, "accuracy_low": 0.3, "accuracy_high": 0.86, "pairs": 8, "longer_wins": 0.75}
    made = make_model(project, "Kinder <3>", run=run, parent=base, metrics=metrics, file_hashes={"a": "f00"})
    return {"base": base, "generation": generation, "snapshot": snapshot, "run": run, "made": made}


def get(client, name, *arguments, status=200):
    answer = client.get(reverse(name, args=arguments))
    assert answer.status_code == status
    return BeautifulSoup(answer.content, "html.parser")


def test_the_lineage_goes_from_the_base_model_through_responses_and_judgements_to_the_model(
    signed_in, bob, project, line
):
    page = get(signed_in(bob), "project-lineage", project.pk)
    told = [" ".join(item.get_text(" ", strip=True).split()) for item in page.select(".lineage-list > li")]
    written = f"Generation {line['generation'].pk}"
    assert told == [
        "base base policy",
        f"{written} 16 responses, 8 pairs from base",
        f"{line['snapshot'].name} 8 judgements from {written}",
        f"DPO 1 run: DPO from base , {line['snapshot'].name}",
        "Kinder <3> policy, 62 % right from DPO 1",
    ]
    assert len(page.select("svg.lineage rect.lineage-box")) == 5
    assert len(page.select("svg.lineage path")) == 5
    addresses = {link["href"] for link in page.select(".lineage-list a, svg a")}
    client = signed_in(bob)
    assert {client.get(address).status_code for address in addresses} == {200}


def test_a_model_shows_only_its_own_line_and_reads_as_often_for_a_long_one(
    signed_in, alice, project, line, django_assert_max_num_queries
):
    other = make_model(project, "another base")
    page = get(signed_in(alice), "model-detail", project.pk, line["made"].pk)
    assert len(page.select(".lineage-list > li")) == 5
    assert page.select_one(".lineage-list [aria-current]").text == "Kinder <3>"
    alone = get(signed_in(alice), "model-detail", project.pk, other.pk)
    assert [item.a.text for item in alone.select(".lineage-list > li")] == ["another base"]
    client = signed_in(alice)
    with django_assert_max_num_queries(45):
        client.get(reverse("model-detail", args=[project.pk, line["made"].pk]))


def test_a_project_without_anything_says_how_to_begin(signed_in, alice, project):
    page = get(signed_in(alice), "project-lineage", project.pk)
    assert page.select_one(".empty h2").text == "Nothing has been made yet"
    get(signed_in(alice), "model-card", project.pk, 2**31 - 1, status=404)


def test_the_card_has_data_people_guidelines_figures_and_limits_that_lead_to_their_rows(
    signed_in, alice, project, line
):
    page = get(signed_in(alice), "model-detail", project.pk, line["made"].pk)
    card = page.select_one("#card")
    told = {term.text: term.find_next("dd") for term in card.select("dt")}
    snapshot = line["snapshot"]
    assert told["Judgements"].text == f"{snapshot.train_count} to train on, {snapshot.test_count} held out"
    assert told["Judgements"].a["href"] == reverse("snapshot-detail", args=[project.pk, snapshot.pk])
    assert told["People"].text == "1"
    assert told["Guidelines, version 1"].text == "8 judgements"
    assert told["Held-out accuracy"].text == "62 % (95 %: 30–86 % on 8 pairs)"
    assert told["SHA-256"].text == snapshot.content_hash
    limits = [item.text for item in card.select("li")]
    assert "1 person judged: their taste is what it learned." in limits
    assert "Length alone is right as often (75 %): it has shown nothing beyond length." in limits
    assert "3 responses were cut to its length in training." in limits


def test_the_card_is_a_hugging_face_readme_in_which_nothing_of_a_name_is_markup(
    signed_in, alice, project, line, settings, tmp_path
):
    answer = signed_in(alice).get(reverse("model-card", args=[project.pk, line["made"].pk]))
    assert answer["Content-Disposition"] == 'attachment; filename="kinder-3-card.md"'
    text = answer.content.decode()
    _, front, body = text.split("---\n", 2)
    header = yaml.safe_load(front)
    assert header["base_model"] == "HuggingFaceTB/SmolLM2-135M-Instruct"
    assert header["pipeline_tag"] == "text-generation"
    assert header["tags"] == ["plumbline", "dpo"]
    assert header["model-index"][0]["results"][0]["metrics"] == [{"type": "accuracy", "value": 0.625}]
    assert "\n# Kinder \\<3\\>\n" in body
    assert "- **People:** 1\n" in body

    settings.ARTIFACTS_DIR = tmp_path
    model = line["made"]
    model.folder = "model"
    write_card(model)  # its folder is gone: nothing to write beside
    (tmp_path / "model").mkdir()
    write_card(model)
    assert (tmp_path / "model" / "README.md").read_text() == text


def test_limits_speak_of_what_the_figures_show_and_nothing_else():
    sound = {"accuracy": 0.8, "accuracy_low": 0.78, "accuracy_high": 0.82, "longer_wins": 0.5, "kl": 3.0}
    assert len(limits_of("reward", sound, {}, people=20, judgements=5000)) == 2
    told = limits_of("policy", {"kl": 31.4}, {}, people=0, judgements=0)
    assert told[2:] == ["It is 31 nats a response away from its reference: look for a reward it fooled."]


def test_boxes_never_meet_and_every_edge_goes_down():
    """A long edge beside a chain, and a layer of six."""
    nodes = [Node(str(number), "run", "x" * 50) for number in range(12)]
    chain = [("0", "1"), ("1", "2"), ("2", "3"), ("0", "3")]
    fan = [("3", str(number)) for number in range(4, 10)] + [(str(number), "10") for number in range(4, 10)]
    drawing = draw_graph(nodes, [*chain, *fan, ("0", "gone")])
    boxes = drawing.boxes
    places = {(box.x, box.y) for box in boxes}
    assert len(places) == 12
    assert all(abs(one.x - other.x) >= 188 for one in boxes for other in boxes if one is not other and one.y == other.y)
    assert len(drawing.curves) == len(chain) + len(fan)
    assert all(0 <= box.x <= drawing.width - 188 for box in boxes)
    drawn = [float(number) for path in drawing.curves for number in re.findall(r"[MC ](-?[\d.]+) ", path)]
    assert min(drawn) >= 0
    assert {box.label for box in boxes} == {"x" * 22 + "…"}
