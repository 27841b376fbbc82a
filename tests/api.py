"""The API as programs use it: our own Python client, its requests going through Django's test client."""

from datetime import timedelta

from django.test import Client
from django.utils import timezone

from annotate.assignment import lease_next
from annotate.models import ApiToken, Import, Project, Role, Scope, User, Webhook
from annotate.services.invitations import invite
from annotate.services.snapshots import create_snapshot
from annotate.services.tokens import create_token
from plumbline_client.client import Plumbline
from plumbline_client.transport import Answer, Request
from tests.factories import make_chat_turn, make_judgement, make_task
from training.models import Ablation, Endpoint, Generation, ModelVersion, Recipe, RewardReport, Round, Run, Scoring
from training.recipes import Plan, to_json

ALL = [scope.value for scope in Scope]


def make_token(user: User, scopes: list[str] | None = None, *, project: Project | None = None) -> str:
    return create_token(user=user, name="test", scopes=scopes or ALL, days=30, project=project)[1]


def api_of(user: User, scopes: list[str] | None = None, *, project: Project | None = None) -> Plumbline:
    return api_with(make_token(user, scopes, project=project))


def api_with(token: str) -> Plumbline:
    return Plumbline("http://testserver", token, send=send_through_django)


def send_through_django(request: Request) -> Answer:
    answer = Client(raise_request_exception=True).generic(
        request.method,
        request.url.removeprefix("http://testserver"),
        request.body or b"",
        content_type=request.headers.get("Content-Type", ""),
        headers={name: value for name, value in request.headers.items() if name != "Content-Type"},
    )
    return Answer(answer.status_code, dict(answer.headers), answer.getvalue())


def expire(token: ApiToken) -> None:
    token.expires_at = timezone.now() - timedelta(seconds=1)
    token.save(update_fields=["expires_at"])


def make_world(project: Project, alice: User, carol: User) -> dict[str, int]:
    """{the word before a number in an address: the number of such an object in Alice's project}."""
    invite(actor=alice, project=project, email="dave@example.org", role=Role.ANNOTATOR)
    judged, waiting = make_task(project), make_task(project)
    judgement = make_judgement(judged, carol)
    lease_next(user=carol, project=project)
    turn = make_chat_turn(project, carol)
    hook = Webhook.objects.create(project=project, url="https://example.org/", secret="s", created_by=alice)
    snapshot = create_snapshot(project=project, user=alice)
    made = {"project": project, "created_by": alice}
    policy = ModelVersion.objects.create(kind="policy", name="base", origin="smollm2-135m-instruct", **made)
    run = Run.objects.create(name="1", algorithm="dpo", snapshot=snapshot, base_model=policy, status="failed", **made)
    far = ModelVersion.objects.create(kind="endpoint", name="far", origin="x: y", **made)
    elsewhere = Endpoint.objects.create(model=far, base_url="http://127.0.0.1:9/v1", remote_name="y", **made)
    job = Import.objects.create(contents="prompts", format="jsonl", file="x", status="succeeded", **made)
    return {
        "guidelines": 1,
        "members": project.memberships.get(user=carol).pk,
        "invitations": project.invitations.get().pk,
        "prompts": waiting.prompt_id,
        "tasks": waiting.pk,
        "judgements": judgement.pk,
        "my-judgements": judgement.pk,
        "leases": carol.leases.get().pk,
        "chats": turn.chat_id,
        "chat-turns": turn.pk,
        "webhooks": hook.pk,
        "deliveries": hook.deliveries.create(key="one", event="test", body="{}").pk,
        "questions": project.questionnaire_items.create(question="Do you cook?", options=["Yes", "No"]).pk,
        "snapshots": snapshot.pk,
        "imports": job.pk,
        "models": policy.pk,
        "endpoints": elsewhere.pk,
        "runs": run.pk,
        "generations": Generation.objects.create(model=policy, **made).pk,
        "scorings": Scoring.objects.create(model=policy, status="failed", **made).pk,
        "reports": RewardReport.objects.create(model=policy, snapshot=snapshot, **made).pk,
        "ablations": Ablation.objects.create(name="first", snapshot=snapshot, base_model=policy, **made).pk,
        **make_loop(project, alice, policy),
    }


def make_loop(project: Project, alice: User, policy: ModelVersion) -> dict[str, int]:
    """The same of rounds and what belongs to them."""
    rival = ModelVersion.objects.create(project=project, kind="policy", name="rival", origin="x/y", created_by=alice)
    recipe = Recipe.objects.create(project=project, name="DPO", plan=to_json(Plan()), created_by=alice)
    turn = Round.objects.create(project=project, number=1, recipe=recipe, plan=recipe.plan, policy_before=policy)
    made = {"candidate": policy, "baseline": rival, "by": "people", "created_by": alice, "status": "failed"}
    return {
        "recipes": recipe.pk,
        "rounds": turn.pk,
        "policies": project.policies.create(model=policy, reason="It began with it.").pk,
        "evaluations": project.evaluations.create(**made).pk,
        "alarms": turn.alarms.create(project=project, kind="sameness", message="All alike.", remedy="Stop.").pk,
    }
