"""Whether what a round has trained still writes anything worth taking into use."""

from __future__ import annotations

from training.models import Evaluation, EvaluationItem, ModelVersion, Round
from training.monitoring.collapse import find_collapse
from training.services.alarms import raise_alarm

COLLAPSE = "collapse"  # the kind of the round's alarm


def check_collapse(round: Round, new: ModelVersion) -> str:
    """What is wrong with the new policy's responses and its run, in sentences with the figures; empty when it is sound.

    It is raised as an alarm of the round too, once.
    """
    texts = both_sides(round)
    first = new.run.events.filter(kind="eval").order_by("step").first() if new.run else None
    verdict = find_collapse(
        [ours for ours, _ in texts],
        [theirs for _, theirs in texts],
        first=first.data if first else {},
        last=new.metrics,
    )
    if verdict is None:
        return ""
    raise_alarm(
        project=round.project,
        round=round,
        kind=COLLAPSE,
        severity=verdict.severity,
        message=verdict.message,
        remedy=verdict.remedy,
        facts=verdict.facts,
    )
    return verdict.message


def both_sides(round: Round) -> list[tuple[str, str]]:
    """The new policy's response and that of the policy before to each prompt of the round's evaluation."""
    evaluation = Evaluation.objects.filter(round=round, baseline=round.policy_before).order_by("by").last()
    items = EvaluationItem.objects.filter(
        evaluation=evaluation, candidate_response__isnull=False, baseline_response__isnull=False
    )
    return list(items.order_by("pk").values_list("candidate_response__text", "baseline_response__text"))
