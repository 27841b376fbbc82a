"""Generations that keep the best of several draws by a reward model."""

from math import log

import pytest
from django.conf import settings
from django.db import IntegrityError, transaction
from django.urls import reverse

from annotate.models import JobStatus, Prompt, Response
from tests.factories import make_prompt
from tests.tiny_models import build_policy
from tests.training.factories import make_policy, relative
from training.algorithms.models import load_reward_model, save_model
from training.models import Generation, ModelVersion
from training.services.generations import start_generation
from training.services.sampling import generate

pytestmark = pytest.mark.django_db(transaction=True)
SAMPLING = {"temperature": 1.0, "top_p": 1.0, "max_tokens": 12, "seed": 7, "overlap": 1}
FORM = {**SAMPLING, "choice": "all", "responses_per_prompt": 2, "queue_tasks": "on"}


@pytest.fixture
def policy(project):
    make_prompt(project, "Tell me about bees")
    return make_policy(project)


@pytest.fixture
def judge(project):
    folder = settings.ARTIFACTS_DIR / "base" / "judge"
    save_model(load_reward_model(build_policy(folder, seed=3), seed=3), folder)
    return ModelVersion.objects.create(
        project=project,
        kind=ModelVersion.Kind.REWARD,
        name="Judge",
        origin="judge",
        folder=relative(folder),
        created_by=project.created_by,
    )


def write(policy, alice, **changes: object) -> list[Response]:
    request = {**SAMPLING, "responses_per_prompt": 2, "queue_tasks": False, **changes}
    generation = start_generation(
        project=policy.project, user=alice, model=policy, prompts=Prompt.objects.order_by("id"), **request
    )
    assert generate(generation)
    assert Generation.objects.get(pk=generation.pk).status == JobStatus.SUCCEEDED
    return list(Response.objects.filter(key__startswith=f"g{generation.pk}:").order_by("key"))


def test_each_response_is_the_best_of_its_draws_and_says_so(policy, judge, alice):
    all_six = write(policy, alice, responses_per_prompt=6)
    first, second = write(policy, alice, best_of=3, reward_model=judge)
    assert first.text in [one.text for one in all_six[:3]]
    assert second.text in [one.text for one in all_six[3:]]
    best_of_one = [write(policy, alice, best_of=6, reward_model=judge, responses_per_prompt=1)[0]]
    assert best_of_one[0].sampling["reward"] == max(first.sampling["reward"], second.sampling["reward"])
    assert (first.sampling["best_of"], first.sampling["reward_model"]) == (3, "Judge")
    mean = (first.sampling["reward_mean"] + second.sampling["reward_mean"]) / 2
    assert best_of_one[0].sampling["reward_mean"] == pytest.approx(mean, abs=2e-4)
    generation = Generation.objects.order_by("id")[1]
    assert (generation.progress, generation.total) == (2, 2)
    assert generation.tokens_written == Generation.objects.earliest("id").tokens_written  # of all six draws


def test_the_form_asks_for_it_and_the_page_says_what_it_costs(policy, judge, alice, signed_in):
    client, url = signed_in(alice), reverse("generation-create", args=[policy.project_id])
    answer = client.post(url, {**FORM, "model": policy.pk, "best_of": 4, "reward_model": judge.pk})
    generation = Generation.objects.get()
    assert (generation.best_of, generation.reward_model, generation.total) == (4, judge, 2)
    Response.objects.create(
        prompt=Prompt.objects.get(),
        author=policy.author,
        key=f"g{generation.pk}:0",
        text="Bees dance.",
        sampling={"reward": 2.5, "reward_mean": 0.25},
    )
    page = " ".join(client.get(answer.url).content.decode().split())
    assert f"at most {log(4) - 0.75:.2f} nats from the policy; reward 2.50, where the mean of all draws is 0.25" in page


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"best_of": 4}, "Nothing chooses the best of 4: name a reward model"),
        ({"best_of": 4, "temperature": 0, "reward_model": "Judge"}, "At 0 all 4 draws are the same"),
        ({"best_of": 65, "reward_model": "Judge"}, "less than or equal to 64"),
    ],
)
def test_what_cannot_choose_is_refused_with_its_reason(changes, message, policy, judge, alice, signed_in):
    if "reward_model" in changes:
        changes = {**changes, "reward_model": judge.pk}
    url = reverse("generation-create", args=[policy.project_id])
    answer = signed_in(alice).post(url, {**FORM, "model": policy.pk, **changes})
    assert answer.status_code == 422
    assert message in answer.content.decode()
    assert Generation.objects.count() == 0


def test_the_database_knows_no_best_without_a_reward_model(policy, alice):
    (response, _) = write(policy, alice)
    with pytest.raises(IntegrityError, match="generation_best_by_a_reward_model"), transaction.atomic():
        Generation.objects.update(best_of=2)
    assert "best_of" not in response.sampling
