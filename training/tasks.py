"""Celery's doors to training. Each finds its job's row, if it is still there, and calls one function.

Safe to deliver twice: the row says whether there is anything to do.
"""

from smtplib import SMTPException

from celery import shared_task

from annotate.models import Project
from training.models import Alarm, Evaluation, Generation, RewardReport, Run, Scoring
from training.services.alarms import tell_alarm as tell
from training.services.evaluation_people import follow_evaluation
from training.services.evaluation_work import evaluate
from training.services.execution import train_run
from training.services.live_answers import warm_models, write_waiting_answers
from training.services.recovery import recover_stalled_jobs as recover
from training.services.round_triggers import start_due_rounds
from training.services.rounds import advance_all, nudge_rounds
from training.services.rounds import advance_round as advance
from training.services.sampling import generate
from training.services.scoring import perform_scoring


@shared_task(name="training.run_training")
def run_training(*, job_id: int) -> None:
    for run in Run.objects.filter(pk=job_id):
        train_run(run)
        nudge_rounds(run.project)


@shared_task(name="training.generate_responses")
def generate_responses(*, job_id: int) -> None:
    for generation in Generation.objects.filter(pk=job_id):
        generate(generation)
        nudge_rounds(generation.project)


@shared_task(name="training.score_responses")
def score_responses(*, job_id: int) -> None:
    for scoring in Scoring.objects.filter(pk=job_id).select_related("model__run", "model__project"):
        perform_scoring(scoring)
        nudge_rounds(scoring.project)


@shared_task(name="training.run_evaluation")
def run_evaluation(*, job_id: int) -> None:
    for evaluation in Evaluation.objects.filter(pk=job_id).select_related("candidate", "baseline", "judge", "project"):
        evaluate(evaluation)
        nudge_rounds(evaluation.project)


@shared_task(name="training.follow_evaluations")
def follow_evaluations() -> int:
    """Take up what people said in every evaluation that waits for them; how many ended."""
    return sum(follow_evaluation(evaluation) for evaluation in Evaluation.objects.with_people())


@shared_task(name="training.warm_chat_models")
def warm_chat_models(*, job_id: int) -> None:
    """Somebody in the project of this number is about to chat."""
    for project in Project.objects.filter(pk=job_id):
        warm_models(project)


@shared_task(name="training.write_chat_answers")
def write_chat_answers(*, job_id: int) -> None:
    """The turn of this number waits, and others may too: all of them are written."""
    write_waiting_answers()


@shared_task(name="training.advance_round")
def advance_round(*, job_id: int) -> None:
    advance(round_id=job_id)


@shared_task(name="training.turn_rounds")
def turn_rounds() -> int:
    """Begin the rounds that are due, and move every running one on; how many run."""
    start_due_rounds()
    return advance_all()


@shared_task(name="training.recover_stalled_jobs")
def recover_stalled_jobs() -> int:
    return recover()


@shared_task(
    name="training.tell_alarm",
    autoretry_for=(OSError, SMTPException),
    retry_backoff=30,
    retry_kwargs={"max_retries": 6},
)
def tell_alarm(*, job_id: int) -> None:
    for alarm in Alarm.objects.filter(pk=job_id):
        tell(alarm)


@shared_task(name="training.report_reward_model")
def report_reward_model(*, job_id: int) -> None:
    """Loads torch: an inference worker alone comes here."""
    from training.services.report_work import make_report

    for report in RewardReport.objects.filter(pk=job_id).select_related(
        "model__run__base_model", "snapshot", "project"
    ):
        make_report(report)
