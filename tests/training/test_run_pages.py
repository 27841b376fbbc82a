"""The pages of runs: who may open them, what they show, what a wrong form gets."""

from math import log

import pytest
from bs4 import BeautifulSoup
from django.urls import reverse

from annotate.models import AuditEvent, JobStatus, Snapshot
from annotate.services.snapshots import create_snapshot
from tests.factories import make_project
from tests.training.factories import QUICK, judge, make_backbone, make_policy
from tests.training.launch_form import read_form
from training.algorithms.configs import ALGORITHMS, to_dict
from training.models import Run, RunEvent
from training.services.runs import launch_run

pytestmark = pytest.mark.django_db


@pytest.fixture
def judged(project, alice):
    """Alice's project with eight judgements and tiny models."""
    judge(project, alice, count=8)
    make_policy(project)
    make_backbone(project)
    return project


@pytest.fixture
def run(judged, alice):
    return launch_run(
        project=judged,
        user=alice,
        algorithm="dpo",
        snapshot=create_snapshot(project=judged, user=alice),
        base_model=judged.model_versions.get(kind="policy"),
        config=QUICK,
    )


def address(name: str, run: Run) -> str:
    return reverse(name, args=[run.project_id, run.pk])


def launch_answers(project, algorithm: str, **changes: object) -> dict[str, object]:
    """The launch form as it stands when nobody changes anything, then `changes`."""
    kind = ALGORITHMS[algorithm].starts_from[0]
    settings = {
        f"config-{name}": value for name, value in to_dict(ALGORITHMS[algorithm].config()).items() if value is not False
    }
    base = project.model_versions.get(kind=kind).pk
    return {"name": "First", "snapshot": "new", "base_model": base, **settings, **changes}


@pytest.mark.parametrize("name", ["project-runs", "run-create"])
def test_the_list_and_the_form_are_for_those_who_may(name, judged, alice, bob, carol, mallory, signed_in):
    url = reverse(name, args=[judged.pk])
    assert signed_in(alice).get(url).status_code == 200
    assert signed_in(bob).get(url).status_code == (200 if name == "project-runs" else 403)
    assert signed_in(carol).get(url).status_code == 403
    assert signed_in(mallory).get(url).status_code == 404
    assert signed_in(alice).put(url).status_code == 405


@pytest.mark.parametrize("name", ["run-detail", "run-events"])
def test_a_run_is_read_by_owners_and_reviewers(name, run, alice, bob, carol, mallory, signed_in):
    url = address(name, run)
    assert [signed_in(user).get(url).status_code for user in (alice, bob, carol, mallory)] == [200, 200, 403, 404]
    assert signed_in(alice).post(url).status_code == 405


@pytest.mark.parametrize("name", ["run-cancel", "run-retry"])
def test_only_an_owner_stops_or_retries_a_run(name, run, bob, carol, mallory, signed_in):
    url = address(name, run)
    assert [signed_in(user).post(url).status_code for user in (bob, carol, mallory)] == [403, 403, 404]
    assert Run.objects.get(pk=run.pk).status == JobStatus.QUEUED


def test_a_run_is_not_found_through_another_project(run, alice, signed_in):
    other = make_project(alice, name="Another")
    assert signed_in(alice).get(reverse("run-detail", args=[other.pk, run.pk])).status_code == 404


def test_an_empty_project_says_what_a_run_is_for(project, alice, signed_in):
    page = signed_in(alice).get(reverse("project-runs", args=[project.pk]))
    assert "No runs yet" in page.content.decode()


@pytest.mark.parametrize("algorithm", ["reward_model", "dpo"])
def test_launching_as_it_stands_takes_one_post_and_makes_the_snapshot(algorithm, judged, alice, signed_in):
    url = reverse("run-create", args=[judged.pk]) + f"?algorithm={algorithm}"
    answer = signed_in(alice).post(url, launch_answers(judged, algorithm))
    run = Run.objects.get()
    assert (answer.status_code, answer.url) == (302, address("run-detail", run))
    assert (run.status, run.algorithm, run.name) == (JobStatus.QUEUED, algorithm, "First")
    assert run.config == to_dict(ALGORITHMS[algorithm].config())
    assert signed_in(alice).get(answer.url).status_code == 200
    assert run.snapshot.train_count + run.snapshot.test_count == 8
    assert AuditEvent.objects.filter(action="run.launched", target="First", actor=alice).count() == 1


def test_wrong_settings_come_back_beside_their_fields_with_everything_typed(judged, alice, signed_in):
    url = reverse("run-create", args=[judged.pk]) + "?algorithm=dpo"
    wrong = {"config-beta": "-1", "config-epochs": "many", "name": "Mine"}
    answer = signed_in(alice).post(url, launch_answers(judged, "dpo", **wrong))
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "Beta cannot be -1: the least is 0.001." in page
    assert "Epochs cannot be &#x27;many&#x27;: it must be a number." in page
    assert 'value="Mine"' in page
    assert (Run.objects.count(), Snapshot.objects.count()) == (0, 0)


def test_another_algorithm_may_be_chosen_without_losing_what_was_typed(judged, alice, signed_in):
    client, url = signed_in(alice), reverse("run-create", args=[judged.pk]) + "?algorithm="
    typed = {"config-beta": ["lots"], "config-learning_rate": ["0.002"], "config-warmup_ratio": ["0.05"]}
    dpo = read_form(client.get(url + "dpo").content) | typed
    del dpo["config-lora"]  # unticked
    page = client.post(url + "reward_model", dpo | {"switch": ""})
    assert page.status_code == 200 and not page.context["config"].errors
    chosen = read_form(page.content)
    untouched = read_form(client.get(url + "reward_model").content)
    del untouched["config-lora"]
    assert chosen == untouched | typed | {"typed": sorted([*typed, "config-lora"])}
    refused = client.post(url + "reward_model", chosen | {"name": ""})
    assert refused.status_code == 422
    back = read_form(client.post(url + "dpo", read_form(refused.content) | {"switch": ""}).content)
    assert back == dpo | {"name": [""], "typed": sorted([*typed, "config-lora", "name"])}


def test_a_name_that_is_taken_makes_no_snapshot(run, alice, signed_in):
    url = reverse("run-create", args=[run.project_id]) + "?algorithm=dpo"
    answer = signed_in(alice).post(url, launch_answers(run.project, "dpo", name=run.name))
    assert answer.status_code == 422
    assert "already has a run named “DPO 1”" in answer.content.decode()
    assert Snapshot.objects.count() == 1


def test_with_nothing_judged_the_form_says_so(project, alice, signed_in):
    make_policy(project)
    make_backbone(project)
    url = reverse("run-create", args=[project.pk]) + "?algorithm=reward_model"
    answer = signed_in(alice).post(url, launch_answers(project, "reward_model"))
    assert answer.status_code == 422
    assert "nothing has been judged yet" in answer.content.decode()


def test_the_live_part_asks_again_only_while_the_run_is_under_way(run, alice, signed_in):
    client = signed_in(alice)
    live = client.get(address("run-detail", run), headers={"HX-Request": "true"}).content.decode()
    assert 'hx-trigger="every 2s"' in live
    assert "<html" not in live
    assert "Waiting for a training worker" in live
    Run.objects.filter(pk=run.pk).update(status=JobStatus.FAILED, error="Memory ran out: lower the batch.")
    ended = client.get(address("run-detail", run), headers={"HX-Request": "true"}).content.decode()
    assert "hx-trigger" not in ended
    assert "Memory ran out: lower the batch." in ended


def test_figures_come_once_each(run, alice, signed_in):
    RunEvent.objects.bulk_create(
        RunEvent(run=run, kind="train", step=step, data={"loss": 1 / step}) for step in range(1, 4)
    )
    RunEvent.objects.create(run=run, kind="checkpoint", step=3, data={})
    client = signed_in(alice)
    first = client.get(address("run-events", run)).json()
    assert [(event["step"], event["data"]["loss"]) for event in first["events"]] == [(1, 1.0), (2, 0.5), (3, 1 / 3)]
    assert (first["ended"], first["more"]) == (False, False)
    assert "Loss" in [chart["title"] for chart in first["charts"]]
    RunEvent.objects.create(run=run, kind="eval", step=3, data={"loss": 0.25})
    second = client.get(address("run-events", run), {"after": first["last"]}).json()
    assert [(event["kind"], event["step"]) for event in second["events"]] == [("eval", 3)]
    assert client.get(address("run-events", run), {"after": "x"}).json()["last"] == second["last"]


def test_the_table_says_the_figures_without_javascript(run, alice, signed_in):
    RunEvent.objects.create(run=run, kind="train", step=7, data={"loss": 0.125, "logps/chosen": -42.5})
    page = signed_in(alice).get(address("run-detail", run)).content.decode()
    assert "0.125" in page
    assert "-42.5" in page


def test_an_owner_cancels_a_waiting_run_and_tries_again(run, alice, signed_in):
    client = signed_in(alice)
    assert client.post(address("run-cancel", run)).status_code == 302
    assert Run.objects.get(pk=run.pk).status == JobStatus.CANCELLED
    assert client.post(address("run-retry", run)).status_code == 302
    assert Run.objects.get(pk=run.pk).status == JobStatus.QUEUED
    actions = set(AuditEvent.objects.of_project(run.project).values_list("action", flat=True))
    assert {"run.cancelled", "run.retried"} <= actions


def test_the_list_costs_the_same_however_many_runs_there_are(run, alice, signed_in, django_assert_max_num_queries):
    Run.objects.bulk_create(
        Run(
            project=run.project,
            name=f"Run {number}",
            algorithm="dpo",
            snapshot=run.snapshot,
            base_model=run.base_model,
            created_by=alice,
        )
        for number in range(20)
    )
    client = signed_in(alice)
    with django_assert_max_num_queries(8):
        assert client.get(reverse("project-runs", args=[run.project_id])).status_code == 200


def test_model_output_on_the_page_is_text_not_markup(run, alice, signed_in):
    hostile = {"samples": [{"prompt": [{"role": "user", "content": "<b>x"}], "text": "<script>alert(1)</script>"}]}
    RunEvent.objects.create(run=run, kind="sample", step=1, data=hostile)
    Run.objects.filter(pk=run.pk).update(log_tail="<img src=x onerror=alert(1)>")
    page = signed_in(alice).get(address("run-detail", run)).content.decode()
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_a_form_starts_from_another_runs_settings(run, alice, signed_in):
    Run.objects.filter(pk=run.pk).update(config={**run.config, "beta": 0.37})
    url = reverse("run-create", args=[run.project_id])
    page = signed_in(alice).get(url, {"algorithm": "dpo", "like": run.pk}).content.decode()
    assert 'value="0.37"' in page


def test_a_form_starts_from_the_snapshot_whose_page_led_to_it(run, alice, signed_in):
    client = signed_in(alice)
    page = client.get(reverse("snapshot-detail", args=[run.project_id, run.snapshot_id])).content
    link = BeautifulSoup(page, "html.parser").find("a", string="Train on it")["href"]
    assert read_form(client.get(link).content)["snapshot"] == [str(run.snapshot_id)]


def test_a_run_says_where_its_held_out_reward_is_highest(run, alice, signed_in):
    for number, kl in enumerate((0.0, 0.5, 1.0, 2.0, 3.0, 4.0, 10.0)):
        top = kl**0.5 * (1 - log(kl) / 2) if kl else 0.0  # highest at exp(0)² = 1 nat
        data = {"kl": kl, "reward": kl, "reward_std": 1.0, "heldout/reward": top, "heldout/std": 1.0}
        RunEvent.objects.create(run=run, kind="train", step=number, data={**data, "completions/count": 64.0})
    page = signed_in(alice).get(address("run-detail", run)).content.decode()
    assert "the held-out reward was highest about 1.0 nats from the reference. The policy has come to 10.0" in page
