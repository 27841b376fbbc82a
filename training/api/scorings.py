"""Scorings: a reward model's score of every response of the project."""

from __future__ import annotations

from django.core.exceptions import ValidationError

from annotate.access import OWNERS, REVIEWERS, get_in_project
from annotate.api.operations import Call, operation
from annotate.api.paging import Page, page_of
from annotate.api.problems import invalid
from annotate.models import Scope
from annotate.querysets import JobQuerySet
from training.api.models import named_model
from training.api.serializers.reports import NewScoringSerializer, ScoringSerializer
from training.models import Scoring
from training.services.scoring import start_scoring


def scorings_of(call: Call) -> JobQuerySet:
    rows: JobQuerySet = Scoring.objects.visible_to(call.user).select_related("created_by", "project")
    return rows


@operation("GET", scope=Scope.READ, roles=REVIEWERS, answer=ScoringSerializer, paged=True)
def list_scorings(call: Call) -> Page:
    """Which reward models were asked to score the project's responses."""
    return page_of(scorings_of(call).of_project(call.project), call.query)


@operation("GET", scope=Scope.READ, roles=REVIEWERS, answer=ScoringSerializer)
def show_scoring(call: Call, pk: int) -> Scoring:
    """One scoring: how far it is."""
    found: Scoring = get_in_project(scorings_of(call), call.membership, pk)
    return found


@operation(
    "POST",
    scope=Scope.TRAIN,
    roles=OWNERS,
    body=NewScoringSerializer,
    answer=ScoringSerializer,
    status=201,
    example={"model": 3},
)
def score(call: Call) -> Scoring:
    """Have a reward model score what it has not scored yet; the scoring under way if there is one."""
    model = named_model(call, "model")
    try:
        return start_scoring(project=call.project, user=call.user, model=model)
    except ValidationError as error:
        raise invalid(error, otherwise="model") from error
