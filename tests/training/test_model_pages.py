"""The pages of models and generations."""

from importlib import import_module

import pytest
from django.apps import apps
from django.urls import reverse

from annotate.models import AuditEvent, Author, JobStatus
from annotate.services.chats import policies
from tests.factories import make_prompt, make_response
from tests.tiny_models import build_policy
from tests.training.factories import make_backbone, make_policy
from training.models import Generation, ModelVersion
from training.services.registry import add_model

pytestmark = pytest.mark.django_db

ANSWERS = {
    "choice": "all",
    "responses_per_prompt": 2,
    "temperature": 0.8,
    "top_p": 0.95,
    "max_tokens": 64,
    "seed": 0,
    "queue_tasks": "on",
    "overlap": 1,
}


@pytest.fixture
def policy(project):
    make_backbone(project)
    return make_policy(project)


@pytest.fixture
def generation(policy, alice):
    prompt = make_prompt(policy.project)
    generation = Generation.objects.create(project=policy.project, model=policy, total=2, created_by=alice)
    generation.prompts.add(prompt)
    make_response(prompt, "<script>alert(1)</script>", author=policy.author)
    prompt.responses.update(key=f"g{generation.pk}:0")
    return generation


def test_a_new_project_has_the_sites_models_once(project, alice, signed_in, settings):
    client, url = signed_in(alice), reverse("project-models", args=[project.pk])
    assert [client.get(url).status_code for _ in range(2)] == [200, 200]
    models = ModelVersion.objects.of_project(project).order_by("kind")
    assert [(model.kind, model.origin, model.is_default) for model in models] == [
        ("backbone", settings.DEFAULT_REWARD_BACKBONE, True),
        ("policy", settings.DEFAULT_POLICY, True),
    ]
    assert models.get(kind="policy").author.kind == Author.Kind.MODEL


@pytest.mark.parametrize("name", ["project-models", "model-create", "project-generations", "generation-create"])
def test_lists_are_for_reviewers_and_forms_for_owners(name, policy, alice, bob, carol, mallory, signed_in):
    url = reverse(name, args=[policy.project_id])
    assert signed_in(alice).get(url).status_code == 200
    assert signed_in(bob).get(url).status_code == (403 if name.endswith("create") else 200)
    assert signed_in(carol).get(url).status_code == 403
    assert signed_in(mallory).get(url).status_code == 404
    assert signed_in(alice).put(url).status_code == 405


def test_details_are_for_reviewers(policy, generation, alice, bob, carol, mallory, signed_in):
    for name, row in (("model-detail", policy), ("generation-detail", generation)):
        url = reverse(name, args=[policy.project_id, row.pk])
        assert [signed_in(user).get(url).status_code for user in (alice, bob, carol, mallory)] == [200, 200, 403, 404]


@pytest.mark.parametrize("name", ["model-make-default", "generation-cancel", "generation-retry"])
def test_changes_are_for_owners_and_posts(name, policy, generation, alice, bob, carol, mallory, signed_in):
    row = policy if name.startswith("model") else generation
    url = reverse(name, args=[policy.project_id, row.pk])
    assert [signed_in(user).post(url).status_code for user in (bob, carol, mallory)] == [403, 403, 404]
    assert signed_in(alice).get(url).status_code == 405


def test_one_policy_is_the_default_at_a_time(policy, alice, signed_in):
    second = make_policy(policy.project, "second", seed=1, is_default=False)
    signed_in(alice).post(reverse("model-make-default", args=[policy.project_id, second.pk]))
    assert list(ModelVersion.objects.filter(kind="policy", is_default=True)) == [second]
    assert ModelVersion.objects.filter(kind="backbone", is_default=True).count() == 1
    assert AuditEvent.objects.filter(action="policy.taken_into_use", target="second").exists()


@pytest.mark.parametrize(
    ("origin", "message"),
    [
        ("nonsense", "neither a Hugging Face id (organisation/name) nor a folder"),
        ("../../etc/passwd", "neither a Hugging Face id"),
        ("/etc", "outside the folders this site takes models from"),
    ],
)
def test_a_model_from_nowhere_is_refused(origin, message, project, alice, signed_in):
    url = reverse("model-create", args=[project.pk])
    answer = signed_in(alice).post(url, {"kind": "policy", "origin": origin})
    assert answer.status_code == 422
    assert message in answer.content.decode()
    assert f'value="{origin}"' in answer.content.decode()
    assert ModelVersion.objects.count() == 0


def test_a_model_is_added_from_the_hub_or_from_a_folder_that_is_allowed(project, alice, signed_in, settings, tmp_path):
    settings.MODEL_ROOTS = [str(tmp_path)]
    folder = build_policy(tmp_path / "mine")
    client, url = signed_in(alice), reverse("model-create", args=[project.pk])
    for origin in ("HuggingFaceTB/SmolLM2-360M-Instruct", str(folder)):
        assert client.post(url, {"kind": "policy", "origin": origin}).status_code == 302
    assert sorted(ModelVersion.objects.values_list("name", "origin")) == [
        ("SmolLM2-360M-Instruct", "HuggingFaceTB/SmolLM2-360M-Instruct"),
        ("mine", str(folder)),
    ]
    assert client.post(url, {"kind": "policy", "origin": str(folder)}).status_code == 422


def test_generate_with_this_model_is_filled_in_and_one_post_away(policy, alice, signed_in):
    make_prompt(policy.project)
    other = make_policy(policy.project, "other", seed=1, is_default=False)
    client, url = signed_in(alice), reverse("generation-create", args=[policy.project_id])
    page = client.get(url, {"model": other.pk}).content.decode()
    assert f'<option value="{other.pk}" selected>' in page
    answer = client.post(url, {**ANSWERS, "model": other.pk})
    generation = Generation.objects.get()
    assert answer.url == reverse("generation-detail", args=[policy.project_id, generation.pk])
    assert (generation.model, generation.total, generation.status) == (other, 2, JobStatus.QUEUED)
    assert AuditEvent.objects.filter(action="generation.started").count() == 1


def test_a_wrong_request_comes_back_with_its_reasons(policy, alice, signed_in):
    url = reverse("generation-create", args=[policy.project_id])
    answer = signed_in(alice).post(url, {**ANSWERS, "model": policy.pk, "responses_per_prompt": 17, "temperature": 3})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "less than or equal to 16" in page
    assert "less than or equal to 2" in page
    none = signed_in(alice).post(url, {**ANSWERS, "model": policy.pk})
    assert none.status_code == 422
    assert "No prompt fits this choice." in none.content.decode()


def test_the_live_part_of_a_generation_stops_asking_when_it_has_ended(generation, alice, signed_in):
    url = reverse("generation-detail", args=[generation.project_id, generation.pk])
    client = signed_in(alice)
    live = client.get(url, headers={"HX-Request": "true"}).content.decode()
    assert 'hx-trigger="every 2s"' in live
    assert "&lt;script&gt;alert(1)" in live
    Generation.objects.filter(pk=generation.pk).update(status=JobStatus.SUCCEEDED, tasks_queued=1)
    assert "hx-trigger" not in client.get(url, headers={"HX-Request": "true"}).content.decode()


def test_an_owner_cancels_a_waiting_generation_and_asks_for_the_rest(generation, alice, signed_in):
    client = signed_in(alice)
    client.post(reverse("generation-cancel", args=[generation.project_id, generation.pk]))
    assert Generation.objects.get().status == JobStatus.CANCELLED
    client.post(reverse("generation-retry", args=[generation.project_id, generation.pk]))
    assert Generation.objects.get().status == JobStatus.QUEUED


def test_the_overviews_fragment_is_for_reviewers(generation, alice, bob, carol, mallory, signed_in):
    url = reverse("project-training-summary", args=[generation.project_id])
    assert [signed_in(user).get(url).status_code for user in (alice, bob, carol, mallory)] == [200, 200, 403, 404]
    assert f"Responses by {generation.model}" in signed_in(alice).get(url).content.decode()


def test_a_model_that_only_a_file_named_answers_nobody_until_it_is_added(project, alice):
    named = Author.objects.create(project=project, kind=Author.Kind.MODEL, name="tiny", is_imported=True)
    assert policies(project) == []
    add_model(project=project, user=alice, kind="policy", name="tiny", origin="smollm2-135m-instruct")
    assert policies(project) == [named]


def test_a_model_that_a_file_named_before_files_marked_them_is_marked_by_the_migration(policy):
    Author.objects.create(project=policy.project, kind=Author.Kind.MODEL, name="of a file")
    earlier = import_module("training.migrations.0011_authors_of_earlier_files")
    earlier.mark_authors_of_files(apps, None)
    assert policies(policy.project) == [policy.author]
