"""The API of what is known of models, and of what to label next."""

import pytest

from annotate.models import JobStatus, Membership, Task
from plumbline_client.errors import ApiError
from tests.api import api_of
from tests.factories import make_author, make_judgement, make_prompt, make_response, make_task
from training.models import Ablation, ChosenTask, ModelVersion, ResponseScore, RewardReport, Run, Scoring

pytestmark = pytest.mark.django_db


@pytest.fixture
def api(alice, project):
    return api_of(alice, ["read", "train", "write", "admin"])


@pytest.fixture
def reward(project, alice):
    return ModelVersion.objects.create(project=project, kind="reward", name="judge", origin="judge", created_by=alice)


@pytest.fixture
def snapshot(project, alice):
    made = {"status": JobStatus.SUCCEEDED, "train_count": 8, "test_count": 2, "created_by": alice}
    return project.snapshots.create(name="June", **made)


def refused(call, *arguments, **options):
    with pytest.raises(ApiError) as found:
        call(*arguments, **options)
    return found.value


def compare(project, person, first, second, preference=-4) -> Task:
    task = make_task(project)
    for place, author in zip(task.places.order_by("position"), (first, second), strict=True):
        type(place.response).objects.filter(pk=place.response_id).update(author=author)
    make_judgement(task, person, preference)
    return task


def test_the_leaderboard_and_the_rows_behind_it(api, project, carol, reward):
    ada, bea = make_author(project, "Ada"), make_author(project, "Bea")
    tasks = [compare(project, carol, ada, bea, -4 if number < 6 else 4) for number in range(8)]
    for place in tasks[0].places.all():
        ResponseScore.objects.create(model=reward, response=place.response, mean=-place.position, heads=[0.0])
    board = api.leaderboard(project.pk)
    lines = board["leagues"][0]["lines"]
    assert [(line["name"], line["win_rate"]["points"], line["win_rate"]["count"]) for line in lines] == [
        ("Ada", 6.0, 8),
        ("Bea", 2.0, 8),
    ]
    assert (board["judge"], board["scored"], board["pairs"]) == (reward.pk, 1, 8)
    assert (lines[0]["rewarded"]["value"], lines[1]["rewarded"]["value"]) == (1.0, 0.0)
    address = f"projects/{project.pk}/leaderboard/games/"
    games = list(api.walk(address, author=bea.pk, limit=3))
    assert [game["points"] for game in games] == [1.0] * 2 + [0.0] * 6
    assert {game["other"] for game in games} == {ada.pk}
    assert refused(api.leaderboard, project.pk, tag="nowhere").errors.keys() == {"tag"}
    assert refused(api.leaderboard, project.pk, ties="luck").errors.keys() == {"ties"}


def test_a_reward_model_is_asked_for_scores_once_and_for_a_report(api, project, reward, snapshot):
    make_response(make_prompt(project))
    first, again = api.score(project.pk, reward.pk), api.score(project.pk, reward.pk)
    assert (first["id"] == again["id"], first["total"], Scoring.objects.count()) == (True, 1, 1)
    made = api.report(project.pk, reward.pk, snapshot.pk)
    assert (made["status"], made["figures"], made["snapshot"]) == ("queued", {}, snapshot.pk)
    assert next(api.walk(f"projects/{project.pk}/models/{reward.pk}/reports/"))["id"] == made["id"]
    assert RewardReport.objects.get().created_by.name == "Alice"
    policy = ModelVersion.objects.create(
        project=project, kind="policy", name="base", origin="x/y", created_by=project.created_by
    )
    assert set(refused(api.score, project.pk, policy.pk).errors) == {"model"}
    assert set(refused(api.report, project.pk, policy.pk, snapshot.pk).errors) == {"model"}
    assert refused(api.report, project.pk, reward.pk, 99).errors == {
        "snapshot": "No snapshot 99 of this project is built and holds judgements out."
    }


def test_where_a_model_comes_from_and_its_card(api, project, alice, snapshot):
    made = {"project": project, "created_by": alice}
    base = ModelVersion.objects.create(kind="policy", name="base", origin="x/y", **made)
    run = Run.objects.create(name="first", algorithm="dpo", snapshot=snapshot, base_model=base, **made)
    model = ModelVersion.objects.create(kind="policy", name="better", run=run, parent=base, **made)
    nodes = {node["key"]: node for node in api.call("GET", f"projects/{project.pk}/lineage/")["nodes"]}
    assert nodes[f"model-{model.pk}"]["sources"] == [f"run-{run.pk}"]
    assert nodes[f"run-{run.pk}"]["sources"] == [f"model-{base.pk}", f"snapshot-{snapshot.pk}"]
    assert "better" in api.card(project.pk, model.pk)
    lost = refused(api.call, "GET", f"projects/{project.pk}/lineage/", query={"model": model.pk + 99})
    assert lost.status == 404


def test_an_ablation_launches_a_run_for_each_thing_left_out(api, project, carol, bob, snapshot):
    for person in (carol, bob):
        judgement = make_judgement(make_task(project), person)
        snapshot.items.create(judgement=judgement, split="train")
    address = f"projects/{project.pk}/ablations/"
    body = {"snapshot": snapshot.pk, "name": "June"}
    made = api.call("POST", address, body=body)
    assert [variant["variant"] for variant in made["variants"]][:2] == ["Everything", "Without strength"]
    assert api.call("POST", address, body=body)["id"] == made["id"]
    assert (Ablation.objects.count(), Run.objects.count()) == (1, len(made["variants"]))
    assert next(api.walk(address))["name"] == "June"
    alone = project.snapshots.create(
        name="alone", status=JobStatus.SUCCEEDED, test_count=1, created_by=project.created_by
    )
    assert (
        "was judged by one person" in refused(api.call, "POST", address, body={"snapshot": alone.pk}).errors["snapshot"]
    )


def test_what_to_label_next_is_shown_queued_once_and_its_reasons_kept(api, project, reward):
    for number in range(4):
        prompt = make_prompt(project)
        for name in ("old", "new"):
            make_response(prompt, f"{name} thinks of {number}", author=make_author(project, name))
    address = f"projects/{project.pk}/chosen-pairs/"
    shown = api.call("GET", address, query={"count": 3, "contrast": 1})
    assert (len(shown["pairs"]), {len(pair["responses"]) for pair in shown["pairs"]}) == (3, {2})
    token = "7f0c1c2e-5d0a-4c4e-9a55-0d6f6e2b8a11"
    assert [api.queue_chosen(project.pk, 3, contrast=1, token=token) for _ in range(2)] == [3, 0]
    assert ChosenTask.objects.count() == Task.objects.count() == 3
    reasons = list(api.walk(f"projects/{project.pk}/chosen-tasks/"))
    assert {row["strategy"] for row in reasons} == {"random", "contrast"}
    assert refused(api.call, "GET", address, query={"model": reward.pk + 1}).errors.keys() == {"model"}


def test_an_owner_chooses_whether_alarms_are_mailed(api, project, alice):
    address = f"projects/{project.pk}/alarms/mail/"
    for wanted in (False, True):
        assert api.call("PUT", address, body={"wanted": wanted}) == {"wanted": wanted}
        assert Membership.objects.get(user=alice).mail_alarms is wanted
