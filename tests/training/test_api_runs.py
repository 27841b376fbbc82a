"""The API of training: models, runs and generations, used with our own client."""

import pytest

from plumbline_client.errors import ApiError
from tests.api import api_of
from tests.factories import make_judgement, make_prompt, make_task
from training.models import Generation, ModelVersion, Run, RunEvent


@pytest.fixture
def api(alice, project):
    return api_of(alice, ["read", "train"])


@pytest.fixture
def judged(project, carol):
    return [make_judgement(make_task(project), carol) for _ in range(3)]


def refused(call, *arguments, **options):
    with pytest.raises(ApiError) as found:
        call(*arguments, **options)
    return found.value


def test_every_algorithm_tells_its_settings_with_their_limits(api, project):
    found = {row["name"]: row for row in api.call("GET", "algorithms/")["algorithms"]}
    settings = {row["name"]: row for row in found["dpo"]["settings"]}
    assert (found["dpo"]["title"], found["ppo"]["scores"]) == ("DPO", True)
    assert settings["learning_rate"]["min"] < settings["learning_rate"]["default"] < settings["learning_rate"]["max"]


def test_a_run_is_launched_with_validated_settings_and_a_snapshot_of_everything(api, project, judged):
    run = api.launch(project.pk, "dpo", config={"beta": 0.3}, name="first")
    row = Run.objects.get()
    assert (run["status"], row.config["beta"], row.snapshot.total, row.created_by.name) == ("queued", 0.3, 3, "Alice")
    assert (run["base_model"], row.base_model.is_default) == (row.base_model_id, True)
    assert refused(api.launch, project.pk, "dpo", snapshot=row.snapshot_id, name="first").errors == {
        "name": "This project already has a run named “first”. Choose another name."
    }


def test_every_setting_that_cannot_be_used_is_named(api, project, judged):
    error = refused(api.launch, project.pk, "dpo", config={"beta": "much", "learning_rate": -1, "gamma": 1})
    assert set(error.errors) == {"config.beta", "config.learning_rate", "config.gamma"}
    assert error.errors["config.gamma"] == "dpo has no setting 'gamma': remove it."
    assert set(refused(api.launch, project.pk, "grpo").errors) == {"rewards"}
    assert set(refused(api.launch, project.pk, "dpo", base_model=10**6).errors) == {"base_model"}
    assert set(refused(api.launch, project.pk, "sorcery").errors) == {"algorithm"}
    assert Run.objects.count() == 0


def test_a_run_is_followed_cancelled_and_resumed(api, project, judged):
    run = api.launch(project.pk, "dpo")["id"]
    RunEvent.objects.bulk_create(
        RunEvent(run_id=run, kind="train", step=step, data={"loss": step}) for step in (1, 2, 3)
    )
    assert [event["data"]["loss"] for event in api.run_events(project.pk, run)] == [1, 2, 3]
    assert [api.cancel_run(project.pk, run) for _ in range(2)] == [True, False]
    assert api.run(project.pk, run)["status"] == "cancelled"
    assert [api.resume_run(project.pk, run) for _ in range(2)] == [True, False]
    assert api.run(project.pk, run)["status"] == "queued"


def test_a_policy_is_asked_for_responses(api, project):
    for _ in range(2):
        make_prompt(project)
    made = api.ask_for_responses(project.pk, responses_per_prompt=3, first=1)
    assert (made["total"], made["status"], Generation.objects.get().prompts.count()) == (3, "queued", 1)
    error = refused(api.ask_for_responses, project.pk, choice="tag")
    assert error.errors == {"tag": "Name the tag, or choose all prompts."}
    assert set(refused(api.ask_for_responses, project.pk, responses_per_prompt=1).errors) == {"responses_per_prompt"}


def test_models_are_added_and_made_the_default(api, project):
    added = api.call("POST", f"projects/{project.pk}/models/", body={"kind": "policy", "origin": "org/name"})
    assert api.call("POST", f"projects/{project.pk}/models/{added['id']}/default/")["is_default"] is True
    assert ModelVersion.objects.get(is_default=True).origin == "org/name"
    error = refused(api.call, "POST", f"projects/{project.pk}/models/", body={"kind": "policy", "origin": "../etc"})
    assert set(error.errors) == {"origin"}


def test_without_the_scope_nothing_is_launched(alice, project, judged):
    error = refused(api_of(alice, ["read", "write"]).launch, project.pk, "dpo")
    assert (error.status, Run.objects.count()) == (403, 0)
    assert error.detail == "This needs the scope “train”; this token has read, write. Make one that has it."
