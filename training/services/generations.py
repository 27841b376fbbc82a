"""Asking a policy for responses: choosing the prompts, queueing the job, cancelling it."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import Avg, F, FloatField
from django.db.models.functions import Cast
from django.utils import timezone

from annotate.models import JobStatus, Project, Prompt, Response, User
from annotate.services.audit import record_audit
from annotate.services.queue import enqueue
from training.algorithms.selection import best_of_n_kl
from training.models import Generation, GenerationPrompt, ModelVersion
from training.services.pairing import generation_key

GENERATE_RESPONSES = "training.generate_responses"


class Choice(models.TextChoices):
    """Which prompts of a project are meant."""

    ALL = "all", "All prompts"
    TAG = "tag", "Prompts with a tag"
    WITHOUT = "without", "Prompts this model has not answered yet"


def choose_prompts(
    *, project: Project, model: ModelVersion, choice: str, tag: str = "", first: int | None = None
) -> models.QuerySet[Prompt]:
    """The prompts meant, oldest first, at most `first` of them."""
    prompts = Prompt.objects.of_project(project).order_by("id")
    if choice == Choice.TAG:
        prompts = prompts.filter(tags__contains=[tag])
    elif choice == Choice.WITHOUT:
        prompts = prompts.exclude(responses__author=model.author)
    return prompts[:first] if first else prompts


@transaction.atomic
def start_generation(
    *,
    project: Project,
    user: User,
    model: ModelVersion,
    prompts: models.QuerySet[Prompt],
    responses_per_prompt: int,
    temperature: float,
    top_p: float,
    max_tokens: int,
    seed: int,
    queue_tasks: bool,
    overlap: int,
    opponent: ModelVersion | None = None,
    best_of: int = 1,
    reward_model: ModelVersion | None = None,
) -> Generation:
    """Queue some responses of `model` to each prompt, then comparison tasks from them if wanted.

    With `best_of` n, each response is the one of n draws that `reward_model` scores highest. Raises ValidationError by
    field: no prompts, a model that writes nothing, no pair to compare, nothing to choose the best by.
    """
    chosen = list(prompts.values_list("pk", flat=True))
    check_request(model, opponent, chosen, responses_per_prompt, queue_tasks)
    check_choice(best_of, reward_model, temperature)
    generation = Generation.objects.create(
        project=project,
        model=model,
        opponent=opponent,
        responses_per_prompt=responses_per_prompt,
        temperature=temperature,
        top_p=top_p,
        max_tokens=max_tokens,
        seed=seed,
        queue_tasks=queue_tasks,
        overlap=overlap,
        best_of=best_of,
        reward_model=reward_model if best_of > 1 else None,
        total=len(chosen) * responses_per_prompt,
        queued_at=timezone.now(),
        created_by=user,
    )
    GenerationPrompt.objects.bulk_create(
        [GenerationPrompt(generation=generation, prompt_id=pk) for pk in chosen], batch_size=1000
    )
    facts = {"model": model.name, "prompts": len(chosen), "responses": generation.total}
    record_audit(actor=user, action="generation.started", project=project, target=generation, data=facts)
    enqueue(GENERATE_RESPONSES, job_id=generation.pk)
    return generation


def check_request(
    model: ModelVersion, opponent: ModelVersion | None, chosen: list[int], count: int, queue_tasks: bool
) -> None:
    errors = {}
    if not model.writes:
        errors["model"] = f"“{model}” is a {model.get_kind_display().lower()}; only policies and endpoints write."
    elif model.kind == ModelVersion.Kind.ENDPOINT and model.endpoint.removed_at:
        errors["model"] = f"The endpoint “{model}” was removed. Choose another model."
    if not chosen:
        errors["choice"] = "No prompt fits this choice. Choose others, or import prompts first."
    if queue_tasks and opponent is None and count < 2:
        errors["responses_per_prompt"] = "One response has nothing to be compared with. Ask for 2, or name an opponent."
    if opponent == model:
        errors["opponent"] = (
            f"“{model}” cannot be its own opponent. Leave the opponent empty to compare two of its draws."
        )
    if errors:
        raise ValidationError(errors)


def check_choice(best_of: int, reward_model: ModelVersion | None, temperature: float) -> None:
    errors = {}
    if best_of > 1 and reward_model is None:
        errors["reward_model"] = (
            f"Nothing chooses the best of {best_of}: name a reward model, or ask for the best of 1."
        )
    if best_of > 1 and temperature == 0:
        errors["temperature"] = f"At 0 all {best_of} draws are the same: raise it, or ask for the best of 1."
    if reward_model is not None and reward_model.kind != ModelVersion.Kind.REWARD:
        errors["reward_model"] = f"“{reward_model}” is a {reward_model.get_kind_display().lower()}; it scores nothing."
    if errors:
        raise ValidationError(errors)


def describe_choice(generation: Generation) -> dict[str, float | None]:
    """What choosing the best of n costs, `kl` in nats, and brought: mean `reward` of what was kept, `mean` of all."""
    kept = Response.objects.filter(key__startswith=generation_key(generation), author=generation.model.author)
    reward, mean = (Avg(Cast(F(f"sampling__{name}"), FloatField())) for name in ("reward", "reward_mean"))
    return {"kl": best_of_n_kl(generation.best_of), **kept.aggregate(reward=reward, mean=mean)}


@transaction.atomic
def cancel_generation(*, generation: Generation, user: User) -> bool:
    """Stop it after the responses being written. False when it has already ended."""
    changed = generation.request_cancel()
    if changed:
        record_audit(actor=user, action="generation.cancelled", project=generation.project, target=generation)
    return changed


@transaction.atomic
def retry_generation(*, generation: Generation, user: User) -> bool:
    """Queue a failed or cancelled generation again; it writes what is missing. False when it is under way or done."""
    if generation.status == JobStatus.DRAFT or not generation.queue():
        return False
    Generation.objects.filter(pk=generation.pk).update(attempts=0)
    record_audit(actor=user, action="generation.retried", project=generation.project, target=generation)
    enqueue(GENERATE_RESPONSES, job_id=generation.pk)
    return True
