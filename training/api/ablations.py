"""Ablations: what leaving something out of the judgements costs a reward model."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError

from annotate.access import OWNERS, REVIEWERS, get_in_project
from annotate.api.operations import Call, operation
from annotate.api.paging import Page, page_of
from annotate.api.problems import Conflict, Invalid, invalid
from annotate.models import Scope
from annotate.querysets import ScopedQuerySet
from training.api.models import chosen_model
from training.api.reports import built_snapshot
from training.api.rounds import get_round
from training.api.serializers.reports import AblationRowSerializer, AblationSerializer, NewAblationSerializer
from training.models import Ablation
from training.services.ablations import ALGORITHM, read_variants, start_ablation
from training.services.registry import base_kinds
from training.services.round_ablations import ablate_round


def ablations_of(call: Call) -> ScopedQuerySet:
    rows: ScopedQuerySet = Ablation.objects.visible_to(call.user).select_related("created_by", "project")
    return rows


@operation("GET", scope=Scope.READ, roles=REVIEWERS, answer=AblationRowSerializer, paged=True)
def list_ablations(call: Call) -> Page:
    """The project's ablations."""
    return page_of(ablations_of(call).of_project(call.project), call.query)


@operation("GET", scope=Scope.READ, roles=REVIEWERS, answer=AblationSerializer)
def show_ablation(call: Call, pk: int) -> dict[str, Any]:
    """One ablation with its variants side by side."""
    return describe(get_in_project(ablations_of(call), call.membership, pk))


def describe(ablation: Ablation) -> dict[str, Any]:
    names = ("id", "name", "snapshot_id", "base_model_id", "created_by", "created_at")
    variants = [
        {"label": one.label, "run": one.run_id, "status": one.run.status}
        | {name: getattr(compared, name) for name in ("accuracy", "difference", "verdict")}
        for one, compared in read_variants(ablation)
    ]
    return {**{name: getattr(ablation, name) for name in names}, "variants": variants}


@operation(
    "POST",
    scope=Scope.TRAIN,
    roles=OWNERS,
    body=NewAblationSerializer,
    answer=AblationSerializer,
    status=201,
    example={"snapshot": 1},
)
def ablate(call: Call) -> dict[str, Any]:
    """Train a reward model on a snapshot several times, each time with something left out.

    A quarter of the people are not learnt from; the test is what they said of held-out prompts.
    """
    base = chosen_model(call, "base_model", kinds=base_kinds(ALGORITHM))
    if base.kind not in base_kinds(ALGORITHM):
        raise Invalid({"base_model": f"“{base}” is a {base.get_kind_display().lower()}; name another to start from."})
    try:
        made = start_ablation(
            project=call.project,
            user=call.user,
            snapshot=built_snapshot(call),
            base_model=base,
            name=call.data["name"],
        )
    except ValidationError as error:
        raise invalid(error, otherwise="snapshot") from error
    return describe(get_in_project(ablations_of(call), call.membership, made.pk))


@operation("POST", scope=Scope.TRAIN, roles=OWNERS, answer=AblationSerializer, status=201, conflicts=True)
def ablate_a_round(call: Call, pk: int) -> dict[str, Any]:
    """The same of a round's judgements, with the settings of its reward model; the one there is, asked again."""
    try:
        made = ablate_round(round=get_round(call, pk), user=call.user)
    except ValidationError as error:
        raise Conflict(" ".join(error.messages)) from error
    return describe(get_in_project(ablations_of(call), call.membership, made.pk))
