"""Choosing what people judge next: the pairs that a mix of strategies means, and the reason of each."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from annotate.access import OWNERS
from annotate.api.operations import Call, operation
from annotate.api.paging import Page, PageQuery, page_of
from annotate.api.problems import Invalid, refused
from annotate.api.serializers.tasks import QueuedSerializer
from annotate.choosing.mixing import STRATEGIES
from annotate.models import Scope
from training.api.models import models_of
from training.api.serializers.choosing import (
    ChoosingQuery,
    ChosenPairsSerializer,
    NewChosenSerializer,
    ReasonSerializer,
)
from training.models import ChosenTask, ModelVersion
from training.services.choosing_requests import Request, find_scores, preview_request, queue_request


def read_request(call: Call, sent: Mapping[str, Any]) -> Request:
    """What was asked for. Raises Invalid for a model that scores nothing."""
    model = None
    if "model" in sent:
        rows = models_of(call).of_project(call.project).filter(kind=ModelVersion.Kind.REWARD)
        model = rows.filter(pk=sent["model"]).first()
        if model is None:
            raise Invalid({"model": f"There is no reward model {sent['model']} in this project."})
    return Request(
        count=sent["count"],
        mix={name: sent[name] for name in STRATEGIES},
        seed=sent["seed"],
        token=sent.get("token", uuid.UUID(int=0)),
        model=model,
        tag=sent["tag"],
    )


@operation("GET", scope=Scope.READ, roles=OWNERS, query=ChoosingQuery, answer=ChosenPairsSerializer)
def preview_chosen(call: Call) -> dict[str, Any]:
    """The pairs that a request means now, each with its reason. Nothing is queued."""
    request = read_request(call, call.query)
    with refused(ValueError):
        pairs = preview_request(call.project, request)
    state = find_scores(call.project, request.model, request.tag) if request.model else None
    return {
        "pairs": [
            {"first": pair.first, "responses": [pair.first.pk, pair.second.pk]}
            | {name: getattr(pair, name) for name in ("strategy", "reason", "value", "chance")}
            for pair in pairs
        ],
        "scored": state.scored if state else None,
        "total": state.total if state else None,
    }


@operation(
    "POST",
    scope=Scope.WRITE,
    roles=OWNERS,
    body=NewChosenSerializer,
    answer=QueuedSerializer,
    example={"count": 50, "random": 1, "uncertain": 2, "tag": "egg"},
)
def queue_chosen_pairs(call: Call) -> dict[str, int]:
    """Queue comparisons of the pairs that a request means, and keep why each was chosen."""
    request = read_request(call, call.data)
    with refused(ValueError):
        queued = queue_request(
            project=call.project,
            user=call.user,
            request=request,
            overlap=call.data.get("overlap", call.project.overlap),
            priority=call.data["priority"],
        )
    return {"queued": queued}


@operation("GET", scope=Scope.READ, roles=OWNERS, query=PageQuery, answer=ReasonSerializer, paged=True)
def list_reasons(call: Call) -> Page:
    """Why each task was chosen. Never shown to those who judge it."""
    return page_of(ChosenTask.objects.visible_to(call.user).of_project(call.project), call.query)
