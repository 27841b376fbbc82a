"""Every URL, as everybody: no session, a stranger, an owner of another project, and each role.

`PROJECT_PAGES` is the site's table of rights. A URL that is not in it fails the test that reads the URLconf, so that a
new page cannot be forgotten. The addresses of the API say their rights themselves: tests/test_api_access.py walks them.
"""

import uuid

import pytest
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from annotate.assignment import lease_next
from annotate.models import Import, Role, Webhook
from annotate.services.invitations import invite
from annotate.services.snapshots import create_snapshot
from annotate.services.tokens import create_service_token
from tests.factories import make_chat_turn, make_judgement, make_task
from training.models import Endpoint, Generation, ModelVersion, Recipe, Round, Run
from training.recipes import Plan, to_json

EVERYONE = {Role.OWNER, Role.REVIEWER, Role.ANNOTATOR}
REVIEWERS = {Role.OWNER, Role.REVIEWER}
OWNERS = {Role.OWNER}
PROJECT_PAGES = {
    "judge": EVERYONE,
    "judge-ahead": EVERYONE,
    "judge-agreed": EVERYONE,
    "judge-texts": EVERYONE,
    "judge-guidelines-read": EVERYONE,
    "judge-skip": EVERYONE,
    "judge-undo": EVERYONE,
    "judge-guidelines": EVERYONE,
    "judge-heartbeat": EVERYONE,
    "judge-draft": EVERYONE,
    "judge-return": EVERYONE,
    "judge-preview": EVERYONE,
    "judgement-history": EVERYONE,
    "judgement-open": EVERYONE,
    "chat": EVERYONE,
    "chat-past": EVERYONE,
    "chat-read": EVERYONE,
    "chat-end": EVERYONE,
    "chat-choose": EVERYONE,
    "chat-again": EVERYONE,
    "chat-retry": EVERYONE,
    "chat-stream": EVERYONE,
    "my-statistics": EVERYONE,
    "my-time": EVERYONE,
    "my-background": EVERYONE,
    "my-background-withdraw": EVERYONE,
    "project-time": OWNERS,
    "project-time-file": OWNERS,
    "project-questionnaire": OWNERS,
    "question-retire": OWNERS,
    "project-quality": REVIEWERS,
    "project-quality-settings": OWNERS,
    "member-quality": REVIEWERS,
    "member-standing": REVIEWERS,
    "project-known": REVIEWERS,
    "task-known": REVIEWERS,
    "task-known-retire": REVIEWERS,
    "project-prompts": REVIEWERS,
    "prompt-create": OWNERS,
    "prompt-detail": REVIEWERS,
    "prompt-delete": OWNERS,
    "project-imports": REVIEWERS,
    "import-create": OWNERS,
    "import-detail": REVIEWERS,
    "import-resume": OWNERS,
    "import-cancel": OWNERS,
    "import-refused": REVIEWERS,
    "import-refused-csv": REVIEWERS,
    "project-snapshots": REVIEWERS,
    "snapshot-create": OWNERS,
    "snapshot-detail": REVIEWERS,
    "snapshot-retry": OWNERS,
    "snapshot-download": REVIEWERS,
    "snapshot-prepare": REVIEWERS,
    "snapshot-card": REVIEWERS,
    "project-runs": REVIEWERS,
    "run-create": OWNERS,
    "run-compare": REVIEWERS,
    "run-detail": REVIEWERS,
    "run-events": REVIEWERS,
    "run-cancel": OWNERS,
    "run-retry": OWNERS,
    "run-finish": OWNERS,
    "project-ablations": REVIEWERS,
    "ablation-detail": REVIEWERS,
    "project-alarms": REVIEWERS,
    "alarm-mail": OWNERS,
    "alarm-acknowledge": OWNERS,
    "project-webhooks": OWNERS,
    "webhook-detail": OWNERS,
    "webhook-change": OWNERS,
    "delivery-again": OWNERS,
    "project-models": REVIEWERS,
    "project-lineage": REVIEWERS,
    "model-card": REVIEWERS,
    "model-create": OWNERS,
    "model-detail": REVIEWERS,
    "model-report": REVIEWERS,
    "model-make-default": OWNERS,
    "project-endpoints": OWNERS,
    "endpoint-create": OWNERS,
    "endpoint-detail": OWNERS,
    "endpoint-test": OWNERS,
    "endpoint-remove": OWNERS,
    "project-rounds": REVIEWERS,
    "round-start": OWNERS,
    "round-detail": REVIEWERS,
    "round-cancel": OWNERS,
    "round-retry": OWNERS,
    "round-skip": OWNERS,
    "round-take": OWNERS,
    "round-ablate": OWNERS,
    "project-recipes": REVIEWERS,
    "recipe-create": OWNERS,
    "recipe-edit": OWNERS,
    "project-policies": REVIEWERS,
    "policy-restore": OWNERS,
    "project-generations": REVIEWERS,
    "generation-create": OWNERS,
    "generation-detail": REVIEWERS,
    "generation-cancel": OWNERS,
    "generation-retry": OWNERS,
    "project-leaderboard": REVIEWERS,
    "leaderboard-games": REVIEWERS,
    "leaderboard-score": OWNERS,
    "project-evaluations": REVIEWERS,
    "evaluation-create": OWNERS,
    "evaluation-detail": REVIEWERS,
    "evaluation-cancel": OWNERS,
    "evaluation-retry": OWNERS,
    "project-training-summary": REVIEWERS,
    "project-review": REVIEWERS,
    "task-review": REVIEWERS,
    "task-comment": REVIEWERS,
    "judgement-reply": EVERYONE,
    "project-overview": EVERYONE,  # annotators are sent on to judge
    "project-settings": OWNERS,
    "kind-settings": OWNERS,
    "kind-turn-off": OWNERS,
    "project-archive": OWNERS,
    "project-audit": OWNERS,
    "project-people": OWNERS,
    "project-tokens": OWNERS,
    "token-revoke": OWNERS,
    "member-change": OWNERS,
    "member-remove": OWNERS,
    "invitation-renew": OWNERS,
    "invitation-revoke": OWNERS,
    "project-guidelines": EVERYONE,
    "guideline-version": EVERYONE,
    "guidelines-edit": OWNERS,
    "project-tasks": REVIEWERS,
    "tasks-choose": OWNERS,
    "tasks-chosen": OWNERS,
    "tasks-score": OWNERS,
    "task-create": OWNERS,
    "task-detail": REVIEWERS,
    "task-close": OWNERS,
    "task-reopen": OWNERS,
    "task-overlap": OWNERS,
}
OPEN_TO_ALL = {
    "sign-in",
    "theme",
    "health",
    "invitation-accept",
    "password-reset",
    "password-reset-sent",
    "password-reset-confirm",
    "password-reset-done",
}


def all_patterns(resolver=None):
    for pattern in (resolver or get_resolver()).url_patterns:
        if isinstance(pattern, URLResolver):
            yield from all_patterns(pattern)
        elif isinstance(pattern, URLPattern) and pattern.name and not pattern.name.startswith("api-"):
            yield pattern


PATTERNS = {pattern.name: pattern for pattern in all_patterns()}
IN_PROJECT = sorted(name for name, pattern in PATTERNS.items() if "project_id" in pattern.pattern.converters)
OBJECTLESS = {"project_id", "form", "kind"}
WITH_AN_OBJECT = [name for name in IN_PROJECT if set(PATTERNS[name].pattern.converters) - OBJECTLESS]


@pytest.fixture
def world(project, alice, carol):
    """An object of each kind in Alice's project, so that every URL can be made; returns {URL argument: value}."""
    turn = make_chat_turn(project, carol)
    project.guidelines.create(version=2, body="Prefer the truer answer.", created_by=alice)
    invite(actor=alice, project=project, email="dave@example.org", role=Role.ANNOTATOR)
    judged, waiting = make_task(project), make_task(project)
    make_judgement(judged, carol)
    lease_next(user=carol, project=project)
    snapshot = create_snapshot(project=project, user=alice)
    policy = ModelVersion.objects.create(
        project=project, kind="policy", name="base", origin="smollm2-135m-instruct", created_by=alice
    )
    rival = ModelVersion.objects.create(project=project, kind="policy", name="rival", origin="x/y", created_by=alice)
    made = {"project": project, "created_by": alice}
    generation = Generation.objects.create(model=policy, **made)
    recipe = Recipe.objects.create(name="DPO", plan=to_json(Plan()), **made)
    round = Round.objects.create(project=project, number=1, recipe=recipe, plan=recipe.plan, policy_before=policy)
    webhook = Webhook.objects.create(url="https://example.org/", secret="x", events=["alarm.raised"], **made)
    token = create_service_token(actor=alice, project=project, name="nightly", role="reviewer", scopes=["read"], days=1)
    far = ModelVersion.objects.create(kind="endpoint", name="far", origin="x: y", **made)
    address = {"base_url": "http://127.0.0.1:9", "remote_name": "y"}  # refused: inside the network
    return {
        "token": token[0].pk,
        "endpoint": Endpoint.objects.create(model=far, **address, **made).pk,
        "ablation": project.ablations.create(name="Any", snapshot=snapshot, base_model=policy, created_by=alice).pk,
        "webhook": webhook.pk,
        "delivery": webhook.deliveries.create(key="k", event="test", body="{}", next_at=None).pk,
        "alarm": round.alarms.create(project=project, kind="sameness", message="All alike.", remedy="Stop.").pk,
        "recipe": recipe.pk,
        "round": round.pk,
        "policy": project.policies.create(model=policy, reason="It began with it.").pk,
        "prompt": waiting.prompt.pk,
        "import": Import.objects.create(contents="prompts", format="jsonl", file="x", status="succeeded", **made).pk,
        "snapshot": snapshot.pk,
        "run": Run.objects.create(
            name="DPO 1", algorithm="dpo", snapshot=snapshot, base_model=policy, status="failed", **made
        ).pk,
        "model": policy.pk,
        "generation": generation.pk,
        "evaluation": project.evaluations.create(
            candidate=policy, baseline=rival, by="people", created_by=alice, status="failed"
        ).pk,
        "task": waiting.pk,
        "lease": carol.leases.get().pk,
        "chat": turn.chat_id,
        "turn": turn.pk,
        "version": 2,
        "question": project.questionnaire_items.create(question="First language?", options=["English", "Other"]).pk,
        "member": project.memberships.get(user=carol).pk,
        "invitation": project.invitations.get().pk,
    }


def address(name, project, world):
    """The page's URL, its object taken from Alice's project whatever `project` is."""
    values = {"project_id": project.pk, "form": "lossless", "token": "x" * 40, "split": "train", "kind": "ranking"}
    for argument in PATTERNS[name].pattern.converters:
        if argument not in values:
            kind = argument.removesuffix("_id") if argument != "pk" else name.split("-")[0]
            values[argument] = world[kind]
    return reverse(name, kwargs={key: values[key] for key in PATTERNS[name].pattern.converters})


def visit(client, url):
    """GET, or POST where the page takes nothing else."""
    answer = client.get(url)
    return client.post(url) if answer.status_code == 405 else answer


def test_the_table_of_rights_has_every_page_of_a_project():
    assert set(IN_PROJECT) == set(PROJECT_PAGES)


def test_without_a_session_every_page_asks_to_sign_in(client, project, world):
    for name in sorted(set(PATTERNS) - OPEN_TO_ALL):
        answer = visit(client, address(name, project, world))
        assert (name, answer.status_code) == (name, 302)
        assert answer.url.split("?")[0] == reverse("sign-in"), name


def test_a_stranger_and_an_owner_of_another_project_find_nothing(signed_in, project, world, stranger, mallory):
    for client in (signed_in(stranger), signed_in(mallory)):
        statuses = {name: visit(client, address(name, project, world)).status_code for name in IN_PROJECT}
        assert {name: status for name, status in statuses.items() if status != 404} == {}


def test_an_object_cannot_be_reached_through_another_project(signed_in, world, mallory):
    """Mallory owns her project, so only the object's own project keeps her out."""
    hers, client = mallory.memberships.get().project, signed_in(mallory)
    statuses = {name: visit(client, address(name, hers, world)).status_code for name in WITH_AN_OBJECT}
    assert {name: status for name, status in statuses.items() if status != 404} == {}


def test_a_member_opens_what_the_role_allows_and_nothing_else(signed_in, project, world, alice, bob, carol):
    for user, role in ((carol, Role.ANNOTATOR), (bob, Role.REVIEWER), (alice, Role.OWNER)):
        client = signed_in(user)
        for name in IN_PROJECT:
            status = visit(client, address(name, project, world)).status_code
            refused = role not in PROJECT_PAGES[name]
            assert (name, role, status == 403) == (name, role, refused)
            assert status < 500, name


def test_a_number_nobody_has_is_not_found(signed_in, project, world, alice):
    nobody, client = dict.fromkeys(world, 2**31 - 1), signed_in(alice)
    statuses = {name: visit(client, address(name, project, nobody)).status_code for name in WITH_AN_OBJECT}
    assert {name: status for name, status in statuses.items() if status != 404} == {}


def test_what_the_server_decides_cannot_be_posted(signed_in, project, carol):
    """Extra fields in a judgement (who, which project, gold, surplus) change nothing."""
    task = make_task(project)
    client = signed_in(carol)
    client.get(reverse("judge", args=[project.pk]))
    data = {
        "lease": carol.leases.get().pk,
        "submission_id": uuid.uuid4(),
        "choice": "-2",
        "annotator": 1,
        "project": 999,
        "task": 999,
        "purpose": "gold",
        "is_surplus": "on",
        "is_staff": "on",
        "role": "owner",
    }
    assert client.post(reverse("judge", args=[project.pk]), data).status_code == 302
    judgement = task.judgements.get()
    assert (judgement.annotator, judgement.project, judgement.is_surplus) == (carol, project, False)
    task.refresh_from_db()
    carol.refresh_from_db()
    assert (task.purpose, carol.is_staff, carol.memberships.get().role) == ("work", False, Role.ANNOTATOR)
