"""Celery's doors to training. Each finds its job's row, calls one function and may be delivered twice."""

from celery import shared_task

from training.models import Generation, Run
from training.services.execution import train_run
from training.services.recovery import recover_stalled_jobs as recover
from training.services.sampling import generate


@shared_task(name="training.run_training")
def run_training(*, job_id: int) -> None:
    train_run(Run.objects.get(pk=job_id))


@shared_task(name="training.generate_responses")
def generate_responses(*, job_id: int) -> None:
    generate(Generation.objects.get(pk=job_id))


@shared_task(name="training.recover_stalled_jobs")
def recover_stalled_jobs() -> int:
    return recover()
