"""Whether a round's new policy is better, and whether it is taken into use."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Q

from annotate.models import JobStatus, User
from annotate.services.audit import record_audit
from training.models import Alarm, Evaluation, ModelVersion, Round, RoundStep
from training.recipes import HAND, PEOPLE, REWARDS, Plan, parse_plan
from training.services.evaluations import cancel_evaluation, retry_evaluation, start_evaluation
from training.services.jobs import JobFailed
from training.services.policies import set_policy
from training.services.round_collapse import COLLAPSE, check_collapse

Kind, Status, Decision = RoundStep.Kind, RoundStep.Status, Round.Decision
JUDGES = {REWARDS: "The held-out reward model", PEOPLE: "People"}
PREFERS = {REWARDS: "The held-out reward model prefers", PEOPLE: "People prefer"}


def begin_evaluate(step: RoundStep) -> None:
    """Set the new policy against the one in use, and by reward model against the base too, which all rounds share."""
    round = step.round
    plan = parse_plan(round.plan)
    new, before = round.output_of(Kind.POLICY), round.policy_before
    if new is None:
        return
    base = root_of(before)
    if round.output_of(Kind.HELDOUT_REWARD_MODEL) is not None:
        for baseline in {before.pk: before, base.pk: base}.values():
            start(round, plan, new, baseline, REWARDS)
    if plan.asks(PEOPLE):
        start(round, plan, new, before, PEOPLE)


def root_of(policy: ModelVersion) -> ModelVersion:
    """The base model a policy grew out of."""
    while policy.parent is not None:
        policy = policy.parent
    return policy


def start(round: Round, plan: Plan, candidate: ModelVersion, baseline: ModelVersion, by: str) -> Evaluation:
    return start_evaluation(
        project=round.project,
        candidate=candidate,
        baseline=baseline,
        started_by=round.actor(),
        prompts=plan.evaluation_prompts if by == REWARDS else plan.people_prompts,
        by=by,
        round=round,
        temperature=plan.temperature,
        top_p=1.0,
        max_tokens=plan.max_tokens,
        seed=round.number,
        overlap=round.project.overlap,
    )


def look_evaluate(step: RoundStep) -> str:
    evaluations = list(Evaluation.objects.filter(round=step.round).select_related("candidate", "baseline"))
    if any(evaluation.is_active for evaluation in evaluations):
        return ""
    for evaluation in evaluations:
        if evaluation.status != JobStatus.SUCCEEDED:
            state = evaluation.get_status_display().lower()
            raise JobFailed(f"The evaluation of {evaluation} ended as {state}. {evaluation.error}".strip())
    return Status.SUCCEEDED if evaluations else Status.SKIPPED


def retry_evaluations(step: RoundStep, user: User) -> bool:
    """Queue those that failed again; False when there is none at all."""
    evaluations = list(Evaluation.objects.filter(round=step.round))
    for evaluation in evaluations:
        retry_evaluation(evaluation=evaluation, user=user)
    return bool(evaluations)


def cancel_evaluations(step: RoundStep, user: User) -> None:
    for evaluation in Evaluation.objects.filter(round=step.round):
        cancel_evaluation(evaluation=evaluation, user=user)


@transaction.atomic
def decide(round: Round) -> None:
    """Take the new policy into use if the owner's rule says so, and write down why or why not.

    One that has collapsed is never taken here, whatever the rule and the judge: its owner may, by hand.
    """
    plan, new = parse_plan(round.plan), round.output_of(Kind.POLICY)
    if new is None:
        note(round, Decision.KEPT, "No new policy was trained.")
        return
    collapse = check_collapse(round, new)
    if plan.gate == HAND:
        note(round, Decision.OPEN, f"This recipe leaves it to an owner. {collapse}".strip())
    else:
        verdicts = [judge_says(round, by, plan) for by in (REWARDS, PEOPLE) if plan.asks(by)]
        verdicts += [(False, f"The policy has collapsed: {collapse}")] if collapse else []
        verdicts += stop_alarms(round) if plan.gate_alarms else []
        reason = " ".join(sentence for _, sentence in verdicts)
        if all(passes for passes, _ in verdicts):
            set_policy(model=new, reason=f"{round}. {reason}", round=round)
            note(round, Decision.TAKEN, reason)
        else:
            note(round, Decision.KEPT, reason)


def note(round: Round, decision: str, reason: str) -> None:
    round.decision, round.decision_reason = decision, reason
    round.save(update_fields=["decision", "decision_reason"])


def judge_says(round: Round, by: str, plan: Plan) -> tuple[bool, str]:
    """Whether this judge lets the policy pass, and a sentence with the figures."""
    found = Evaluation.objects.filter(round=round, by=by, baseline=round.policy_before, win_rate__isnull=False).first()
    if found is None or found.win_rate is None or found.low is None or found.high is None:
        return False, f"{JUDGES[by]} did not say whether it is better."
    figures = (
        f"{PREFERS[by]} it in {100 * found.win_rate:.0f} % of {found.count} "
        f"(95 % interval {100 * found.low:.0f} to {100 * found.high:.0f} %)"
    )
    asked = f"more than {100 * plan.gate_rate:.0f} %"
    if found.low > plan.gate_rate:
        return True, f"{figures}, beyond doubt {asked}."
    return False, f"{figures}; the rule asks for {asked} beyond doubt."


def about_round(round: Round) -> Q:
    """Alarms of the round itself and of its runs."""
    return Q(round=round) | Q(run__round_step__round=round)


def stop_alarms(round: Round) -> list[tuple[bool, str]]:
    found = Alarm.objects.filter(about_round(round), project=round.project, severity=Alarm.Severity.STOP)
    alarms = found.filter(acknowledged_at=None).exclude(kind=COLLAPSE).order_by("pk")  # told already
    return [(False, f"An alarm says stop: {alarm.message}") for alarm in alarms]


@transaction.atomic
def take_by_hand(*, round: Round, user: User) -> bool:
    """An owner takes the round's policy into use, whatever its rule said. False when there is none, or it is in use."""
    round = Round.objects.select_for_update().get(pk=round.pk)
    new = round.output_of(Kind.POLICY)
    if new is None or not set_policy(model=new, reason=f"{round}, by hand.", set_by=user, round=round):
        return False
    note(round, Decision.TAKEN, f"Taken into use by {user}. {round.decision_reason}".strip())
    record_audit(actor=user, action="round.policy_taken", project=round.project, target=round)
    return True
