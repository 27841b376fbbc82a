"""Where a row's page is, for what is said of it elsewhere."""

from __future__ import annotations

from django.urls import NoReverseMatch, reverse

from annotate.models import Snapshot
from training.models import Evaluation, Generation, ModelVersion, Round, Run


def model_url(model: ModelVersion) -> str:
    return reverse("model-detail", args=[model.project_id, model.pk])


def run_url(run: Run) -> str:
    return reverse("run-detail", args=[run.project_id, run.pk])


def snapshot_url(snapshot: Snapshot) -> str:
    return reverse("snapshot-detail", args=[snapshot.project_id, snapshot.pk])


def generation_url(generation: Generation) -> str:
    return reverse("generation-detail", args=[generation.project_id, generation.pk])


def round_url(round: Round) -> str:
    return known("round-detail", round.project_id, round.pk)


def evaluation_url(evaluation: Evaluation) -> str:
    return known("evaluation-detail", evaluation.project_id, evaluation.pk)


def known(name: str, project_id: int, pk: int) -> str:
    """The address, or nothing where this installation has no such page."""
    try:
        return reverse(name, args=[project_id, pk])
    except NoReverseMatch:
        return ""
