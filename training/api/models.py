"""Models of a project."""

from __future__ import annotations

from django.core.exceptions import ValidationError

from annotate.access import OWNERS, REVIEWERS, get_in_project
from annotate.api.operations import Call, operation
from annotate.api.paging import Page, page_of
from annotate.api.problems import Invalid, invalid
from annotate.models import Scope
from annotate.querysets import ScopedQuerySet
from training.api.serializers.runs import ModelSerializer, NewModelSerializer
from training.models import ModelVersion
from training.services.policies import set_policy
from training.services.registry import add_model, default_model, ensure_base_models, make_default


def models_of(call: Call) -> ScopedQuerySet:
    rows: ScopedQuerySet = ModelVersion.objects.visible_to(call.user).select_related("created_by", "project")
    return rows


def get_model(call: Call, pk: int) -> ModelVersion:
    found: ModelVersion = get_in_project(models_of(call), call.membership, pk)
    return found


def chosen_model(call: Call, field: str, *, kinds: tuple[str, ...]) -> ModelVersion:
    """The model that a field of the body names, or the project's default one of these kinds. Raises Invalid."""
    if call.data.get(field) is None:
        ensure_base_models(call.project)
        found = next((model for kind in kinds if (model := default_model(call.project, kind))), None)
        if found is None:
            raise Invalid({field: "This project has no default model to start from. Name one."})
        return found
    return named_model(call, field)


def named_model(call: Call, field: str) -> ModelVersion:
    """The model that a field of the body names. Raises Invalid."""
    model = models_of(call).of_project(call.project).filter(pk=call.data[field]).first()
    if model is None:
        raise Invalid({field: f"There is no model {call.data[field]} in this project."})
    return model


@operation("GET", scope=Scope.READ, roles=REVIEWERS, answer=ModelSerializer, paged=True)
def list_models(call: Call) -> Page:
    """The project's models: the base ones, added ones, and what runs made."""
    return page_of(models_of(call).of_project(call.project), call.query)


@operation("GET", scope=Scope.READ, roles=REVIEWERS, answer=ModelSerializer)
def show_model(call: Call, pk: int) -> ModelVersion:
    """One model."""
    return get_model(call, pk)


@operation(
    "POST",
    scope=Scope.TRAIN,
    roles=OWNERS,
    body=NewModelSerializer,
    answer=ModelSerializer,
    status=201,
    example={"kind": "policy", "origin": "HuggingFaceTB/SmolLM2-135M-Instruct"},
)
def add_a_model(call: Call) -> ModelVersion:
    """Add a model that somebody else made. Its files are fetched on first use."""
    try:
        return add_model(project=call.project, user=call.user, **call.data)
    except ValidationError as error:
        raise invalid(error, otherwise="origin") from error


@operation("POST", scope=Scope.TRAIN, roles=OWNERS, answer=ModelSerializer)
def make_default_model(call: Call, pk: int) -> ModelVersion:
    """Let this model be the one of its kind that is used when nobody names another."""
    model = get_model(call, pk)
    try:
        if model.kind == ModelVersion.Kind.POLICY:
            set_policy(model=model, reason="Made the default through the API.", set_by=call.user)
        else:
            make_default(model=model, user=call.user)
    except ValidationError as error:
        raise invalid(error) from error
    return get_model(call, pk)
