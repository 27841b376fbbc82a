"""Runs that sample responses: the reward models they are given, from the form, the terminal and in the run's folder."""

import json
from io import StringIO

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.urls import reverse

from annotate.models import JobStatus
from tests.factories import make_project
from tests.tiny_models import build_policy
from tests.training.factories import judge, make_backbone, make_policy, relative
from training.algorithms.configs import ALGORITHMS, to_dict
from training.algorithms.models import load_reward_model, save_model
from training.models import ModelVersion, Run, RunReward

pytestmark = pytest.mark.django_db(transaction=True)

QUICK = [f"--set={name}" for name in ("max_steps=1", "batch_size=2", "eval_every=0", "max_tokens=6", "lora=false")]


@pytest.fixture
def judged(project, alice):
    judge(project, alice, count=4)
    make_policy(project)
    make_backbone(project)
    return project


def make_reward_model(project, name: str = "Judge", *, seed: int = 0) -> ModelVersion:
    """A tiny, untrained reward model with its files in place."""
    folder = settings.ARTIFACTS_DIR / "base" / f"reward-{name}"
    save_model(load_reward_model(build_policy(folder, seed=seed), seed=seed), folder)
    return ModelVersion.objects.create(
        project=project,
        kind=ModelVersion.Kind.REWARD,
        name=name,
        origin=name,
        folder=relative(folder),
        created_by=project.created_by,
    )


def answers(project, algorithm: str, **changes: object) -> dict[str, object]:
    config = {f"config-{key}": value for key, value in to_dict(ALGORITHMS[algorithm].config()).items() if value}
    zeros = {f"config-{key}": 0 for key, value in to_dict(ALGORITHMS[algorithm].config()).items() if value == 0}
    zeros = {key: value for key, value in zeros.items() if not isinstance(value, bool)}
    base = project.model_versions.get(name="tiny").pk
    return {"name": "First", "snapshot": "new", "base_model": base, **zeros, **config, **changes}


@pytest.mark.parametrize("algorithm", ["ppo", "raft"])
def test_the_form_takes_a_reward_model_and_the_newest_is_chosen(algorithm, judged, alice, signed_in):
    make_reward_model(judged, "Old")
    newest = make_reward_model(judged, "New")
    url = reverse("run-create", args=[judged.pk]) + f"?algorithm={algorithm}"
    page = signed_in(alice).get(url).content.decode()
    assert page.count("checked") >= 1
    assert f'value="{newest.pk}"' in page
    answer = signed_in(alice).post(url, answers(judged, algorithm, reward_models=[newest.pk]))
    assert answer.status_code == 302
    run = Run.objects.get()
    assert [(reward.model, reward.weight) for reward in run.rewards.all()] == [(newest, 1.0)]
    page = signed_in(alice).get(answer.url)
    assert page.status_code == 200
    assert (
        f'scored by <a href="{reverse("model-detail", args=[judged.pk, newest.pk])}">New</a>,' in page.content.decode()
    )
    assert str(RunReward.objects.visible_to(alice).get()) == "New × 1"


def test_without_anything_that_scores_the_form_comes_back(judged, alice, signed_in):
    url = reverse("run-create", args=[judged.pk]) + "?algorithm=ppo"
    answer = signed_in(alice).post(url, answers(judged, "ppo"))
    assert answer.status_code == 422
    assert "Nothing scores the responses. Choose a reward model (train one first)" in answer.content.decode()
    assert Run.objects.count() == 0
    answer = signed_in(alice).post(url, answers(judged, "ppo", **{"config-function": "happy_words"}))
    assert answer.status_code == 302


def test_a_reward_model_of_another_project_is_no_choice(judged, alice, signed_in):
    other = make_reward_model(make_project(alice, name="Another"), "Theirs")
    url = reverse("run-create", args=[judged.pk]) + "?algorithm=rloo"
    answer = signed_in(alice).post(url, answers(judged, "rloo", reward_models=[other.pk]))
    assert answer.status_code == 422
    assert Run.objects.count() == 0


def test_it_trains_here_with_two_reward_models_of_different_weight(judged):
    first, second = make_reward_model(judged, "One"), make_reward_model(judged, "Two", seed=1)
    rewards = ["--reward", f"{first.pk}=3", "--reward", "Two"]
    call_command("train", judged.name, "--algorithm", "ppo", *rewards, *QUICK, stdout=StringIO())
    run = Run.objects.get()
    assert run.status == JobStatus.SUCCEEDED
    assert run.output.kind == ModelVersion.Kind.POLICY
    written = json.loads((run.directory() / "run.json").read_text())["rewards"]
    assert written == [{"model": str(first.path()), "weight": 3.0}, {"model": str(second.path()), "weight": 1.0}]
    data = run.events.get(kind="train").data
    mixed = 0.75 * data["rewards/model 1"] + 0.25 * data["rewards/model 2"]
    assert data["reward"] == pytest.approx(mixed, abs=1e-5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["ppo"], "Nothing scores the responses"),
        (["ppo", "--reward", "nobody"], "No reward models are named 'nobody'"),
        (["ppo", "--reward", "Judge=much"], "--reward has the weight 'much'"),
        (["ppo", "--reward", "Judge=-1"], "cannot weigh -1"),
        (["dpo", "--reward", "Judge"], "DPO scores no responses"),
    ],
)
def test_what_is_wrong_with_a_reward_is_said_in_a_sentence(judged, options, message):
    if "--reward" in options:
        make_reward_model(judged)
    with pytest.raises(CommandError, match=message):
        call_command("train", judged.name, "--algorithm", *options, stdout=StringIO())


def test_only_servers_that_the_site_names_draw_responses(judged, alice, signed_in, settings):
    url = reverse("run-create", args=[judged.pk]) + "?algorithm=ppo"
    server = {
        "config-function": "vowels",
        "config-rollout_server": "http://gpu-1:8000/",
        "config-rollout_model": "tiny",
    }
    answer = signed_in(alice).post(url, answers(judged, "ppo", **server))
    assert answer.status_code == 422
    assert "Rollout server cannot be &#x27;http://gpu-1:8000/&#x27;: this site may use none" in answer.content.decode()
    settings.ROLLOUT_SERVERS = ["http://gpu-1:8000"]
    assert signed_in(alice).post(url, answers(judged, "ppo", **server)).status_code == 302
    assert Run.objects.get().config["rollout_server"] == "http://gpu-1:8000/"
