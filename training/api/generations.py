"""Generations: responses asked of a policy."""

from __future__ import annotations

from django.core.exceptions import ValidationError

from annotate.access import OWNERS, REVIEWERS, get_in_project
from annotate.api.operations import Call, operation
from annotate.api.paging import Page, page_of
from annotate.api.problems import Invalid, invalid
from annotate.api.serializers.snapshots import StartedSerializer
from annotate.models import Scope
from annotate.querysets import JobQuerySet
from training.api.models import chosen_model, named_model
from training.api.serializers.runs import GenerationSerializer, NewGenerationSerializer
from training.models import Generation, ModelVersion
from training.services.generations import (
    Choice,
    cancel_generation,
    choose_prompts,
    retry_generation,
    start_generation,
)

SAMPLING = ("best_of", "responses_per_prompt", "temperature", "top_p", "max_tokens", "seed", "queue_tasks")


def generations_of(call: Call) -> JobQuerySet:
    rows: JobQuerySet = Generation.objects.visible_to(call.user).select_related("created_by", "project")
    return rows


def get_generation(call: Call, pk: int) -> Generation:
    found: Generation = get_in_project(generations_of(call), call.membership, pk)
    return found


@operation("GET", scope=Scope.READ, roles=REVIEWERS, answer=GenerationSerializer, paged=True)
def list_generations(call: Call) -> Page:
    """The project's generations."""
    return page_of(generations_of(call).of_project(call.project), call.query)


@operation("GET", scope=Scope.READ, roles=REVIEWERS, answer=GenerationSerializer)
def show_generation(call: Call, pk: int) -> Generation:
    """One generation."""
    return get_generation(call, pk)


@operation(
    "POST",
    scope=Scope.TRAIN,
    roles=OWNERS,
    body=NewGenerationSerializer,
    answer=GenerationSerializer,
    status=201,
    example={"choice": "tag", "tag": "egg", "responses_per_prompt": 4},
)
def ask_for_responses(call: Call) -> Generation:
    """Ask a policy for responses, and queue comparisons of them."""
    data = call.data
    if data["choice"] == Choice.TAG and not data["tag"]:
        raise Invalid({"tag": "Name the tag, or choose all prompts."})
    policy = (ModelVersion.Kind.POLICY.value,)
    model = chosen_model(call, "model", kinds=policy)
    opponent = chosen_model(call, "opponent", kinds=policy) if data.get("opponent") else None
    prompts = choose_prompts(
        project=call.project, model=model, choice=data["choice"], tag=data["tag"], first=data.get("first")
    )
    try:
        made = start_generation(
            project=call.project,
            user=call.user,
            model=model,
            prompts=prompts,
            opponent=opponent,
            reward_model=named_model(call, "reward_model") if "reward_model" in data else None,
            overlap=data.get("overlap", call.project.overlap),
            **{name: data[name] for name in SAMPLING},
        )
    except ValidationError as error:
        raise invalid(error, otherwise="choice") from error
    return get_generation(call, made.pk)


@operation("POST", scope=Scope.TRAIN, roles=OWNERS, answer=StartedSerializer)
def cancel_a_generation(call: Call, pk: int) -> dict[str, bool]:
    """Stop it after the responses being written."""
    return {"changed": cancel_generation(generation=get_generation(call, pk), user=call.user)}


@operation("POST", scope=Scope.TRAIN, roles=OWNERS, answer=StartedSerializer)
def resume_a_generation(call: Call, pk: int) -> dict[str, bool]:
    """Go on with one that failed or was cancelled; it writes what is missing."""
    return {"changed": retry_generation(generation=get_generation(call, pk), user=call.user)}
