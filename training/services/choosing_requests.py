"""What an owner asks to be labelled next: shown first, then queued."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.db.models import Count, QuerySet

from annotate.models import JobStatus, Project, Prompt, Response, Task, User
from training.models import ModelVersion, ResponseScore, Scoring
from training.services.choosing import ChosenPair, choose_pairs, queue_chosen

PROMPTS_AT_ONCE = 500  # the newest


@dataclass(frozen=True, kw_only=True)
class Request:
    """Tasks for the newest prompts, or the newest with a tag. `token` names the form that asks for them."""

    count: int
    mix: Mapping[str, float]
    seed: int
    token: UUID
    model: ModelVersion | None = None
    tag: str = ""


def preview_request(project: Project, request: Request) -> list[ChosenPair]:
    """The pairs that the request means now."""
    return choose_pairs(
        project,
        recent_responses(project, request.tag),
        count=request.count,
        mix=request.mix,
        seed=request.seed,
        model=request.model,
    )


@transaction.atomic
def queue_request(*, project: Project, user: User, request: Request, overlap: int, priority: int) -> int:
    """Queue what a request means; returns how many tasks are new. The same form again queues nothing."""
    # Of two presses the second finds the tasks of the first.
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    prefix = f"choice{request.token.hex}"
    if Task.objects.of_project(project).filter(key__startswith=f"{prefix}:").exists():
        return 0
    pairs = preview_request(project, request)
    return queue_chosen(project=project, pairs=pairs, overlap=overlap, key_prefix=prefix, priority=priority, user=user)


def recent_responses(project: Project, tag: str = "") -> QuerySet[Response]:
    """Responses to the newest PROMPTS_AT_ONCE prompts that have two or more."""
    prompts = Prompt.objects.of_project(project).tagged(tag).annotate(written=Count("responses")).filter(written__gte=2)
    newest = prompts.order_by("-pk").values_list("pk", flat=True)[:PROMPTS_AT_ONCE]
    return Response.objects.filter(prompt__in=list(newest))


@dataclass(frozen=True)
class ScoreState:
    """How many of the responses looked at a reward model has scored, and the scoring under way if there is one."""

    scored: int
    total: int
    scoring: Scoring | None

    @property
    def missing(self) -> int:
        return self.total - self.scored


def find_scores(project: Project, model: ModelVersion, tag: str = "") -> ScoreState:
    responses = recent_responses(project, tag)
    scored = ResponseScore.objects.filter(model=model, response__in=responses.values("pk")).count()
    active = [JobStatus.QUEUED, JobStatus.RUNNING]
    return ScoreState(scored, responses.count(), Scoring.objects.filter(model=model, status__in=active).first())
