"""Evaluations: one policy against another, judged by a reward model or blind by people."""

from __future__ import annotations

from django.core.exceptions import ValidationError

from annotate.access import OWNERS, REVIEWERS, get_in_project
from annotate.api.operations import Call, operation
from annotate.api.paging import Page, page_of
from annotate.api.problems import invalid
from annotate.api.serializers.snapshots import StartedSerializer
from annotate.models import Scope
from annotate.querysets import JobQuerySet
from training.api.models import named_model
from training.api.serializers.rounds import EvaluationSerializer, NewEvaluationSerializer
from training.models import Evaluation
from training.services.evaluations import cancel_evaluation, retry_evaluation, start_evaluation


def evaluations_of(call: Call) -> JobQuerySet:
    rows: JobQuerySet = Evaluation.objects.visible_to(call.user).select_related("created_by", "project")
    return rows


def get_evaluation(call: Call, pk: int) -> Evaluation:
    found: Evaluation = get_in_project(evaluations_of(call), call.membership, pk)
    return found


@operation("GET", scope=Scope.READ, roles=REVIEWERS, answer=EvaluationSerializer, paged=True)
def list_evaluations(call: Call) -> Page:
    """The project's evaluations."""
    return page_of(evaluations_of(call).of_project(call.project), call.query)


@operation("GET", scope=Scope.READ, roles=REVIEWERS, answer=EvaluationSerializer)
def show_evaluation(call: Call, pk: int) -> Evaluation:
    """One evaluation: how far it is, and the win rate with its interval."""
    return get_evaluation(call, pk)


@operation(
    "POST",
    scope=Scope.TRAIN,
    roles=OWNERS,
    body=NewEvaluationSerializer,
    answer=EvaluationSerializer,
    status=201,
    example={"candidate": 2, "baseline": 1, "by": "people", "prompts": 100},
)
def evaluate(call: Call) -> Evaluation:
    """Set one policy against another on prompts that neither was trained on."""
    settings = dict(call.data)
    settings |= {name: named_model(call, name) for name in ("candidate", "baseline", "judge") if name in call.data}
    try:
        made = start_evaluation(project=call.project, started_by=call.user, **settings)
    except ValidationError as error:
        raise invalid(error, otherwise="candidate") from error
    return get_evaluation(call, made.pk)


@operation("POST", scope=Scope.TRAIN, roles=OWNERS, answer=StartedSerializer)
def cancel_an_evaluation(call: Call, pk: int) -> dict[str, bool]:
    """Stop it. Comparisons that nobody has made are withdrawn."""
    return {"changed": cancel_evaluation(evaluation=get_evaluation(call, pk), user=call.user)}


@operation("POST", scope=Scope.TRAIN, roles=OWNERS, answer=StartedSerializer)
def resume_an_evaluation(call: Call, pk: int) -> dict[str, bool]:
    """Go on with one that failed or was cancelled."""
    return {"changed": retry_evaluation(evaluation=get_evaluation(call, pk), user=call.user)}
