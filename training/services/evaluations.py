"""Setting one policy against another: choosing the prompts and the judge, queueing, stopping."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from annotate.models import JobStatus, Project, Prompt, User
from annotate.services.audit import record_audit
from annotate.services.queue import enqueue
from training.models import Evaluation, EvaluationItem, ModelVersion, Round, RoundStep, RunReward
from training.services.evaluation_people import withdraw
from training.services.held_out import held_out_prompts, runs_behind

RUN_EVALUATION = "training.run_evaluation"
By = Evaluation.By
Kind = ModelVersion.Kind


@transaction.atomic
def start_evaluation(
    *,
    project: Project,
    candidate: ModelVersion,
    baseline: ModelVersion,
    started_by: User | None,
    prompts: int,
    by: str,
    round: Round | None = None,
    judge: ModelVersion | None = None,
    temperature: float = 0.8,
    top_p: float = 0.95,
    max_tokens: int = 256,
    seed: int = 0,
    overlap: int = 1,
    margin: float = 0.1,
) -> Evaluation:
    """Queue the comparison of two policies on at most `prompts` held-out prompts.

    Of a round, the one there is when the same was asked before. Without `judge`, rewards are those of the round's
    held-out reward model, else of the project's default or newest one. Raises ValidationError by field.
    """
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    known = Evaluation.objects.filter(round=round, candidate=candidate, baseline=baseline, by=by)
    if round is not None and (found := known.first()):
        return found
    judge = (judge or find_judge(project, round)) if by == By.REWARDS else None
    check_models(project, candidate, baseline, judge, by)
    chosen = choose_prompts(project, [model for model in (candidate, baseline, judge) if model], prompts)
    evaluation = Evaluation.objects.create(
        project=project,
        candidate=candidate,
        baseline=baseline,
        by=by,
        judge=judge,
        round=round,
        temperature=temperature,
        top_p=top_p,
        max_tokens=max_tokens,
        seed=seed,
        overlap=overlap,
        margin=margin,
        total=2 * len(chosen),
        queued_at=timezone.now(),
        created_by=started_by or project.created_by,
    )
    EvaluationItem.objects.bulk_create(EvaluationItem(evaluation=evaluation, prompt=prompt) for prompt in chosen)
    facts = {"candidate": candidate.name, "baseline": baseline.name, "by": by, "prompts": len(chosen)}
    record_audit(actor=started_by, action="evaluation.started", project=project, target=evaluation, data=facts)
    enqueue(RUN_EVALUATION, job_id=evaluation.pk)
    return evaluation


def find_judge(project: Project, round: Round | None) -> ModelVersion | None:
    """The round's held-out reward model; without one, the project's default reward model or the newest."""
    rewards = ModelVersion.objects.of_project(project).filter(kind=Kind.REWARD)
    held_out = rewards.filter(run__round_step__round=round, run__round_step__kind=RoundStep.Kind.HELDOUT_REWARD_MODEL)
    own = held_out.first() if round else None
    return own or rewards.order_by("-is_default", "-id").first()


def check_models(
    project: Project, candidate: ModelVersion, baseline: ModelVersion, judge: ModelVersion | None, by: str
) -> None:
    errors = {}
    for field, model in (("candidate", candidate), ("baseline", baseline)):
        if model.project_id != project.pk or not model.writes:
            errors[field] = f"“{model}” is not a policy or endpoint of this project; only these write responses."
    if candidate == baseline:
        errors["baseline"] = f"“{candidate}” cannot be compared with itself. Choose another model."
    if by == By.REWARDS and judge is None:
        errors["judge"] = "This project has no reward model yet. Train one, or let people judge."
    elif judge is not None and (judge.project_id != project.pk or judge.kind != Kind.REWARD):
        errors["judge"] = f"“{judge}” is not a reward model of this project. Choose another."
    if errors:
        raise ValidationError(errors)


def choose_prompts(project: Project, models: list[ModelVersion], count: int) -> list[Prompt]:
    if count < 1:
        raise ValidationError({"prompts": f"{count} prompts compare nothing. Ask for at least 1."})
    chosen = list(held_out_prompts(project=project, models=models)[:count])
    if not chosen:
        raise ValidationError(
            {
                "prompts": "Every prompt of this project was trained on, so nothing is left to compare the models on. "
                "Import prompts, or train on a snapshot that holds a share out."
            }
        )
    return chosen


def was_rewarded_by_judge(evaluation: Evaluation) -> bool:
    """Whether a side was trained with the rewards of the very model that judges: then its verdict flatters."""
    runs = runs_behind([evaluation.candidate, evaluation.baseline])
    learnt_from = RunReward.objects.filter(run__in=runs, model=evaluation.judge, is_held_out=False)
    return evaluation.judge is not None and learnt_from.exists()


@transaction.atomic
def cancel_evaluation(*, evaluation: Evaluation, user: User) -> bool:
    """Stop it; comparisons that nobody has made are withdrawn, what was said stays. False when it has ended."""
    locked = Evaluation.objects.select_for_update().get(pk=evaluation.pk)
    changed = locked.request_cancel()
    if changed and locked.asked_at:
        locked.end(JobStatus.CANCELLED)
        withdraw(locked, actor=user)
    if changed:
        record_audit(actor=user, action="evaluation.cancelled", project=locked.project, target=locked)
    return changed


@transaction.atomic
def retry_evaluation(*, evaluation: Evaluation, user: User) -> bool:
    """Queue a failed or cancelled evaluation again; it does what is missing. False when it is under way or done."""
    if not evaluation.queue():
        return False
    Evaluation.objects.filter(pk=evaluation.pk).update(attempts=0, asked_at=None)
    record_audit(actor=user, action="evaluation.retried", project=evaluation.project, target=evaluation)
    enqueue(RUN_EVALUATION, job_id=evaluation.pk)
    return True
