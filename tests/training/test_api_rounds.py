"""The API of the loop: evaluations, recipes, rounds, policies and alarms."""

import pytest

from plumbline_client.errors import ApiError
from tests.api import api_of, make_world
from training.models import Alarm, Evaluation, ProjectPolicy, Recipe, Round


@pytest.fixture
def world(project, alice, carol):
    return make_world(project, alice, carol)


@pytest.fixture
def api(alice, project):
    return api_of(alice, ["read", "train"])


def refused(call, *arguments, **options):
    with pytest.raises(ApiError) as found:
        call(*arguments, **options)
    return found.value


def test_a_recipe_is_written_and_what_its_plan_cannot_be_is_named(api, project):
    address = f"projects/{project.pk}/recipes/"
    made = api.call("POST", address, body={"name": "DPO", "plan": {"algorithm": "dpo", "prompts": 7}})
    assert (made["plan"]["algorithm"], made["plan"]["prompts"], made["trigger"]) == ("dpo", 7, "hand")
    error = refused(api.call, "POST", address, body={"name": "X", "plan": {"gate": "luck", "speed": 1}})
    assert set(error.errors) == {"plan.gate", "plan.speed"}
    assert set(refused(api.call, "POST", address, body={"name": "DPO"}).errors) == {"name"}
    changed = api.call("PUT", f"{address}{made['id']}/", body={"name": "DPO, nightly", "trigger": "times"})
    assert (changed["name"], Recipe.objects.get(pk=made["id"]).next_at is not None) == ("DPO, nightly", True)


def test_one_round_at_a_time_is_begun_and_cancelled(api, project, world):
    running = refused(api.begin_round, project.pk, world["recipes"])
    assert (running.status, running.detail) == (409, "Round 1 is still under way. Wait for it, or cancel it first.")
    address = f"projects/{project.pk}/rounds/{world['rounds']}/"
    assert api.call("POST", f"{address}cancel/") == {"changed": True}
    made = api.begin_round(project.pk, world["recipes"])
    assert (made["number"], made["status"], made["steps"][0]["kind"]) == (2, "running", "snapshot")
    assert Round.objects.get(number=2).started_by.name == "Alice"


def test_a_policy_is_taken_into_use_and_an_earlier_one_restored(api, project, world):
    rival = Evaluation.objects.get().baseline
    body = {"model": rival.pk, "reason": "People prefer it."}
    address = f"projects/{project.pk}/policies/"
    assert [api.call("POST", address, body=body)["changed"] for _ in range(2)] == [True, False]
    first = next(api.walk(address, order="oldest"))
    assert api.call("POST", f"{address}{first['id']}/restore/") == {"changed": True}
    assert ProjectPolicy.objects.get(is_current=True).model_id == first["model"]


def test_an_evaluation_is_started_on_prompts_nobody_trained_on(api, project, world):
    known = Evaluation.objects.get()
    made = api.evaluate(project.pk, known.candidate_id, known.baseline_id, prompts=1)
    assert (made["status"], made["total"], made["win_rate"]) == ("queued", 2, None)
    same = refused(api.evaluate, project.pk, known.candidate_id, known.candidate_id)
    assert set(same.errors) == {"baseline"}


def test_an_alarm_is_acknowledged_once(api, project, world):
    assert [alarm["message"] for alarm in api.alarms(project.pk, open=True)] == ["All alike."]
    address = f"projects/{project.pk}/alarms/{world['alarms']}/acknowledge/"
    assert [api.call("POST", address, body={"note": note})["changed"] for note in ("Seen.", "Again.")] == [True, False]
    assert (list(api.alarms(project.pk, open=True)), Alarm.objects.get().note) == ([], "Seen.")
