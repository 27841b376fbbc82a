"""The last steps of a round: new responses by the policy in use, and the comparisons people are asked to make."""

from __future__ import annotations

from django.db.models import Count, QuerySet

from annotate.models import JobStatus, Prompt
from annotate.services.tasks import create_comparison_tasks
from training.models import Generation, ModelVersion, Round, RoundStep, Scoring
from training.recipes import Plan, parse_plan
from training.services.alarms import raise_alarm
from training.services.choosing import choose_pairs, queue_chosen
from training.services.generations import start_generation
from training.services.jobs import JobFailed
from training.services.pairing import Pair, in_neutral_order, is_comparable, own_responses, responses_by_prompt
from training.services.policies import current_policy
from training.services.scoring import start_scoring

Kind, Status = RoundStep.Kind, RoundStep.Status
TOP_P = 1.0
NEED_SCORES = {"uncertain", "information"}
ACTIVE = (JobStatus.QUEUED, JobStatus.RUNNING)


def begin_respond(step: RoundStep) -> None:
    """Ask the policy in use for responses, and its rival for one to each of a share of the same prompts."""
    round = step.round
    plan = parse_plan(round.plan)
    policy = current_policy(round.project)
    rival = rival_of(round, policy)
    prompts = list(least_judged(round).values_list("pk", flat=True)[: plan.prompts])
    step.generation = ask(round, plan, policy, prompts, plan.responses)
    shared = prompts[: round_up(plan.rival_share * len(prompts))]
    if rival is not None and shared:
        step.rival_generation = ask(round, plan, rival, shared, 1)
    step.facts = {"prompts": len(prompts), "policy": policy.name, "rival": rival.name if rival and shared else ""}


def round_up(number: float) -> int:
    return -int(-number // 1)


def least_judged(round: Round) -> QuerySet[Prompt]:
    """The project's prompts, those with the fewest tasks first, then the oldest."""
    return Prompt.objects.of_project(round.project).annotate(tasks_so_far=Count("tasks")).order_by("tasks_so_far", "pk")


def rival_of(round: Round, policy: ModelVersion) -> ModelVersion | None:
    """The other policy: the one before when the new one was taken, else the new one."""
    new = round.output_of(Kind.POLICY)
    return next((model for model in (round.policy_before, new) if model is not None and model.pk != policy.pk), None)


def ask(round: Round, plan: Plan, model: ModelVersion, prompts: list[int], count: int) -> Generation:
    return start_generation(
        project=round.project,
        user=round.actor(),
        model=model,
        prompts=Prompt.objects.filter(pk__in=prompts),
        responses_per_prompt=count,
        temperature=plan.temperature,
        top_p=TOP_P,
        max_tokens=plan.max_tokens,
        seed=round.number,
        queue_tasks=False,
        overlap=round.project.overlap,
    )


def look_respond(step: RoundStep) -> str:
    for generation in (step.generation, step.rival_generation):
        if generation is None:
            continue
        if generation.is_active:
            return ""
        if generation.status != JobStatus.SUCCEEDED:
            raise JobFailed(f"The responses of “{generation.model}” were not all written. {generation.error}".strip())
    return Status.SUCCEEDED


def begin_queue(step: RoundStep) -> None:
    """Have the responses scored first where the recipe chooses pairs by what the reward model is unsure of."""
    round = step.round
    scorer = round.output_of(Kind.REWARD_MODEL) or round.output_of(Kind.HELDOUT_REWARD_MODEL)
    if NEED_SCORES & parse_plan(round.plan).mix().keys() and scorer is not None:
        scoring = start_scoring(project=round.project, user=round.actor(), model=scorer)
        step.facts = {"scoring": scoring.pk}


def look_queue(step: RoundStep) -> str:
    """Queue the comparisons: some against the rival, the rest between responses of the policy in use."""
    if Scoring.objects.filter(pk=step.facts.get("scoring"), status__in=ACTIVE).exists():
        return ""
    round = step.round
    plan = parse_plan(round.plan)
    answers = round.steps.filter(kind=Kind.RESPOND, status=Status.SUCCEEDED).first()
    if answers is None or answers.generation is None:
        step.facts = {"queued": 0}
        return Status.SUCCEEDED
    rivals = rival_pairs(answers.generation, answers.rival_generation)[: round_up(plan.rival_share * plan.tasks)]
    overlap, prefix = round.project.overlap, f"round{round.pk}"
    against = create_comparison_tasks(project=round.project, pairs=rivals, overlap=overlap, key_prefix=f"{prefix}rival")
    chosen = choose_pairs(
        round.project,
        own_responses(answers.generation),
        count=plan.tasks - len(rivals),
        mix=plan.mix(),
        seed=round.number,
    )
    own = queue_chosen(project=round.project, pairs=chosen, overlap=overlap, key_prefix=prefix)
    step.facts = {"queued": against + own, "against_rival": against}
    if not against + own:
        warn_of_nothing(round, answers.generation)
    return Status.SUCCEEDED


def warn_of_nothing(round: Round, generation: Generation) -> None:
    """The loop would stand still: say so, and how to go on."""
    raise_alarm(
        project=round.project,
        round=round,
        kind="nothing_to_compare",
        message=f"No two of the {generation.total} responses by “{generation.model}” could be compared: they are empty "
        "or alike, so nothing was queued.",
        remedy="Restore the policy before under Rounds, Policy in use, and look at the run that made this one: it has "
        "probably been trained too far.",
        facts={"responses": generation.total},
    )


def rival_pairs(own: Generation, rival: Generation | None) -> list[Pair]:
    """The first response of the policy in use to a prompt, with its rival's."""
    ours = responses_by_prompt(own_responses(own))
    theirs = responses_by_prompt(own_responses(rival)) if rival else {}
    pairs = [(ours[prompt][0], responses[0]) for prompt, responses in theirs.items() if prompt in ours]
    return [in_neutral_order(pair) for pair in pairs if is_comparable(pair)]
