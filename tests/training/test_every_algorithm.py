"""Every algorithm of the table: its form, its launch, two steps of it, and the model that comes out."""

import pytest
from bs4 import BeautifulSoup
from django.conf import settings
from django.urls import reverse

from annotate.services.snapshots import build_snapshot
from tests.tiny_models import build_policy
from tests.training.factories import judge, make_backbone, make_policy, relative
from tests.training.launch_form import read_form
from training.algorithms.configs import ALGORITHMS, to_dict
from training.algorithms.models import load_reward_model, save_model
from training.algorithms.trainer import DONE, run_trainer
from training.models import ModelVersion, Run
from training.services.registry import register_output
from training.services.run_directory import prepare_directory
from training.services.run_events import EventReader, store_events

pytestmark = pytest.mark.django_db
FEW = {"max_steps": 2, "batch_size": 2, "eval_every": 1, "samples": 1, "sample_tokens": 4, "micro_batch_tokens": 512}
SHORT = {"max_tokens": 6, "eval_prompts": 2}  # where responses are drawn


@pytest.fixture
def judged(project, alice):
    """Alice's project with eight judgements, tiny models, and a reward model that nobody trained."""
    judge(project, alice, count=8)
    make_policy(project)
    make_backbone(project)
    folder = settings.ARTIFACTS_DIR / "base" / "untrained-reward"
    if not folder.exists():
        save_model(load_reward_model(build_policy(folder)), folder)
    ModelVersion.objects.create(
        project=project,
        kind=ModelVersion.Kind.REWARD,
        name="Judge",
        origin="judge",
        folder=relative(folder),
        created_by=project.created_by,
    )
    return project


def train_here(run: Run) -> None:
    """What a worker does, in this process."""
    build_snapshot(run.snapshot)
    run.snapshot.refresh_from_db()
    rewards = [(reward.model.path(), reward.weight) for reward in run.rewards.all()]
    prepare_directory(run, model_folder=run.base_model.path(), rewards=rewards)
    status = run_trainer(run.directory(), should_stop=lambda: False)
    store_events(run, EventReader(run.directory() / "events.jsonl").read())
    assert status == DONE, run.events.get(kind="error").data
    register_output(run)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_launched_as_the_form_stands_it_takes_its_steps_and_leaves_a_model(algorithm, judged, alice, signed_in):
    client, about = signed_in(alice), ALGORITHMS[algorithm]
    url = reverse("run-create", args=[judged.pk]) + f"?algorithm={algorithm}"
    standing = read_form(client.get(url).content)
    answer = client.post(url, standing)
    untouched = Run.objects.get()
    assert answer.url == reverse("run-detail", args=[judged.pk, untouched.pk])
    assert untouched.config == to_dict(about.config())
    few = FEW | (SHORT if about.scores else {})
    wanted = {f"config-{name}": str(value) for name, value in few.items() if f"config-{name}" in standing}
    client.post(url, {**standing, "name": "Two steps", **wanted, "config-lora": ""})

    run = Run.objects.get(name="Two steps")
    train_here(run)
    assert sorted(run.events.filter(kind="train").values_list("step", flat=True)) == [1, 2]
    assert run.events.filter(kind="eval", step=2).exists()
    assert (run.output.kind, run.output.parent) == (about.makes, run.base_model)
    page = client.get(reverse("run-detail", args=[judged.pk, run.pk]))
    assert page.status_code == 200
    assert "Two steps" in page.content.decode()


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_setting_has_words_and_a_wrong_one_is_named_beside_its_field(algorithm, judged, alice, signed_in):
    client = signed_in(alice)
    url = reverse("run-create", args=[judged.pk]) + f"?algorithm={algorithm}"
    page = BeautifulSoup(client.get(url).content, "html.parser")
    for name in to_dict(ALGORITHMS[algorithm].config()):
        field = page.select_one(f"#id_config-{name}")
        assert page.select_one(f'label[for="id_config-{name}"]').text.strip()
        assert all(page.select_one(f"#{place}").text.strip() for place in field["aria-describedby"].split())
    folded = page.select("details.run-advanced [name]")
    assert len(folded) > 2 * len(page.select(".run-form > .panel > .panel-body [name]"))
    wrong = {**read_form(page.encode()), "config-learning_rate": "2", "config-warmup_ratio": "little"}
    answer = client.post(url, wrong)
    again = BeautifulSoup(answer.content, "html.parser")
    assert answer.status_code == 422
    assert "Learning rate cannot be 2: the most is 1." in again.text
    assert "Warm-up cannot be 'little': it must be a number." in again.text
    assert again.select_one("details.run-advanced").has_attr("open")
    assert again.select_one("#id_config-warmup_ratio")["value"] == "little"
