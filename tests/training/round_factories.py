"""Rounds for tests: a project with judgements, recipes, and runs that end without a trainer."""

import uuid

from annotate.models import Author, JobStatus, Project, User
from annotate.services.snapshots import build_snapshot
from tests.factories import make_author
from tests.training.factories import judge, make_backbone, make_policy
from training.algorithms.configs import ALGORITHMS
from training.models import Evaluation, Generation, ModelVersion, Recipe, Round, RoundStep, Run
from training.recipes import Plan, to_json
from training.services.rounds import advance_round, start_round

SMALL = {"prompts": 4, "tasks": 3, "evaluation_prompts": 4, "people_prompts": 4, "max_tokens": 8}


def make_recipe(
    project: Project, name: str = "Tiny", *, trigger: str = "hand", every: int = 1, **plan: object
) -> Recipe:
    return Recipe.objects.create(
        project=project,
        name=name,
        plan=to_json(Plan(**{**SMALL, **plan})),
        trigger=trigger,
        enough_judgements=every,
        created_by=project.created_by,
    )


def make_ready(project: Project, user: User, *, judgements: int = 24) -> None:
    """Judgements on as many prompts, a policy and an encoder."""
    judge(project, user, count=judgements)
    make_policy(project)
    make_backbone(project)


def begin(project: Project, user: User, **plan: object) -> Round:
    """A round that has begun its first steps."""
    make_ready(project, user)
    round = start_round(recipe=make_recipe(project, **plan), user=user)
    advance_round(round_id=round.pk)
    round.refresh_from_db()
    return round


def end_run(run: Run, status: str = JobStatus.SUCCEEDED, error: str = "") -> None:
    """As a worker and its trainer would: claimed, the model made, ended."""
    assert run.take()
    if status == JobStatus.SUCCEEDED:
        kind = ALGORITHMS[run.algorithm].makes
        author = make_author(run.project, run.name, Author.Kind.MODEL) if kind == "policy" else None
        ModelVersion.objects.create(
            project=run.project,
            kind=kind,
            name=run.name,
            parent=run.base_model,
            run=run,
            author=author,
            folder=run.base_model.folder,
            created_by=run.created_by,
        )
    run.end(JobStatus(status), error=error)


def end_generation(generation: Generation) -> None:
    """Each of its responses written."""
    assert generation.take()
    for chosen in generation.chosen_prompts.select_related("prompt"):
        for index in range(generation.responses_per_prompt):
            chosen.prompt.responses.create(
                author=generation.model.author, key=f"g{generation.pk}:{index}", text=f"{uuid.uuid4()}"
            )
    generation.end(JobStatus.SUCCEEDED)


def end_evaluation(evaluation: Evaluation, *, win_rate: float, low: float, high: float) -> None:
    assert evaluation.take()
    Evaluation.objects.filter(pk=evaluation.pk).update(win_rate=win_rate, low=low, high=high, count=40)
    evaluation.end(JobStatus.SUCCEEDED)


def step_of(round: Round, kind: str) -> RoundStep:
    return round.steps.get(kind=kind)


def finish(round: Round, *, until: str = "", low: float = 0.55) -> Round:
    """Do the work of every step as it comes, up to the step `until` (which is begun and not done)."""
    for step in round.steps.order_by("position"):
        advance_round(round_id=round.pk)
        step.refresh_from_db()
        if step.kind == until:
            break
        finish_step(step, low)
    advance_round(round_id=round.pk)
    round.refresh_from_db()
    return round


def finish_step(step: RoundStep, low: float) -> None:
    if step.snapshot and step.snapshot.is_active:
        build_snapshot(step.snapshot)
    if step.run:
        end_run(step.run)
    for generation in (step.generation, step.rival_generation):
        if generation:
            end_generation(generation)
    if step.kind == RoundStep.Kind.EVALUATE:
        for evaluation in Evaluation.objects.filter(round=step.round):
            end_evaluation(evaluation, win_rate=low + 0.1, low=low, high=low + 0.2)
