"""Asking a policy for responses: choosing the prompts, queueing the job, cancelling it."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils import timezone

from annotate.models import JobStatus, Project, Prompt, User
from annotate.services.audit import record_audit
from annotate.services.queue import enqueue
from training.models import Generation, GenerationPrompt, ModelVersion

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
) -> Generation:
    """Queue n responses of `model` to each prompt, then comparison tasks from them if wanted.

    Raises ValidationError by field: no prompts, a model that writes nothing, no pair to compare.
    """
    chosen = list(prompts.values_list("pk", flat=True))
    check_request(model, opponent, chosen, responses_per_prompt, queue_tasks)
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
    if model.kind != ModelVersion.Kind.POLICY:
        errors["model"] = f"“{model}” is a {model.get_kind_display().lower()}; only a policy writes responses."
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
