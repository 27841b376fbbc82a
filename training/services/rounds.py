"""Rounds: beginning one, moving it on, and what its owner can do when a step has failed.

`advance_round` is a function of what the database says: it looks at the step under way, and begins the next when that
has ended, all under the round's row lock. It may be called by anybody, at any time, as often as they like.
"""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from annotate.models import Judgement, Project, User
from annotate.services.audit import record_audit
from annotate.services.queue import enqueue
from annotate.services.snapshot_filters import matching_judgements, parse_filters
from training.models import Recipe, Round, RoundStep
from training.recipes import Plan, parse_plan
from training.services.jobs import JobFailed
from training.services.policies import current_policy
from training.services.registry import ensure_base_models
from training.services.round_evaluation import decide
from training.services.round_steps import STEPS, can_skip, cancel_jobs, retry_jobs

ADVANCE_ROUND = "training.advance_round"
BY_HAND = "by hand"
Kind, Status = RoundStep.Kind, RoundStep.Status


def steps_of(plan: Plan) -> list[str]:
    """The kinds of step a round of this plan has, in order."""
    wanted = {
        Kind.SNAPSHOT: True,
        Kind.SFT: plan.sft,
        Kind.REWARD_MODEL: plan.scores(),
        Kind.HELDOUT_REWARD_MODEL: plan.heldout,
        Kind.POLICY: True,
        Kind.EVALUATE: True,
        Kind.RESPOND: plan.prompts > 0,
        Kind.QUEUE: plan.tasks > 0,
    }
    return [kind for kind in Kind if wanted[kind]]


@transaction.atomic
def start_round(*, recipe: Recipe, user: User | None, because: str = BY_HAND) -> Round:
    """Begin the project's next round; `user` None: its trigger did. Raises ValidationError while another is under way,
    PlanError for a recipe that no longer fits this version."""
    project = Project.objects.select_for_update(no_key=True).get(pk=recipe.project_id)
    if active := active_round(project):
        raise ValidationError(f"{active} is still under way. Wait for it, or cancel it first.")
    ensure_base_models(project)
    plan = parse_plan(recipe.plan)
    last = Round.objects.of_project(project).aggregate(last=Max("number"))["last"] or 0
    round = Round.objects.create(
        project=project,
        number=last + 1,
        recipe=recipe,
        plan=recipe.plan,
        because=because,
        started_by=user,
        policy_before=current_policy(project),
        new_judgements=count_new_judgements(project),
    )
    RoundStep.objects.bulk_create(
        RoundStep(round=round, kind=kind, position=position) for position, kind in enumerate(steps_of(plan))
    )
    facts = {"recipe": recipe.name, "because": because, "new_judgements": round.new_judgements}
    record_audit(actor=user, action="round.started", project=project, target=round, data=facts)
    enqueue(ADVANCE_ROUND, job_id=round.pk)
    return round


def active_round(project: Project) -> Round | None:
    return Round.objects.of_project(project).filter(status__in=Round.ACTIVE).first()


def count_new_judgements(project: Project, *, up_to: int | None = None) -> int:
    """Judgements a snapshot would take that came since the last round began; `up_to` so many, which reads no more rows
    than that."""
    answers = matching_judgements(project, parse_filters({}))
    last = Round.objects.of_project(project).order_by("-number").first()
    if up_to is not None:
        answers = Judgement.objects.filter(pk__in=answers.order_by("-pk").values("pk")[:up_to])
    return answers.filter(created_at__gt=last.started_at).count() if last else answers.count()


@transaction.atomic
def advance_round(*, round_id: int) -> Round | None:
    """Move the round as far on as it can go now. None when there is nothing to move: it has ended, or waits for its
    owner, or is gone."""
    round = Round.objects.select_for_update().filter(pk=round_id, status=Round.Status.RUNNING).first()
    if round is None:
        return None
    for step in round.steps.order_by("position"):
        step.round = round
        if step.status not in RoundStep.DONE and not move_step(step):
            return round
    end_round(round, Round.Status.SUCCEEDED)
    record_audit(actor=None, action="round.finished", project=round.project, target=round)
    return round


def move_step(step: RoundStep) -> bool:
    """Begin a step that has not begun, and look how it is; whether the next may begin."""
    begin, look = STEPS[step.kind]
    try:
        with transaction.atomic():
            if step.status == Status.PENDING:
                step.status, step.started_at, step.error = Status.RUNNING, timezone.now(), ""
                begin(step)
            ended = look(step)
    except (JobFailed, ValidationError, ValueError) as refusal:
        started = step.started_at
        step.refresh_from_db()  # what it had named is rolled back
        step.status, step.error = Status.FAILED, words_of(refusal)
        step.started_at, step.finished_at = started, timezone.now()
        stop_round(step)
        return False
    if ended:
        step.status, step.finished_at = ended, timezone.now()
    step.save()
    if step.kind == Kind.EVALUATE and ended:
        decide(step.round)
    return bool(ended)


def words_of(refusal: Exception) -> str:
    return " ".join(refusal.messages) if isinstance(refusal, ValidationError) else str(refusal)


def stop_round(step: RoundStep) -> None:
    """The step has failed: the round waits for its owner."""
    step.save()
    step.round.status = Round.Status.STOPPED
    step.round.save(update_fields=["status"])
    facts = {"step": step.get_kind_display(), "error": step.error[:300]}
    record_audit(actor=None, action="round.stopped", project=step.round.project, target=step.round, data=facts)


def end_round(round: Round, status: str) -> None:
    round.status, round.finished_at = status, timezone.now()
    round.save(update_fields=["status", "finished_at"])


@transaction.atomic
def retry_step(*, step: RoundStep, user: User) -> bool:
    """Do a failed step again: what it had begun goes on, what it could not begin is begun. False when it is not
    failed."""
    round = Round.objects.select_for_update().get(pk=step.round_id)
    step.refresh_from_db()
    if round.status != Round.Status.STOPPED or step.status != Status.FAILED:
        return False
    step.status = Status.RUNNING if retry_jobs(step, user) else Status.PENDING
    step.error, step.finished_at = "", None
    step.save()
    go_on(round, step, user, "round.step_retried")
    return True


@transaction.atomic
def skip_step(*, step: RoundStep, user: User) -> bool:
    """Leave a failed step out. False when it is not failed, or the round cannot do without it."""
    round = Round.objects.select_for_update().get(pk=step.round_id)
    step.refresh_from_db()
    if round.status != Round.Status.STOPPED or step.status != Status.FAILED or not can_skip(step):
        return False
    step.status, step.finished_at = Status.SKIPPED, timezone.now()
    step.save()
    go_on(round, step, user, "round.step_skipped")
    if step.kind == Kind.EVALUATE:
        decide(round)
    return True


def go_on(round: Round, step: RoundStep, user: User, action: str) -> None:
    round.status = Round.Status.RUNNING
    round.save(update_fields=["status"])
    facts = {"step": step.get_kind_display()}
    record_audit(actor=user, action=action, project=round.project, target=round, data=facts)
    enqueue(ADVANCE_ROUND, job_id=round.pk)


@transaction.atomic
def cancel_round(*, round: Round, user: User) -> bool:
    """End the round here; what it has under way is told to stop, what it has made stays. False when it has ended."""
    round = Round.objects.select_for_update().get(pk=round.pk)
    if not round.is_active:
        return False
    for step in round.steps.filter(status=Status.RUNNING):
        cancel_jobs(step, user)
        step.status, step.finished_at, step.error = Status.SKIPPED, timezone.now(), "The round was cancelled."
        step.save()
    end_round(round, Round.Status.CANCELLED)
    record_audit(actor=user, action="round.cancelled", project=round.project, target=round)
    return True


def nudge_rounds(project: Project) -> None:
    """Something in this project has ended: let its round look at once, not at the next beat."""
    if active := Round.objects.of_project(project).filter(status=Round.Status.RUNNING).first():
        enqueue(ADVANCE_ROUND, job_id=active.pk)


def advance_all() -> int:
    """Move every running round on; returns how many there are."""
    running = list(Round.objects.filter(status=Round.Status.RUNNING).values_list("pk", flat=True))
    for pk in running:
        advance_round(round_id=pk)
    return len(running)
