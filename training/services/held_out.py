"""Prompts that a model was not trained on."""

from __future__ import annotations

from collections.abc import Iterable

from annotate.models import Project, Prompt, SnapshotItem
from annotate.querysets import PromptQuerySet
from training.models import ModelVersion, Run


def held_out_prompts(*, project: Project, models: Iterable[ModelVersion]) -> PromptQuerySet:
    """Prompts that none of these models was trained on, in the order of their hashes: as good as by lot, and the same
    for every evaluation, so that evaluations can be set side by side.

    What a model was made from counts, and so do the reward models it was trained with.
    """
    snapshots = [run.snapshot_id for run in runs_behind(models)]
    trained = SnapshotItem.objects.filter(snapshot__in=snapshots, split=SnapshotItem.Split.TRAIN)
    prompts: PromptQuerySet = Prompt.objects.of_project(project)
    return prompts.exclude(pk__in=trained.values("judgement__task__prompt")).order_by("content_hash")


def runs_behind(models: Iterable[ModelVersion]) -> list[Run]:
    """Every run that a weight of these models comes from, or a reward they were trained with."""
    waiting, seen, runs = list(models), set[int](), list[Run]()
    while waiting:
        model = waiting.pop()
        if model.pk in seen:
            continue
        seen.add(model.pk)
        if model.parent:
            waiting.append(model.parent)
        if model.run:
            runs.append(model.run)
            waiting.append(model.run.base_model)
            waiting.extend(ModelVersion.objects.filter(pk__in=model.run.rewards.values("model")))
    return runs
