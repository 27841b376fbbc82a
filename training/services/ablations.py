"""Ablations: the same snapshot trained several times, each time with something left out, tested on people held out."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.core.exceptions import ValidationError
from django.db import transaction

from annotate.models import Project, Snapshot, User
from annotate.services.audit import record_audit
from training.ablation_figures import Compared, compare, people_of
from training.algorithms.configs import parse_config, to_dict
from training.models import Ablation, AblationRun, ModelVersion, Run
from training.services.runs import launch_run

ALGORITHM = "reward_model"


class Variant(NamedTuple):
    label: str
    changes: dict[str, Any]


WHOLE: dict[str, Any] = {"strength": "soft", "ties": "half", "use_weights": True}
VARIANTS = (
    Variant("Everything", {}),
    Variant("Without strength", {"strength": "ignore"}),
    Variant("Without ties", {"ties": "drop"}),
    Variant("Without weights", {"use_weights": False}),
    Variant("Bare preferences", {"strength": "ignore", "ties": "drop", "use_weights": False}),
)


@transaction.atomic
def start_ablation(
    *,
    project: Project,
    user: User,
    snapshot: Snapshot,
    base_model: ModelVersion,
    name: str = "",
    like: Run | None = None,
) -> Ablation:
    """Launch one reward model for each of VARIANTS, all else the same: the settings of `like`, or the usual ones.

    The same name again is the ablation there is. Raises ValidationError: one person judged it all, or a run cannot be
    launched.
    """
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    known = Ablation.objects.of_project(project)
    name = name.strip() or f"Ablation {known.count() + 1}"
    existing = known.filter(name=name).first()
    if existing is not None:
        return existing
    people = snapshot.items.values("judgement__annotator", "judgement__external_annotator").distinct()
    if people[:2].count() < 2:
        alone = f"All of “{snapshot}” was judged by one person: nobody is left to test on. Have others judge too."
        raise ValidationError({"snapshot": alone})
    ablation = Ablation.objects.create(
        project=project, name=name, snapshot=snapshot, base_model=base_model, created_by=user
    )
    settings = to_dict(parse_config(ALGORITHM, like.config if like else {}))
    for position, variant in enumerate(VARIANTS):
        launch_variant(ablation, user, position, variant, {**settings, **WHOLE, **variant.changes})
    record_audit(actor=user, action="ablation.started", project=project, target=ablation)
    return ablation


def launch_variant(ablation: Ablation, user: User, position: int, variant: Variant, config: dict[str, Any]) -> None:
    run = launch_run(
        project=ablation.project,
        user=user,
        algorithm=ALGORITHM,
        snapshot=ablation.snapshot,
        base_model=ablation.base_model,
        config=config,
        name=f"{ablation.name}: {variant.label.lower()}",
    )
    Run.objects.filter(pk=run.pk).update(held_out_people=True)
    AblationRun.objects.create(ablation=ablation, run=run, position=position, label=variant.label)


def read_variants(ablation: Ablation) -> list[tuple[AblationRun, Compared]]:
    """Its variants in order, each with its accuracy and how far that is from the first's. One statement."""
    variants = list(ablation.variants.select_related("run").order_by("position"))
    whole = people_of(variants[0].run.metrics) if variants else {}
    return [(one, compare(whole, people_of(one.run.metrics) if place else None)) for place, one in enumerate(variants)]


def newest_ablation(snapshot: Snapshot) -> Ablation | None:
    return Ablation.objects.filter(snapshot=snapshot).order_by("-pk").first()
