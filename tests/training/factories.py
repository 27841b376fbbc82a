"""Rows and files for the tests of training."""

import uuid
from pathlib import Path

from django.conf import settings

from annotate.models import Author, Comparison, Judgement, Kind, Project, Task, TaskResponse, User
from tests.factories import make_author, make_prompt, make_response
from tests.tiny_models import build_encoder, build_policy
from training.algorithms.models import load_reward_model, save_model
from training.models import ModelVersion

QUICK = {"epochs": 1, "batch_size": 2, "max_length": 128, "eval_every": 0, "checkpoint_every": 1, "lora": False}


def make_policy(
    project: Project, name: str = "tiny", *, seed: int = 0, is_default: bool = True, ends: bool = True
) -> ModelVersion:
    """A tiny policy with its files in place; unless it `ends`, it writes on to the limit."""
    folder = build_policy(
        settings.ARTIFACTS_DIR / "base" / f"{name}-{seed}{'' if ends else '-endless'}", seed=seed, ends=ends
    )
    return ModelVersion.objects.create(
        project=project,
        kind=ModelVersion.Kind.POLICY,
        name=name,
        origin=name,
        folder=relative(folder),
        author=make_author(project, name, Author.Kind.MODEL),
        is_default=is_default,
        created_by=project.created_by,
    )


def make_backbone(project: Project, name: str = "tiny-encoder") -> ModelVersion:
    folder = build_encoder(settings.ARTIFACTS_DIR / "base" / name)
    return ModelVersion.objects.create(
        project=project,
        kind=ModelVersion.Kind.BACKBONE,
        name=name,
        origin=name,
        folder=relative(folder),
        is_default=True,
        created_by=project.created_by,
    )


def relative(folder: Path) -> str:
    return str(Path(folder).relative_to(settings.ARTIFACTS_DIR))


def judge(project: Project, user: User, *, count: int, preference: int = -3) -> list[Judgement]:
    """`count` judgements of as many prompts, in each of which the kinder response was preferred."""
    return [judge_one(project, user, number, preference) for number in range(count)]


def judge_one(project: Project, user: User, number: int, preference: int) -> Judgement:
    prompt = make_prompt(project, f"Question {number}: how long do I boil an egg?")
    first, second = make_response(prompt, "Seven minutes, then cold water."), make_response(prompt, f"No {number}.")
    task = Task.objects.create(
        project=project, prompt=prompt, key=f"judged-{uuid.uuid4()}", required_judgements=1, remaining=0
    )
    for position, response in enumerate([first, second]):
        TaskResponse.objects.create(task=task, response=response, position=position)
    judgement = Judgement.objects.create(
        project=project,
        task=task,
        kind=Kind.COMPARISON,
        annotator=user,
        outcome=Judgement.Outcome.ANSWER,
        submission_id=uuid.uuid4(),
    )
    Comparison.objects.create(
        judgement=judgement, first=first, second=second, first_on_left=True, points=8, preference=preference
    )
    return judgement


def make_reward_model(project: Project, name: str = "tiny-reward", *, heads: int = 1, seed: int = 0) -> ModelVersion:
    """A tiny untrained reward model with its files in place."""
    backbone = build_encoder(settings.ARTIFACTS_DIR / "base" / "tiny-encoder")
    folder = settings.ARTIFACTS_DIR / "base" / f"{name}-{heads}-{seed}"
    save_model(load_reward_model(backbone, seed=seed, heads=heads), folder)
    return ModelVersion.objects.create(
        project=project,
        kind=ModelVersion.Kind.REWARD,
        name=name,
        origin=name,
        folder=relative(folder),
        created_by=project.created_by,
    )
